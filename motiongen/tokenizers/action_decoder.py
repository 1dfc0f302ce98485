"""The way back from codes to actions, as matrices: for one chunk, small convolutions take more calls than sums."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.tokenizers.action_vq import ActionVQ


class ActionDecoder:
    """What ActionVQ's `add` and `decode_latents` do, each of their linear parts as one matrix for each number.

    Args:
        tokenizer: its weights are taken as they are now; see `is_of`.
    """

    def __init__(self, tokenizer: ActionVQ) -> None:
        config = tokenizer.config
        self._tokenizer, self._state = tokenizer, _state(tokenizer)
        self._spread = [
            _affine(partial(_spread, tokenizer, scale), config.action_dim, tokenizer.codebooks, width)
            for scale, width in enumerate(places * config.latent_dim for places in config.scales)
        ]
        width, length = config.latent_dim, config.scales[-1]
        self._stages = []
        for layer in (tokenizer.decoder_in, *tokenizer.decoder, tokenizer.decoder_out):
            is_wider = layer in tokenizer.decoder
            stage = partial(_convolved, layer, length, 2 if is_wider else 1)
            self._stages.append(_affine(stage, config.action_dim, tokenizer.codebooks, width * length))
            length *= 2 if is_wider else 1
            width = layer.out_channels // config.action_dim

    def is_of(self, tokenizer: ActionVQ) -> bool:
        """Say whether it still does what the tokenizer does: no weight has changed or moved."""
        return self._tokenizer is tokenizer and self._state == _state(tokenizer)

    def add(self, total: Tensor, scale: int, codes: Tensor) -> Tensor:
        """Return latents (B, A, L, D) with what a scale's codes (B, n, A) add to them."""
        bias, weight = self._spread[scale]
        vectors = self._tokenizer.vectors(codes).permute(2, 0, 1, 3).flatten(2)  # (A, B, n * D)
        return total + torch.baddbmm(bias, vectors, weight).transpose(0, 1).view_as(total)

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Return normalised actions (B, H, A) of latents (B, A, L, D)."""
        x = latents.permute(1, 0, 3, 2).flatten(2)  # (A, B, D * L)
        for number, (bias, weight) in enumerate(self._stages):
            x = torch.baddbmm(bias, F.silu(x) if number else x, weight)
        return x.permute(1, 2, 0)


def _spread(tokenizer: ActionVQ, scale: int, flat: Tensor) -> Tensor:
    """Return a scale's vectors (B, A, n * D) over the whole length, (B, A, L * D)."""
    return tokenizer.spread(flat.unflatten(2, (-1, tokenizer.config.latent_dim)), scale).flatten(2)


def _convolved(layer: nn.Conv1d, length: int, repeats: int, flat: Tensor) -> Tensor:
    """Return channels in time (B, A, C * T), each moment so often, after a grouped convolution."""
    x = flat.unflatten(2, (-1, length)).flatten(1, 2).repeat_interleave(repeats, dim=-1)
    return layer(x).unflatten(1, (flat.shape[1], -1)).flatten(2)


@torch.no_grad()
def _affine(
    function: Callable[[Tensor], Tensor], dims: int, like: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    """Return bias (A, 1, out) and weight (A, width, out) of a function that is affine in (B, A, width)."""
    bias = function(like.new_zeros(1, dims, width)).transpose(0, 1)  # (A, 1, out)
    units = torch.eye(width, dtype=like.dtype, device=like.device)[:, None].expand(-1, dims, -1)
    return bias.contiguous(), (function(units).transpose(0, 1) - bias).contiguous()


def _state(tokenizer: ActionVQ) -> tuple[object, ...]:
    """Return what changes when a weight is written to, or moved to another device or type."""
    weights = tuple(tokenizer.parameters())
    return weights[0].device, weights[0].dtype, sum(weight._version for weight in weights)
