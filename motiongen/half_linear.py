"""Linear layers of frozen models on CPUs with weights in fp16: half the memory to read, which is what takes time.

Inputs, sums and outputs stay fp32. Weights that were stored in fp16 give what they give in fp32, up to the order of the
sums.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROWS = 6
"""Rows that the kernel takes at once. It sums the last one or two of other numbers in another order: these are filled
up, so that a row's result does not depend on how many others there are."""


class HalfLinear(nn.Module):
    """A frozen linear layer, packed for FBGEMM's kernel; make them with `halve`.

    Args:
        linear: on the CPU.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        bias = None if linear.bias is None else linear.bias.detach().clone()
        self._packed = torch.ops.quantized.linear_prepack_fp16(linear.weight.detach(), bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (..., D') of fp32 inputs (..., D)."""
        rows = x.reshape(-1, x.shape[-1])
        padded = F.pad(rows, (0, 0, 0, -len(rows) % ROWS)) if len(rows) % ROWS else rows
        out: Tensor = torch.ops.quantized.linear_dynamic_fp16(padded, self._packed)
        return out[: len(rows)].view(*x.shape[:-1], -1)


def halve(module: nn.Module) -> None:
    """Replace all linear layers within a frozen module, in place, where this machine has the kernel.

    The module cannot be moved or saved any more.

    Args:
        module: on the CPU; its linear layers are children of others.
    """
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        return
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                setattr(parent, name, HalfLinear(child))
