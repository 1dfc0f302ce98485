"""Other people's datasets: their columns are chosen by name, and what is refused names the option that helps."""

import numpy as np
import pytest

from motiongen.cli import main
from motiongen.data.columns import Columns, parse_columns
from motiongen_datasets.lerobot import read, read_all
from tests.datasets.other_robots import FRAMES, SEPARATED, SIDES, two_arms, write_arm, write_two_arms

STATE = "+".join(f"observation.{side}.{part}" for side in SIDES for part in ("joints", "gripper"))
COLUMNS = f"state={STATE},action=action.left+action.right"
TINY = [
    *("--tokenizer-steps", "2", "--encoder-steps", "2", "--batch-size", "4", "--encoder-batch-size", "4"),
    *("--steps", "2", "--device", "cpu"),
]


@pytest.fixture
def arm(tmp_path):
    return write_arm(tmp_path / "arm")


@pytest.fixture
def bimanual(tmp_path):
    return write_two_arms(tmp_path / "two")


def test_lines_of_episodes_end_at_line_feeds_alone(arm):
    data = read(arm, cameras=())
    assert data.instructions == (SEPARATED,) * 3 and data.state.shape == (3 * FRAMES, 6)


def test_one_of_two_cameras_is_read(arm):
    assert {name: images.mean().round() for name, images in read(arm, ["phone"]).images.items()} == {
        "phone": pytest.approx(180, abs=3)
    }
    named = read(arm, columns=Columns(image="observation.images.laptop"))
    assert named.images["laptop"].mean() == pytest.approx(60, abs=3) and len(named.images) == 1


def test_split_columns_are_joined_in_the_order_in_which_they_are_named(bimanual):
    data = read(bimanual, (), columns=parse_columns(COLUMNS))
    np.testing.assert_array_equal(data.state, np.concatenate([two_arms(number)[0] for number in range(3)]))
    np.testing.assert_array_equal(data.action, np.concatenate([two_arms(number)[1] for number in range(3)]))
    swapped = read(bimanual, (), columns=parse_columns(f"state={STATE},action=action.right+action.left"))
    np.testing.assert_array_equal(swapped.action[:, :7], data.action[:, 7:])
    assert data.instructions == ("hand over",) * 3


def test_depth_is_left_out_unless_it_is_named(bimanual):
    columns = parse_columns(COLUMNS)
    assert set(read(bimanual, columns=columns).images) == {"high"}
    depth = read(bimanual, ["high_depth"], columns=columns).images["high_depth"]
    # 1, 2 and 3 m in millimetres, a level for each 20.
    assert depth[::FRAMES, 0, 0].tolist() == [[50] * 3, [100] * 3, [150] * 3]


def test_columns_are_refused_with_their_form(bimanual):
    for text in ("observation.state", "sate=a", "state=a,state=b", "state=a+,action=b"):
        with pytest.raises(ValueError, match=r"columns: expected state=COLUMN, .*; write --columns state="):
            parse_columns(text)
    with pytest.raises(ValueError, match="columns: expected one camera, got image=a\\+b"):
        parse_columns("image=a+b")


def test_what_is_missing_names_the_option_that_helps(arm, bimanual):
    with pytest.raises(
        ValueError, match=r"expected a column observation.state, got .*--columns state=COLUMN"
    ):
        read(bimanual, ())
    with pytest.raises(ValueError, match="expected one, got laptop, phone; choose with --camera NAME"):
        read_all([arm], one_camera=True)


def refused(words, capsys):
    assert main(words) != 0
    return capsys.readouterr().err


def test_a_camera_without_pictures_names_the_option_that_helps(arm, tmp_path, capsys):
    words = ["train", "carp", "--data", str(arm), "-o", str(tmp_path / "mine"), *TINY]
    assert "add --image-size" in refused([*words, "--camera", "phone"], capsys)
    assert "choose with --camera" in refused([*words, "--image-size", "32"], capsys)


@pytest.mark.slow
def test_an_arm_with_two_cameras_is_learnt_from_and_replayed(arm, tmp_path, capsys):
    mine = str(tmp_path / "mine")
    sees = ["--image-size", "32", "--camera", "phone"]
    assert main(["train", "carp", "--data", str(arm), "-o", mine, *sees, *TINY]) == 0
    capsys.readouterr()
    assert main(["replay", str(arm), "--policy", mine, "--camera", "phone"]) == 0
    said = capsys.readouterr().out
    assert f"shown 3 episodes, {3 * FRAMES} frames" in said and "main_gripper" in said
    assert "choose with --camera" in refused(["replay", str(arm), "--policy", mine], capsys)


@pytest.mark.slow
def test_two_arms_with_split_columns_are_learnt_from_and_replayed(bimanual, tmp_path, capsys):
    mine = str(tmp_path / "mine")
    words = ["train", "carp", "--data", str(bimanual), "-o", mine, "--preset", "body", "--columns", COLUMNS]
    assert main([*words, *TINY]) == 0
    capsys.readouterr()
    assert main(["replay", str(bimanual), "--policy", mine, "--columns", COLUMNS, "--episodes", "1"]) == 0
    said = capsys.readouterr().out
    assert f"shown 1 episodes, {FRAMES} frames" in said and said.count("action ") == 14 + 1
    assert "name the columns of its training with --columns" in refused(
        ["replay", str(bimanual), "--policy", mine, "--columns", f"state={STATE},action=action.left"], capsys
    )
