"""Streams that a reward guides: better by it, the same alone or among others, and failing alone."""

import numpy as np
import pytest

import motiongen
from motiongen import load
from motiongen.reward import RewardError
from motiongen.streaming.candidate_batch import BLOCK
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import to_motion
from tests.core.inference.tiny import save_tiny
from tests.core.streaming.test_scheduler import play, poses, tell


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(weights):
    return load("mogo", weights, "cpu")


@pytest.fixture
def scheduler(model):
    return StreamScheduler(model, max_characters=8, batch_sizes=(4,))


def hand(joints):
    return joints[:, :, motiongen.SMPL22.index("right_wrist"), 1].mean(dim=1)


def constant(joints):
    return [0.0] * len(joints)


@pytest.mark.slow
def test_a_reward_is_followed(scheduler):
    plain, guided = (scheduler.open(prompt="walk", seed=3, reward=reward) for reward in (None, hand))
    heights = [
        float(hand(to_motion(frames).positions()[None])[0])
        for frames in play(scheduler, [plain, guided], 120)
    ]
    assert heights[1] > heights[0] + 0.02


@pytest.mark.slow
def test_a_reward_that_has_no_preference_changes_nothing(model):
    scheduler = StreamScheduler(model, max_characters=8, batch_sizes=(8,))
    plain = scheduler.open(prompt="walk", seed=3)
    guided = scheduler.open(prompt="walk", seed=3, reward=constant, candidates=8)
    one, other = play(scheduler, [plain, guided], 60)
    np.testing.assert_allclose(poses(one), poses(other), atol=1e-5)
    for character in (plain, guided):  # what was drawn ahead is taken back
        tell(scheduler, character, "prompt", text="bow")
    one, other = play(scheduler, [plain, guided], 60)
    np.testing.assert_allclose(poses(one), poses(other), atol=1e-5)


@pytest.mark.slow
def test_a_guided_stream_is_the_same_among_others(model):
    def made(others):
        scheduler = StreamScheduler(model, max_characters=8, batch_sizes=(4,))
        rewards = [None, lambda joints: -hand(joints)][:others]
        mine = scheduler.open(prompt="walk", seed=3, reward=hand)
        all_of_them = [mine, *(scheduler.open(prompt="bow", seed=5, reward=reward) for reward in rewards)]
        frames = play(scheduler, all_of_them, 50)[0]
        tell(scheduler, mine, "prompt", text="bow")
        return poses(frames + play(scheduler, all_of_them, 50)[0])

    np.testing.assert_array_equal(made(others=0), made(others=2))


@pytest.mark.slow
def test_candidates_are_seen_where_the_character_is(scheduler):
    seen = []

    def reward(joints):
        seen.append(joints)
        return hand(joints)

    guided = scheduler.open(prompt="walk", seed=3, reward=reward, candidates=3)
    positions = to_motion(play(scheduler, [guided], 64)[0]).positions().numpy()
    assert [tuple(each.shape) for each in seen[:2]] == [(3, 4 * BLOCK, 22, 3), (3, 4 * BLOCK + 1, 22, 3)]
    chosen = seen[1][int(hand(seen[1]).argmax())].numpy()
    np.testing.assert_allclose(chosen, positions[4 * BLOCK - 1 : 8 * BLOCK], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [lambda joints: joints, lambda joints: 1 / 0, lambda joints: [np.nan] * 8])
def test_a_fault_ends_its_own_stream_alone(scheduler, fault):
    other = scheduler.open(prompt="walk", seed=1)
    guided = scheduler.open(prompt="walk", seed=3, reward=fault)
    while not guided.is_closed:
        scheduler.tick()
    with pytest.raises(RuntimeError, match="reward: expected 8 numbers"):
        guided.take()
    play(scheduler, [other], 40)


@pytest.mark.slow
def test_a_stream_tells_the_fault_itself(weights):
    calls = []

    def fault(joints):
        calls.append(len(joints))
        return [0.0] * len(joints) if len(calls) < 3 else 1 / 0

    taken = []
    with pytest.raises(RewardError, match="got ZeroDivisionError: division by zero; mend") as caught:
        taken.extend(motiongen.stream("walk", reward=fault, candidates=2, weights=weights, device="cpu"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError) and calls == [2, 2, 2]
    with pytest.raises(ValueError, match="candidates: expected a whole number 1 to 32, got 64"):
        motiongen.stream("walk", reward=hand, candidates=64, weights=weights, device="cpu")


@pytest.mark.slow
def test_the_slots_of_a_guided_character_go_with_it(scheduler):
    guided = scheduler.open(prompt="walk", seed=3, reward=hand)
    play(scheduler, [guided], 20)
    guided.close()
    scheduler.tick()
    worker = scheduler.workers[0]
    assert not worker._batches and not worker._cooled_at and not worker._sessions
