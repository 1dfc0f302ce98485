"""Image encoder: a small ResNet with group norm and spatial softmax.

ResNet-18 (He et al., CVPR 2016, table 1) as Diffusion Policy changes it (Chi et al., RSS 2023, section 3.1): group norm
for batch norm, spatial softmax (Levine et al., JMLR 2016, section 5.1) for average pooling. The published width is 64.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS_A_GROUP = 16
"""Channels of a group of the group norm."""


class VisualEncoder(nn.Module):
    """Encodes square images (B, 3, S, S) as the spatial softmax coordinates (B, dim) of the last feature maps.

    Args:
        width: channels of the first stage; each stage doubles them.
        size: side S of the images, pixels.
        blocks: residual blocks of each stage.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, width: int, size: int, blocks: tuple[int, ...] = (1, 1, 1)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False)
        self.stem_norm = _norm(width)
        stages: list[nn.Module] = []
        channels = width
        for stage, count in enumerate(blocks):
            for block in range(count):
                out_channels = width * 2**stage
                stages.append(_Block(channels, out_channels, stride=2 if stage and not block else 1))
                channels = out_channels
        self.stages = nn.Sequential(*stages)
        self.points = nn.Conv2d(channels, 2 * width, 1)
        self.dim = 4 * width
        side = -(-size // 4)  # the stem and the pooling halve
        for _ in blocks[1:]:
            side = -(-side // 2)
        coordinates = torch.linspace(-1, 1, side)
        self.register_buffer("rows", coordinates.repeat_interleave(side), persistent=False)
        self.register_buffer("columns", coordinates.repeat(side), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return vectors (B, dim) of images (B, 3, S, S) uint8."""
        x = image.float() / 127.5 - 1
        x = F.relu(self.stem_norm(self.stem(x)))
        x = self.stages(F.max_pool2d(x, 3, stride=2, padding=1))
        weights = self.points(x).flatten(2).float().softmax(-1)  # (B, P, h * w)
        return torch.cat([weights @ self.columns, weights @ self.rows], dim=-1)


class _Block(nn.Module):
    """Residual block of two 3 x 3 convolutions with group norm."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, out_channels, 3, stride, padding=1, bias=False)
        self.first_norm = _norm(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.second_norm = _norm(out_channels)
        same = stride == 1 and channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(hidden)) + self.shortcut(x))


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // CHANNELS_A_GROUP), channels)
