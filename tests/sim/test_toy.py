"""A task that is added from outside: one record, and demonstrations, rollouts and the commands know it."""

import gymnasium
import numpy as np
import pytest

from motiongen import cli
from motiongen_datasets import lerobot
from motiongen_sim import record_demos, rollout, tasks
from motiongen_sim.experts.base import Expert
from tests.sim.toy import REACH, Reach


@pytest.fixture(autouse=True)
def reach(monkeypatch):
    monkeypatch.setitem(tasks.TASKS, "Reach", REACH)
    yield
    gymnasium.registry.pop(REACH.id, None)


def test_its_expert_succeeds_in_a_rollout():
    report = rollout("Reach", "expert", episodes=3)
    assert report.success == (True, True, True) and report.measures["distance"].mean < 0.05


@pytest.mark.slow
def test_workers_know_it_too():
    alone, shared = (rollout("Reach", "random", episodes=4, workers=workers) for workers in (1, 2))
    assert alone.reward == shared.reward and len(set(alone.reward)) == 4


def test_a_rollout_is_filmed(tmp_path):
    rollout("Reach", "expert", episodes=1, video=tmp_path / "films")
    assert (tmp_path / "films" / "episode-000-success.mp4").stat().st_size > 1000


@pytest.mark.parametrize(("observations", "noise"), [("state", 0.0), ("state", 0.1), ("image", 0.1)])
def test_its_demonstrations_are_recorded(tmp_path, observations, noise):
    report = record_demos(
        "Reach", tmp_path / "set", episodes=3, workers=1, observations=observations, noise=noise
    )
    data = lerobot.read(tmp_path / "set")
    assert (report.tries, report.successes) == (3, 3) and report.measures["distance"] < 0.05
    assert data.action_names == ("dx", "dy") and set(data.instructions) == {REACH.instruction}
    if observations == "image":
        assert data.state_names == ("point_x", "point_y") and data.images["front"].shape[1:] == (96, 96, 3)
    else:
        assert data.state_names == ("point_x", "point_y", "target_x", "target_y")
    # The expert heads for the target, also from where the noise has brought it.
    assert np.abs(data.action).max() <= 0.2 + 1e-6


def test_the_commands_know_it(tmp_path, capsys):
    assert cli.main(["rollout", "Reach", "--policy", "expert", "--episodes", "2"]) == 0
    assert "100.0%" in capsys.readouterr().out
    folder = tmp_path / "set"
    assert cli.main(["demos", "Reach", "--episodes", "1", "-o", str(folder), "--workers", "1"]) == 0
    assert cli.main(["rollout", "Reech"]) in (1, 2)
    assert "did you mean Reach?" in capsys.readouterr().err


def test_success_is_counted_at_the_end_and_ever(monkeypatch):
    # Without an end at success, random steps pass the target and leave it again.
    step = Reach._step_world
    monkeypatch.setattr(Reach, "_step_world", lambda self, action: (step(self, action)[0], False))
    monkeypatch.setattr("tests.sim.toy.REACHED", 0.3)
    report = rollout("Reach", "random", episodes=20)
    assert sum(report.success) < sum(report.success_ever) < 20
    assert all(ever for end, ever in zip(report.success, report.success_ever, strict=True) if end)
    assert report.success_ever_rate == sum(report.success_ever) / 20
    assert report.interval_ever[0] < report.success_ever_rate < report.interval_ever[1]


def test_published_resets_say_how_often_doing_nothing_succeeds(monkeypatch, capsys):
    monkeypatch.setattr("tests.sim.toy.REACHED", 0.5)
    published = rollout("Reach", "expert", episodes=20, published_resets=True)
    assert 0 < published.do_nothing_rate < 0.6 and min(published.steps) == 1
    honest = rollout("Reach", "hold", episodes=20)
    assert honest.success_rate == 0.0 and honest.do_nothing_rate is None
    assert cli.main(["rollout", "Reach", "--policy", "hold", "--episodes", "20", "--published-resets"]) == 0
    assert f"{published.do_nothing_rate:.1%}, with published resets" in capsys.readouterr().out


def test_an_environment_outside_the_contract_is_refused():
    task = tasks.TaskSpec(
        name="CartPole",
        entry_point="gymnasium.envs.classic_control.cartpole:CartPoleEnv",
        expert="tests.sim.toy:ReachExpert",
        robot="cart",
        instruction="balance",
        max_steps=10,
    )
    with pytest.raises(TypeError, match="observations"):
        task.make()
    with pytest.raises(ValueError, match="env: expected Reach"):
        task.make_expert(gymnasium.make("CartPole-v1"), 0)


def test_an_expert_without_its_methods_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        type("Idle", (Expert,), {})(None, 0)
