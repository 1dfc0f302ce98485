"""Pointer into retrieved clips: a head's next code is mixed with those that follow where a clip is like the present.

The nearest-neighbour language model (Khandelwal et al. 2020, eq. 2 and 3) over the few clips of a prompt in place of a
whole corpus: what a head has seen too rarely to keep in its weights, it can still read off. A token of a clip weighs
the more, the nearer those before it are to the last ones of the motion, and the nearer its place is to the time since
the prompt began; after the end of a clip, wherever it is like the present. At the finer levels only tokens count that
agree with what was drawn at the coarser ones.
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
LIKE = 0.4
"""Largest distance to the present of a place from which a clip is read again, as a share of that of two tokens."""
REACH = 75
"""Tokens of a clip that can be read off, from its start: ten seconds. What a head attends to may be less."""


def weigh(past: Tensor, position: Tensor, clips: Tensor, there: Tensor, spread: Tensor) -> Tensor:
    """Return the weights (B, R * M) of the tokens of clips as the next token; their sum is 1, or 0 without a clip.

    Args:
        past: (B, HISTORY, C) embeddings of the last tokens, newest last.
        position: (B,) tokens since the prompt began, 0 for its first; only as many of the last ones are compared.
        clips: (B, R, M, C) embeddings of the tokens of R clips.
        there: (B, R, M) bool, whether there is a token.
        spread: () mean squared distance of two tokens.
    """
    batch, count, length, _ = clips.shape
    flat = clips.flatten(1, 2)  # (B, R M, C)
    distances = past.square().sum(dim=-1)[..., None] + flat.square().sum(dim=-1)[:, None]
    distances = (distances - 2 * past @ flat.transpose(1, 2)).clamp_min(0) / spread  # (B, HISTORY, R M)
    gaps, compared = torch.zeros_like(distances[:, 0]), torch.zeros_like(distances[:, 0, :1])
    place = torch.arange(length, device=clips.device).repeat(count)
    for back in range(1, HISTORY + 1):
        known = (position >= back).to(gaps.dtype)[:, None]  # (B, 1)
        earlier = distances[:, -back].view(batch, count, length)
        # Before its first token a clip is like nothing.
        gaps = gaps + known * F.pad(earlier, (back, 0), value=1.0)[..., :length].flatten(1)
        compared = compared + known
    gaps = gaps / compared.clamp_min(1)
    # After its end a clip is read again, from wherever it is like the present: who walks goes on walking.
    is_over = (there.sum(dim=2) <= position[:, None]).repeat_interleave(length, dim=1)  # (B, R M)
    late = ((place - position[:, None]) / TOKENS).masked_fill(is_over, 0.0)
    score = -gaps / (2 * WIDTH) - late.square() / 2
    begins = (place == 0) == (position == 0)[:, None]  # a prompt begins as its clips begin
    usable = there.flatten(1, 2) & begins & (~is_over | (gaps < LIKE))
    return score.masked_fill(~usable, -torch.inf).softmax(dim=-1).nan_to_num(0.0)


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
