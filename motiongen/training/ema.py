"""Exponential moving average of the weights of a model."""

import copy

import torch
from torch import nn


class EMA:
    """Averaged copy of a model; floating-point buffers are averaged too, others are copied.

    Args:
        model: whose weights are averaged.
        decay: of the moving average.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Update the average after an optimizer step.

        Args:
            model: whose weights are averaged.
            step: number of the step, from 1; the decay is smaller in early steps, to forget the initial weights.
        """
        decay = min(self.decay, step / (step + 10))
        averages, values = self.model.state_dict(), model.state_dict()
        floats = [key for key, value in values.items() if value.is_floating_point()]
        torch._foreach_lerp_([averages[key] for key in floats], [values[key] for key in floats], 1 - decay)
        for key in values.keys() - set(floats):
            averages[key].copy_(values[key])
