"""Reads a LeRobot dataset into arrays."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.data.demonstrations import Demonstrations
from motiongen_datasets.lerobot.episodes import Episode, read_episodes
from motiongen_datasets.lerobot.frames import read_frames
from motiongen_datasets.lerobot.info import ACTION, DONE, SCENE, STATE, Info, read_info
from motiongen_datasets.lerobot.video import read_video


def read_all(folders: Iterable[str | Path], cameras: Iterable[str] | None = None) -> list[Demonstrations]:
    """Return what `read` does, of each folder; whether they fit together is the caller's to say.

    Beside datasets with cameras, those with none are read without pictures, whichever camera is asked for.
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
    """Return a dataset's demonstrations, pictures as large as they are stored.

    Args:
        folder: the dataset, v2.1 or v3.0.
        cameras: which, as "front" or "observation.images.front"; all for None, () for states alone.
        episodes: numbers of the episodes, in the order in which they are to come; all for None.

    Raises:
        ValueError: a file or column is missing, broken, or of another shape than the dataset says; a number is not
            finite; there is no such camera or episode. It names the file, the column and what is expected.
    """
    return _read(read_info(folder), cameras, episodes)


def _read(info: Info, cameras: Iterable[str] | None, episodes: Iterable[int] | None = None) -> Demonstrations:
    columns = info.cameras(cameras)
    videos = [column for column in columns.values() if info.is_video(column)]
    chosen = read_episodes(info, videos, episodes)
    lengths = np.array([episode.length for episode in chosen], np.int64)
    frames = int(lengths.sum())
    wanted = [STATE, ACTION, *(column for column in (SCENE, DONE) if column in info.features)]
    numbers = {column: np.empty((frames, info.width(column)), np.float32) for column in wanted}
    pictures = {
        column: np.empty((frames, *info.picture_size(column), 3), np.uint8) for column in columns.values()
    }
    placed = list(zip(chosen, (int(start) for start in lengths.cumsum() - lengths), strict=True))
    stills = {column: target for column, target in pictures.items() if column not in videos}
    for path, here in groupby(sorted(placed, key=lambda one: one[0].data), key=lambda one: one[0].data):
        read_frames(path, list(here), numbers, stills)
    for column, values in numbers.items():
        _check_finite(column, values, placed)
    for column in videos:
        _read_videos(column, placed, info.fps, pictures[column])
    return Demonstrations(
        fps=info.fps,
        state=numbers[STATE],
        action=numbers[ACTION],
        lengths=lengths,
        instructions=tuple(episode.instruction for episode in chosen),
        images={name: pictures[column] for name, column in columns.items()},
        state_names=info.names(STATE),
        action_names=info.names(ACTION),
        robot=info.robot,
        scene=numbers.get(SCENE),
        scene_names=info.names(SCENE) if SCENE in numbers else (),
        done=numbers[DONE][lengths.cumsum() - 1].any(1) if DONE in numbers else None,
    )


def _read_videos(
    column: str, placed: Sequence[tuple[Episode, int]], fps: float, target: NDArray[np.uint8]
) -> None:
    """Fill in one camera's pictures, video by video and from its beginning to its end."""
    in_time = sorted(placed, key=lambda one: one[0].videos[column])
    for path, here in groupby(in_time, key=lambda one: one[0].videos[column][0]):
        parts = [
            (episode.videos[column][1], target[start : start + episode.length]) for episode, start in here
        ]
        read_video(path, fps, parts)


def _check_finite(column: str, values: NDArray[np.float32], placed: Sequence[tuple[Episode, int]]) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        frame, number = (int(place) for place in bad[0])
        episode, start = next(one for one in reversed(placed) if one[1] <= frame)
        raise ValueError(
            f"{episode.data}: {column}: expected {values.shape[1]} finite numbers, got {values[frame, number]} "
            f"as number {number} in frame {frame - start} of episode {episode.index}"
        )
