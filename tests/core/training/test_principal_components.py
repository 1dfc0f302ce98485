"""A tokenizer whose linear path begins at principal components gives motion back before it has learned anything."""

import pytest
import torch

from motiongen import features
from motiongen.kinematics import local_positions
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training.principal_components import begin_at_principal_components, importance
from motiongen.training.tokenizer import normaliser
from tests.core.motions import wobble

SIZES = {"width": 16, "frame_width": 8, "depth": 1, "codebook_size": 4, "num_quantizers": 2}


@pytest.fixture
def frames():
    return torch.cat([features.encode(wobble(120, seed=seed)) for seed in range(3)])


def begun(frames, latent_dim=24):
    model = RVQVAE(RVQVAEConfig(latent_dim=latent_dim, linear_path=True, **SIZES))
    model.set_normaliser(*normaliser(frames))
    begin_at_principal_components(model, frames)
    return model.eval()


@torch.no_grad()
def test_motion_comes_back_without_training(frames):
    model = begun(frames, latent_dim=96)
    clip = frames[:120][None]
    again = model.decode_latents(model.latents(clip))
    error = (local_positions(again) - local_positions(clip)).norm(dim=-1).mean()
    spread = (local_positions(clip) - local_positions(clip).mean(1, keepdim=True)).norm(dim=-1).mean()
    assert error < 0.15 * spread


@torch.no_grad()
def test_latents_have_a_mean_square_of_one(frames):
    assert float(begun(frames).latents(frames[None]).square().mean()) == pytest.approx(1.0, abs=0.1)


@torch.no_grad()
def test_a_stream_decodes_as_the_whole_does(frames):
    model = begun(frames)
    latents = model.latents(frames[None, :40])
    state = model.init_state(1)
    streamed = torch.cat([model.step_latents(part, state) for part in latents.split([1, 4, 5], dim=1)], dim=1)
    torch.testing.assert_close(streamed, model.decode_latents(latents), rtol=0, atol=1e-4)


def test_what_moves_many_joints_counts_most(frames):
    weights = importance(begun(frames), frames)
    assert weights[features.LAYOUT["tilt"]].min() > weights[features.LAYOUT["joints"]][-6:].max()


def test_a_tokenizer_without_a_linear_path_is_refused(frames):
    with pytest.raises(ValueError, match="expected a tokenizer with a linear path"):
        begin_at_principal_components(RVQVAE(RVQVAEConfig(latent_dim=8, **SIZES)), frames)
