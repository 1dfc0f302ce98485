"""Demonstrations: what is recorded is what was seen and done, whoever records it, and failures are counted."""

import signal
import sys
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest

from motiongen import cli
from motiongen_datasets import lerobot
from motiongen_sim import demos, tasks
from motiongen_sim.demonstrator import SEGMENT_EVERY, SEGMENT_STEPS, Demonstrator
from motiongen_sim.demos import record_demos
from motiongen_sim.experts.block_push import BlockPushExpert
from motiongen_sim.interval import wilson_interval


class EvenExpert(BlockPushExpert):
    """Pushes for even seeds, and stays where it is for odd ones."""

    def __init__(self, env, seed):
        super().__init__(env, seed)
        self._gives_up = seed % 2 == 1

    def act(self):
        return np.zeros(2, np.float32) if self._gives_up else super().act()


@pytest.fixture
def even_expert(monkeypatch):
    task = replace(tasks.TASKS["BlockPush"], expert="tests.sim.test_demos:EvenExpert")
    monkeypatch.setitem(tasks.TASKS, "BlockPush", task)


def test_a_frame_is_an_observation_and_the_action_that_answers_it(tmp_path):
    record_demos("BlockPush", tmp_path / "set", episodes=2, seed=7, workers=1)
    data = lerobot.read(tmp_path / "set")
    env = tasks.lookup("BlockPush").make()
    seen, _ = env.reset(seed=8)
    for frame in range(data.starts[1], len(data.state)):
        np.testing.assert_array_equal(data.state[frame], seen)
        seen, _, terminated, _, info = env.step(data.action[frame])
    assert terminated and info["is_success"]
    assert data.state_names == env.unwrapped.STATE_NAMES and data.fps == env.metadata["render_fps"]


@pytest.mark.slow
def test_the_dataset_depends_on_the_seed_and_not_on_the_workers(tmp_path):
    reports = {
        workers: record_demos("BlockPush", tmp_path / str(workers), episodes=5, workers=workers)
        for workers in (1, 3)
    }
    alone, shared = (lerobot.read(report.folder) for report in reports.values())
    np.testing.assert_array_equal(alone.state, shared.state)
    np.testing.assert_array_equal(alone.action, shared.action)
    assert reports[1].modes == reports[3].modes and sum(reports[1].modes.values()) == 5


@pytest.mark.slow
def test_pictures_are_recorded_with_the_robots_own_state(tmp_path):
    record_demos("BlockPush", tmp_path / "set", episodes=1, workers=1, observations="image", seed=5)
    data = lerobot.read(tmp_path / "set")
    env = tasks.lookup("BlockPush").make("image")
    seen, _ = env.reset(seed=5)
    np.testing.assert_array_equal(data.state[0], seen["state"])
    np.testing.assert_allclose(data.images["front"][0].astype(int), seen["image"].astype(int), atol=2)


@pytest.mark.slow
def test_failures_are_left_out_and_counted(tmp_path, even_expert):
    report = record_demos("BlockPush", tmp_path / "set", episodes=2, workers=1)
    assert (report.episodes, report.tries, report.successes) == (2, 3, 2)
    assert report.measures["p2"] == pytest.approx(2 / 3)
    assert len(lerobot.read(tmp_path / "set").lengths) == 2


@pytest.mark.slow
def test_failures_are_kept_when_asked_for(tmp_path, even_expert):
    report = record_demos("BlockPush", tmp_path / "set", episodes=2, workers=1, keep_failures=True)
    assert (report.episodes, report.tries, report.successes) == (2, 2, 1)
    assert max(lerobot.read(tmp_path / "set").lengths) == tasks.lookup("BlockPush").max_steps


@pytest.mark.slow
def test_an_expert_that_fails_is_given_up_and_nothing_is_left(tmp_path, even_expert, monkeypatch):
    monkeypatch.setattr(demos, "FIRST_TRIES", 2)
    monkeypatch.setattr(demos, "LEAST_SUCCESS", 0.9)
    with pytest.raises(ValueError, match=r"BlockPush: expected the expert to succeed .* got 1 of 2"):
        record_demos("BlockPush", tmp_path / "set", episodes=9, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_the_interval_of_a_rate_by_hand():
    # 8 of 10: (.8 + 3.8415/20 -+ 1.96 sqrt(.016 + 3.8415/400)) / 1.38415
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    with pytest.raises(ValueError, match="expected 0 to 0 of at least one try"):
        wilson_interval(0, 0)


def test_the_command_records_and_says_how_well_it_went(tmp_path, capsys):
    folder = tmp_path / "set"
    assert cli.main(["demos", "BlockPush", "--episodes", "1", "-o", str(folder), "--workers", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("BlockPush: 1 episodes, ") and "expert 100.0% of 1 tries" in said[0]
    assert said[1] == str(folder) and len(lerobot.read(folder).lengths) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["BlockPush", "--episodes", "0"], "episodes: expected 1 or more, got 0"),
        (["BlockPsh"], "did you mean BlockPush?"),
        (["BlockPush", "-o", "{tmp}"], "is not empty; choose another folder"),
        (["HumanoidTrack", "--observations", "image"], "observations: expected state for HumanoidTrack"),
    ],
)
def test_misuse_of_the_command_is_one_line(tmp_path, capsys, words, message):
    (tmp_path / "file").touch()
    words = ["-o", str(tmp_path / "set"), *(word.format(tmp=tmp_path) for word in words)]
    assert cli.main(["demos", *words]) in (1, 2)
    said = capsys.readouterr().err.strip()
    assert message in said and "\n" not in said


