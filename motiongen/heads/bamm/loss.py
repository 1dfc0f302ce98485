"""BAMM's training loss: causal, masked and residual cross entropies of the same clips."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.heads.bamm.masking import hybrid_view
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.code_loss import code_cross_entropy


@dataclass(frozen=True)
class BAMMBatch:
    """Training batch of BAMM.

    Attributes:
        codes: (B, N, Q); values after the length of an item are ignored.
        lengths: (B,) tokens of each item.
        ended: (B,) bool, whether the last token of the item is the last of its clip; cropped clips have no END.
        given: (B,) leading tokens that belong to another prompt: context without a loss.
        condition: B prompts.
    """

    codes: Tensor
    lengths: Tensor
    ended: Tensor
    given: Tensor
    condition: TextCondition


def loss(model: BAMM, batch: BAMMBatch, generator: torch.Generator) -> dict[str, Tensor]:
    """Return cross entropies in nats a code: `loss` and its parts (BAMM, Pinyoanuntapong et al. 2024, eq. 3).

    Args:
        model: the head; labels are smoothed in training mode.
        batch: clips, on the device of the model.
        generator: on the CPU; draws masks, levels and dropped conditions.
    """
    config, codes, device = model.config, batch.codes, batch.codes.device
    size, tokens, _ = codes.shape
    lengths, ended = batch.lengths.cpu(), batch.ended.cpu()
    index = torch.arange(tokens + 1)
    valid, at_end = index < lengths[:, None], (index == lengths[:, None]) & ended[:, None]  # (B, N + 1)
    with_loss = valid & (index >= batch.given.cpu()[:, None])
    targets = F.pad(codes[..., 0].cpu(), (0, 1)).where(valid, config.pad).masked_fill(at_end, config.end)
    view = hybrid_view(targets, with_loss, config.mask, generator)
    scored = (view.scored | (at_end & view.causal[:, None])).to(device)
    has_length = ended & view.causal & (torch.rand(size, generator=generator) < 0.5)
    given_lengths = torch.where(has_length, lengths, 0)
    dropped = torch.rand(size, generator=generator) < config.condition_dropout

    context, context_padding, sentence = model.context(batch.condition, dropped.to(device))
    first = model.first_token(sentence, given_lengths.to(device))
    x = torch.cat([first, model.embed(view.inputs.to(device))], dim=1)
    padding = F.pad(~(valid | at_end), (1, 0)).to(device)
    base_context = model.transformer.make_context(context, context_padding)
    features = model.transformer(x, base_context, padding, view.causal.to(device))[:, :-1]  # (B, N + 1, D)
    base = code_cross_entropy(model, model.logits(features[scored]), targets.to(device)[scored])

    level = torch.randint(1, config.num_quantizers, (size,), generator=generator).to(device)
    valid = valid[:, :-1].to(device)
    residual_context = model.residual.make_context(context, context_padding)
    logits = model.residual(
        codes * valid[..., None], level, ~valid, residual_context, sentence, model.vectors
    )
    fine = codes.gather(2, level[:, None, None].expand(-1, tokens, 1))[..., 0]  # (B, N)
    residual = code_cross_entropy(model, logits[valid], fine[valid]).mean()
    is_causal = view.causal.to(device)[:, None].expand_as(scored)[scored]
    return {
        "loss": base.mean() + residual,
        "causal": base[is_causal].mean(),
        "masked": base[~is_causal].mean(),
        "residual": residual,
    }
