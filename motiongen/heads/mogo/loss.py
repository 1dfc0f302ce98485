"""Mogo's training loss: next-token cross entropies of all levels."""

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
    """Training batch of Mogo. Position n of the N + 1 positions predicts token n.

    Attributes:
        codes: (B, N, Q); values after the length of an item are ignored.
        lengths: (B,) tokens of each item.
        ended: (B,) bool, whether the last token of the item is the last of its motion.
        is_cut: (B,) bool, whether the motion began before the first token of the item.
        condition: B x P prompts, item by item.
        drop_text: (B, P) bool, true = prompt without text.
        segment: (B, N + 1) index of the prompt, among the P of the item, at each position.
        age: (B, N + 1) tokens since the motion of that prompt began, counting this one; 0 if not given.
        remaining: (B, N + 1) tokens to the end of that motion, counting this one; 0 if not given.
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
    """Return cross entropies in nats a code: `loss` and its parts.

    Args:
        model: the head; in training mode labels are smoothed and inputs corrupted.
        batch: clips, on the device of the model.
        generator: on the CPU; draws dropped conditions and corrupted tokens.
    """
    config, device = model.config, batch.codes.device
    tokens = batch.codes.shape[1]
    index = torch.arange(tokens + 1, device=device)
    valid = index < batch.lengths[:, None]  # (B, N + 1)
    at_end = (index == batch.lengths[:, None]) & batch.ended[:, None]
    sums = model.sums(batch.codes)  # (B, N, Q, C)
    inputs = model.sums(_corrupted(model, batch.codes, valid[:, :-1], generator))[..., -1, :]
    x = torch.cat([model.start[batch.is_cut.long()][:, None], model.code_in(inputs)], dim=1)
    context, sentence = _training_context(model, batch, generator)
    x = x + sentence + model.age(batch.age) + model.remaining(batch.remaining)
    padding = ~(valid | at_end)
    features = model.transformer(x, context, padding)  # (B, N + 1, D)
    targets = F.pad(batch.codes[..., 0], (0, 1)).masked_fill(at_end, config.codebook_size)
    base = code_cross_entropy(model, model.base_logits(features[~padding]), targets[~padding])
    real, parts = valid[:, :-1], []
    for level, fine in enumerate(model.fine_levels(), start=1):
        predicted = fine(sums[:, :, level - 1], features[:, :-1], ~real)
        logits = model.vectors.logits(predicted[real], level)
        parts.append(code_cross_entropy(model, logits, batch.codes[..., level][real]))
    fine_loss = torch.stack(parts).mean() if parts else base.new_zeros(())
    return {
        "loss": base.mean() + fine_loss,
        "base": base.mean(),
        "end": base[at_end[~padding]].mean() if bool(at_end.any()) else base.new_zeros(()),
        "fine": fine_loss,
    }


def _training_context(model: Mogo, batch: MogoBatch, generator: torch.Generator) -> tuple[Context, Tensor]:
    """Return the text context, masked to the prompt of each position, and the sentence vectors (B, N + 1, D)."""
    items = len(batch.codes)
    prompts = len(batch.condition) // items
    dropped = torch.rand(items, generator=generator) < model.config.condition_dropout
    drop_text = dropped.to(batch.codes.device)[:, None] | batch.drop_text  # (B, P)
    tokens, text_padding, sentence = model.context(batch.condition, drop_text.flatten())
    tokens = tokens.view(items, -1, tokens.shape[-1])  # (B, P L, C)
    length = tokens.shape[1] // prompts
    owner = torch.arange(prompts, device=tokens.device).repeat_interleave(length)
    padding = (batch.segment[..., None] != owner) | text_padding.view(items, 1, -1)  # (B, N + 1, P L)
    sentence = sentence.view(items, prompts, -1)
    index = batch.segment[..., None].expand(-1, -1, sentence.shape[-1])
    return model.transformer.make_context(tokens, padding), sentence.gather(1, index)


def _corrupted(model: Mogo, codes: Tensor, valid: Tensor, generator: torch.Generator) -> Tensor:
    """Return codes (B, N, Q) with some tokens replaced by random ones of the batch, in training mode."""
    if not model.training or not model.config.corruption:
        return codes
    flat, real = codes.flatten(0, 1), valid.flatten().nonzero()[:, 0].cpu()
    picks = real[torch.randint(len(real), (len(flat),), generator=generator)]
    hit = torch.rand(valid.shape, generator=generator) < model.config.corruption
    other = flat[picks.to(codes.device)].view_as(codes)
    return torch.where(hit.to(codes.device)[..., None], other, codes)
