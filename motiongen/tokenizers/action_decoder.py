"""Fast decoder of action codes: the linear parts of `ActionVQ` as precomputed matrices."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.tokenizers.action_vq import ActionVQ


class ActionDecoder:
    """`ActionVQ.add` and `ActionVQ.decode_latents` as batched matrix products, one matrix for each action dimension.

    For a single chunk the calls of many small convolutions cost more than their arithmetic.

    Args:
        tokenizer: its current weights are copied; see `is_current`.
    """

    def __init__(self, tokenizer: ActionVQ) -> None:
        config = tokenizer.config
        self._tokenizer, self._state = tokenizer, _state(tokenizer)
        self._upsample = [
            _affine(partial(_upsample, tokenizer, scale), config.action_dim, tokenizer.codebooks, width)
            for scale, width in enumerate(count * config.latent_dim for count in config.scales)
        ]
        width, length = config.latent_dim, config.scales[-1]
        self._stages = []
        for layer in (tokenizer.decoder_in, *tokenizer.decoder, tokenizer.decoder_out):
            upsamples = layer in tokenizer.decoder
            stage = partial(_upsampled_convolution, layer, length, 2 if upsamples else 1)
            self._stages.append(_affine(stage, config.action_dim, tokenizer.codebooks, width * length))
            length *= 2 if upsamples else 1
            width = layer.out_channels // config.action_dim

    def is_current(self, tokenizer: ActionVQ) -> bool:
        """Return whether this decoder was made of a tokenizer whose weights have not changed or moved since."""
        return self._tokenizer is tokenizer and self._state == _state(tokenizer)

    def add(self, total: Tensor, scale: int, codes: Tensor) -> Tensor:
        """Return latents (B, A, L, D) plus the contribution of the codes (B, n, A) of one scale; see `ActionVQ.add`."""
        bias, weight = self._upsample[scale]
        vectors = self._tokenizer.vectors(codes).permute(2, 0, 1, 3).flatten(2)  # (A, B, n * D)
        return total + torch.baddbmm(bias, vectors, weight).transpose(0, 1).view_as(total)

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Return normalised actions (B, H, A) decoded from latents (B, A, L, D)."""
        x = latents.permute(1, 0, 3, 2).flatten(2)  # (A, B, D * L)
        for number, (bias, weight) in enumerate(self._stages):
            x = torch.baddbmm(bias, F.silu(x) if number else x, weight)
        return x.permute(1, 2, 0)


def _upsample(tokenizer: ActionVQ, scale: int, flat: Tensor) -> Tensor:
    """Return the vectors (B, A, n * D) of a scale upsampled to the full length, (B, A, L * D)."""
    return tokenizer.upsample(flat.unflatten(2, (-1, tokenizer.config.latent_dim)), scale).flatten(2)


def _upsampled_convolution(layer: nn.Conv1d, length: int, repeats: int, flat: Tensor) -> Tensor:
    """Return the output (B, A, C * T) of a grouped convolution whose input repeats every time step."""
    x = flat.unflatten(2, (-1, length)).flatten(1, 2).repeat_interleave(repeats, dim=-1)
    return layer(x).unflatten(1, (flat.shape[1], -1)).flatten(2)


@torch.no_grad()
def _affine(
    function: Callable[[Tensor], Tensor], dims: int, like: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    """Return bias (A, 1, out) and weight (A, width, out) of an affine function of (B, A, width)."""
    bias = function(like.new_zeros(1, dims, width)).transpose(0, 1)  # (A, 1, out)
    units = torch.eye(width, dtype=like.dtype, device=like.device)[:, None].expand(-1, dims, -1)
    return bias.contiguous(), (function(units).transpose(0, 1) - bias).contiguous()


def _state(tokenizer: ActionVQ) -> tuple[object, ...]:
    """Return a fingerprint of the weights: device, dtype and write counts."""
    weights = tuple(tokenizer.parameters())
    return weights[0].device, weights[0].dtype, sum(weight._version for weight in weights)
