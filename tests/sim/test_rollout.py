"""Rollouts: the same episodes however they are shared out, and a report that says what happened."""

import importlib.util
import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from motiongen import checkpoint
from motiongen_sim import shipped
from motiongen_sim.episodes import EpisodeRunner, EpisodeSettings, jerk
from motiongen_sim.policy import Policy
from motiongen_sim.policy_rollout import rollout
from motiongen_sim.report import RolloutReport
from motiongen_sim.tasks import lookup
from tests.sim.tiny import Counter, tiny_carp


def outcome(report: RolloutReport) -> dict[str, object]:
    """Return what must not depend on how fast anything was."""
    return {key: value for key, value in asdict(report).items() if key not in ("latency_ms", "seconds")}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(tiny_carp(), name="tiny")


@pytest.fixture(scope="module")
def report(policy: Policy) -> RolloutReport:
    return rollout("BlockPush", policy, episodes=4, seed=5, max_steps=12)


def test_same_seed_same_episodes(policy, report):
    assert outcome(rollout("BlockPush", policy, episodes=4, seed=5, max_steps=12)) == outcome(report)
    assert rollout("BlockPush", policy, episodes=4, seed=6, max_steps=12).jerk != report.jerk


def test_an_episode_depends_on_its_own_seed_alone(policy, report):
    later = rollout("BlockPush", policy, episodes=2, seed=7, max_steps=12)
    earlier = rollout("BlockPush", policy, episodes=2, seed=5, max_steps=12)
    assert (earlier.jerk.mean + later.jerk.mean) / 2 == pytest.approx(report.jerk.mean, rel=1e-12)
    assert earlier.jerk != later.jerk


@pytest.mark.slow
def test_workers_change_nothing(policy, report):
    assert outcome(rollout("BlockPush", policy, episodes=4, seed=5, max_steps=12, workers=2)) == outcome(
        report
    )


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
def test_ray_changes_nothing(policy, report, monkeypatch):
    monkeypatch.setenv(
        "RAY_worker_niceness", "0"
    )  # 15 by default: on a busy machine they would wait for ever
    on_ray = rollout("BlockPush", policy, episodes=4, seed=5, max_steps=12, workers=2, engine="ray")
    assert outcome(on_ray) == outcome(report)


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="ray is installed")
def test_missing_ray_says_what_to_install():
    with pytest.raises(ImportError, match=r"pip install 'motiongen\[ray\]'"):
        rollout("BlockPush", "hold", episodes=1, engine="ray")


def test_in_a_batch_an_episode_depends_on_neither_its_neighbours_nor_what_came_before():
    policy = Policy(tiny_carp(temperature=1.0))
    settings = EpisodeSettings(
        task=lookup("BlockPush"),
        policy=policy,
        observations="state",
        seed=0,
        batch=3,
        max_steps=12,
        filmed=0,
    )
    with closing(EpisodeRunner(settings)) as runner:
        three, one = runner.run([3, 4, 5]).episodes, runner.run([3]).episodes
    assert three[0] == one[0] and three[0].jerk != three[1].jerk


@pytest.mark.slow
def test_policy_that_sees_is_shown_pictures():
    policy = Policy(tiny_carp("PandaPush", state_dim=6, action_dim=3, image_size=48, crop_size=40))
    report = rollout("PandaPush", policy, episodes=1, max_steps=3)
    assert report.observations == "image" and report.steps == (3,)


