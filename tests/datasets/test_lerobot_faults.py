"""LeRobot datasets that state sizes and paths which cannot be: one line, before any memory is taken."""

import json
import shutil
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from motiongen_datasets.lerobot import LeRobotWriter, read
from tests.datasets.lerobot_folders import write_v21, write_v30


def change_info(folder, **facts):
    path = folder / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def change_feature(folder, column, **facts):
    features = json.loads((folder / "meta/info.json").read_text())["features"]
    features[column] |= facts
    change_info(folder, features=features)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("/etc/{episode_chunk}/{episode_index}", "expected the name of a file in this folder"),
        ("../{episode_chunk}{episode_index}.parquet", "expected the name of a file in this folder"),
        ("{episode_chunk}{episode_index:0999999999d}", "expected a path of episode_chunk, episode_index"),
        ("{episode_index.__class__}", "expected a path of episode_chunk, episode_index"),
        ("{episode_index!r}", "expected a path of episode_chunk, episode_index"),
        ("{episode_index:{episode_chunk}}", "expected a path of episode_chunk, episode_index"),
        ("{", "expected a path of episode_chunk, episode_index"),
    ],
)
def test_data_lies_in_the_folder(tmp_path, pattern, message):
    folder = write_v21(tmp_path / "set")
    change_info(folder, data_path=pattern)
    with pytest.raises(ValueError, match=message) as caught:
        read(folder)
    assert "info.json" in str(caught.value) and "\n" not in str(caught.value)


def test_links_out_of_the_folder_are_followed_in_the_hubs_cache_alone(tmp_path):
    folder = write_v21(tmp_path / "snapshots/12ab")
    (tmp_path / "blobs").mkdir()
    for number, path in enumerate(sorted(folder.rglob("*.parquet"))):
        shutil.move(path, tmp_path / f"blobs/{number}")
        path.symlink_to(tmp_path / f"blobs/{number}")
    assert len(read(folder).lengths) == 3
    folder.rename(tmp_path / "moved")
    with pytest.raises(ValueError, match="got a link out of it"):
        read(tmp_path / "moved")


@pytest.mark.parametrize(
    ("column", "shape", "message"),
    [
        ("observation.state", [10**12], r"observation\.state: expected shape \[N\], got \[1000000000000\]"),
        ("observation.state", [3.5], r"observation\.state: expected shape \[N\], got \[\]"),
        ("observation.images.front", [10**6, 10**6, 3], r"expected shape \[H, W, 3\]"),
        (
            "observation.images.front",
            [16384, 16384, 3],
            r"expected pictures of shape \(16384, 16384, 3\), got \(16",
        ),
    ],
)
def test_shapes_are_not_believed(tmp_path, column, shape, message):
    folder = write_v30(tmp_path / "set")
    change_feature(folder, column, shape=shape)
    with pytest.raises(ValueError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("length", "message"), [(10**15, "frame_index: expected 0 to"), (0, "one frame or more")]
)
def test_lengths_are_not_believed(tmp_path, length, message):
    old, new = write_v21(tmp_path / "old"), write_v30(tmp_path / "new", with_images=False)
    lines = [json.loads(line) for line in (old / "meta/episodes.jsonl").read_text().splitlines()]
    lines[1]["length"] = length
    (old / "meta/episodes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    path = next(new.glob("meta/episodes/*/*.parquet"))
    table = pq.read_table(path).to_pylist()
    table[1]["length"] = length
    pq.write_table(pq.read_table(path).from_pylist(table), path)
    start = time.perf_counter()
    with pytest.raises(ValueError, match=f"{message}|expected episode_index, length"):
        read(old)
    with pytest.raises(ValueError, match=message):
        read(new)
    assert time.perf_counter() - start < 5


def test_arrows_errors_are_one_line_with_the_file(tmp_path):
    folder = write_v30(tmp_path / "set", with_images=False)
    path = next(folder.glob("data/*/*.parquet"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"file-000\.parquet: expected a whole Parquet file") as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_an_error_leaves_nothing_of_a_dataset(tmp_path):
    states = np.zeros((2, 3), np.float32)
    with LeRobotWriter(tmp_path / "whole", 10, ("x", "y", "z"), ("u",), "arm") as writer:
        writer.add_episode(states, states[:, :1], None, "task")
    with (
        pytest.raises(ValueError, match="expected shape"),
        LeRobotWriter(tmp_path / "set", 10, ("x",), ("u",), "arm") as writer,
    ):
        writer.add_episode(states, states[:, :1], None, "task")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
