"""Layout of LeRobot v3.0: paths, columns, and the small files that describe a dataset."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from motiongen_datasets.lerobot.info import DONE, VERSION

CAMERA = "observation.images.front"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-000/file-000.parquet"
TASKS, STATS = "meta/tasks.parquet", "meta/stats.json"
CHUNK_FILES, DATA_MB, VIDEO_MB = 1000, 100, 200
"""Files per folder, and sizes in megabytes at which the next file is started: LeRobot's defaults."""
OWN_COLUMNS = {
    DONE: "bool",
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
"""Columns beside those of the robot -> dtype; every dataset has all but the first."""


def schema(names: Mapping[str, Sequence[str]]) -> Any:
    """Return the Arrow schema of the Parquet files of frames.

    Args:
        names: column -> names of its numbers.
    """
    numbers = [
        # A single number is stored as itself, more as a list of fixed size.
        pa.field(column, pa.float32() if len(own) == 1 else pa.list_(pa.float32(), len(own)))
        for column, own in names.items()
    ]
    return pa.schema(
        [*numbers, *(pa.field(column, pa.type_for_alias(dtype)) for column, dtype in OWN_COLUMNS.items())]
    )


def features(names: Mapping[str, Sequence[str]], camera: dict[str, Any] | None) -> dict[str, Any]:
    """Return the entry `features` of info.json.

    Args:
        names: column -> names of its numbers.
        camera: `video_feature` of the camera; None without one.
    """
    numbers = {
        column: {"dtype": "float32", "shape": [len(own)], "names": list(own)} for column, own in names.items()
    }
    own = {column: {"dtype": dtype, "shape": [1], "names": None} for column, dtype in OWN_COLUMNS.items()}
    return {**numbers, **({} if camera is None else {CAMERA: camera}), **own}


def video_feature(shape: Sequence[int], rate: float, codec: str, pixels: str) -> dict[str, Any]:
    """Return the feature of a camera in info.json.

    Args:
        shape: (H, W, 3) of its pictures.
        rate: frames per second.
        codec: of the video.
        pixels: pixel format of the video.
    """
    height, width, channels = shape
    return {
        "dtype": "video",
        "shape": [height, width, channels],
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": height,
            "video.width": width,
            "video.codec": codec,
            "video.pix_fmt": pixels,
            "video.is_depth_map": False,
            "video.fps": rate,
            "video.channels": channels,
            "has_audio": False,
        },
    }


def info(
    robot: str,
    rate: float,
    totals: tuple[int, int, int],
    sizes_mb: tuple[float, float],
    columns: dict[str, Any],
) -> dict[str, Any]:
    """Return the content of info.json.

    Args:
        robot: type of the robot.
        rate: frames per second.
        totals: numbers of episodes, frames and instructions.
        sizes_mb: sizes in megabytes at which the next Parquet file, and the next video, are started.
        columns: the entry `features`.
    """
    episodes, frames, tasks = totals
    return {
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": sizes_mb[0],
        "video_files_size_in_mb": sizes_mb[1],
        "fps": rate,
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH if CAMERA in columns else None,
        "features": columns,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, indented as LeRobot's are."""
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False), encoding="utf-8")


def write_tasks(path: Path, tasks: Mapping[str, int]) -> None:
    """Write the table of instructions, which pandas reads with the instructions as its index.

    Args:
        path: the Parquet file.
        tasks: instruction -> number.
    """
    table = pa.table(
        {"task_index": pa.array(tasks.values(), pa.int64()), "task": pa.array(tasks, pa.string())}
    )
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": None,
            }
        ],
        "columns": [
            {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
            for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
        ],
    }
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), path)
