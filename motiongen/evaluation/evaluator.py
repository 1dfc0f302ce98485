"""Texts and motions in one space: what FID, R-precision and the other distances are measured in."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.conditions.text import TextCondition
from motiongen.evaluation.evaluator_config import EvaluatorConfig


class AttentionPool(nn.Module):
    """The mean of a sequence under learned weights."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, x: Tensor, padding_mask: Tensor) -> Tensor:
        """Return (B, D) of x (B, N, D) without what is padding (B, N)."""
        weight = self.score(x).squeeze(-1).float().masked_fill(padding_mask, float("-inf")).softmax(dim=1)
        return (x * weight[..., None].to(x.dtype)).sum(dim=1)


class MotionTextEvaluator(nn.Module):
    """Two encoders whose embeddings are unit vectors, near for a motion and a sentence that say the same.

    The plan of Guo et al., CVPR 2022 (convolutions, then a bidirectional GRU) with the contrastive loss of TMR
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
        """Set what features are shifted and divided by, (D,) each."""
        self.mean.copy_(mean)
        self.std.copy_(std.clamp_min(0.01))

    def encode_motion(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return unit vectors (B, E) of features (B, T, 140) of which the first `lengths` (B,) frames count."""
        x = ((features.float() - self.mean) / self.std).clamp(-10, 10)
        x = F.dropout(_without_padding(x, lengths), self.config.dropout, self.training)
        x = F.gelu(self.first(x.transpose(1, 2))).transpose(1, 2)  # (B, T / 2, D)
        # Between the convolutions too: what the first makes of padding must not reach the second.
        x = _without_padding(x, lengths // 2).transpose(1, 2)
        x = F.gelu(self.second(x)).transpose(1, 2)  # (B, N, D)
        steps = (lengths // 4).clamp(1, x.shape[1]).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(x.float(), steps, batch_first=True, enforce_sorted=False)
        x, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)  # (B, N, D)
        padding_mask = torch.arange(x.shape[1], device=x.device) >= steps[:, None].to(x.device)
        return F.normalize(self.motion_out(self.motion_pool(x, padding_mask)).float(), dim=-1)

    def encode_text(self, condition: TextCondition) -> Tensor:
        """Return unit vectors (B, E) of texts."""
        tokens = F.dropout(condition.tokens, self.config.dropout, self.training)
        pooled = self.text_pool(self.text_in(tokens), condition.padding_mask) + self.text_mean(
            condition.pooled
        )
        return F.normalize(self.text_out(pooled).float(), dim=-1)

    @torch.no_grad()
    def embed_clips(self, clips: Sequence[Tensor], batch_size: int = 64) -> Tensor:
        """Return embeddings (M, E) of clips of features (T_i, 140), in evaluation mode."""
        was, rows = self.training, []
        self.eval()
        for start in range(0, len(clips), batch_size):
            features, lengths = pad(clips[start : start + batch_size], self.config.max_frames)
            rows.append(self.encode_motion(features, lengths))
        self.train(was)
        return torch.cat(rows)


def _without_padding(x: Tensor, lengths: Tensor) -> Tensor:
    """Return x (B, N, D) with zeros from each item's length on."""
    return x * (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[..., None]


def pad(clips: Sequence[Tensor], max_frames: int) -> tuple[Tensor, Tensor]:
    """Return features (B, T, D), zero after a clip's end and at least 4 frames, and lengths (B,)."""
    cut = [clip[:max_frames] for clip in clips]
    lengths = torch.tensor([len(clip) for clip in cut])
    features = nn.utils.rnn.pad_sequence(cut, batch_first=True)
    return F.pad(features, (0, 0, 0, max(0, 4 - features.shape[1]))), lengths


def contrastive_loss(texts: Tensor, motions: Tensor, same: Tensor, temperature: Tensor) -> Tensor:
    """Return InfoNCE in both directions for paired unit vectors (B, E).

    Captions that are made from labels repeat: where `same` (B, B) says that text j is true of motion i, the pair is
    left out instead of counting as wrong (TMR drops near-identical texts by their similarity; here labels tell).
    """
    scores = motions @ texts.T / temperature  # (B, B)
    others = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    scores = scores.masked_fill(others, float("-inf"))
    target = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
