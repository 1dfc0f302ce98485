from dataclasses import replace

import pytest
import torch

from motiongen import features, features_edge
from motiongen.contacts import CONTACT_INDEX
from motiongen.heads.badm.loss import Denoised, losses_of
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.spaces import LatentSpace, make_space
from tests.core.heads.badm.test_recipe import sizes
from tests.core.motions import t_pose, wobble
from tests.core.training.tiny import tiny_tokenizer


def passed(predicted: torch.Tensor, clean: torch.Tensor) -> Denoised:
    return Denoised(predicted, predicted, clean, torch.full((len(clean),), 0.5))


@pytest.mark.parametrize("space", ["motion", "edge", "latent"])
def test_the_ground_truth_has_no_loss_but_that_of_sliding_feet(space):
    representation = make_space(space, tiny_tokenizer())
    model = BADM(replace(sizes(space), channels=representation.channels))
    window = representation.encode(features.encode(wobble(40)))[None]
    truth = torch.randn(window.shape) if space == "latent" else window
    losses = losses_of(model, representation, passed(truth, truth))
    assert all(
        float(losses[name]) == 0 for name in ("reconstruction", "coarse", "velocity", "position", "rhythm")
    )


@pytest.mark.parametrize("space", ["motion", "edge"])
def test_bodies_move_as_their_motion_does(space):
    motion = wobble(20)
    kinematics = make_space(space, None).kinematics(
        make_space(space, None).encode(features.encode(motion))[None]
    )
    positions = motion.positions()
    speeds = (positions[1:] - positions[:-1]).norm(dim=-1) * 30
    torch.testing.assert_close(
        kinematics.speeds[0], speeds, rtol=0.1, atol=0.02
    )  # the turn is to first order
    order = CONTACT_INDEX if space == "motion" else features_edge.CONTACT_INDEX
    feet = (positions[1:] - positions[:-1])[:, order].norm(dim=-1)
    torch.testing.assert_close(kinematics.feet[0].norm(dim=-1), feet, rtol=0.1, atol=1e-3)


def test_a_foot_that_stands_and_slides_costs_by_hand():
    frames = features.encode(t_pose(4))
    frames[:, features.LAYOUT["velocity"].start] = 0.3  # the whole body glides at 0.3 m/s: 1 cm a frame
    model, space = BADM(sizes("motion")), make_space("motion", None)
    losses = losses_of(model, space, passed(frames[None], frames[None]))
    assert float(losses["contact"]) == pytest.approx(0.01**2 / 3, rel=1e-4)
    assert float(losses["sliding"]) == pytest.approx(0.3 / 2, rel=1e-3)  # half of the data was left


def test_the_rhythm_is_that_of_speed_whatever_its_size():
    model, space = BADM(sizes("motion")), make_space("motion", None)
    still = features.encode(t_pose(40))
    pulse = 1 + torch.sin(torch.arange(40) / 3)
    slow, fast, late = still.clone(), still.clone(), still.clone()
    glide = features.LAYOUT["velocity"].start
    slow[:, glide], fast[:, glide], late[:, glide] = pulse, 3 * pulse, pulse.roll(9)
    same = losses_of(model, space, passed(fast[None], slow[None]))
    other = losses_of(model, space, passed(late[None], slow[None]))
    assert float(same["rhythm"]) < 1e-6 < 0.1 < float(other["rhythm"])


def test_gradients_reach_latents_through_the_decoder():
    space = LatentSpace(tiny_tokenizer().requires_grad_(False))
    latents = torch.randn(2, 6, 8, requires_grad=True)
    space.kinematics(latents).speeds.mean().backward()
    assert latents.grad is not None and latents.grad.abs().sum() > 0
