"""Evaluator: joint embedding of texts and motions, for FID, R-precision and other distances."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.conditions.text import TextCondition
from motiongen.evaluation.evaluator_config import EvaluatorConfig


class AttentionPool(nn.Module):
    """Attention pooling: mean of a sequence with learned weights."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, x: Tensor, padding_mask: Tensor) -> Tensor:
        """Return the weighted mean (B, D) of x (B, N, D), without padding (B, N) (true = padding)."""
        weight = self.score(x).squeeze(-1).float().masked_fill(padding_mask, float("-inf")).softmax(dim=1)
        return (x * weight[..., None].to(x.dtype)).sum(dim=1)


class MotionTextEvaluator(nn.Module):
    """Motion encoder and text encoder whose unit embeddings are close for matching motions and texts.

    The architecture of Guo et al., CVPR 2022 (convolutions, then a bidirectional GRU) with the contrastive loss of TMR
    (Petrovich et al., ICCV 2023) in place of the triplet loss.
    """

    model_type = "evaluator"
    config_class = EvaluatorConfig
    mean: Tensor
    std: Tensor

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config, dim = config, config.dim
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("std", torch.ones(config.feature_dim))
        self.first = nn.Conv1d(config.feature_dim, dim, kernel_size=4, stride=2, padding=1)
        self.second = nn.Conv1d(dim, dim, kernel_size=4, stride=2, padding=1)
        self.gru = nn.GRU(dim, dim // 2, bidirectional=True, batch_first=True)
        self.motion_pool = AttentionPool(dim)
        self.motion_out = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, config.embedding_dim))
        self.text_in = nn.Sequential(
            nn.LayerNorm(config.text_dim), nn.Linear(config.text_dim, dim), nn.GELU()
        )
        self.text_pool = AttentionPool(dim)
        self.text_mean = nn.Linear(config.text_dim, dim)
        self.text_out = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, config.embedding_dim))
        self.log_temperature = nn.Parameter(torch.tensor(0.07).log())

    @torch.no_grad()
    def set_normaliser(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and std of the features, (D,) each; std is clamped."""
        self.mean.copy_(mean)
        self.std.copy_(std.clamp_min(0.01))

    def encode_motion(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return unit embeddings (B, E) of motions.

        Args:
            features: (B, T, 140) feature frames.
            lengths: (B,) frames of each motion.
        """
        x = ((features.float() - self.mean) / self.std).clamp(-10, 10)
        x = F.dropout(_without_padding(x, lengths), self.config.dropout, self.training)
        x = F.gelu(self.first(x.transpose(1, 2))).transpose(1, 2)  # (B, T / 2, D)
        # Masked between the convolutions too, so that padding does not reach the second one.
        x = _without_padding(x, lengths // 2).transpose(1, 2)
        x = F.gelu(self.second(x)).transpose(1, 2)  # (B, N, D)
        steps = (lengths // 4).clamp(1, x.shape[1]).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(x.float(), steps, batch_first=True, enforce_sorted=False)
        x, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)  # (B, N, D)
        padding_mask = torch.arange(x.shape[1], device=x.device) >= steps[:, None].to(x.device)
        return F.normalize(self.motion_out(self.motion_pool(x, padding_mask)).float(), dim=-1)

    def encode_text(self, condition: TextCondition) -> Tensor:
        """Return unit embeddings (B, E) of texts."""
        tokens = F.dropout(condition.tokens, self.config.dropout, self.training)
        pooled = self.text_pool(self.text_in(tokens), condition.padding_mask) + self.text_mean(
            condition.pooled
        )
        return F.normalize(self.text_out(pooled).float(), dim=-1)

    @torch.no_grad()
    def embed_clips(self, clips: Sequence[Tensor], batch_size: int = 64) -> Tensor:
        """Return unit embeddings (M, E) of clips of features (T_i, 140), in evaluation mode."""
        was_training, rows = self.training, []
        self.eval()
        for start in range(0, len(clips), batch_size):
            features, lengths = pad(clips[start : start + batch_size], self.config.max_frames)
            rows.append(self.encode_motion(features, lengths))
        self.train(was_training)
        return torch.cat(rows)


def _without_padding(x: Tensor, lengths: Tensor) -> Tensor:
    """Return x (B, N, D) with zeros after the length (B,) of each item."""
    return x * (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[..., None]


def pad(clips: Sequence[Tensor], max_frames: int) -> tuple[Tensor, Tensor]:
    """Return clips (T_i, D) as a batch (B, T, D), cropped to `max_frames` and padded with zeros, and lengths (B,)."""
    cropped = [clip[:max_frames] for clip in clips]
    lengths = torch.tensor([len(clip) for clip in cropped])
    features = nn.utils.rnn.pad_sequence(cropped, batch_first=True)
    return F.pad(features, (0, 0, 0, max(0, 4 - features.shape[1]))), lengths


def contrastive_loss(texts: Tensor, motions: Tensor, same: Tensor, temperature: Tensor) -> Tensor:
    """Return the symmetric InfoNCE loss of paired unit embeddings.

    Captions derived from labels repeat: other pairs that match are excluded instead of counting as negatives (TMR
    excludes near-identical texts by similarity; here the labels are known).

    Args:
        texts: (B, E) unit embeddings.
        motions: (B, E) unit embeddings.
        same: (B, B) bool, whether text j matches motion i.
        temperature: of the softmax.
    """
    scores = motions @ texts.T / temperature  # (B, B)
    others = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    scores = scores.masked_fill(others, float("-inf"))
    target = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
