"""Pointer into retrieved clips: a head's next code is mixed with those that follow where a clip is like the present.

The nearest-neighbour language model (Khandelwal et al. 2020, eq. 2 and 3) over the few clips of a prompt in place of a
whole corpus: what a head has seen too rarely to keep in its weights, it can still read off. A token of a clip weighs
the more, the nearer those before it are to the last ones of the motion, and the nearer its place is to the time since
the prompt began. A clip that is over is read again from where it is like its end. At the finer levels only tokens count
that agree with what was drawn at the coarser ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

WIDTH = 0.05
"""Variance of a token's neighbourhood, as a share of the mean squared distance of two tokens."""
TOKENS = 2.5
"""Standard deviation of a token's place in its clip about the time since the prompt began, tokens."""
HISTORY = 4
"""Last tokens that are compared."""
LIKE = 0.25
"""Largest distance of a place to a clip's end from which the clip goes on, as a share of that of two tokens."""
NEARLY = 1.5
"""Distance, as a share of the least one, at which a place will do as well."""
SHORTEST = 4
"""Tokens of a clip that are repeated, at least."""
REACH = 75
"""Tokens of a clip that can be read off, from its start: ten seconds. What a head attends to may be less."""


def restarts(clips: Tensor, there: Tensor, spread: Tensor) -> Tensor:
    """Return the places (B, R) from which clips are read again once they are over; their ends where none is like them.

    Who walks goes on walking, by the step that is most like the last one.

    Args:
        clips: (B, R, M, C) embeddings of the tokens of R clips.
        there: (B, R, M) bool, whether there is a token.
        spread: () mean squared distance of two tokens.
    """
    each, length = clips.flatten(0, 1)[:, None], clips.shape[2]  # (B R, 1, M, C)
    ends = there.sum(dim=2).flatten()[:, None]  # (B R, 1)
    last = (ends - torch.arange(HISTORY, 0, -1, device=clips.device)).clamp_min(0)  # (B R, HISTORY)
    past = each[:, 0].gather(1, last[..., None].expand(-1, -1, clips.shape[-1]))
    gaps = _gaps(past, ends[:, 0], each, spread)  # (B R, M)
    gaps = gaps.masked_fill(torch.arange(length, device=clips.device) > ends - SHORTEST, torch.inf)
    least = gaps.amin(dim=-1, keepdim=True)
    first = (
        (gaps <= NEARLY * least).long().argmax(dim=-1, keepdim=True)
    )  # what is repeated is as long as it can be
    return torch.where(least < LIKE, first, ends).view(there.shape[:2])


def weigh(
    past: Tensor, position: Tensor, clips: Tensor, there: Tensor, again: Tensor, spread: Tensor
) -> Tensor:
    """Return the weights (B, R * M) of the tokens of clips as the next token; their sum is 1, or 0 without a clip.

    Args:
        past: (B, HISTORY, C) embeddings of the last tokens, newest last.
        position: (B,) tokens since the prompt began, 0 for its first; only as many of the last ones are compared.
        clips: (B, R, M, C) embeddings of the tokens of R clips.
        there: (B, R, M) bool, whether there is a token.
        again: (B, R) from `restarts`.
        spread: () mean squared distance of two tokens.
    """
    count, length = clips.shape[1:3]
    gaps = _gaps(past, position, clips, spread)
    ends, now = there.sum(dim=2), position[:, None]  # (B, R), (B, 1)
    repeated = (ends - again).clamp_min(1)
    now = torch.where(now < ends, now, again + (now - ends) % repeated)  # (B, R)
    place = torch.arange(length, device=clips.device)
    late = ((place - now[..., None]) / TOKENS).flatten(1)  # (B, R M)
    score = -gaps / (2 * WIDTH) - late.square() / 2
    begins = (place == 0).repeat(count) == (position == 0)[:, None]  # a prompt begins as its clips begin
    usable = there.flatten(1) & begins & (now < ends).repeat_interleave(length, dim=1)
    return score.masked_fill(~usable, -torch.inf).softmax(dim=-1).nan_to_num(0.0)


def _gaps(past: Tensor, position: Tensor, clips: Tensor, spread: Tensor) -> Tensor:
    """Return the mean distances (B, R * M) of the tokens before each place to the last ones; see `weigh`."""
    batch, count, length, _ = clips.shape
    flat = clips.flatten(1, 2)  # (B, R M, C)
    distances = past.square().sum(dim=-1)[..., None] + flat.square().sum(dim=-1)[:, None]
    distances = (distances - 2 * past @ flat.transpose(1, 2)).clamp_min(0) / spread  # (B, HISTORY, R M)
    gaps, compared = torch.zeros_like(distances[:, 0]), torch.zeros_like(distances[:, 0, :1])
    for back in range(1, HISTORY + 1):
        known = (position >= back).to(gaps.dtype)[:, None]  # (B, 1)
        earlier = distances[:, -back].view(batch, count, length)
        # Before its first token a clip is like nothing.
        gaps = gaps + known * F.pad(earlier, (back, 0), value=1.0)[..., :length].flatten(1)
        compared = compared + known
    return gaps / compared.clamp_min(1)


def mix(logits: Tensor, near: Tensor, codes: Tensor, share: float) -> Tensor:
    """Return log probabilities (B, K) of a code, mixed with those of the tokens that are pointed to.

    Args:
        logits: (B, K) of the head; columns that are no codes, as for END, get nothing from the clips.
        near: (B, S) weights of tokens.
        codes: (B, S) their codes at this level.
        share: probability of the clips, where they have a token.
    """
    total = near.sum(dim=-1, keepdim=True)
    pointers = torch.zeros_like(logits).scatter_add_(
        1, codes.long().clamp_min(0), near / total.clamp_min(1e-9)
    )
    mixed = share * (total > 0)  # (B, 1)
    return ((1 - mixed) * logits.softmax(dim=-1) + mixed * pointers).clamp_min(1e-12).log()


def narrow(near: Tensor, codes: Tensor, drawn: Tensor) -> Tensor:
    """Return the weights (B, S) of the tokens whose codes (B, S) at a level are the one that was drawn (B,)."""
    return near * (codes == drawn[:, None])
