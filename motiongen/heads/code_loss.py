"""Cross entropy of codes, shared by heads that predict them."""

import torch.nn.functional as F
from torch import Tensor, nn


def code_cross_entropy(model: nn.Module, logits: Tensor, targets: Tensor) -> Tensor:
    """Return cross entropies (M,) in nats, computed in fp32, with label smoothing in training mode only.

    Args:
        model: with `config.label_smoothing`.
        logits: (M, K).
        targets: (M,) codes.
    """
    smoothing = model.config.label_smoothing if model.training else 0.0  # type: ignore[union-attr]
    return F.cross_entropy(logits.float(), targets, reduction="none", label_smoothing=smoothing)  # type: ignore[arg-type]
