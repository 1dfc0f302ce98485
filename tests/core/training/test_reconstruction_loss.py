"""What the reconstruction losses say of errors that are put in by hand."""

import pytest
import torch

from motiongen import features
from motiongen.features import LAYOUT
from motiongen.training.reconstruction_loss import reconstruction_losses
from tests.core.motions import wobble


@pytest.fixture
def frames():
    return features.encode(wobble(40))[None]


def losses(decoded, true):
    valid = torch.ones(true.shape[:2])
    return {key: float(value) for key, value in reconstruction_losses(decoded, true, valid).items()}


def test_a_perfect_reconstruction_costs_nothing(frames):
    assert max(losses(frames, frames).values()) < 1e-3


def test_a_body_that_floats_pays_for_its_height(frames):
    floating = frames.clone()
    floating[..., LAYOUT["height"]] += 0.5
    found = losses(floating, frames)
    assert found["positions"] == pytest.approx(0.5, abs=1e-3)
    assert found["heights"] == pytest.approx(0.25, abs=1e-3)
    assert found["gaps"] == pytest.approx(0.5, abs=1e-3)
    assert found["velocities"] < 1e-3  # it floats steadily


def test_a_drift_pays_for_the_path_it_adds_up_to(frames):
    straight = frames.clone()
    straight[..., LAYOUT["turn"]] = 0
    drifting = straight.clone()
    drifting[..., LAYOUT["velocity"].start] += 0.3  # m/s
    found = losses(drifting, straight)
    seconds = torch.arange(1, 41) / 30
    assert found["paths"] == pytest.approx(float((0.3 * seconds).mean()), abs=1e-3)
    assert found["positions"] < 1e-3


def test_frames_that_are_not_valid_do_not_count(frames):
    wrong = frames.clone()
    wrong[:, 30:] += 1.0
    valid = torch.ones(1, 40)
    valid[:, 30:] = 0
    found = reconstruction_losses(wrong, frames, valid)
    assert float(found["positions"]) < 1e-3
    assert float(found["heights"]) == 0.0


def test_gradients_are_finite_where_nothing_moves():
    still = torch.zeros(1, 12, 140)
    still[..., LAYOUT["tilt"].start : LAYOUT["joints"].stop] = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(22)
    decoded = still.clone().requires_grad_()
    sum(reconstruction_losses(decoded, still, torch.ones(1, 12)).values()).backward()
    assert torch.isfinite(decoded.grad).all()
