from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from motiongen import features
from motiongen.data.memory import Memory
from motiongen.inference.judge import Judge, warped_distance
from motiongen.inference.model import Model
from tests.core.inference.tiny import save_tiny
from tests.core.motions import t_pose, wobble


def points(*values):
    return np.array(values, dtype=np.float32)[:, None, None] * np.ones((1, 1, 1), np.float32)


def test_time_may_be_warped():
    assert warped_distance(points(0, 1, 2), points(0, 0, 1, 1, 2, 2)) == 0


def test_a_distance_by_hand():
    # The best path is (0, 0), (1, 1), (2, 1): costs 0, 1 and 1 in three steps.
    assert warped_distance(points(0, 1, 3), points(0, 2)) == pytest.approx(
        0.5
    )  # ends at (1, 1), before the 3
    assert warped_distance(points(5, 5), points(0, 0)) == 5


def test_the_longer_one_may_go_on():
    assert warped_distance(points(0, 1, 2, 9, 9), points(0, 1, 2)) == 0
    assert warped_distance(points(0, 1, 2), points(0, 1, 2, 9, 9)) == 0


def test_a_motion_is_nearest_to_itself_and_the_best_try_is_taken():
    own, other = features.encode(wobble(48)), features.encode(t_pose(48))
    judge = Judge(None, None)  # type: ignore[arg-type]
    assert judge.distance(own, [other, own]) == 0 < judge.distance(other, [own])


def test_best_of_without_a_memory_is_refused(tmp_path):
    from motiongen.inference.load import load_words

    model = load_words("bamm", save_tiny(tmp_path), "cpu")
    assert isinstance(model, Model)
    with pytest.raises(ValueError, match="best_of: expected a memory to judge by, got none"):
        model.sequence(["walk"], best_of=2)


@dataclass
class Said:
    """A text encoder to which all sentences are the same."""

    vector: torch.Tensor

    def encode(self, prompts):
        return SimpleNamespace(pooled=self.vector.expand(len(prompts), -1))


def test_the_clips_that_judge_are_those_that_are_like_the_prompt(tmp_path):
    from motiongen.inference.load import load_words

    model = load_words("bamm", save_tiny(tmp_path), "cpu")
    codes = torch.zeros(3, 2, dtype=torch.int16)
    memory = Memory.build([codes], [["walk"]], lambda _: torch.tensor([[1.0, 0.0]]), [{}])
    judge = Judge(memory, model.tokenizer)
    (clip,) = judge.clips("walk", Said(torch.tensor([1.0, 0.2])))  # type: ignore[arg-type]
    assert clip.shape == (12, 140)
    # A cosine of .55 is near, but not alike.
    assert judge.clips("walk", Said(torch.tensor([1.0, 1.5]))) == []  # type: ignore[arg-type]
