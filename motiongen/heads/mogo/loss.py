"""Mogo's training loss: cross entropies of the next token, level by level."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.heads.code_loss import code_cross_entropy
from motiongen.heads.mogo.model import Mogo
from motiongen.modules.kv_cache import Context


@dataclass(frozen=True)
class MogoBatch:
    """Training clips of Mogo; position n of N + 1 stands before token n.

    Attributes:
        codes: (B, N, Q), anything after an item's length.
        lengths: (B,) tokens of each item.
        ended: (B,) bool, whether the item's last token is its motion's last.
        is_cut: (B,) bool, whether the motion began before the item's first token.
        condition: B x P prompts, item by item.
        drop_text: (B, P) bool, prompts whose words are left out.
        segment: (B, N + 1) which of the P prompts each position has.
        age: (B, N + 1) tokens since that prompt's motion began, itself included; 0 where unsaid.
        remaining: (B, N + 1) tokens to that motion's end, itself included; 0 where unsaid.
    """

    codes: Tensor
    lengths: Tensor
    ended: Tensor
    is_cut: Tensor
    condition: TextCondition
    drop_text: Tensor
    segment: Tensor
    age: Tensor
    remaining: Tensor


def loss(model: Mogo, batch: MogoBatch, generator: torch.Generator) -> dict[str, Tensor]:
    """Return training losses: `loss` and its parts, cross entropies in nats a code.

    Args:
        model: in training mode it smooths labels and corrupts its inputs.
        batch: clips, cut or whole or one after the other, with the prompt of each position.
        generator: on the CPU.
    """
    config, device = model.config, batch.codes.device
    tokens = batch.codes.shape[1]
    index = torch.arange(tokens + 1, device=device)
    valid = index < batch.lengths[:, None]  # (B, N + 1)
    at_end = (index == batch.lengths[:, None]) & batch.ended[:, None]
    sums = model.sums(batch.codes)  # (B, N, Q, C)
    seen = model.sums(_corrupted(model, batch.codes, valid[:, :-1], generator))[..., -1, :]
    x = torch.cat([model.start[batch.is_cut.long()][:, None], model.code_in(seen)], dim=1)
    context, sentence = _training_context(model, batch, generator)
    x = x + sentence + model.age(batch.age) + model.remaining(batch.remaining)
    padding = ~(valid | at_end)
    features = model.transformer(x, context, padding)  # (B, N + 1, D)
    targets = F.pad(batch.codes[..., 0], (0, 1)).masked_fill(at_end, config.codebook_size)
    base = code_cross_entropy(model, model.base_logits(features[~padding]), targets[~padding])
    real, parts = valid[:, :-1], []
    for level, fine in enumerate(model.fine_levels(), start=1):
        made = fine(sums[:, :, level - 1], features[:, :-1], ~real)
        logits = model.vectors.logits(made[real], level)
        parts.append(code_cross_entropy(model, logits, batch.codes[..., level][real]))
    fine_loss = torch.stack(parts).mean() if parts else base.new_zeros(())
    return {
        "loss": base.mean() + fine_loss,
        "base": base.mean(),
        "end": base[at_end[~padding]].mean() if bool(at_end.any()) else base.new_zeros(()),
        "fine": fine_loss,
    }


def _training_context(model: Mogo, batch: MogoBatch, generator: torch.Generator) -> tuple[Context, Tensor]:
    """Return the words that each position looks at, and its sentence (B, N + 1, D)."""
    items, pieces = len(batch.codes), model.config.text_tokens
    prompts = len(batch.condition) // items
    dropped = torch.rand(items, generator=generator) < model.config.condition_dropout
    drop_text = dropped.to(batch.codes.device)[:, None] | batch.drop_text  # (B, P)
    shown = batch.condition.first(pieces)
    tokens, text_padding, sentence = model.text(shown, drop_text.flatten())
    tokens = tokens.view(items, -1, tokens.shape[-1])  # (B, P L, C)
    length = tokens.shape[1] // prompts
    owner = torch.arange(prompts, device=tokens.device).repeat_interleave(length)
    padding = (batch.segment[..., None] != owner) | text_padding.view(items, 1, -1)  # (B, N + 1, P L)
    sentence = sentence.view(items, prompts, -1)
    index = batch.segment[..., None].expand(-1, -1, sentence.shape[-1])
    return model.transformer.make_context(tokens, padding), sentence.gather(1, index)


def _corrupted(model: Mogo, codes: Tensor, valid: Tensor, generator: torch.Generator) -> Tensor:
    """Return codes (B, N, Q) with some tokens taken from anywhere in the batch."""
    if not model.training or not model.config.corruption:
        return codes
    flat, real = codes.flatten(0, 1), valid.flatten().nonzero()[:, 0].cpu()
    picks = real[torch.randint(len(real), (len(flat),), generator=generator)]
    hit = torch.rand(valid.shape, generator=generator) < model.config.corruption
    other = flat[picks.to(codes.device)].view_as(codes)
    return torch.where(hit.to(codes.device)[..., None], other, codes)
