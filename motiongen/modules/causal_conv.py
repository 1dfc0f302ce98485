"""Causal 1-D convolutions that stream: whole clips and single frames run through the same path.

Every layer here takes channels first, (B, D, T), and keeps what it must remember in a state that the caller owns.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHORT = 8
"""Time steps up to which a step of a stream is computed without a convolution's kernel."""


@dataclass
class CausalConvState:
    """The last inputs of one convolution, (B, D, past); zeros at rest."""

    past: Tensor

    def reset(self, mask: Tensor) -> None:
        """Put the items where mask (B,) is true back to rest."""
        self.past.masked_fill_(mask.to(self.past.device)[:, None, None], 0.0)


class CausalConv1d(nn.Conv1d):
    """Convolution whose output at time t sees inputs up to t only.

    With a stride s it folds s inputs into one output: output n sees inputs up to s * n + s - 1, so that `step` takes
    any multiple of s inputs. Parameters have the names and shapes of `nn.Conv1d`.
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
        """Return the state at rest for a batch."""
        return CausalConvState(past=self.weight.new_zeros(batch_size, self.in_channels, self.past_length))

    def step(self, x: Tensor, state: CausalConvState) -> Tensor:
        """Push x (B, D, T), return (B, D, T / stride); updates state in place."""
        if x.shape[-1] % self.stride[0]:
            raise ValueError(
                f"x: expected a multiple of {self.stride[0]} time steps, got {x.shape[-1]}; pad or buffer"
            )
        x = torch.cat([state.past.to(x.dtype), x], dim=-1)  # (B, D, past + T)
        if self.past_length:
            state.past.copy_(x[..., x.shape[-1] - self.past_length :].detach())
        return super().forward(x) if x.shape[-1] > self.past_length + SHORT else self._few(x)

    def _few(self, x: Tensor) -> Tensor:
        """Convolve few time steps as one matrix product: a third of the time of a convolution's kernel on a CPU."""
        span = (self.kernel_size[0] - 1) * self.dilation[0] + 1
        taps = x.unfold(-1, span, self.stride[0])[..., :: self.dilation[0]]  # (B, D, T, taps)
        y = F.linear(taps.transpose(1, 2).flatten(2), self.weight.flatten(1), self.bias)  # (B, T, D)
        return y.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Whole clip: one step from rest; training and streaming share a path."""
        return self.step(x, self.init_state(x.shape[0]))


class SymmetricConv1d(nn.Conv1d):
    """The non-causal twin of `CausalConv1d`, padded by half on both sides as in the published networks."""

    def __init__(
        self, in_dim: int, out_dim: int, kernel_size: int, stride: int = 1, dilation: int = 1
    ) -> None:
        padding = (dilation * (kernel_size - 1) + 1 - stride) // 2
        super().__init__(in_dim, out_dim, kernel_size, stride=stride, dilation=dilation, padding=padding)


def conv1d(
    causal: bool, in_dim: int, out_dim: int, kernel_size: int, stride: int = 1, dilation: int = 1
) -> nn.Conv1d:
    """Return a causal or a symmetric convolution of the same parameters."""
    kind = CausalConv1d if causal else SymmetricConv1d
    return kind(in_dim, out_dim, kernel_size, stride=stride, dilation=dilation)


def run(layer: nn.Conv1d, x: Tensor, state: CausalConvState | None) -> Tensor:
    """Apply a convolution: one step when there is a state, else the whole clip."""
    if state is None:
        return layer(x)
    if not isinstance(layer, CausalConv1d):
        raise ValueError("state: expected None for a non-causal convolution; load a causal model to stream")
    return layer.step(x, state)
