"""Writer of demonstrations as a LeRobot v3.0 dataset, episode by episode."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from motiongen.atomic import AtomicFolder, naming
from motiongen_datasets.lerobot import layout
from motiongen_datasets.lerobot.file_series import DataFiles, VideoFiles
from motiongen_datasets.lerobot.info import ACTION, DONE, INFO, SCENE, STATE
from motiongen_datasets.lerobot.layout import CAMERA
from motiongen_datasets.lerobot.stats import Stats
from motiongen_datasets.lerobot.video import CODEC, PIXELS


class LeRobotWriter:
    """Atomic writer of a dataset: it writes to a temporary folder, and moves that to its path when it is closed.

    Use it in a `with` block, which closes it, or deletes everything when an error leaves the block.

    Args:
        folder: path of the new dataset; missing or an empty folder.
        fps: frames per second.
        state_names: names of the numbers in the robot's state.
        action_names: names of the numbers in its action.
        robot: type of the robot.
        image_shape: (H, W, 3) of the front camera's pictures; None without a camera.
        scene_names: names of the numbers in the scene's state, which the robot does not observe; () without them.
        data_mb: size in megabytes at which the next Parquet file is started.
        video_mb: size in megabytes at which the next video is started.

    Raises:
        ValueError: the path is taken, or an argument is invalid.
    """

    def __init__(
        self,
        folder: str | Path,
        fps: float,
        state_names: Sequence[str],
        action_names: Sequence[str],
        robot: str,
        image_shape: tuple[int, ...] | None = None,
        scene_names: Sequence[str] = (),
        data_mb: float = layout.DATA_MB,
        video_mb: float = layout.VIDEO_MB,
    ) -> None:
        self.folder = Path(folder)
        check_new(self.folder)
        if not fps > 0:
            raise ValueError(f"fps: expected > 0, got {fps}")
        if image_shape is not None and (len(image_shape) != 3 or image_shape[2] != 3):
            raise ValueError(f"image_shape: expected (H, W, 3), got {tuple(image_shape)}")
        self._fps = Fraction(fps).limit_denominator(1001)
        self._names = {STATE: tuple(state_names), ACTION: tuple(action_names)}
        if scene_names:
            self._names[SCENE] = tuple(scene_names)
        self._robot, self._image_shape = robot, image_shape
        self._sizes_mb = data_mb, video_mb
        self._aside = AtomicFolder(self.folder)
        self._temporary = self._aside.part
        self._data = DataFiles(self._temporary, layout.schema(self._names), data_mb)
        self._videos = VideoFiles(self._temporary, self._fps, video_mb)
        self._rows: list[dict[str, Any]] = []
        self._stats: dict[str, Stats] = {}
        self._tasks: dict[str, int] = {}
        self.num_frames = 0

    @property
    def num_episodes(self) -> int:
        """Number of episodes so far."""
        return len(self._rows)

    def add_episode(
        self,
        states: NDArray[np.float32],
        actions: NDArray[np.float32],
        images: NDArray[np.uint8] | None,
        instruction: str,
        done: bool = True,
        scene: NDArray[np.float32] | None = None,
    ) -> None:
        """Append an episode of T frames.

        Args:
            states: (T, D) of the robot at each frame.
            actions: (T, A) that follow the states.
            images: (T, H, W, 3) of the camera; None without one.
            instruction: the task that is demonstrated, in words.
            done: whether the episode was over at its end, rather than cut off there.
            scene: (T, E) states of the scene; None unless scene_names were given.

        Raises:
            ValueError: the episode is empty, of another shape than declared, or a number is not finite.
        """
        numbers = {STATE: states, ACTION: actions} | ({} if scene is None else {SCENE: scene})
        self._check(numbers, images)
        with naming(self.folder, self._temporary):
            self._add(numbers, images, instruction, done)

    def _add(
        self,
        numbers: dict[str, NDArray[np.float32]],
        images: NDArray[np.uint8] | None,
        instruction: str,
        done: bool,
    ) -> None:
        length = len(numbers[STATE])
        columns = self._columns(numbers, instruction, done)
        row = {
            "episode_index": self.num_episodes,
            "tasks": [instruction],
            "length": length,
            **self._data.add(columns),
            "dataset_from_index": self.num_frames,
            "dataset_to_index": self.num_frames + length,
        }
        stats = {column: Stats.of(values.reshape(len(values), -1)) for column, values in columns.items()}
        if images is not None:
            row |= self._videos.add(images)
            stats[CAMERA] = Stats.of_pictures(images)
        for column, one in stats.items():
            self._stats[column] = self._stats[column] + one if column in self._stats else one
            row |= {f"stats/{column}/{name}": values for name, values in _lists(column, one).items()}
        self._rows.append({**row, "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0})
        self.num_frames += length

    def close(self) -> None:
        """Finish the files and move the dataset to its path. Raises ValueError without an episode."""
        if not self._rows:
            self.discard()
            raise ValueError(f"{self.folder}: expected at least one episode, got none; nothing is written")
        with naming(self.folder, self._temporary):
            self._finish()

    def _finish(self) -> None:
        try:
            self._data.close()
            self._videos.close()
            episodes = self._temporary / layout.EPISODES_PATH
            episodes.parent.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(self._rows), episodes)
            layout.write_tasks(self._temporary / layout.TASKS, self._tasks)
            stats = {column: _lists(column, one) for column, one in self._stats.items()}
            layout.write_json(self._temporary / layout.STATS, stats)
            layout.write_json(self._temporary / INFO, self._info())
        except BaseException:
            self._aside.discard()
            raise
        self._aside.commit()

    def discard(self) -> None:
        """Delete everything that was written."""
        with naming(self.folder, self._temporary):
            try:
                self._data.close()
                self._videos.close()
            finally:
                self._aside.discard()

    def __enter__(self) -> "LeRobotWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _check(self, numbers: dict[str, NDArray[np.float32]], images: NDArray[np.uint8] | None) -> None:
        """Raise ValueError for an episode that is not as declared."""
        frames = len(numbers[STATE])
        if not frames:
            raise ValueError(f"{STATE}: expected at least one frame, got none")
        if set(numbers) != set(self._names):
            raise ValueError(f"{SCENE}: expected it just where its names are given; see scene_names")
        for column, values in numbers.items():
            names = self._names[column]
            if values.shape != (frames, len(names)):
                raise ValueError(f"{column}: expected shape {(frames, len(names))}, got {values.shape}")
            if not np.isfinite(values).all():
                frame, number = np.argwhere(~np.isfinite(values))[0]
                got = f"{values[frame, number]} as {names[number]} in frame {frame}"
                raise ValueError(f"{column}: expected finite numbers, got {got}")
        expected = "none" if self._image_shape is None else f"uint8 {(frames, *self._image_shape)}"
        got = "none" if images is None else f"{images.dtype} {images.shape}"
        if got != expected:
            raise ValueError(f"{CAMERA}: expected {expected}, got {got}")

    def _columns(
        self, numbers: dict[str, NDArray[np.float32]], instruction: str, done: bool
    ) -> dict[str, NDArray[Any]]:
        """Return every column of an episode, (T,) or (T, N)."""
        frames = np.arange(len(numbers[STATE]), dtype=np.int64)
        task = self._tasks.setdefault(instruction, len(self._tasks))
        return {
            **{column: values.astype(np.float32) for column, values in numbers.items()},
            DONE: (frames == len(frames) - 1) & done,
            "timestamp": (frames / float(self._fps)).astype(np.float32),
            "frame_index": frames,
            "episode_index": np.full_like(frames, self.num_episodes),
            "index": frames + self.num_frames,
            "task_index": np.full_like(frames, task),
        }

    def _info(self) -> dict[str, Any]:
        """Return the content of info.json."""
        rate = self._fps.numerator if self._fps.denominator == 1 else float(self._fps)
        camera = self._image_shape and layout.video_feature(self._image_shape, rate, CODEC, PIXELS)
        columns = layout.features(self._names, camera)
        totals = self.num_episodes, self.num_frames, len(self._tasks)
        return layout.info(self._robot, rate, totals, self._sizes_mb, columns)


def check_new(folder: Path) -> None:
    """Raise ValueError unless a path is free, or an empty folder: a dataset is never overwritten."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(
            f"{folder}: expected nothing there, found something; choose another folder or remove it"
        )


def _lists(column: str, stats: Stats) -> dict[str, list[Any]]:
    """Return the statistics of a column as LeRobot stores them: those of colours with shape (3, 1, 1)."""
    return stats.as_lists((3, 1, 1) if column == CAMERA else (-1,))
