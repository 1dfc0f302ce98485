"""Protocols of samplers of codes, and checks of their arguments."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.modules.sampling import Generators


class CodeSampler(Protocol):
    """Protocol of a sampler that turns text into codes; built from the model of a head."""

    def generate(
        self,
        condition: TextCondition,
        *,
        lengths: Sequence[int | None] | int | None = None,
        prefix_codes: Sequence[Tensor] | None = None,
        generator: Generators = None,
        options: Any = ...,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt.

        Args:
            condition: B prompts.
            lengths: tokens of each clip, or of all; None lets the model end the clip.
            prefix_codes: (n_i, Q) codes that each clip continues; they are not returned.
            generator: one for the batch, or one for each item, which is then independent of the others.
            options: sampling options.

        Raises:
            ValueError: sizes that do not match, or lengths below 1.
        """
        ...


class EditingSampler(CodeSampler, Protocol):
    """Protocol of a sampler that can also edit codes."""

    def edit(
        self,
        codes: Sequence[Tensor],
        keep_mask: Sequence[Tensor],
        condition: TextCondition,
        *,
        generator: Generators = None,
        options: Any = ...,
    ) -> list[Tensor]:
        """Return codes (N_i, Q) whose kept tokens are unchanged and whose other tokens are resampled at all levels.

        Args:
            codes: (N_i, Q) codes; any values where they are not kept.
            keep_mask: (N_i,) bool, true = keep.
            condition: one prompt for each item.
            generator: one for the batch, or one for each item.
            options: sampling options.

        Raises:
            ValueError: sizes that do not match.
        """
        ...


def requested_lengths(lengths: Sequence[int | None] | int | None, batch_size: int) -> list[int | None]:
    """Return the requested tokens of each of B clips, None if the model ends the clip.

    Args:
        lengths: one for each clip, or one for all.
        batch_size: B.

    Raises:
        ValueError: another number of lengths than B, or one below 1.
    """
    requested = [lengths] * batch_size if lengths is None or isinstance(lengths, int) else list(lengths)
    if len(requested) != batch_size:
        raise ValueError(
            f"lengths: expected {batch_size}, one a prompt, got {len(requested)}; repeat or leave out"
        )
    if any(length is not None and length < 1 for length in requested):
        raise ValueError(f"lengths: expected >= 1 token each, got {requested}; ask for a longer clip")
    return requested


def checked_prefixes(
    prefix_codes: Sequence[Tensor] | None,
    batch_size: int,
    num_quantizers: int,
    codebook_size: int,
    device: torch.device,
) -> list[Tensor]:
    """Return checked prefix codes (n_i, Q) of each of B clips, int64 on a device; empty ones if none are given.

    Args:
        prefix_codes: (n_i, Q), one for each clip; None for none.
        batch_size: B.
        num_quantizers: Q.
        codebook_size: K.
        device: of the result.

    Raises:
        ValueError: another number of prefixes than B, another shape, or codes out of range.
    """
    if prefix_codes is None:
        return [torch.zeros(0, num_quantizers, dtype=torch.long, device=device)] * batch_size
    if len(prefix_codes) != batch_size:
        raise ValueError(
            f"prefix_codes: expected {batch_size}, one a prompt, got {len(prefix_codes)}; repeat or leave out"
        )
    return [checked_codes(codes, num_quantizers, codebook_size, device) for codes in prefix_codes]


def checked_codes(codes: Tensor, num_quantizers: int, codebook_size: int, device: torch.device) -> Tensor:
    """Return codes (N, Q) as int64 on a device. Raises ValueError for another shape or for codes out of range."""
    is_fit = codes.dim() == 2 and codes.shape[1] == num_quantizers
    if not is_fit or (len(codes) and not 0 <= codes.min() <= codes.max() < codebook_size):
        expected = f"(N, {num_quantizers}) in 0..{codebook_size - 1}"
        raise ValueError(f"codes: expected {expected}, got {tuple(codes.shape)}; take this head's tokenizer")
    return codes.to(device, torch.long)