def test_the_missing_extra_is_named(tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("motiongen_sim")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    assert cli.main(["demos", "BlockPush", "-o", str(tmp_path / "set")]) == 1
    assert "run pip install 'motiongen[sim]'" in capsys.readouterr().err


NOISY = ("BlockPush", "PandaStack", "HumanoidTrack")


@pytest.mark.parametrize("name", NOISY)
def test_with_noise_segments_show_what_the_expert_would_do(name):
    task = tasks.lookup(name)
    demonstrator = Demonstrator(task, "state", noise=0.02)
    segments = demonstrator.demonstrate(3).segments
    assert len(segments) > 2 and all(len(one.states) == SEGMENT_STEPS for one in segments if not one.done)
    # The robot strayed between two segments, and within none.
    first, second = segments[:2]
    assert not np.allclose(first.states[SEGMENT_EVERY], second.states[0], atol=1e-4)
    env = task.make()
    env.reset(seed=3)
    expert = task.make_expert(env, 3)
    expert.reset()
    for action in first.actions:
        np.testing.assert_array_equal(action, np.clip(expert.act(), -1, 1))
        env.step(action)


@pytest.mark.parametrize("name", NOISY)
def test_what_is_undone_leaves_no_trace(name):
    task = tasks.lookup(name)
    ends = []
    for rehearses in (False, True):
        env = task.make().unwrapped
        env.reset(seed=1)
        random = np.random.default_rng(0)
        actions = 0.2 * random.uniform(
            env.action_space.low, env.action_space.high, (20, *env.action_space.shape)
        )
        for number, action in enumerate(actions.astype(np.float32)):
            if rehearses and number % 5 == 0:
                with env.undone():
                    for other in actions[::-1].astype(np.float32):
                        env.step(other)
            seen, *_, info = env.step(action)
        ends.append((seen, info))
    # Motors and contacts keep a little: millimetres a second.
    np.testing.assert_allclose(ends[0][0], ends[1][0], atol=2e-3)
    assert ends[0][1] == pytest.approx(ends[1][1], abs=1e-3)


def test_a_noisy_try_depends_on_its_seed_alone():
    demonstrator = Demonstrator(tasks.lookup("BlockPush"), "state", noise=0.1)
    before = demonstrator.demonstrate(0)
    demonstrator.demonstrate(1)
    for one, other in zip(before.segments, demonstrator.demonstrate(0).segments, strict=True):
        np.testing.assert_array_equal(one.states, other.states)
        np.testing.assert_array_equal(one.actions, other.actions)


def test_what_was_recorded_is_kept_where_a_recording_is_interrupted(tmp_path, capsys, monkeypatch):
    demonstrate = Demonstrator.demonstrate

    def stopped(demonstrator, seed):
        if seed == stop:
            raise KeyboardInterrupt
        return demonstrate(demonstrator, seed)

    monkeypatch.setattr(Demonstrator, "demonstrate", stopped)
    stop = 100_002
    report = record_demos("BlockPush", tmp_path / "set", episodes=5, workers=1)
    assert report.is_interrupted and report.episodes == report.tries == 2
    assert len(lerobot.read(tmp_path / "set").lengths) == 2
    stop = 100_000
    command = ["demos", "BlockPush", "--episodes", "5", "--workers", "1", "-o", str(tmp_path / "none")]
    assert cli.main(command) == 130  # before the first try ends: nothing to keep
    assert capsys.readouterr().err.splitlines()[-1] == "motiongen: error: interrupted"
    assert not (tmp_path / "none").exists()


def test_a_try_that_is_being_written_when_it_is_interrupted_is_kept_whole(tmp_path):
    report = record_demos(
        "BlockPush", tmp_path / "set", episodes=5, workers=1,
        on_progress=lambda done, _: signal.raise_signal(signal.SIGINT) if done == 2 else None,
    )  # fmt: skip
    assert report.is_interrupted and report.episodes == report.tries == 2
    assert len(lerobot.read(tmp_path / "set").lengths) == 2


def test_the_command_says_that_an_interrupted_recording_is_kept(tmp_path, capsys, monkeypatch):
    whole = Demonstrator(tasks.lookup("BlockPush"), "state").demonstrate(0)
    monkeypatch.setattr(Demonstrator, "demonstrate", Mock(side_effect=[whole, KeyboardInterrupt]))
    assert cli.main(["demos", "BlockPush", "--workers", "1", "-o", str(tmp_path / "set")]) == 130
    said = capsys.readouterr()
    assert said.out.startswith("BlockPush: 1 episodes, ")
    assert said.err.splitlines()[-1] == "motiongen: error: interrupted; the tries so far are kept"


@pytest.mark.slow
def test_noise_ends_so_that_cubes_can_be_stacked_and_lie_still():
    demonstrator = Demonstrator(tasks.lookup("PandaStack"), "state", noise=0.15)
    successes = [bool(demonstrator.demonstrate(seed).info["is_success"]) for seed in range(100_000, 100_004)]
    demonstrator.close()
    assert sum(successes) >= 3


@pytest.mark.slow
def test_a_body_bears_the_disturbances_of_its_task():
    demonstrator = Demonstrator(tasks.lookup("HumanoidTrack"), "state", noise=0.02)
    try:
        assert all(demonstrator.demonstrate(seed).info["is_success"] for seed in (200_000, 200_001))
    finally:
        demonstrator.close()
