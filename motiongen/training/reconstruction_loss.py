"""Reconstruction losses in world space: joints above the floor, floor gap, path, velocities and feet.

Pelvis-centred positions say nothing of height: a body that lies floats. Here joints are measured over the floor.
"""

import torch
from torch import Tensor

from motiongen.body_floor import lowest_gap
from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions, world_velocities
from motiongen.skeleton import SMPL22
from motiongen.world_positions import path, standing_positions

WRISTS = [SMPL22.index("left_wrist"), SMPL22.index("right_wrist")]
HAND_SPAN = 0.1
"""Seconds over which an error of a wrist's velocity counts as one of its place: a wave is small, and fast."""


def reconstruction_losses(features: Tensor, target: Tensor, valid: Tensor) -> dict[str, Tensor]:
    """Return named losses of reconstructed features (B, T, 140) against the targets, where valid (B, T) is 1.

    Returns:
        `positions`: mean distance of joints over the floor, metres. `heights`: mean squared error of their heights,
        m²: what is far off counts most. `gaps`: error of the gap under the lowest part of the body, metres. `paths`:
        mean distance of the root from its path since the window's start, metres, and of its heading, radians, halved.
        `velocities`, `accelerations`, `feet`: mean error of joint velocities, m/s, of accelerations, m/s², and of the
        velocities of feet that stand. `hands`: mean distance of the wrists, as `positions`, and of where their
        velocities would take them in 0.1 s, metres.
    """
    local = local_positions(features)  # (B, T, 22, 3)
    places = standing_positions(features, local)
    with torch.no_grad():
        true_local = local_positions(target)
        true_places = standing_positions(target, true_local)
        true_velocities = world_velocities(target, true_local)
        true_heading, true_path = path(target)
    error = places - true_places
    distance = _length(error)  # (B, T, 22)
    heading, place = path(features)
    off_path = _length(place - true_path) + 0.5 * (heading - true_heading).abs()
    difference = world_velocities(features, local) - true_velocities  # (B, T - 1, 22, 3)
    velocity_error = difference.abs().mean(-1)  # (B, T - 1, 22)
    jitter = (difference[:, 1:] - difference[:, :-1]).abs().mean((-1, -2)) * FPS  # (B, T - 2)
    hand_velocity_error = _length(difference[:, :, WRISTS]).mean(-1)  # (B, T - 1)
    later = valid[:, 1:]
    planted = (target[:, 1:, LAYOUT["contacts"]] > 0.5) * later[..., None]  # (B, T - 1, 4)
    return {
        "positions": _mean(distance.mean(-1), valid),
        "heights": _mean(error[..., 1].square().mean(-1), valid),
        "gaps": _mean((lowest_gap(places) - lowest_gap(true_places)).abs(), valid),
        "paths": _mean(off_path, valid),
        "velocities": _mean(velocity_error.mean(-1), later),
        "accelerations": _mean(jitter, valid[:, 2:]),
        "hands": _mean(distance[..., WRISTS].mean(-1), valid) + HAND_SPAN * _mean(hand_velocity_error, later),
        "feet": (velocity_error[..., CONTACT_INDEX] * planted).sum() / planted.sum().clamp_min(1),
    }


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    return (values * valid).sum() / valid.sum().clamp_min(1)


def _length(vectors: Tensor) -> Tensor:
    """Return lengths (...) of vectors (..., D), whose gradient is finite at zero."""
    return vectors.square().sum(-1).add(1e-8).sqrt()
