"""Cross entropy of codes, as every head that writes them takes it."""

import torch.nn.functional as F
from torch import Tensor, nn


def code_cross_entropy(model: nn.Module, logits: Tensor, targets: Tensor) -> Tensor:
    """Return cross entropies (M,), in nats, of logits (M, K) in fp32; labels are smoothed in training mode alone."""
    smoothing = model.config.label_smoothing if model.training else 0.0  # type: ignore[union-attr]
    return F.cross_entropy(logits.float(), targets, reduction="none", label_smoothing=smoothing)  # type: ignore[arg-type]
