"""CARP's training loss: cross entropy of the codes of all scales, and the error of the offset layer."""

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.heads.carp.model import CARP
from motiongen.modules.observation import Observation, check_shape, task_of

OFFSET_WEIGHT = 10.0
"""Weight of the error of the offset layer, relative to the cross entropy."""


def loss(model: CARP, batch: Observation, generator: torch.Generator) -> dict[str, Tensor]:
    """Return `loss`, its parts, and the `accuracy` of the codes.

    Args:
        model: the head; in training mode images are cropped at random.
        batch: observations, and `action` (B, H, A) in the units of the data.
        generator: on the CPU; draws the image crops.
    """
    check_shape("action", batch["action"], (model.config.horizon, model.config.action_dim))
    cond = model.observation(batch, generator if model.training else None)
    with torch.autocast(model.device.type, enabled=False):
        actions = model.written(batch["action"], cond, task_of(batch))
        codes = model.tokenizer.encode(actions)
    logits = model.code_logits(cond, codes).float()
    guess = logits.detach().argmax(-1)
    losses = {"loss": F.cross_entropy(logits.flatten(0, 2), codes.flatten())}
    if model.offset is not None:
        # The coarsest codes select the mode and are taken from the data; the finer ones are the predictions, as in use.
        coarsest = model.config.scales[0]
        decoded = model.tokenizer.decode(torch.cat([codes[:, :coarsest], guess[:, coarsest:]], dim=1))
        losses["offset"] = F.l1_loss(model.offset(cond, decoded), actions)
        losses["loss"] = losses["loss"] + OFFSET_WEIGHT * losses["offset"]
    return {**losses, "accuracy": (guess == codes).float().mean()}
