"""Small LeRobot datasets to read: one that our writer makes, and one in the older layout, by hand."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from motiongen_datasets.lerobot import LeRobotWriter

LENGTHS = (5, 3, 4)
SIZE = (16, 24, 3)


def episodes(seed: int = 0) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Three episodes: states (T, 3), actions (T, 2), pictures that differ in every frame."""
    rng = np.random.default_rng(seed)
    made = []
    for number, length in enumerate(LENGTHS):
        pictures = np.zeros((length, *SIZE), np.uint8)
        pictures[..., 0] = 60 * (number + 1)
        pictures[..., 1] = (50 * np.arange(length))[:, None, None]
        pictures[:, 4:8, 4:8] = (255, 255, 0)
        states, actions = rng.standard_normal((length, 3)), rng.standard_normal((length, 2))
        made.append((states.astype(np.float32), actions.astype(np.float32), pictures))
    return made


def write_v30(folder: Path, with_images: bool = True, **options: float) -> Path:
    """Write the episodes with our writer."""
    shape = SIZE if with_images else None
    with LeRobotWriter(folder, 10, ("x", "y", "z"), ("u", "v"), "arm", shape, **options) as writer:
        for number, (states, actions, pictures) in enumerate(episodes()):
            writer.add_episode(states, actions, pictures if with_images else None, f"task {number % 2}")
    return folder


def write_v21(folder: Path, version: str = "v2.1") -> Path:
    """Write the episodes as LeRobot v2.1 does, a file each, with the pictures as PNG in the Parquet files."""
    (folder / "meta").mkdir(parents=True)
    (folder / "data/chunk-000").mkdir(parents=True)
    lines, first = [], 0
    for number, (states, actions, pictures) in enumerate(episodes()):
        count = len(states)
        columns = {
            "observation.state": pa.FixedSizeListArray.from_arrays(pa.array(states.ravel()), 3),
            "action": pa.array(actions.tolist(), pa.list_(pa.float32())),
            "observation.images.top": pa.array([{"bytes": _png(one), "path": None} for one in pictures]),
            "timestamp": pa.array(np.arange(count, dtype=np.float32) / 10),
            "frame_index": pa.array(range(count)),
            "episode_index": pa.array([number] * count),
            "index": pa.array(range(first, first + count)),
            "task_index": pa.array([number % 2] * count),
        }
        pq.write_table(pa.table(columns), folder / f"data/chunk-000/episode_{number:06d}.parquet")
        lines.append(json.dumps({"episode_index": number, "tasks": [f"task {number % 2}"], "length": count}))
        first += count
    (folder / "meta/episodes.jsonl").write_text("\n".join(lines) + "\n")
    features = {
        "observation.state": {"dtype": "float32", "shape": [3], "names": {"motors": ["x", "y", "z"]}},
        "action": {"dtype": "float32", "shape": [2], "names": ["u", "v"]},
        "observation.images.top": {
            "dtype": "image",
            "shape": [3, *SIZE[:2]],
            "names": ["channels", "height", "width"],
        },
    }
    info = {
        "codebase_version": version,
        "robot_type": "arm",
        "fps": 10,
        "chunks_size": 1000,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": features,
    }
    (folder / "meta/info.json").write_text(json.dumps(info))
    return folder


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()
