"""Statistics of a clip as one vector: positions and speeds of joints, and motion of the root."""

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions

QUANTILES = (0.05, 0.5, 0.95)


def statistics(features: Tensor) -> Tensor:
    """Return the statistics (S,) of a clip of features (T, 140); S does not depend on T.

    Quantiles, deviation and speed of the joint coordinates in the heading frame; quantiles, mean and deviation of turn,
    velocity, height and tilt of the root; and its total turn and travel.
    """
    features = features.float()
    positions = local_positions(features).flatten(1)  # (T, 66)
    step = (positions[1:] - positions[:-1]) * FPS if len(positions) > 1 else torch.zeros_like(positions)
    speed = step.unflatten(-1, (-1, 3)).norm(dim=-1)  # (T - 1, 22)
    root = features[:, : LAYOUT["tilt"].stop]  # (T, 10)
    levels = positions.new_tensor(QUANTILES)
    parts = [
        positions.quantile(levels, dim=0).flatten(),
        positions.std(dim=0, correction=0),
        step.std(dim=0, correction=0),
        speed.mean(dim=0),
        speed.quantile(0.95, dim=0),
        root.quantile(levels, dim=0).flatten(),
        root.mean(dim=0),
        root.std(dim=0, correction=0),
        root[:, :3].sum(dim=0) / FPS,  # total turn, radians, and travel, metres
    ]
    return torch.cat(parts)
