"""Clips that a reward chooses: the best of candidates, never worse than without, and the same in any number."""

import pytest
import torch

from motiongen import SMPL22, generate
from motiongen.inference.generate import variants
from motiongen.reward import RewardError
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return {"weights": save_tiny(tmp_path_factory.mktemp("weights")), "device": "cpu", "seconds": 1.0}


def low(joints):
    """Minus the height of the right wrist, metres."""
    return -joints[:, :, SMPL22.index("right_wrist"), 1].mean(dim=1)


def score(motion):
    return float(low(motion.positions()[None])[0])


def test_the_best_candidate_is_returned_and_the_first_is_that_without(tiny):
    seen = []

    def reward(joints):
        seen.extend(low(joints).tolist())
        return low(joints)

    plain = generate("a person walks", seed=4, **tiny)
    best = generate("a person walks", seed=4, reward=reward, candidates=4, **tiny)
    assert len(seen) == 4 and seen[0] == pytest.approx(score(plain), abs=1e-5)
    assert score(best) == pytest.approx(max(seen), abs=1e-5) and max(seen) > seen[0]
    again = generate("a person walks", seed=4, reward=low, candidates=4, **tiny)
    assert torch.equal(best.rotations, again.rotations)


@pytest.mark.parametrize("prompts", ["a person walks", ["walk", "turn left then bow twice"]])
def test_each_variant_is_the_best_of_its_own_candidates(tiny, prompts):
    two = variants(prompts, count=2, seed=4, reward=low, candidates=2, **tiny)
    alone = generate(prompts, seed=5, reward=low, candidates=2, **tiny)
    torch.testing.assert_close(two[1].motion.rotations, alone.rotations)


def test_a_reward_that_is_wrong_is_told(tiny):
    with pytest.raises(RewardError, match=r"expected 2 numbers, one a candidate, got shape \(2, 22\)"):
        generate("walk", reward=lambda joints: joints[:, 0, :, 1], candidates=2, **tiny)
