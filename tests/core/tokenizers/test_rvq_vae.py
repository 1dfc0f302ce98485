"""The tokenizer: streaming, causality, sizes, saving; contract tests run over the registry."""

import json

import pytest
import torch

from motiongen import checkpoint, tokenizers
from motiongen.tokenizers import TOKENIZERS
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import PRESETS, RVQVAEConfig

TINY = {"feature_dim": 7, "width": 12, "frame_width": 8, "latent_dim": 6, "depth": 2, "codebook_size": 16}


def tiny(**changes):
    model = RVQVAE(RVQVAEConfig(**{**TINY, **changes})).double().eval()
    model.quantizer.codebooks.normal_(generator=torch.Generator().manual_seed(0))
    model.set_normaliser(torch.linspace(-1, 1, 7).double(), torch.linspace(0.5, 2, 7).double())
    return model


def features(batch=2, frames=24):
    return torch.randn(batch, frames, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("strides", [(4,), (2, 2)])
@pytest.mark.parametrize("chunks", [[6], [1] * 6, [3, 1, 2]])
def test_stream_equals_batch(strides, chunks):
    model = tiny(strides=strides)
    codes = model.encode(features())
    state = model.init_state(batch_size=2)
    streamed = torch.cat([model.step(chunk, state) for chunk in codes.split(chunks, dim=1)], dim=1)
    torch.testing.assert_close(streamed, model.decode(codes), rtol=0, atol=1e-12)


def test_stream_equals_batch_in_single_precision():
    model = tiny().float()
    codes = model.encode(features().float())
    state = model.init_state(batch_size=2)
    streamed = torch.cat([model.step(chunk, state) for chunk in codes.split([1, 4, 1], dim=1)], dim=1)
    torch.testing.assert_close(streamed, model.decode(codes), rtol=0, atol=1e-5)


@pytest.mark.parametrize("strides", [(4,), (2, 2)])
def test_future_tokens_never_change_past_frames(strides):
    model = tiny(strides=strides)
    codes = model.encode(features())
    changed = codes.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % 16
    difference = (model.decode(changed) - model.decode(codes)).abs().amax(dim=(0, 2))  # (T,)
    assert not difference[:12].any() and difference[12:].all()


def test_a_token_depends_on_its_four_frames_and_older_ones():
    model = tiny()
    x = model.normalise(features(batch=1)).requires_grad_()
    model._latents(x)[0, 2].sum().backward()
    seen = x.grad[0].abs().sum(-1) > 0  # (T,)
    assert seen[8:12].all() and not seen[12:].any()


@pytest.mark.parametrize(("frames", "tokens"), [(1, 1), (4, 1), (5, 2), (24, 6)])
def test_an_unfinished_token_sees_the_last_frame_repeated(frames, tokens):
    model, x = tiny(), features(frames=frames)
    codes = model.encode(x)
    padded = torch.cat([x, x[:, -1:].expand(-1, 4 * tokens - frames, -1)], dim=1)
    assert codes.shape == (2, tokens, 6) and model.decode(codes).shape == (2, 4 * tokens, 7)
    torch.testing.assert_close(codes, model.encode(padded), rtol=0, atol=0)
    assert model(x).features.shape == x.shape


def test_fewer_levels_decode():
    model = tiny()
    codes = model.encode(features())
    assert model.decode(codes[..., :1]).shape == (2, 24, 7)


def test_reset_is_per_item():
    model = tiny()
    codes = model.encode(features())
    state = model.init_state(2)
    model.step(codes, state)
    state.reset(torch.tensor([True, False]))
    again = model.step(codes, state)
    torch.testing.assert_close(again[0], model.decode(codes)[0], rtol=0, atol=1e-12)
    assert not torch.allclose(again[1], model.decode(codes)[1])


def test_encode_leaves_buffers_untouched_in_training():
    model = tiny().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.encode(features())
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_dropout_takes_its_noise_from_the_generator():
    model = tiny(quantizer_dropout=1.0)
    first, second, plain = (model(features(), draws).normalised for draws in (*two_generators(), None))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.allclose(first, plain)


def two_generators():
    return torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)


def test_the_small_preset_fits_its_budget():
    model = RVQVAE(PRESETS["small"])
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    assert numbers * 2 <= 6.5e6  # bytes in fp16


def test_the_paper_preset_has_the_published_tensors():
    model = RVQVAE(PRESETS["paper"])
    published = {k: v for k, v in model.state_dict().items() if k not in ("mean", "std", "quantizer.counts")}
    assert len(published) + 5 == 72  # six codebooks are one tensor here
    assert model(torch.zeros(1, 16, 263)).features.shape == (1, 16, 263)
    with pytest.raises(ValueError, match="causal: expected a causal tokenizer"):
        model.init_state(1)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_saved_tokenizer_loads_to_the_same_codes(name, tmp_path):
    model = tiny().float()
    checkpoint.save(model, model.config, tmp_path, "# card\n")
    loaded = tokenizers.load(tmp_path)
    assert type(loaded) is tokenizers.lookup(name) and loaded.config == model.config
    torch.testing.assert_close(
        loaded.encode(features().float()), model.encode(features().float()), rtol=0, atol=0
    )


def test_an_unknown_tokenizer_is_named(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model": "rvqvae"}))
    with pytest.raises(ValueError, match=r"expected one of rvq_vae, got 'rvqvae'; did you mean rvq_vae\?"):
        tokenizers.load(tmp_path)


def test_wrong_channels_are_named():
    with pytest.raises(ValueError, match="features: expected 7 channels, got 9"):
        tiny().encode(torch.zeros(1, 4, 9, dtype=torch.float64))
