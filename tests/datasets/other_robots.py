"""Datasets as other people's robots record them: an arm with two cameras, and two arms with split columns and depth."""

import io
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

FRAMES, EPISODES = 24, 3
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
SEPARATED = "grasp the cube\u2028then lift it\x85 slowly"
"""An instruction with two characters that Python, unlike JSON lines, takes for the end of a line."""
SIDES = ("left", "right")


def write_arm(folder: Path) -> Path:
    """A 6-joint arm with two cameras, v2.0: a video an episode and camera, a byte order mark, and blank lines."""
    features: dict[str, Any] = {
        "action": {"dtype": "float32", "shape": [6], "names": [f"main_{joint}" for joint in JOINTS]},
        "observation.state": {
            "dtype": "float32",
            "shape": [6],
            "names": [f"main_{joint}" for joint in JOINTS],
        },
    }
    for camera in ("laptop", "phone"):
        shape = {"shape": [48, 64, 3], "names": ["height", "width", "channel"]}
        features[f"observation.images.{camera}"] = {
            "dtype": "video",
            **shape,
            "info": {"video.is_depth_map": False},
        }
    _write_info(folder, "v2.0", "so100", features)
    for number in range(EPISODES):
        state, action = _movement(number, 6)
        _write_table(folder, number, {"action": action, "observation.state": state})
        for brightness, camera in ((60, "laptop"), (180, "phone")):
            _write_video(folder, f"observation.images.{camera}", number, brightness)
    rows = [{"episode_index": number, "tasks": [SEPARATED], "length": FRAMES} for number in range(EPISODES)]
    lines = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "meta/episodes.jsonl").write_text(f"\ufeff{lines}\r\n\n", encoding="utf-8")
    return folder


def write_two_arms(folder: Path) -> Path:
    """Two arms of 7 numbers each, v2.1: a column a limb, and a camera of colours and one of depth as pictures."""
    columns = {}
    for side in SIDES:
        columns |= {f"observation.{side}.joints": 6, f"observation.{side}.gripper": 1, f"action.{side}": 7}
    features: dict[str, Any] = {
        column: {"dtype": "float32", "shape": [width], "names": None} for column, width in columns.items()
    }
    features["observation.images.high"] = {
        "dtype": "image",
        "shape": [3, 48, 64],
        "names": ["channels", "height", "width"],
    }
    features["observation.images.high_depth"] = {
        "dtype": "image",
        "shape": [48, 64, 1],
        "names": ["height", "width", "channels"],
    }
    _write_info(folder, "v2.1", "aloha", features)
    for number in range(EPISODES):
        state, action = _movement(number, 14)
        parts: dict[str, Any] = {}
        for side, first in zip(SIDES, (0, 7), strict=True):
            parts[f"observation.{side}.joints"] = state[:, first : first + 6]
            parts[f"observation.{side}.gripper"] = state[:, first + 6 : first + 7]
            parts[f"action.{side}"] = action[:, first : first + 7]
        colours = np.full((48, 64, 3), 40 * (number + 1), np.uint8)
        distances = np.full((48, 64), 1000 * (number + 1), np.uint16)
        parts["observation.images.high"] = [_png(colours)] * FRAMES
        parts["observation.images.high_depth"] = [_png(distances)] * FRAMES
        _write_table(folder, number, parts)
    rows = [{"episode_index": number, "tasks": "hand over", "length": FRAMES} for number in range(EPISODES)]
    (folder / "meta/episodes.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def two_arms(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the states and the actions (FRAMES, 14) of an episode of `write_two_arms`."""
    return _movement(number, 14)


def _movement(number: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states and actions (FRAMES, width): joints that swing, each action the next state."""
    time = np.arange(FRAMES + 1)[:, None] / FRAMES + number
    swing = np.sin(2 * time + np.arange(width)).astype(np.float32)
    return swing[:-1], swing[1:]


def _write_info(folder: Path, version: str, robot: str, features: dict[str, Any]) -> None:
    (folder / "meta").mkdir(parents=True)
    for name in ("episode_index", "frame_index", "index", "task_index"):
        features[name] = {"dtype": "int64", "shape": [1], "names": None}
    info = {
        "codebase_version": version,
        "robot_type": robot,
        "total_episodes": EPISODES,
        "chunks_size": 1000,
        "fps": 30,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": features,
    }
    (folder / "meta/info.json").write_text(json.dumps(info), encoding="utf-8")


def _write_table(folder: Path, number: int, parts: dict[str, Any]) -> None:
    columns = {}
    for column, values in parts.items():
        if isinstance(values, list):
            columns[column] = pa.array([{"bytes": one, "path": None} for one in values])
        else:
            rows = values.tolist() if values.shape[1] > 1 else values[:, 0].tolist()
            columns[column] = pa.array(rows)
    first = number * FRAMES
    indices = {"frame_index": range(FRAMES), "index": range(first, first + FRAMES)}
    columns |= {name: pa.array(list(values)) for name, values in indices.items()}
    columns |= {"episode_index": pa.array([number] * FRAMES), "task_index": pa.array([0] * FRAMES)}
    path = folder / f"data/chunk-000/episode_{number:06d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def _write_video(folder: Path, column: str, number: int, brightness: int) -> None:
    path = folder / f"videos/chunk-000/{column}/episode_{number:06d}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((48, 64, 3), brightness, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.pix_fmt, stream.height, stream.width = "yuv420p", 48, 64
        for _ in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()
