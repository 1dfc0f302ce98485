"""What reconstruction metrics say of a tokenizer that gives back what it got, and of one that stands still."""

import pytest
import torch

from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training.tokenizer_metrics import reconstruction_metrics, reconstruction_totals

TINY = RVQVAEConfig(width=8, frame_width=8, latent_dim=4, depth=1, codebook_size=4, num_quantizers=2)


class Echo(RVQVAE):
    """Decodes to the last features it was asked to encode, raised by a constant."""

    raised = 0.0

    def encode(self, features):
        self.seen = features
        return torch.zeros(features.shape[0], -(-features.shape[1] // 4), 2, dtype=torch.int64)

    def decode(self, codes):
        return self.seen + self.raised


def walk(frames=20):
    """A statue that slides forward at 1 m/s on feet labelled as in contact."""
    features = torch.zeros(frames, 140)
    features[:, 4:136] = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(22)
    features[:, 2] = 1.0
    features[:, 136:] = 1.0
    return features


def test_a_perfect_tokenizer_has_no_error_and_ratios_of_one():
    metrics = reconstruction_metrics(Echo(TINY), [walk(20), walk(9)])
    assert metrics["mm"] == metrics["mm_level1"] == pytest.approx(0, abs=1e-3)
    assert metrics["speed"] == metrics["slide"] == pytest.approx(1.0)
    assert metrics["use_min"] == 0.25  # one code of four


def test_double_the_velocity_is_double_the_speed_and_the_slide():
    model = Echo(TINY)
    model.raised = torch.zeros(140)
    model.raised[2] = 1.0
    metrics = reconstruction_metrics(model, [walk()])
    assert metrics["speed"] == metrics["slide"] == pytest.approx(2.0)


def test_totals_add_up_over_sources():
    model, clips = Echo(TINY), [walk(20), walk(9)]
    apart = reconstruction_totals(model, clips[:1]) + reconstruction_totals(model, clips[1:])
    together = reconstruction_totals(model, clips)
    assert apart.sums == pytest.approx(together.sums, rel=1e-5, abs=1e-6)
    assert torch.equal(apart.used, together.used)
