"""Causal 1-D convolutions for streaming: whole clips and single frames run through the same code.

Layers take channels first, (B, D, T). The state between steps belongs to the caller, not to the module.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHORT = 8
"""Inputs of at most this many time steps are computed by a matrix product instead of a convolution kernel."""


@dataclass
class CausalConvState:
    """Streaming state of one convolution: its last inputs (B, D, past), zero at the start."""

    past: Tensor

    def reset(self, mask: Tensor) -> None:
        """Reset the items where mask (B,) is true to the initial state."""
        self.past.masked_fill_(mask.to(self.past.device)[:, None, None], 0.0)


class CausalConv1d(nn.Conv1d):
    """Causal convolution: the output at time t depends on inputs up to t only.

    With stride s, output n depends on inputs up to s * n + s - 1, so that `step` takes any multiple of s inputs.
    Parameters have the names and shapes of `nn.Conv1d`.
    """

    def __init__(
        self, in_dim: int, out_dim: int, kernel_size: int, stride: int = 1, dilation: int = 1
    ) -> None:
        if kernel_size < stride:
            raise ValueError(
                f"kernel_size: expected >= stride {stride}, got {kernel_size}; inputs would be skipped"
            )
        super().__init__(in_dim, out_dim, kernel_size, stride=stride, dilation=dilation)
        self.past_length = (kernel_size - 1) * dilation + 1 - stride

    def init_state(self, batch_size: int) -> CausalConvState:
        """Return the initial state of a batch."""
        return CausalConvState(past=self.weight.new_zeros(batch_size, self.in_channels, self.past_length))

    def step(self, x: Tensor, state: CausalConvState) -> Tensor:
        """Return outputs (B, D, T / stride) of the next inputs x (B, D, T); updates the state in place.

        Raises:
            ValueError: T is no multiple of the stride.
        """
        if x.shape[-1] % self.stride[0]:
            raise ValueError(
                f"x: expected a multiple of {self.stride[0]} time steps, got {x.shape[-1]}; pad or buffer"
            )
        x = torch.cat([state.past.to(x.dtype), x], dim=-1)  # (B, D, past + T)
        if self.past_length:
            state.past.copy_(x[..., x.shape[-1] - self.past_length :].detach())
        return super().forward(x) if x.shape[-1] > self.past_length + SHORT else self._few(x)

    def _few(self, x: Tensor) -> Tensor:
        """Convolve a short input as one matrix product, in a third of the time of a convolution kernel on a CPU."""
        span = (self.kernel_size[0] - 1) * self.dilation[0] + 1
        taps = x.unfold(-1, span, self.stride[0])[..., :: self.dilation[0]]  # (B, D, T, taps)
        y = F.linear(taps.transpose(1, 2).flatten(2), self.weight.flatten(1), self.bias)  # (B, T, D)
        return y.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs of a whole clip: one step from the initial state, so training and streaming share a path."""
        return self.step(x, self.init_state(x.shape[0]))


class SymmetricConv1d(nn.Conv1d):
    """Non-causal counterpart of `CausalConv1d`, padded on both sides as in the published networks."""

    def __init__(
        self, in_dim: int, out_dim: int, kernel_size: int, stride: int = 1, dilation: int = 1
    ) -> None:
        padding = (dilation * (kernel_size - 1) + 1 - stride) // 2
        super().__init__(in_dim, out_dim, kernel_size, stride=stride, dilation=dilation, padding=padding)


def conv1d(
    causal: bool, in_dim: int, out_dim: int, kernel_size: int, stride: int = 1, dilation: int = 1
) -> nn.Conv1d:
    """Return a causal or a symmetric convolution with the same parameters."""
    kind = CausalConv1d if causal else SymmetricConv1d
    return kind(in_dim, out_dim, kernel_size, stride=stride, dilation=dilation)


def run(layer: nn.Conv1d, x: Tensor, state: CausalConvState | None) -> Tensor:
    """Return the outputs of a convolution: of one streaming step if a state is given, else of the whole clip.

    Raises:
        ValueError: a state is given for a convolution that is not causal.
    """
    if state is None:
        return layer(x)
    if not isinstance(layer, CausalConv1d):
        raise ValueError("state: expected None for a non-causal convolution; load a causal model to stream")
    return layer.step(x, state)
