"""BADM's training losses: those of EDGE (Tseng et al., CVPR 2023, equations 3 to 7, released weights) and two more.

Squared pose errors are insensitive to when a body comes to rest and whether a foot slides: a model trained by them
alone misses the beat and skates. The rhythm loss compares the course of the mean joint speed (Beat-It, ECCV 2024, has a
loss for the beat too); the sliding loss penalises the speed of feet that are in contact in the ground truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import FPS
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.spaces import Kinematics, Space

RECONSTRUCTION, VELOCITY, POSITION, CONTACT = 0.636, 2.964, 0.646, 10.942
"""Weights of EDGE's losses: normalised values, their time differences, joint positions, feet in contact."""
RHYTHM, SLIDING = 0.5, 0.1
"""Weights of the speed profile and of the speed of feet in contact, m/s."""
CONTACT_THRESHOLD = 0.95
"""A foot counts as in contact where its predicted contact is above this."""


@dataclass(frozen=True)
class Denoised:
    """Result of a training pass, in normalised units.

    Attributes:
        predicted: (B, N, C) predicted clean windows.
        coarse: (B, N, C) the prediction before the local decoder.
        clean: (B, N, C) ground truth.
        alpha_bar: (B,) signal share of the noisy windows.
    """

    predicted: Tensor
    coarse: Tensor
    clean: Tensor
    alpha_bar: Tensor


def loss(
    model: BADM,
    space: Space,
    batch: Mapping[str, Tensor],
    generator: torch.Generator,
    kinematic_items: int = 64,
) -> dict[str, Tensor]:
    """Return the named losses of a batch; `loss` is their weighted sum.

    Args:
        model: the head.
        space: representation of the windows.
        batch: see `denoise`.
        generator: on the CPU; draws diffusion steps, noise and dropped conditions.
        kinematic_items: windows of the batch for the kinematic losses, which cost as much as the network.
    """
    denoised = denoise(model, batch, generator)
    with torch.autocast(model.device.type, enabled=False):
        return losses_of(model, space, denoised, kinematic_items)


def denoise(model: BADM, batch: Mapping[str, Tensor], generator: torch.Generator) -> Denoised:
    """Return predictions for windows noised to random diffusion steps.

    Args:
        model: the head.
        batch: window (B, N, C), music (B, T, music_dim), beats (B, T), style (B,), keep_style (B,) bool.
        generator: on the CPU; draws diffusion steps, noise and dropped conditions.
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
    """Return the named losses of a training pass; `loss` is their weighted sum.

    The prediction before the local decoder has a loss too, since the next slice is conditioned on it. At high noise a
    prediction is the mean of many dances, whose feet slide: the sliding loss is weighted by alpha_bar.

    Args:
        model: for its normaliser.
        space: representation of the windows.
        denoised: from `denoise`.
        kinematic_items: windows of the batch for the kinematic losses, which cost as much as the network.
    """
    predicted, coarse, clean = denoised.predicted.float(), denoised.coarse.float(), denoised.clean
    motion = space.kinematics(model.denormalise(predicted[:kinematic_items]))
    with torch.no_grad():
        true = space.kinematics(model.denormalise(clean[:kinematic_items]))
    predicted_contact = (motion.contacts.detach() > CONTACT_THRESHOLD)[..., None]  # (b, T - 1, 4, 1)
    true_contact = (true.contacts > 0.5)[..., None] * denoised.alpha_bar[:kinematic_items, None, None, None]
    losses = {
        "reconstruction": (predicted - clean).square().mean(),
        "coarse": (coarse - clean).square().mean(),
        "velocity": (_differences(predicted) - _differences(clean)).square().mean(),
        "position": (motion.positions - true.positions).square().mean(),
        "contact": (motion.feet * predicted_contact).square().mean(),
        "rhythm": (_rhythm(motion) - _rhythm(true)).square().mean(),
        "sliding": (motion.feet * true_contact).abs().sum(-1).mean() * FPS,
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


def _differences(x: Tensor) -> Tensor:
    return x[:, 1:] - x[:, :-1]


def _rhythm(motion: Kinematics) -> Tensor:
    """Return the mean joint speed (b, T - 1) divided by its mean over time, since blurred predictions are too slow."""
    speed = motion.speeds.mean(-1)
    return speed / speed.mean(-1, keepdim=True).clamp_min(0.05)
