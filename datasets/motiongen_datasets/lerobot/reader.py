"""Reader of LeRobot datasets: demonstrations as arrays in memory."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.data.demonstrations import Demonstrations
from motiongen.files import reading
from motiongen_datasets.lerobot.episodes import Episode, read_episodes
from motiongen_datasets.lerobot.frames import find_frames, read_frames
from motiongen_datasets.lerobot.info import ACTION, DONE, SCENE, STATE, Info, read_info
from motiongen_datasets.lerobot.video import check_pictures, read_video


def read_all(folders: Iterable[str | Path], cameras: Iterable[str] | None = None) -> list[Demonstrations]:
    """Return the demonstrations of several datasets, one by one; that they fit together is not checked.

    Args:
        folders: the datasets, v2.1 or v3.0.
        cameras: as for `read`; if some of the datasets have cameras, those without any are read without pictures.

    Raises:
        ValueError: as `read` does.
    """
    cameras = None if cameras is None else tuple(cameras)
    infos = [read_info(folder) for folder in folders]
    has_camera = [bool(info.cameras(None)) for info in infos]
    return [
        _read(info, cameras if has or not any(has_camera) else ())
        for info, has in zip(infos, has_camera, strict=True)
    ]


def read(
    folder: str | Path, cameras: Iterable[str] | None = None, episodes: Iterable[int] | None = None
) -> Demonstrations:
    """Return the demonstrations of a dataset, with pictures of the stored size.

    Args:
        folder: the dataset, v2.1 or v3.0.
        cameras: names ("front") or columns ("observation.images.front"); None for all, () for no pictures.
        episodes: numbers of the episodes, in the order in which they are returned; None for all.

    Raises:
        ValueError: a file or column is missing, broken, or of another shape than the description has; a number is not
            finite; there is no such camera or episode. The message names the file, the column and the expectation.
    """
    return _read(read_info(folder), cameras, episodes)


def _read(info: Info, cameras: Iterable[str] | None, episodes: Iterable[int] | None = None) -> Demonstrations:
    """Return the demonstrations of a described dataset; arguments as for `read`."""
    with reading(info.folder, "a whole LeRobot dataset"):
        return _demonstrations(info, cameras, episodes)


def _demonstrations(
    info: Info, cameras: Iterable[str] | None, episodes: Iterable[int] | None
) -> Demonstrations:
    columns = info.cameras(cameras)
    videos = [column for column in columns.values() if info.is_video(column)]
    chosen = read_episodes(info, videos, episodes)
    lengths = [episode.length for episode in chosen]
    starts = list(zip(chosen, accumulate(lengths, initial=0), strict=False))
    # Before memory is taken for them: the rows and the pictures that the description speaks of are there.
    targets = {
        path: find_frames(path, list(in_file))
        for path, in_file in groupby(sorted(starts, key=_data_file), key=_data_file)
    }
    for column in videos:
        check_pictures(chosen[0].videos[column][0], info.picture_size(column))
    frames = sum(lengths)
    wanted = [STATE, ACTION, *(column for column in (SCENE, DONE) if column in info.features)]
    numbers = {column: np.empty((frames, info.width(column)), np.float32) for column in wanted}
    pictures = {
        column: np.empty((frames, *info.picture_size(column), 3), np.uint8) for column in columns.values()
    }
    stills = {column: images for column, images in pictures.items() if column not in videos}
    for path, rows in targets.items():
        read_frames(path, rows, numbers, stills)
    for column, values in numbers.items():
        _check_finite(column, values, starts)
    for column in videos:
        _read_videos(column, starts, info.fps, pictures[column])
    return Demonstrations(
        fps=info.fps,
        state=numbers[STATE],
        action=numbers[ACTION],
        lengths=np.array(lengths, np.int64),
        instructions=tuple(episode.instruction for episode in chosen),
        images={name: pictures[column] for name, column in columns.items()},
        state_names=info.names(STATE),
        action_names=info.names(ACTION),
        robot=info.robot,
        scene=numbers.get(SCENE),
        scene_names=info.names(SCENE) if SCENE in numbers else (),
        done=numbers[DONE][np.cumsum(lengths) - 1].any(1) if DONE in numbers else None,
    )


def _data_file(start: tuple[Episode, int]) -> Path:
    return start[0].data


def _read_videos(
    column: str, starts: Sequence[tuple[Episode, int]], fps: float, pictures: NDArray[np.uint8]
) -> None:
    """Write one camera's pictures into an array (T, H, W, 3), video by video and each in the order of its time."""
    in_time = sorted(starts, key=lambda start: start[0].videos[column])
    for path, in_file in groupby(in_time, key=lambda start: start[0].videos[column][0]):
        segments = [
            (episode.videos[column][1], pictures[first : first + episode.length])
            for episode, first in in_file
        ]
        read_video(path, fps, segments)


def _check_finite(column: str, values: NDArray[np.float32], starts: Sequence[tuple[Episode, int]]) -> None:
    """Raise ValueError for the first number that is not finite, with its frame and episode."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        frame, number = (int(index) for index in bad[0])
        episode, first = next(start for start in reversed(starts) if start[1] <= frame)
        raise ValueError(
            f"{episode.data}: {column}: expected {values.shape[1]} finite numbers, got {values[frame, number]} "
            f"as number {number} in frame {frame - first} of episode {episode.index}"
        )
