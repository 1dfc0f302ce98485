"""LeRobot datasets that are not as they should be: one line names the file, the column and what is expected."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from motiongen_datasets.lerobot import LeRobotWriter, read
from tests.datasets.lerobot_folders import SIZE, episodes, write_v21, write_v30

DATA, EPISODES = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.front/chunk-000/file-000.mp4"


def change_column(path, column, values):
    table = pq.read_table(path)
    index = table.schema.names.index(column)
    pq.write_table(
        table.remove_column(index) if values is None else table.set_column(index, column, values), path
    )


def change_info(folder, **facts):
    path = folder / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def with_nan(folder):
    values = np.ones((12, 2), np.float32)
    values[6, 1] = np.nan
    change_column(folder / DATA, "action", pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 2))


def of_another_robot(folder):
    change_column(folder / DATA, "action", pa.array([[0.0] * 7] * 12))


def cut_off(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def with_other_pictures(folder):
    info = json.loads((folder / "meta/info.json").read_text())
    info["features"]["observation.images.front"]["shape"] = [32, 32, 3]
    change_info(folder, features=info["features"])


def with_a_late_video(folder):
    key = "videos/observation.images.front/from_timestamp"
    change_column(folder / EPISODES, key, pa.array([0.0, 0.5, 1.0]))


BROKEN = {
    "no data file": (lambda f: (f / DATA).unlink(), "file-000.parquet: expected a Parquet file, found none"),
    "no video": (lambda f: (f / VIDEO).unlink(), "file-000.mp4: expected a video, found none"),
    "no description": (
        lambda f: (f / "meta/info.json").unlink(),
        "expected a LeRobot dataset, found no meta/info.json",
    ),
    "no JSON": (lambda f: (f / "meta/info.json").write_text("{"), "info.json: expected JSON"),
    "no episodes file": (
        lambda f: (f / EPISODES).unlink(),
        "meta/episodes: expected Parquet files, found none",
    ),
    "no rate": (lambda f: change_info(f, fps=None), "info.json: fps: expected it to be there, got None"),
    "unknown version": (
        lambda f: change_info(f, codebase_version="v4.0"),
        "expected v3.0 or v2.1 or v2.0, got v4.0",
    ),
    "no such feature": (
        lambda f: change_info(f, features={"action": {}}),
        "expected a column observation.state",
    ),
    "other path": (
        lambda f: change_info(f, data_path="{episode:d}"),
        "expected a path of chunk_index, file_index",
    ),
    "no column": (
        lambda f: change_column(f / DATA, "action", None),
        "expected a column action, got observation",
    ),
    "no length": (
        lambda f: change_column(f / EPISODES, "length", pa.array([5, None, 4])),
        "length: expected a value",
    ),
    "NaN": (with_nan, "action: expected 2 finite numbers, got nan as number 1 in frame 1 of episode 1"),
    "wide action": (
        of_another_robot,
        r"action: expected rows of shape \(2,\), got \(7,\); is it another robot's?",
    ),
    "words": (
        lambda f: change_column(f / DATA, "action", pa.array(["a"] * 12)),
        r"expected rows of shape \(2,\), got str",
    ),
    "few frames": (
        lambda f: pq.write_table(pq.read_table(f / DATA)[:9], f / DATA),
        "expected 0 to 3 for episode 2",
    ),
    "cut data": (lambda f: cut_off(f, DATA), "file-000.parquet: expected a whole Parquet file"),
    "cut video": (lambda f: cut_off(f, VIDEO), "file-000.mp4: expected a whole video"),
    "other pictures": (with_other_pictures, r"expected pictures of shape \(32, 32, 3\), got \(16, 24, 3\)"),
    "late video": (with_a_late_video, "expected 4 pictures from 1.000 s on, got none at 1.200 s"),
    "empty": (
        lambda f: pq.write_table(pq.read_table(f / EPISODES)[:0], f / EPISODES),
        "got an empty dataset",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_dataset_is_one_line(tmp_path, what):
    breaks, message = BROKEN[what]
    folder = write_v30(tmp_path / "set")
    breaks(folder)
    with pytest.raises(ValueError, match=message) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_older_layouts_ask_to_be_converted(tmp_path):
    with pytest.raises(ValueError, match=r"expected v3.0 or v2.1 or v2.0, got v1.6; convert it"):
        read(write_v21(tmp_path / "set", version="v1.6"))


def test_a_bad_line_of_the_older_layout_is_named(tmp_path):
    folder = write_v21(tmp_path / "set")
    (folder / "meta/episodes.jsonl").write_text('{"episode_index": 0}\n')
    with pytest.raises(ValueError, match=r"episodes.jsonl: line 1: expected episode_index, length and tasks"):
        read(folder)


def test_a_picture_that_is_none_is_named(tmp_path):
    folder = write_v21(tmp_path / "set")
    path = folder / "data/chunk-000/episode_000001.parquet"
    change_column(path, "observation.images.top", pa.array([{"bytes": b"GIF", "path": None}] * 3))
    with pytest.raises(
        ValueError, match=r"episode_000001.parquet: observation.images.top: expected a picture"
    ):
        read(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cameras": ["wrist"]}, "camera: expected one of front, got 'wrist'"),
        ({"episodes": [3]}, "episodes: expected 0 to 2, each once, got 3"),
        ({"episodes": [1, 1]}, "episodes: expected 0 to 2, each once, got 1"),
        ({"episodes": []}, "episodes: expected at least one, got none"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        read(write_v30(tmp_path / "set"), **options)


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        (0, np.zeros((5, 4)), r"observation.state: expected shape \(5, 3\), got \(5, 4\)"),
        (1, np.zeros((4, 2)), r"action: expected shape \(5, 2\), got \(4, 2\)"),
        (1, np.full((5, 2), np.inf), "action: expected finite numbers, got inf as u in frame 0"),
        (2, None, r"observation.images.front: expected uint8 \(5, 16, 24, 3\), got none"),
        (2, np.zeros((5, 16, 24, 3)), r"expected uint8 \(5, 16, 24, 3\), got float64"),
    ],
)
def test_an_episode_of_another_shape_is_refused(tmp_path, part, values, message):
    episode = list(episodes()[0])
    episode[part] = values
    with (
        pytest.raises(ValueError, match=message),
        LeRobotWriter(tmp_path / "set", 10, ("x", "y", "z"), ("u", "v"), "arm", SIZE) as writer,
    ):
        writer.add_episode(*episode, "go")
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_without_episodes_is_not_written(tmp_path):
    with (
        pytest.raises(ValueError, match="expected at least one episode, got none"),
        LeRobotWriter(tmp_path / "set", 10, ("x",), ("u",), "arm"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
