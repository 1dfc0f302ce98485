"""A policy from a folder of demonstrations, stopped and taken up again."""

import json
import shutil

import numpy as np
import pytest

from motiongen import checkpoint
from motiongen.cli import main
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import left_minutes
from motiongen_datasets.lerobot import LeRobotWriter

TINY = [
    *("--tokenizer-steps", "2", "--encoder-steps", "2", "--scene-steps", "2", "--scene-batch-size", "2"),
    *("--batch-size", "4", "--encoder-batch-size", "4", "--steps", "2", "--device", "cpu"),
]


@pytest.fixture
def folder(tmp_path):
    """Four demonstrations of two numbers and one action."""
    rng = np.random.default_rng(0)
    with LeRobotWriter(tmp_path / "demos", 10, ("x", "y"), ("u",), "arm") as writer:
        for _ in range(4):
            writer.add_episode(rng.random((20, 2)), rng.random((20, 1)), None, "push")
    return tmp_path / "demos"


def test_a_policy_is_trained_and_taken_up_again(folder, tmp_path, capsys):
    words = ["train", "carp", "--data", str(folder), "-o", str(tmp_path / "mine"), *TINY]
    assert main(words) == 0
    policy = checkpoint.load(tmp_path / "mine", CARP)
    assert (policy.config.state_dim, policy.config.action_dim, policy.config.tasks) == (2, 1, ("push",))
    words[words.index("--steps") + 1] = "3"
    assert main([*words, "--resume"]) == 0
    assert json.loads((tmp_path / "mine" / "checkpoint" / "state.json").read_text())["step"] == 3
    capsys.readouterr()


def test_a_run_that_was_stopped_in_its_parts_goes_on_with_them(folder, tmp_path, capsys):
    mine = tmp_path / "mine"
    words = ["train", "carp", "--data", str(folder), "-o", str(mine), *TINY]
    assert main(words) == 0
    whole = (mine / "model.safetensors").read_bytes()
    for name in ("checkpoint", "encoder"):
        shutil.rmtree(mine / name)
    (mine / "model.safetensors").unlink()
    assert main([*words, "--resume"]) == 0
    assert (mine / "model.safetensors").read_bytes() == whole
    capsys.readouterr()


def test_stages_go_on_from_given_weights(folder, tmp_path, capsys):
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    words = ["train", "carp", "--data", str(folder), *TINY]
    assert main([*words, "-o", str(first)]) == 0
    again = [*words, "--start-from", str(first), "--learning-rate", "0", "--tokenizer-steps", "0", "-o"]
    assert main([*again, str(second), "--encoder-steps", "0"]) == 0
    assert (second / "model.safetensors").read_bytes() == (first / "model.safetensors").read_bytes()
    assert main([*again, str(third), "--parts-learning-rate", "0.1", "--ema", "0"]) == 0
    before, after = (checkpoint.load(path, CARP).state_dict() for path in (first, third))
    changed = {name for name, value in before.items() if not value.equal(after[name])}
    assert changed
    assert all(name.startswith("observation.") for name in changed)
    capsys.readouterr()


def test_minutes_bound_all_stages_together(folder, tmp_path, capsys):
    mine = tmp_path / "mine"
    words = ["train", "carp", "--data", str(folder), "-o", str(mine), "--device", "cpu", "--minutes", "0.1"]
    many = ["--tokenizer-steps", "100000", "--encoder-steps", "100000", "--batch-size", "4"]
    assert main([*words, *many, "--tokenizer-batch-size", "4", "--encoder-batch-size", "4"]) == 0
    spent = {
        name: json.loads((mine / name / "checkpoint" / "state.json").read_text())["seconds"]
        for name in ("action_vq", "encoder", ".")
    }
    # 5 % and 50 % of 6 s, and what is left; each ends with the step that it was in.
    assert spent == {
        name: pytest.approx(at, abs=0.7) for name, at in zip(spent, (0.3, 3.0, 2.7), strict=True)
    }
    assert sum(spent.values()) == pytest.approx(6, abs=0.7)
    capsys.readouterr()


def test_stages_that_take_their_steps_leave_the_time_to_the_last(tmp_path):
    for name, seconds in (("action_vq", 30.0), ("encoder", 90.0)):
        (tmp_path / name / "checkpoint").mkdir(parents=True)
        (tmp_path / name / "checkpoint" / "state.json").write_text(json.dumps({"seconds": seconds}))
    assert left_minutes(tmp_path, 20.0) == pytest.approx(18.0)
    assert left_minutes(tmp_path, 2.0) == pytest.approx(0.4)  # never less than the share that is its own
    assert left_minutes(tmp_path, 0.0) == 0.0


@pytest.mark.parametrize("size", [16, 64, 96])
def test_a_policy_takes_pictures_of_any_size(tmp_path, size, capsys):
    rng = np.random.default_rng(0)
    with LeRobotWriter(tmp_path / "demos", 10, ("x", "y"), ("u",), "arm", (32, 32, 3)) as writer:
        for _ in range(4):
            pictures = rng.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
            writer.add_episode(rng.random((20, 2)), rng.random((20, 1)), pictures, "push")
    words = ["train", "carp", "--data", str(tmp_path / "demos"), "-o", str(tmp_path / "mine"), *TINY]
    assert main([*words, "--image-size", str(size)]) == 0
    config = checkpoint.load(tmp_path / "mine", CARP).config
    assert (config.image_size, config.crop_size) == (size, size * 7 // 8)
    capsys.readouterr()


@pytest.mark.parametrize("size", ["8", "-1", "4096"])
def test_a_size_that_no_policy_has_is_one_line_that_names_the_option(folder, tmp_path, error_line, size):
    words = ["train", "carp", "--data", str(folder), "-o", str(tmp_path / "mine"), *TINY]
    assert main([*words, "--image-size", size]) == 2
    assert "image_size: expected 16 to 1024 pixels, or 0" in error_line()


def test_resuming_nothing_is_one_line(folder, tmp_path, error_line):
    words = ["train", "carp", "--data", str(folder), "-o", str(tmp_path / "mine"), *TINY, "--resume"]
    assert main(words) == 1
    assert "expected a run to go on with, got none; leave out --resume" in error_line()
