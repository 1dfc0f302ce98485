"""EDGE's losses, which BADM keeps (Tseng et al., CVPR 2023, equations 3 to 7; the released weights), and two more.

Squared errors of poses hardly tell when a body comes to rest or whether a foot slides: a model trained by them alone
dances past the beat, and skates, for very long. The rhythm's loss sees how speed rises and falls (Beat-It, ECCV 2024,
has one for the beat as well), the sliding one how fast those feet are that stand in truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import FPS
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.spaces import Kinematics, Space

RECONSTRUCTION, VELOCITY, POSITION, CONTACT = 0.636, 2.964, 0.646, 10.942
"""Weights of EDGE's losses: normalised values, their differences in time, joint positions, feet that stand."""
RHYTHM, SLIDING = 0.5, 0.1
"""Weights of how speed rises and falls, and of the speed of feet that stand, m/s."""
STANDS = 0.95
"""A foot stands where its predicted contact is above."""


@dataclass(frozen=True)
class Denoised:
    """A training pass, in normalised units.

    Attributes:
        predicted: the clean window (B, N, C).
        coarse: the same before the local decoder.
        clean: the truth.
        kept: (B,) how much of it was left under the noise, alpha_bar.
    """

    predicted: Tensor
    coarse: Tensor
    clean: Tensor
    kept: Tensor


def loss(
    model: BADM,
    space: Space,
    batch: Mapping[str, Tensor],
    generator: torch.Generator,
    kinematic_items: int = 64,
) -> dict[str, Tensor]:
    """Return named losses of a batch; `loss` is their weighted sum. Arguments as in `denoise` and `losses_of`."""
    denoised = denoise(model, batch, generator)
    with torch.autocast(model.device.type, enabled=False):
        return losses_of(model, space, denoised, kinematic_items)


def denoise(model: BADM, batch: Mapping[str, Tensor], generator: torch.Generator) -> Denoised:
    """Return what is predicted of windows at random steps of noise.

    Args:
        model: the head.
        batch: window (B, N, C), music (B, T, music_dim), beats (B, T), style (B,), keep_style (B,) bool.
        generator: on the CPU, of everything that is drawn.
    """
    config, clean = model.config, model.normalise(batch["window"])
    size = len(clean)
    step = torch.randint(config.noise_steps, (size,), generator=generator).to(clean.device)
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    drop_music = torch.rand(size, generator=generator) < config.condition_dropout
    beat_only = torch.rand(size, generator=generator) < config.music_dropout * config.beat
    drop_style = (torch.rand(size, generator=generator) < config.style_dropout).to(clean.device)
    style = torch.where(drop_style & ~batch["keep_style"], len(config.styles), batch["style"])
    conditioning = model.encode_music(
        batch["music"], batch["beats"], style, drop_music.to(clean.device), beat_only.to(clean.device)
    )
    predicted, coarse = model(model.schedule.add_noise(clean, noise, step), step, conditioning)
    return Denoised(predicted, coarse, clean, model.schedule.alpha_bar[step])


def losses_of(model: BADM, space: Space, denoised: Denoised, kinematic_items: int = 64) -> dict[str, Tensor]:
    """Return named losses of a training pass; `loss` is their weighted sum.

    What is predicted before the local decoder is held to the truth as well: the next slice looks at it. Under much
    noise a prediction is a mean of many dances, whose feet cannot but slide: their loss counts as the data left.

    Args:
        model: has the normaliser.
        space: of the windows.
        denoised: of `denoise`.
        kinematic_items: windows of the batch whose bodies are looked at: that costs as much as the network.
    """
    predicted, coarse, clean = denoised.predicted.float(), denoised.coarse.float(), denoised.clean
    made = space.kinematics(model.denormalise(predicted[:kinematic_items]))
    with torch.no_grad():
        true = space.kinematics(model.denormalise(clean[:kinematic_items]))
    stands = (made.contacts.detach() > STANDS)[..., None]  # (b, T - 1, 4, 1)
    standing = (true.contacts > 0.5)[..., None] * denoised.kept[:kinematic_items, None, None, None]
    losses = {
        "reconstruction": (predicted - clean).square().mean(),
        "coarse": (coarse - clean).square().mean(),
        "velocity": (_steps(predicted) - _steps(clean)).square().mean(),
        "position": (made.places - true.places).square().mean(),
        "contact": (made.feet * stands).square().mean(),
        "rhythm": (_rhythm(made) - _rhythm(true)).square().mean(),
        "sliding": (made.feet * standing).abs().sum(-1).mean() * FPS,
    }
    total = (
        RECONSTRUCTION * (losses["reconstruction"] + losses["coarse"])
        + VELOCITY * losses["velocity"]
        + POSITION * losses["position"]
        + CONTACT * losses["contact"]
        + RHYTHM * losses["rhythm"]
        + SLIDING * losses["sliding"]
    )
    return losses | {"loss": total}


def _steps(x: Tensor) -> Tensor:
    return x[:, 1:] - x[:, :-1]


def _rhythm(motion: Kinematics) -> Tensor:
    """How the mean joint speed rises and falls (b, T - 1), over its mean: a blurred prediction is slow all along."""
    speed = motion.speeds.mean(-1)
    return speed / speed.mean(-1, keepdim=True).clamp_min(0.05)
