"""Where feature frames put the body: over the floor, and along the path that their steps add up to. Differentiable."""

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions


def standing_positions(features: Tensor, local: Tensor | None = None) -> Tensor:
    """Return joint positions (..., 22, 3) over the floor, metres, of features (..., 140), without heading and path.

    Args:
        features: (..., 140).
        local: their `local_positions`, if known.
    """
    x, y, z = (local_positions(features) if local is None else local).unbind(-1)  # (..., 22)
    return torch.stack([x, y + features[..., LAYOUT["height"]].float(), z], dim=-1)


def path(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return heading (B, T), radians, and place on x and z (B, T, 2), metres, since before the first of the frames.

    Args:
        features: (B, T, 140).
    """
    features = features.float()
    heading = (features[..., 0] / FPS).cumsum(dim=1)
    sideways, ahead = features[..., LAYOUT["velocity"]].unbind(-1)
    cosine, sine = heading.cos(), heading.sin()
    steps = torch.stack([sideways * cosine + ahead * sine, ahead * cosine - sideways * sine], dim=-1)
    return heading, (steps / FPS).cumsum(dim=1)


def world_positions(features: Tensor, standing: Tensor | None = None) -> Tensor:
    """Return joint positions (B, T, 22, 3) in the world, metres, of features (B, T, 140) that start at the origin.

    Args:
        features: (B, T, 140).
        standing: their `standing_positions`, if known.
    """
    x, y, z = (standing_positions(features) if standing is None else standing).unbind(-1)  # (B, T, 22)
    heading, place = path(features)
    cosine, sine = heading.cos()[..., None], heading.sin()[..., None]
    return torch.stack(
        [x * cosine + z * sine + place[..., :1], y, z * cosine - x * sine + place[..., 1:]], dim=-1
    )
