"""What the reconstruction losses say of errors that are put in by hand."""

import pytest
import torch

from motiongen import features
from motiongen.features import LAYOUT
from motiongen.kinematics import local_positions
from motiongen.skeleton import SMPL22
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


def test_a_hand_that_does_not_wave_pays_for_its_place_and_its_way():
    start = LAYOUT["joints"].start + 6 * (SMPL22.index("left_elbow") - 1)
    still = torch.zeros(1, 40, 140)
    still[..., LAYOUT["tilt"].start : LAYOUT["joints"].stop] = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(22)
    angle = 0.4 * torch.sin(2 * torch.pi * 2 * torch.arange(40) / 30)  # two waves a second
    zero = torch.zeros(40)
    waving = still.clone()
    waving[0, :, start : start + 6] = torch.stack(
        [angle.cos(), angle.sin(), zero, -angle.sin(), angle.cos(), zero], -1
    )
    found = losses(still, waving)
    turned, straight = (local_positions(one)[0, :, SMPL22.index("left_wrist")] for one in (waving, still))
    off = (turned - straight).norm(dim=-1)  # the right one is right
    way = (turned[1:] - turned[:-1]).norm(dim=-1) * 30
    expected = float(off.mean() / 2 + 0.1 * way.mean() / 2)
    assert found["hands"] == pytest.approx(expected, abs=1e-3) and expected > 0.02


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
