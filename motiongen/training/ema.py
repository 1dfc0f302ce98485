"""An exponential moving average of a model's weights."""

import copy

import torch
from torch import nn


class EMA:
    """Keeps an averaged copy of a model; its buffers of floats are averaged too, others copied."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average after optimizer step `step`, from 1; early steps weigh more, to forget the start."""
        decay = min(self.decay, step / (step + 10))
        averages, values = self.model.state_dict(), model.state_dict()
        floats = [key for key, value in values.items() if value.is_floating_point()]
        torch._foreach_lerp_([averages[key] for key in floats], [values[key] for key in floats], 1 - decay)
        for key in values.keys() - set(floats):
            averages[key].copy_(values[key])
