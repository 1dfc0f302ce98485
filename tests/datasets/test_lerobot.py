"""LeRobot datasets: what is written is read again, in the published layout, and nothing half is left."""

import contextlib
import json
import os

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from motiongen_datasets.lerobot import LeRobotWriter, read, read_all
from motiongen_datasets.lerobot.stats import Stats
from tests.datasets.lerobot_folders import LENGTHS, SIZE, episodes, write_v21, write_v30


def joined(part):
    return np.concatenate([one[part] for one in episodes()])


def test_what_is_written_is_read_again(tmp_path):
    data = read(write_v30(tmp_path / "set", with_images=False))
    np.testing.assert_array_equal(data.state, joined(0))
    np.testing.assert_array_equal(data.action, joined(1))
    assert (data.fps, data.robot, data.images, tuple(data.lengths)) == (10.0, "arm", {}, LENGTHS)
    assert (data.state_names, data.action_names) == (("x", "y", "z"), ("u", "v"))
    assert data.instructions == ("task 0", "task 1", "task 0")


def test_whether_an_episode_was_over_is_kept(tmp_path):
    numbers = np.zeros((4, 2), np.float32)
    with LeRobotWriter(tmp_path / "set", 10, ("x", "y"), ("u", "v"), "arm") as writer:
        for done in (True, False):
            writer.add_episode(numbers, numbers, None, "push", done)
    assert read(tmp_path / "set").done.tolist() == [True, False]
    assert pq.read_table(tmp_path / "set/data/chunk-000/file-000.parquet")["next.done"].to_pylist() == [
        *(False, False, False, True),
        *(False, False, False, False),
    ]
    assert read(write_v21(tmp_path / "old")).done is None  # many datasets do not say


def test_each_picture_comes_back_at_its_frame_within_two_levels(tmp_path):
    data = read(write_v30(tmp_path / "set"))
    np.testing.assert_allclose(data.images["front"].astype(int), joined(2), atol=2)


def test_chosen_episodes_and_cameras_are_read_alone(tmp_path):
    folder = write_v30(tmp_path / "set")
    data = read(folder, cameras=["observation.images.front"], episodes=[2, 0])
    np.testing.assert_array_equal(data.state, np.concatenate([episodes()[2][0], episodes()[0][0]]))
    np.testing.assert_allclose(
        data.images["front"].astype(int), np.concatenate([episodes()[2][2], episodes()[0][2]]), atol=2
    )
    assert read(folder, cameras=()).images == {}


def test_files_that_are_large_enough_are_followed_by_others(tmp_path):
    folder = write_v30(tmp_path / "set", data_mb=1e-6, video_mb=1e-6)
    assert len(list(folder.glob("data/*/*.parquet"))) == len(LENGTHS)
    assert len(list(folder.glob("videos/observation.images.front/chunk-000/*.mp4"))) > 1
    data = read(folder)
    np.testing.assert_array_equal(data.action, joined(1))
    np.testing.assert_allclose(data.images["front"].astype(int), joined(2), atol=2)


def test_a_far_episode_is_reached_by_a_jump_to_its_key_frame(tmp_path):
    # Ten frames a second: the last of 30 episodes of 12 begins at 34.8 s.
    pictures = np.arange(360, dtype=np.uint8)[:, None, None, None] * np.ones((1, *SIZE), np.uint8)
    with LeRobotWriter(tmp_path / "set", 10, ("x",), ("u",), "arm", SIZE) as writer:
        for part in np.split(pictures, 30):
            writer.add_episode(np.zeros((12, 1)), np.zeros((12, 1)), part, "")
    data = read(tmp_path / "set", episodes=[29, 1])
    expected = np.concatenate([pictures[-12:], pictures[12:24]])
    np.testing.assert_allclose(data.images["front"].astype(int), expected, atol=2)


def test_the_older_layout_is_read(tmp_path):
    new, old = read_all([write_v30(tmp_path / "new"), write_v21(tmp_path / "old")])
    np.testing.assert_array_equal(old.state, new.state)
    np.testing.assert_array_equal(old.action, new.action)
    np.testing.assert_array_equal(old.images["top"], joined(2))
    assert (old.instructions, old.state_names) == (new.instructions, new.state_names)


def test_beside_a_camera_that_is_named_data_without_cameras_are_numbers(tmp_path):
    seen, blind = write_v30(tmp_path / "seen"), write_v30(tmp_path / "blind", with_images=False)
    assert [set(data.images) for data in read_all([seen, blind], ["front"])] == [{"front"}, set()]
    with pytest.raises(ValueError, match="camera: expected one of none, got 'front'"):
        read_all([blind], ["front"])


