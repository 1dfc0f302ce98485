"""Replay: a policy's answers to a recording, beside what was done."""

from dataclasses import replace

import numpy as np
import pytest

from motiongen import checkpoint
from motiongen.data.demonstrations import Demonstrations
from motiongen_sim.policy import Policy
from motiongen_sim.recording_replay import replay
from motiongen_sim.tasks import lookup
from tests.sim.tiny import tiny_carp


@pytest.fixture
def folder(tmp_path):
    model = tiny_carp()
    checkpoint.save(model, model.config, tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def recording():
    return Demonstrations(
        fps=10,
        state=np.zeros((5, 16), np.float32),
        action=np.array([[0.0, 3.0], [2.0, 3.0], [5.0, 0.0], [5.0, 0.0], [5.0, 0.0]], np.float32),
        lengths=np.array([2, 3]),
        instructions=(lookup("BlockPush").instruction,) * 2,
    )


def test_errors_are_the_mean_distances_of_answers_from_what_was_done(folder, recording):
    report = replay(folder, recording, episodes=[0])
    policy = Policy.load(folder)
    answers = np.stack([policy.act(state) for state in recording.state[:2]])
    assert report.errors == pytest.approx(np.abs(answers - recording.action[:2]).mean(0), rel=1e-6)
    assert (report.errors_of_mean, report.ranges) == ((1.0, 0.0), (2.0, 0.0))  # actions 0 and 2, and 3 twice
    assert (report.policy, report.episodes, report.frames) == ("mine", 1, 2)
    assert report.names == ("action 0", "action 1")


def test_each_episode_begins_anew(folder, recording):
    both, second = replay(folder, recording), replay(folder, recording, episodes=[1])
    first = replay(folder, recording, episodes=[0])
    assert both.errors[1] == pytest.approx((2 * first.errors[1] + 3 * second.errors[1]) / 5)


@pytest.mark.parametrize(
    ("change", "episodes", "message"),
    [
        ({}, [2], r"episodes: expected some of 0 to 1, got \[2\]"),
        ({"action": np.zeros((5, 3), np.float32)}, None, "action: expected 2 numbers, .* got 3 .*--columns"),
        ({"state": np.zeros((5, 4), np.float32)}, None, r"expected a state of shape \(16,\), got \(4,\)"),
    ],
)
def test_what_does_not_fit_is_named(folder, recording, change, episodes, message):
    with pytest.raises(ValueError, match=message):
        replay(folder, replace(recording, **change), episodes)
