"""Reader of LeRobot datasets: demonstrations as arrays in memory."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.data.columns import Columns
from motiongen.data.demonstrations import Demonstrations
from motiongen.files import reading
from motiongen_datasets.lerobot.episodes import Episode, read_episodes
from motiongen_datasets.lerobot.frames import find_frames, read_frames
from motiongen_datasets.lerobot.info import ACTION, DONE, SCENE, STATE, Info, read_info
from motiongen_datasets.lerobot.video import check_pictures, read_video

CONVENTION = Columns()
"""Columns as the format names them."""


def read_all(
    folders: Iterable[str | Path],
    cameras: Iterable[str] | None = None,
    columns: Columns = CONVENTION,
    one_camera: bool = False,
) -> list[Demonstrations]:
    """Return the demonstrations of several datasets, one by one; that they fit together is not checked.

    Args:
        folders: the datasets, v2.0, v2.1 or v3.0.
        cameras: as for `read`; if some of the datasets have cameras, those without any are read without pictures.
        columns: as for `read`.
        one_camera: refuse a dataset of several cameras, of which none is named, before anything large is read.

    Raises:
        ValueError: as `read` does.
    """
    cameras = None if cameras is None else tuple(cameras)
    infos = [read_info(folder) for folder in folders]
    if one_camera and cameras is None and not columns.image:
        for info in infos:
            info.check_one_camera()
    has_camera = [info.has_cameras for info in infos]
    return [
        _read(info, cameras if has or not any(has_camera) else (), columns=columns)
        for info, has in zip(infos, has_camera, strict=True)
    ]


def read(
    folder: str | Path,
    cameras: Iterable[str] | None = None,
    episodes: Iterable[int] | None = None,
    columns: Columns = CONVENTION,
) -> Demonstrations:
    """Return the demonstrations of a dataset, with pictures of the stored size.

    Args:
        folder: the dataset, v2.0, v2.1 or v3.0.
        cameras: names ("front") or columns ("observation.images.front"); None for all that show colours, () for no
            pictures. A camera of depth is read by its name as grey pictures: 16-bit distances with a level for 20 of
            their units (mm: up to 5.1 m), others as they are stored.
        episodes: numbers of the episodes, in the order in which they are returned; None for all.
        columns: those of the state, the action and the picture, where they are not `observation.state`, `action` and
            one of `cameras` (which go before). Columns of one role are joined in the order in which they are named.

    Raises:
        ValueError: a file or column is missing, broken, or of another shape than the description has; a number is not
            finite; there is no such camera or episode. The message names the file, the column and the expectation.
    """
    return _read(read_info(folder), cameras, episodes, columns)


def _read(
    info: Info,
    cameras: Iterable[str] | None,
    episodes: Iterable[int] | None = None,
    columns: Columns = CONVENTION,
) -> Demonstrations:
    """Return the demonstrations of a described dataset; arguments as for `read`."""
    with reading(info.folder, "a whole LeRobot dataset"):
        return _demonstrations(info, cameras, episodes, columns)


def _demonstrations(
    info: Info, cameras: Iterable[str] | None, episodes: Iterable[int] | None, roles: Columns
) -> Demonstrations:
    columns = info.cameras((roles.image,) if roles.image and cameras is None else cameras)
    state, action = roles.state or (STATE,), roles.action or (ACTION,)
    scene = (SCENE,) if SCENE in info.features and SCENE not in state else ()
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
    wanted = [*state, *action, *scene, *([DONE] if DONE in info.features else [])]
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
        state=_joined(numbers, state),
        action=_joined(numbers, action),
        lengths=np.array(lengths, np.int64),
        instructions=tuple(episode.instruction for episode in chosen),
        images={name: pictures[column] for name, column in columns.items()},
        state_names=_names(info, state),
        action_names=_names(info, action),
        robot=info.robot,
        scene=_joined(numbers, scene) if scene else None,
        scene_names=_names(info, scene),
        done=numbers[DONE][np.cumsum(lengths) - 1].any(1) if DONE in numbers else None,
    )


def _joined(numbers: dict[str, NDArray[np.float32]], columns: Sequence[str]) -> NDArray[np.float32]:
    """Return the numbers of columns (T, N) side by side; those of a single one are not copied."""
    parts = [numbers[column] for column in columns]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _names(info: Info, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the numbers of columns; none unless each number has one, and no two are alike."""
    each = [info.names(column) for column in columns]
    joined = tuple(name for names in each for name in names)
    return joined if all(each) and len(set(joined)) == len(joined) else ()


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
