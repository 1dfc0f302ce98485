"""The evaluator: lengths, the loss, and that a few pairs can be learned."""

import math

import pytest
import torch

from motiongen.conditions.text import TextCondition
from motiongen.evaluation.evaluator import MotionTextEvaluator, contrastive_loss, pad
from motiongen.evaluation.evaluator_config import EvaluatorConfig

TINY = EvaluatorConfig(text_dim=8, feature_dim=6, dim=16, embedding_dim=4, max_frames=32, dropout=0.0)


def condition(texts, tokens=3):
    mask = torch.zeros(len(texts), tokens, dtype=torch.bool)
    return TextCondition(texts[:, None].expand(-1, tokens, -1), mask, texts)


def test_contrastive_loss_by_hand():
    # Two pairs at right angles, temperature 1: each row is softmax of (1, 0).
    unit = torch.eye(2)
    loss = contrastive_loss(unit, unit, torch.eye(2, dtype=torch.bool), torch.tensor(1.0))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_a_caption_that_is_true_of_both_is_no_negative():
    same = torch.ones(2, 2, dtype=torch.bool)
    assert contrastive_loss(torch.eye(2), torch.eye(2), same, torch.tensor(1.0)).item() == pytest.approx(0.0)


def test_padding_changes_no_embedding():
    torch.manual_seed(0)
    model = MotionTextEvaluator(TINY).eval()
    clips = [torch.randn(n, 6, generator=torch.Generator().manual_seed(n)) for n in (8, 16, 24)]
    together = model.embed_clips(clips)
    alone = torch.cat([model.embed_clips([clip]) for clip in clips])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(together.norm(dim=-1), torch.ones(3))


def test_long_clips_are_cut_and_short_ones_filled():
    features, lengths = pad([torch.zeros(2, 6), torch.zeros(3, 6)], max_frames=32)
    assert features.shape == (2, 4, 6) and lengths.tolist() == [2, 3]
    assert pad([torch.zeros(100, 6)], max_frames=32)[0].shape[1] == 32


def test_a_few_pairs_can_be_learned():
    torch.manual_seed(0)
    model = MotionTextEvaluator(TINY)
    motions, texts = torch.randn(4, 16, 6), torch.randn(4, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    same, lengths = torch.eye(4, dtype=torch.bool), torch.full((4,), 16)
    for _ in range(60):
        embedded = model.encode_text(condition(texts)), model.encode_motion(motions, lengths)
        loss = contrastive_loss(*embedded, same, model.log_temperature.exp())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    nearest = (model.embed_clips(list(motions)) @ model.encode_text(condition(texts)).T).argmax(dim=1)
    assert nearest.tolist() == [0, 1, 2, 3] and loss.item() < 0.1


def test_a_bad_size_is_named():
    with pytest.raises(ValueError, match="dim: expected >= 1, got 0"):
        EvaluatorConfig(dim=0)
