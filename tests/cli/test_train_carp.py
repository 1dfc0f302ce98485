"""A policy from a folder of demonstrations, stopped and taken up again."""

import json
import shutil

import numpy as np
import pytest

from motiongen import checkpoint
from motiongen.cli import main
from motiongen.heads.carp.model import CARP
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


def test_resuming_nothing_is_one_line(folder, tmp_path, error_line):
    words = ["train", "carp", "--data", str(folder), "-o", str(tmp_path / "mine"), *TINY, "--resume"]
    assert main(words) == 1
    assert "expected a run to go on with, got none; leave out --resume" in error_line()
