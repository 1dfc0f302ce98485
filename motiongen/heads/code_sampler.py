"""What samplers of codes share: their protocol, and the checks of what they are asked."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.modules.sampling import Generators


class CodeSampler(Protocol):
    """Turns words into codes; built from a head's model."""

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
            lengths: tokens of each clip, or of all; None lets the model find the end.
            prefix_codes: (n_i, Q) codes that each clip goes on from; they are not returned.
            generator: one for all, or one an item, whose clip then does not depend on the others.
            options: guidance, temperature and the like.

        Raises:
            ValueError: sizes that do not fit together, or lengths below 1.
        """
        ...


class EditingSampler(CodeSampler, Protocol):
    """A sampler that can also revise codes between others that are kept."""

    def edit(
        self,
        codes: Sequence[Tensor],
        keep_mask: Sequence[Tensor],
        condition: TextCondition,
        *,
        generator: Generators = None,
        options: Any = ...,
    ) -> list[Tensor]:
        """Return codes (N_i, Q) where what is kept is as it was and the rest is written anew, all levels of it.

        Args:
            codes: (N_i, Q) codes; any values where they are not kept.
            keep_mask: (N_i,) bool, true = keep.
            condition: one prompt an item.
            generator: one for all, or one an item.
            options: guidance, temperature and the like.

        Raises:
            ValueError: sizes that do not fit together.
        """
        ...


def requested_lengths(lengths: Sequence[int | None] | int | None, batch_size: int) -> list[int | None]:
    """Return the tokens asked of each of B clips, None for a length that the model finds.

    Raises:
        ValueError: not one a prompt, or below 1.
    """
    wanted = [lengths] * batch_size if lengths is None or isinstance(lengths, int) else list(lengths)
    if len(wanted) != batch_size:
        raise ValueError(
            f"lengths: expected {batch_size}, one a prompt, got {len(wanted)}; repeat or leave out"
        )
    if any(length is not None and length < 1 for length in wanted):
        raise ValueError(f"lengths: expected >= 1 token each, got {wanted}; ask for a longer clip")
    return wanted


def checked_prefixes(
    prefix_codes: Sequence[Tensor] | None,
    batch_size: int,
    num_quantizers: int,
    codebook_size: int,
    device: torch.device,
) -> list[Tensor]:
    """Return the codes (n_i, Q) that each of B clips goes on from, on a device; empty ones where none are given.

    Raises:
        ValueError: not one a prompt, of another shape, or codes that the codebooks do not have.
    """
    if prefix_codes is None:
        return [torch.zeros(0, num_quantizers, dtype=torch.long, device=device)] * batch_size
    if len(prefix_codes) != batch_size:
        raise ValueError(
            f"prefix_codes: expected {batch_size}, one a prompt, got {len(prefix_codes)}; repeat or leave out"
        )
    return [checked_codes(codes, num_quantizers, codebook_size, device) for codes in prefix_codes]


def checked_codes(codes: Tensor, num_quantizers: int, codebook_size: int, device: torch.device) -> Tensor:
    """Return codes (N, Q) as int64 on a device. Raises ValueError for another shape or codes out of range."""
    is_fit = codes.dim() == 2 and codes.shape[1] == num_quantizers
    if not is_fit or (len(codes) and not 0 <= codes.min() <= codes.max() < codebook_size):
        expected = f"(N, {num_quantizers}) in 0..{codebook_size - 1}"
        raise ValueError(f"codes: expected {expected}, got {tuple(codes.shape)}; take this head's tokenizer")
    return codes.to(device, torch.long)