@pytest.mark.slow
def test_expert_succeeds_and_the_report_says_how(tmp_path):
    report = rollout("BlockPush", "expert", episodes=2)
    assert report.success == (True, True) and report.success_rate == 1.0
    assert report.interval == pytest.approx((0.342, 1.0), abs=1e-3)  # Wilson: n / (n + z^2)
    assert report.measures["p2"].mean == 1.0 and sum(report.modes.values()) == 2
    assert all(20 < steps < 350 for steps in report.steps)
    report.save(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert saved == json.loads(json.dumps(asdict(report)))
    promised = "task policy episodes seed success success_rate interval latency_ms"
    assert set(promised.split()) <= saved.keys()


def test_chunks_take_longer_than_what_is_in_hand(report):
    action, chunk = report.latency_ms["action"], report.latency_ms["chunk"]
    assert 0 < action.median < chunk.median <= chunk.p95
    assert action.mean < chunk.mean


def test_jerk_by_hand():
    # x = t^3 / 10 at 2 steps a second: its third difference is 0.6, times 2^3.
    cubic = (np.arange(6.0) ** 3 / 10)[:, None].astype(np.float32)
    assert jerk(np.concatenate([cubic, -cubic], axis=1), fps=2.0) == pytest.approx(4.8, rel=1e-4)
    assert jerk(cubic[:3], fps=2.0) is None


@pytest.mark.slow
def test_films_show_how_it_went_and_change_nothing(tmp_path, policy, report):
    filmed = rollout("BlockPush", policy, episodes=4, seed=5, max_steps=12, video=tmp_path / "v", films=2)
    assert outcome(filmed) == outcome(report)
    names = sorted(path.name for path in (tmp_path / "v").iterdir())
    assert names == ["episode-000-failure.mp4", "episode-001-failure.mp4", "sheet.png", "success.png"]
    with av.open(str(tmp_path / "v" / names[0])) as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(pictures) == 13 + 10  # the start, twelve steps, a second of the end at 10 Hz
    red = pictures[-1][-8, 200].astype(int) - pictures[0][-8, 200]
    assert red[0] > 100 > abs(red[1]) + abs(red[2])
    assert Image.open(tmp_path / "v" / "sheet.png").width > 1000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"task": "BlockPsh"}, "task: expected one of .*did you mean BlockPush"),
        ({"engine": "roy"}, "engine: expected one of local, ray, got 'roy'"),
        ({"episodes": 0}, "episodes: expected 1 or more, got 0"),
        ({"policy": "no/such"}, "policy: expected .* or a folder, got 'no/such'"),
        (
            {"policy": Policy(Counter()), "observations": "image"},
            "observations: expected state, which Counter",
        ),
        ({"temperature": 1.0}, "temperature: expected with a policy that is loaded here, got hold"),
        ({"policy": Policy(Counter())}, r"expected a state of shape \(3,\), got \(16,\)"),
    ],
)
def test_mistakes_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        rollout(**{"task": "BlockPush", "policy": "hold", "episodes": 1, "max_steps": 1, **wrong})


@pytest.mark.slow
def test_failure_in_a_worker_is_the_callers(policy):
    with pytest.raises(ValueError, match="expected a state of shape"):
        rollout("BlockPush", Policy(Counter()), episodes=2, max_steps=1, workers=2)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the one that ships, with a policy for BlockPush in it."""
    import motiongen_assets

    monkeypatch.setattr(motiongen_assets, "ROOT", tmp_path)
    model = tiny_carp()
    checkpoint.save(model, model.config, tmp_path / "weights" / "policies" / "carp-blockpush")
    return tmp_path


def test_carp_is_the_one_that_ships_for_the_task(shelf):
    assert rollout("BlockPush", episodes=1, max_steps=2).policy == "carp-blockpush"
    assert Policy.load("carp-blockpush").state_dim == 16
    with pytest.raises(ValueError, match="did you mean carp-blockpush"):
        Policy.load("carp-blokpush")


def test_task_without_a_policy_says_how_to_train_one(shelf):
    with pytest.raises(
        ValueError, match=r"got none; train one \(motiongen demos HumanoidTrack .*--policy expert"
    ):
        rollout("HumanoidTrack", episodes=1)
    with pytest.raises(ValueError, match=r"image observations, got none; .*--observations image"):
        rollout("BlockPush", episodes=1, observations="image")


def test_a_policy_of_several_tasks_ships_for_each_of_them(shelf):
    tasks = (lookup("PandaPush").instruction, lookup("PandaStack").instruction)
    model = tiny_carp()
    config = checkpoint.read_json(shelf / "weights/policies/carp-blockpush/config.json")
    checkpoint.save(model, model.config, shelf / "weights/policies/carp-panda")
    checkpoint.write_json(
        shelf / "weights/policies/carp-panda/config.json", {**config, "tasks": list(tasks), "image_size": 0}
    )
    assert shipped.for_task(lookup("PandaStack"), "state").name == "carp-panda"