@contextlib.contextmanager
def usual_scheduling():
    """Give the thread back its scheduling: root's SVT-AV1 makes it real-time, and starves the machine from then on."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


@pytest.mark.parametrize(
    ("codec", "pixels"), [("libx264", "yuv420p"), ("libx265", "yuv420p"), ("libsvtav1", "yuv420p")]
)
def test_videos_of_other_codecs_are_read(tmp_path, codec, pixels):
    if codec not in av.codecs_available:
        pytest.skip(f"needs an encoder {codec}")
    folder = write_v30(tmp_path / "set")
    # Large enough for every encoder, and smooth, so that what is lost is little.
    frames = np.linspace(30, 220, 12)[:, None, None, None] * np.ones((1, 64, 64, 3))
    with (
        usual_scheduling(),
        av.open(str(next(folder.glob("videos/*/*/*.mp4"))), "w") as container,
    ):
        stream = container.add_stream(codec, rate=10)
        stream.pix_fmt, stream.height, stream.width = pixels, 64, 64
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.astype(np.uint8), format="rgb24")))
        container.mux(stream.encode())
    info = json.loads((folder / "meta/info.json").read_text())
    info["features"]["observation.images.front"]["shape"] = [64, 64, 3]
    (folder / "meta/info.json").write_text(json.dumps(info))
    seen = read(folder).images["front"].mean((1, 2, 3))
    np.testing.assert_allclose(seen, frames.mean((1, 2, 3)), atol=6)


def test_the_columns_have_the_published_names_and_types(tmp_path):
    folder = write_v30(tmp_path / "set")
    schema = pq.read_schema(folder / "data/chunk-000/file-000.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "observation.state": "fixed_size_list<element: float>[3]",
        "action": "fixed_size_list<element: float>[2]",
        "next.done": "bool",
        "timestamp": "float",
        "frame_index": "int64",
        "episode_index": "int64",
        "index": "int64",
        "task_index": "int64",
    }
    rows = pq.read_table(folder / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [(row["dataset_from_index"], row["dataset_to_index"], row["length"]) for row in rows] == [
        (0, 5, 5),
        (5, 8, 3),
        (8, 12, 4),
    ]
    assert [row["videos/observation.images.front/from_timestamp"] for row in rows] == [0.0, 0.5, 0.8]
    assert np.shape(rows[0]["stats/observation.images.front/mean"]) == (3, 1, 1)


def test_the_description_has_the_published_keys(tmp_path):
    info = json.loads((write_v30(tmp_path / "set") / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0" and info["fps"] == 10 and info["splits"] == {"train": "0:3"}
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 12, 2)
    assert info["video_path"] == "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    assert info["features"]["action"] == {"dtype": "float32", "shape": [2], "names": ["u", "v"]}


def test_instructions_are_the_index_of_their_table(tmp_path):
    table = pq.read_table(write_v30(tmp_path / "set") / "meta/tasks.parquet")
    assert table.to_pydict() == {"task_index": [0, 1], "task": ["task 0", "task 1"]}
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_statistics_of_all_are_those_of_the_whole(tmp_path):
    stats = json.loads((write_v30(tmp_path / "set") / "meta/stats.json").read_text())
    for name, expected in {
        "mean": joined(0).mean(0),
        "std": joined(0).std(0),
        "min": joined(0).min(0),
    }.items():
        np.testing.assert_allclose(stats["observation.state"][name], expected, atol=1e-6)
    colours = stats["observation.images.front"]
    np.testing.assert_allclose(np.ravel(colours["mean"]), joined(2).mean((0, 1, 2)) / 255, atol=1e-9)
    assert colours["max"] == [[[1.0]], [[1.0]], [[0.0]]] and colours["count"] == [12]


def test_quantiles_of_colours_are_those_of_their_pixels():
    pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    expected = Stats.of(pictures.reshape(-1, 3) / 255)
    np.testing.assert_allclose(Stats.of_pictures(pictures).quantiles, expected.quantiles, atol=1 / 255)


def test_single_numbers_are_stored_as_such(tmp_path):
    with LeRobotWriter(tmp_path / "set", 29.97, ("x",), ("u",), "arm") as writer:
        writer.add_episode(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]), None, "go")
    assert (
        str(pq.read_schema(tmp_path / "set/data/chunk-000/file-000.parquet").field("action").type) == "float"
    )
    data = read(tmp_path / "set")
    assert data.action.tolist() == [[3.0], [4.0]] and data.fps == pytest.approx(29.97, abs=1e-4)


def record_until_interrupted(folder):
    with LeRobotWriter(folder, 10, "xyz", "uv", "arm", SIZE) as writer:
        writer.add_episode(*episodes()[0], "go")
        raise KeyboardInterrupt


def test_an_interrupted_recording_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        record_until_interrupted(tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    write_v30(tmp_path / "set", with_images=False)
    with pytest.raises(ValueError, match="set: expected nothing there"):
        LeRobotWriter(tmp_path / "set", 10, ("x",), ("u",), "arm")
