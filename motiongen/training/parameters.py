"""Parameter groups with and without weight decay."""

from typing import Any

from torch import Tensor, nn


def parameter_groups(model: nn.Module, plain: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return parameter groups for AdamW: matrices with weight decay, other parameters without.

    Args:
        model: the model.
        plain: name prefixes of matrices without weight decay.
    """
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        (others if parameter.ndim < 2 or name.startswith(plain) else matrices).append(parameter)
    return [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
