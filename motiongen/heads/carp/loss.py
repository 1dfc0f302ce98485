"""CARP's training loss: cross entropy of the codes of all scales, and the error of what the offset adds."""

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.heads.carp.model import CARP
from motiongen.modules.observation import Observation, check_shape, task_of

OFFSET_WEIGHT = 10.0
"""Of the offset's error beside the codes' cross-entropy."""


def loss(model: CARP, batch: Observation, generator: torch.Generator) -> dict[str, Tensor]:
    """Return `loss` and its parts, and the `accuracy` of the codes.

    Args:
        model: in training mode it crops pictures at random.
        batch: observations, and `action` (B, H, A) in the data's own units.
        generator: on the CPU.
    """
    check_shape("action", batch["action"], (model.config.horizon, model.config.action_dim))
    with torch.autocast(model.device.type, enabled=False):
        wanted = model.action_normaliser(batch["action"], task_of(batch))
        codes = model.tokenizer.encode(wanted)
    cond = model.observation(batch, generator if model.training else None)
    logits = model.code_logits(cond, codes).float()
    guess = logits.detach().argmax(-1)
    losses = {"loss": F.cross_entropy(logits.flatten(0, 2), codes.flatten())}
    if model.offset is not None:
        # The coarsest codes choose the way, which is to be the data's; the finer ones are as they will be written.
        way = model.config.scales[0]
        written = model.tokenizer.decode(torch.cat([codes[:, :way], guess[:, way:]], dim=1))
        losses["offset"] = F.l1_loss(model.offset(cond, written), wanted)
        losses["loss"] = losses["loss"] + OFFSET_WEIGHT * losses["offset"]
    return {**losses, "accuracy": (guess == codes).float().mean()}
