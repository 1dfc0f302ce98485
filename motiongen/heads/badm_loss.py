"""EDGE's losses, which BADM keeps (Tseng et al., CVPR 2023, equations 3 to 7; weights of the released code)."""

import torch
from torch import Tensor

from motiongen import features_edge
from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS, LAYOUT
from motiongen.heads.badm import BADM
from motiongen.kinematics import local_positions, world_velocities

RECONSTRUCTION, VELOCITY, POSITION, CONTACT = 0.636, 2.964, 0.646, 10.942
"""Weights of the losses: normalised values, their differences in time, joint positions, feet that stand."""
STANDS = 0.95
"""A foot stands where its predicted contact is above."""


def badm_losses(model: BADM, predicted: Tensor, coarse: Tensor, clean: Tensor) -> dict[str, Tensor]:
    """Return named losses of normalised windows (B, N, C); `loss` is their sum.

    What is predicted before the local decoder is held to the truth as well: the next slice looks at it. Latents have
    neither positions nor contacts, so their loss is the first two terms.
    """
    predicted, coarse = predicted.float(), coarse.float()
    losses = {
        "reconstruction": (predicted - clean).square().mean(),
        "coarse": (coarse - clean).square().mean(),
        "velocity": (_steps(predicted) - _steps(clean)).square().mean(),
    }
    total = RECONSTRUCTION * (losses["reconstruction"] + losses["coarse"]) + VELOCITY * losses["velocity"]
    if model.config.space != "latent":
        places, feet = _kinematics(model, predicted)
        with torch.no_grad():
            true_places, _ = _kinematics(model, clean)
        losses["position"] = (places - true_places).square().mean()
        losses["contact"] = feet
        total = total + POSITION * losses["position"] + CONTACT * losses["contact"]
    return losses | {"loss": total}


def _steps(x: Tensor) -> Tensor:
    return x[:, 1:] - x[:, :-1]


def _kinematics(model: BADM, window: Tensor) -> tuple[Tensor, Tensor]:
    """Return joint positions (B, T, 22, 3), metres, and the mean squared step of feet that say they stand."""
    frames = model.denormalise(window)
    if model.config.space == "edge":
        places = features_edge.positions(frames)
        steps = (places[:, 1:] - places[:, :-1])[:, :, features_edge.CONTACT_INDEX]  # (B, T - 1, 4, 3)
        contacts = frames[:, 1:, features_edge.LAYOUT["contacts"]]
    else:
        places = local_positions(frames)
        steps = world_velocities(frames, places)[:, :, CONTACT_INDEX] / FPS
        contacts = frames[:, 1:, LAYOUT["contacts"]]
    stands = (contacts.detach() > STANDS)[..., None]  # (B, T - 1, 4, 1)
    return places, (steps * stands).square().mean()
