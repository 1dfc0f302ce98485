"""A clip as one vector of plain numbers: where joints are, how far and how fast they move, what the root does."""

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions

QUANTILES = (0.05, 0.5, 0.95)


def statistics(features: Tensor) -> Tensor:
    """Return the statistics (S,) of a clip of features (T, 140), the same S for any T.

    Quantiles, spread and speed of every joint coordinate in the heading frame; quantiles, mean and spread of the root's
    turn, velocity, height and tilt; and how far the root turns and goes in all.
    """
    features = features.float()
    places = local_positions(features).flatten(1)  # (T, 66)
    step = (places[1:] - places[:-1]) * FPS if len(places) > 1 else torch.zeros_like(places)
    speed = step.unflatten(-1, (-1, 3)).norm(dim=-1)  # (T - 1, 22)
    root = features[:, : LAYOUT["tilt"].stop]  # (T, 10)
    levels = places.new_tensor(QUANTILES)
    parts = [
        places.quantile(levels, dim=0).flatten(),
        places.std(dim=0, correction=0),
        step.std(dim=0, correction=0),
        speed.mean(dim=0),
        speed.quantile(0.95, dim=0),
        root.quantile(levels, dim=0).flatten(),
        root.mean(dim=0),
        root.std(dim=0, correction=0),
        root[:, :3].sum(dim=0) / FPS,  # radians turned, metres gone
    ]
    return torch.cat(parts)
