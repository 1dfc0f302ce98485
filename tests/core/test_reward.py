"""A reward's scores: the best one of candidates of any length, and one clear line for each way to be wrong."""

import pytest
import torch

from motiongen.reward import MAX_CANDIDATES, Guide, RewardError


def heights(joints):
    return joints[:, :, 0, 1].mean(dim=1)


def lifted(height, frames=3):
    joints = torch.zeros(frames, 22, 3)
    joints[..., 1] = height
    return joints


def test_the_highest_score_wins_and_the_first_of_equals():
    assert Guide(heights).best([lifted(0.1), lifted(0.7), lifted(0.7), lifted(0.2)]) == 1
    assert Guide(lambda joints: [0] * len(joints)).best([lifted(0.1), lifted(0.7)]) == 0
    assert Guide(lambda joints: [float("-inf"), 1.0]).best([lifted(0.1), lifted(0.7)]) == 1


def test_candidates_of_other_lengths_are_scored_apart():
    sizes = []

    def reward(joints):
        sizes.append(tuple(joints.shape))
        return heights(joints).numpy()

    found = Guide(reward).best([lifted(0.1, 5), lifted(0.3, 3), lifted(0.2, 5)])
    assert found == 1 and sizes == [(1, 3, 22, 3), (2, 5, 22, 3)]


def test_a_reward_may_write_to_what_it_gets():
    joints = lifted(0.5)
    with torch.inference_mode():
        Guide(lambda given: given.zero_().sum(dim=(1, 2, 3))).best([joints])
    assert float(joints[0, 0, 1]) == 0.5


@pytest.mark.parametrize(
    ("reward", "told"),
    [
        (lambda joints: joints[:, 0, 0, :2], r"expected 2 numbers, one a candidate, got shape \(2, 2\)"),
        (lambda joints: 1.0, r"got shape \(\) for joints \(2, 3, 22, 3\); return a tensor \(2,\)"),
        (lambda joints: [1.0, float("nan")], "got NaN for candidate 1; return float"),
        (lambda joints: None, "expected 2 numbers for joints .* mend the function"),
        (lambda joints: joints[:, :, 40, 1].mean(), "got IndexError: index 40 is out of bounds"),
    ],
)
def test_a_reward_that_is_wrong_is_told_in_one_line(reward, told):
    with pytest.raises(RewardError, match=told) as caught:
        Guide(reward).best([lifted(0.1), lifted(0.2)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("count", [0, MAX_CANDIDATES + 1, 2.0, True])
def test_a_number_of_candidates_out_of_range_is_refused(count):
    with pytest.raises(ValueError, match=f"candidates: expected a whole number 1 to {MAX_CANDIDATES}"):
        Guide(heights, count)
    with pytest.raises(ValueError, match="reward: expected a function of joints"):
        Guide("high")
