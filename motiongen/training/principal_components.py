"""The linear path of a tokenizer begun at principal components: what a network would need thousands of steps to find.

The components of four frames, 128 of 560, give CMU's motion back to 7 mm. Frames are weighted by how far a change of
each number moves the joints, so that distances between latents, by which codes are chosen, are distances of bodies.
"""

import torch
from torch import Tensor

from motiongen.features import LAYOUT
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.world_positions import standing_positions

NUDGE = 0.1
"""By how much a number is changed to see what it moves, standard deviations."""
ROOT_WEIGHT = 1.0
CONTACT_WEIGHT = 0.4
"""Weights of what moves no joint: the root's turn and velocity, and the contacts; 1 is that of the median joint."""
WEIGHT_RANGE = (0.4, 3.0)
TOKENS = 60_000


@torch.no_grad()
def begin_at_principal_components(model: RVQVAE, frames: Tensor) -> None:
    """Set a model's linear path to the principal components of frames (M, D), whose normaliser it must have.

    Raises:
        ValueError: the model has no linear path.
    """
    encoder, decoder = model.encoder.linear, model.decoder.linear
    if encoder is None or decoder is None:
        raise ValueError(
            "model: expected a tokenizer with a linear path, got none; set linear_path in its config"
        )
    into_bias, back_bias = encoder.bias, decoder.bias
    assert into_bias is not None and back_bias is not None
    span, dim, latent = model.config.frames_per_token, model.config.feature_dim, model.config.latent_dim
    weights = importance(model, frames) if dim == LAYOUT["contacts"].stop else torch.ones(dim)
    tokens = _tokens(model, frames, span)  # (N, span, D)
    rows = (tokens * weights).flatten(1).double()
    mean = rows.mean(0)
    covariance = (rows - mean).T @ (rows - mean) / len(rows)
    values, vectors = torch.linalg.eigh(covariance)
    basis = vectors[:, -latent:].flip(1)  # (span * D, latent), largest first
    scale = float(values[-latent:].mean().rsqrt())  # latents of mean square 1
    into = (basis.T * scale).unflatten(1, (span, dim)) * weights  # (latent, span, D)
    back = (basis / scale).unflatten(0, (span, dim)) / weights[:, None]  # (span, D, latent)
    encoder.weight.copy_(into.transpose(1, 2))
    into_bias.copy_(-(mean @ basis) * scale)
    decoder.weight.copy_(back.transpose(0, 1).reshape(dim * span, latent, 1))
    back_bias.copy_((mean.unflatten(0, (span, dim)) / weights).T.reshape(-1))


@torch.no_grad()
def importance(model: RVQVAE, frames: Tensor) -> Tensor:
    """Return how much each number of a frame counts (D,): the mean motion of joints that a change of it makes."""
    some = frames[:: max(1, len(frames) // 500)].float()
    places = standing_positions(some)
    weights = torch.full((model.config.feature_dim,), ROOT_WEIGHT)
    groups = [LAYOUT["height"]]
    groups += [slice(start, start + 6) for start in range(LAYOUT["tilt"].start, LAYOUT["joints"].stop, 6)]
    generator = torch.Generator().manual_seed(0)
    moved = []
    for group in groups:
        changed = some.clone()
        noise = torch.randn(len(some), group.stop - group.start, generator=generator)
        changed[:, group] += NUDGE * model.std[group] * noise
        moved.append(float((standing_positions(changed) - places).square().sum(-1).mean().sqrt()))
    median = sorted(moved)[len(moved) // 2]
    for group, distance in zip(groups, moved, strict=True):
        weights[group] = min(max(distance / median, WEIGHT_RANGE[0]), WEIGHT_RANGE[1])
    weights[LAYOUT["contacts"]] = CONTACT_WEIGHT
    return weights


def _tokens(model: RVQVAE, frames: Tensor, span: int) -> Tensor:
    """Return normalised tokens (N, span, D) spread evenly over frames (M, D)."""
    count = len(frames) // span
    chosen = torch.arange(0, count, max(1, count // TOKENS))
    rows = frames[: count * span].unflatten(0, (count, span))[chosen]
    return (rows.float() - model.mean) / model.std
