"""Description of a LeRobot dataset, meta/info.json: layout, frame rate, columns and file paths."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from motiongen import limits
from motiongen.files import beside, read_json, reading

STATE, ACTION = "observation.state", "action"
"""Columns of the robot's state and of its action."""
SCENE = "observation.environment_state"
"""Optional column of simulated datasets: the state of the scene, in numbers that no real robot observes."""
DONE = "next.done"
"""Optional column: whether the episode is over after the frame."""
VERSION, OLD_VERSIONS = "v3.0", ("v2.1", "v2.0")
"""Layouts that are read: with many episodes per file, and with one; v2.0 differs from v2.1 in its statistics only."""
INFO = "meta/info.json"


@dataclass(frozen=True)
class Info:
    """Description of a dataset.

    Attributes:
        folder: folder of the dataset.
        version: VERSION or one of OLD_VERSIONS.
        fps: frames per second.
        robot: type of the robot; "" where unknown.
        features: column -> its dtype, shape and names.
        data_path: pattern of the Parquet files' paths.
        video_path: pattern of the videos' paths; "" without videos.
        chunk_size: number of episodes (v2.1) or files (v3.0) per folder.
    """

    folder: Path
    version: str
    fps: float
    robot: str
    features: dict[str, dict[str, Any]]
    data_path: str
    video_path: str
    chunk_size: int
    _paths: dict[str, Path] = field(default_factory=dict, compare=False, repr=False)

    def width(self, column: str) -> int:
        """Return the width of a column's rows of numbers. Raises ValueError where its rows are none."""
        shape = _shape(self._feature(column))
        if len(shape) != 1 or not 1 <= shape[0] <= limits.MAX_LIST:
            raise ValueError(f"{self.folder / INFO}: {column}: expected shape [N], got {str(shape)[:80]}")
        return shape[0]

    def names(self, column: str) -> tuple[str, ...]:
        """Return the names of a column's numbers; none unless each number has one."""
        names = tuple(_leaves(self._feature(column).get("names")))
        return names if len(names) == self.width(column) else ()

    def cameras(self, wanted: Iterable[str] | None) -> dict[str, str]:
        """Return name -> column of cameras.

        Args:
            wanted: cameras by name or by column, those of depth too; None for all colour cameras.

        Raises:
            ValueError: there is no such camera.
        """
        columns = {
            _camera_name(column): column
            for column, feature in self.features.items()
            if feature.get("dtype") in ("video", "image")
        }
        if wanted is None:
            return {name: column for name, column in columns.items() if not self.is_depth(column)}
        chosen = {}
        for camera in wanted:
            name = _camera_name(camera)
            if name not in columns:
                names = ", ".join(columns) or "none"
                raise ValueError(f"{self.folder / INFO}: camera: expected one of {names}, got {camera!r}")
            chosen[name] = columns[name]
        return chosen

    @property
    def has_cameras(self) -> bool:
        """Whether it has cameras, of colour or of depth."""
        return any(feature.get("dtype") in ("video", "image") for feature in self.features.values())

    def check_one_camera(self) -> None:
        """Raise ValueError, which lists them, if there are several colour cameras."""
        found = self.cameras(None)
        if len(found) > 1:
            raise ValueError(
                f"{self.folder / INFO}: camera: expected one, got {', '.join(found)}; choose with --camera NAME"
            )

    def is_depth(self, column: str) -> bool:
        """Return whether a camera's pictures are distances, not colours: it is said so, or they have one channel."""
        feature = self.features[column]
        details = {**(feature.get("info") or {}), **(feature.get("video_info") or {})}
        shape = _shape(feature)
        is_said = details.get("is_depth_map") or details.get("video.is_depth_map")
        return bool(is_said) or len(shape) == 2 or (len(shape) == 3 and 1 in (shape[0], shape[2]))

    def is_video(self, column: str) -> bool:
        """Return whether a camera's pictures are in videos; otherwise they are in the Parquet files."""
        return bool(self.features[column]["dtype"] == "video")

    def picture_size(self, column: str) -> tuple[int, int]:
        """Return a camera's height and width. Raises ValueError unless its shape is that of colour pictures."""
        shape = _shape(self.features[column])
        if self.is_depth(column):  # height and width, and one channel or three alike before or after them
            shape = [*[size for size in shape if size > 4], 3]
        names = list(_leaves(self.features[column].get("names")))
        # Channels are first or last in different datasets: the names decide, or else the dimension of size 3.
        if shape[:1] == [3] and (shape[-1] != 3 or (names and names[0].startswith("channel"))):
            shape = [*shape[1:], 3]
        if len(shape) != 3 or shape[2] != 3 or not all(1 <= side <= limits.MAX_SIDE for side in shape[:2]):
            raise ValueError(
                f"{self.folder / INFO}: {column}: expected shape [H, W, 3], got {str(shape)[:80]}"
            )
        return shape[0], shape[1]

    def path(self, pattern: str, **fields: Any) -> Path:
        """Return a file's path by its pattern. Raises ValueError for one with other fields, or out of the folder."""
        try:
            known = _fields(pattern) <= set(fields)
            path = pattern.format(**fields) if known else ""
        except ValueError:
            known = False
        if not known:
            raise ValueError(
                f"{self.folder / INFO}: expected a path of {', '.join(fields)}, got {pattern[:200]!r}"
            )
        if path in self._paths:
            return self._paths[path]
        # Hugging Face's cache has snapshots made of links to a folder beside them.
        in_cache = self.folder.parent.name == "snapshots"
        with reading(self.folder / INFO, "paths below its folder"):
            found = beside(self.folder, path, *([self.folder.parent.parent / "blobs"] if in_cache else []))
        self._paths[path] = found
        return found

    def _feature(self, column: str) -> dict[str, Any]:
        if column not in self.features:
            columns = ", ".join(self.features)
            role = "action" if column == ACTION else "state"
            raise ValueError(
                f"{self.folder / INFO}: expected a column {column}, got {columns}; "
                f"name those of the {role} with --columns {role}=COLUMN+COLUMN"
            )
        return self.features[column]


