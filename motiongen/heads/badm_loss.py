"""EDGE's losses, which BADM keeps (Tseng et al., CVPR 2023, equations 3 to 7; the released code's weights), and one more.

The one more is the rhythm's. Squared errors of poses hardly tell when a body comes to rest, so that a model trained by
them alone dances past the beat for very long; Beat-It (Huang et al., ECCV 2024) adds a loss for the beat as well.
"""

import torch
from torch import Tensor

from motiongen.heads.badm import BADM
from motiongen.heads.badm_spaces import Kinematics, Space

RECONSTRUCTION, VELOCITY, POSITION, CONTACT = 0.636, 2.964, 0.646, 10.942
"""Weights of EDGE's losses: normalised values, their differences in time, joint positions, feet that stand."""
RHYTHM = 0.5
"""Weight of the difference of how speed rises and falls."""
STANDS = 0.95
"""A foot stands where its predicted contact is above."""


def badm_losses(
    model: BADM, space: Space, predicted: Tensor, coarse: Tensor, clean: Tensor, kinematic_items: int = 64
) -> dict[str, Tensor]:
    """Return named losses of normalised windows (B, N, C); `loss` is their weighted sum.

    What is predicted before the local decoder is held to the truth as well: the next slice looks at it.

    Args:
        model: has the normaliser.
        space: of the windows.
        predicted: by the model.
        coarse: before the local decoder.
        clean: the truth.
        kinematic_items: windows of the batch whose bodies are looked at: that costs as much as the network.
    """
    predicted, coarse = predicted.float(), coarse.float()
    made = space.kinematics(model.denormalise(predicted[:kinematic_items]))
    with torch.no_grad():
        true = space.kinematics(model.denormalise(clean[:kinematic_items]))
    stands = (made.contacts.detach() > STANDS)[..., None]  # (b, T - 1, 4, 1)
    losses = {
        "reconstruction": (predicted - clean).square().mean(),
        "coarse": (coarse - clean).square().mean(),
        "velocity": (_steps(predicted) - _steps(clean)).square().mean(),
        "position": (made.places - true.places).square().mean(),
        "contact": (made.feet * stands).square().mean(),
        "rhythm": (_rhythm(made) - _rhythm(true)).square().mean(),
    }
    total = (
        RECONSTRUCTION * (losses["reconstruction"] + losses["coarse"])
        + VELOCITY * losses["velocity"]
        + POSITION * losses["position"]
        + CONTACT * losses["contact"]
        + RHYTHM * losses["rhythm"]
    )
    return losses | {"loss": total}


def _steps(x: Tensor) -> Tensor:
    return x[:, 1:] - x[:, :-1]


def _rhythm(motion: Kinematics) -> Tensor:
    """How the mean joint speed rises and falls (b, T - 1), over its mean: a blurred prediction is slow all along."""
    speed = motion.speeds.mean(-1)
    return speed / speed.mean(-1, keepdim=True).clamp_min(0.05)
