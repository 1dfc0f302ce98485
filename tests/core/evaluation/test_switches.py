import pytest
import torch

from motiongen import load
from motiongen.evaluation.prompts import EvaluationPrompt
from motiongen.evaluation.switches import SEAM, SHOWN, peak_acceleration, switches
from motiongen.streaming.scheduler import StreamScheduler
from tests.core.inference.tiny import save_tiny


def test_peak_acceleration_by_hand():
    # One joint of two stands, then moves by 1 cm in a frame: 0.01 x 30^2 = 9 m/s^2.
    positions = torch.zeros(4, 2, 3)
    positions[3, 1, 2] = 0.01
    assert peak_acceleration(positions) == pytest.approx(9.0, rel=1e-4)


def test_switches_start_just_before_the_new_prompt(tmp_path):
    model = load("mogo", save_tiny(tmp_path), "cpu")
    prompts = [EvaluationPrompt(text, 0, False, text, None, frozenset()) for text in ("walk", "bow", "jump")]
    from_rest, switched = switches(lambda: StreamScheduler(model, batch_sizes=(1,)), prompts)
    assert [one.prompt.text for one in switched] == ["walk", "bow", "jump"]
    assert all(one.prompt is not other.prompt for one, other in zip(from_rest, switched, strict=True))
    assert {one.motion.num_frames for one in from_rest} == {SHOWN}
    assert {one.motion.num_frames for one in switched} == {SHOWN + SEAM[0]}