def read_info(folder: str | Path) -> Info:
    """Return the description of the dataset in a folder.

    Raises:
        ValueError: there is no dataset in the folder, its layout is of another version, or an entry is missing.
    """
    folder = Path(folder)
    path = folder / INFO
    if not path.is_file():
        raise ValueError(f"{folder}: expected a LeRobot dataset, found no {INFO}; check the path")
    facts = read_json(path)
    version = str(facts.get("codebase_version"))
    if version not in (VERSION, *OLD_VERSIONS):
        raise ValueError(
            f"{path}: codebase_version: expected {VERSION} or {' or '.join(OLD_VERSIONS)}, got {version}; "
            "convert it with LeRobot's own scripts"
        )
    for name, kind in {"fps": int | float, "features": dict, "data_path": str}.items():
        if not isinstance(facts.get(name), kind):
            raise ValueError(f"{path}: {name}: expected it to be there, got {facts.get(name)!r}")
    if not 0 < facts["fps"] <= limits.MAX_FPS:
        raise ValueError(f"{path}: fps: expected > 0, got {facts['fps']}")
    chunk_size, features = facts.get("chunks_size") or 1000, facts["features"]
    if type(chunk_size) is not int or chunk_size < 1:
        raise ValueError(f"{path}: chunks_size: expected a whole number, got {str(chunk_size)[:80]}")
    for column, feature in features.items():
        if not isinstance(feature, dict) or not isinstance(feature.get("dtype", ""), str):
            raise ValueError(f"{path}: {column}: expected a feature with its dtype, got {str(feature)[:80]}")
    for name in ("robot_type", "video_path"):
        if not isinstance(facts.get(name) or "", str):
            raise ValueError(f"{path}: {name}: expected text, got {str(facts[name])[:80]}")
    return Info(
        folder=folder,
        version=version,
        fps=float(facts["fps"]),
        robot=facts.get("robot_type") or "",
        features=features,
        data_path=facts["data_path"],
        video_path=facts.get("video_path") or "",
        chunk_size=chunk_size,
    )


@lru_cache
def _fields(pattern: str) -> frozenset[str]:
    """Return the fields of a pattern. Raises ValueError for a width over 9, and for all that is more than a number."""
    fields = set()
    for _, name, width, conversion in Formatter().parse(pattern):
        if name is not None:
            if conversion or re.fullmatch(r"(0?[1-9]d?)?", width or "") is None:
                raise ValueError(f"pattern: expected fields such as {{index:03d}}, got {width!r}")
            fields.add(name)
    return frozenset(fields)


def _shape(feature: dict[str, Any]) -> list[int]:
    """Return a feature's shape; none where it is no list of whole numbers."""
    shape = feature.get("shape")
    return shape if isinstance(shape, list) and all(type(size) is int for size in shape) else []


def _camera_name(column: str) -> str:
    """Return "front" for observation.images.front."""
    return column.removeprefix("observation.").removeprefix("images.")


def _leaves(names: Any) -> Iterable[str]:
    """Yield names from a list, from lists in groups ({"motors": [...]}), or from keys ({"x": 0, "y": 1})."""
    if isinstance(names, dict):
        for key, value in names.items():
            yield from _leaves(value) if isinstance(value, list | dict) else (str(key),)
    elif isinstance(names, list):
        for value in names:
            yield from _leaves(value) if isinstance(value, list | dict) else (str(value),)
