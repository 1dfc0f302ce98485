from dataclasses import replace

import pytest
import torch

from motiongen.heads.badm.config import PRESETS, BADMConfig, BADMOptions
from motiongen.heads.badm.loss import denoise
from motiongen.heads.badm.model import BADM, beat_phase
from motiongen.heads.badm.sampler import BADMSampler, Constraint

TINY = BADMConfig(
    channels=3, frames_per_step=2, slice_length=4, slices=4, dim=16, num_layers=1, num_heads=2, feedforward_dim=16,
    music_dim=5, music_width=8, styles=("salsa", "ballet"), dropout=0.0,
)  # fmt: skip
FEW = BADMOptions(steps=4, group=3)


def wake(model: BADM) -> BADM:
    """An untrained model whose last layers are not zero, so that the effect of every input shows."""
    draw = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=draw)
    return model.eval()


@pytest.fixture
def model():
    return wake(BADM(TINY))


def song(frames: int, seed: int = 0):
    draw = torch.Generator().manual_seed(seed)
    beats = torch.zeros(frames)
    beats[::7] = 1
    return torch.randn(frames, TINY.music_dim, generator=draw), beats


def dance(model, music, beats, seed=0, options=FEW, **known):
    draw = torch.Generator().manual_seed(seed)
    return torch.cat(list(BADMSampler(model).sample(music, beats, generator=draw, options=options, **known)))


def predicted(model, noisy, music, beats, style=0):
    conditioning = model.encode_music(music[None], beats[None], torch.tensor([style]))
    return model(noisy, torch.tensor([500]), conditioning)[0]


@pytest.mark.parametrize("changed", [1, 2])
def test_a_slice_sees_its_neighbours(changed):
    model = wake(BADM(replace(TINY, local_decoder=False)))
    music, beats = song(TINY.window_frames)
    noisy = torch.randn(1, TINY.window, 3, generator=torch.Generator().manual_seed(1))
    other = noisy.clone()
    other[:, changed * 4 : changed * 4 + 4] += 1
    moved = (predicted(model, noisy, music, beats) - predicted(model, other, music, beats)).abs() > 1e-6
    by_slice = moved.view(4, -1).any(1).tolist()
    assert by_slice == [
        k >= changed - 1 for k in range(4)
    ]  # the next slice's noise, and all that was predicted before


def test_one_direction_does_not_see_the_future():
    model = wake(BADM(replace(TINY, local_decoder=False, bidirectional=False)))
    music, beats = song(TINY.window_frames)
    noisy = torch.zeros(1, TINY.window, 3)
    other = noisy.clone()
    other[:, 8:] += 1
    difference = predicted(model, noisy, music, beats) - predicted(model, other, music, beats)
    assert difference[:, :8].abs().max() == 0 and difference[:, 8:].abs().max() > 0


def test_the_local_decoder_mixes_across_slices():
    with_it, without = wake(BADM(TINY)), wake(BADM(replace(TINY, local_decoder=False)))
    assert with_it.local is not None and without.local is None
    hidden = torch.zeros(1, TINY.window, 16)
    hidden[:, 4] = 1  # first position of the second slice
    moved = (with_it.local(hidden) - with_it.local(torch.zeros_like(hidden))).abs().sum(-1)[0] > 1e-6
    assert moved[:4].any() and not moved[9:].any()


def test_music_beat_and_style_have_an_effect_and_are_dropped_together(model):
    music, beats = song(TINY.window_frames)
    noisy = torch.zeros(1, TINY.window, 3)
    base = predicted(model, noisy, music, beats)
    assert not torch.allclose(base, predicted(model, noisy, music + 1, beats))
    assert not torch.allclose(base, predicted(model, noisy, music, 1 - beats))
    assert not torch.allclose(base, predicted(model, noisy, music, beats, style=1))
    deaf = torch.tensor([True])
    one = model.encode_music(music[None], beats[None], torch.tensor([0]), deaf)
    two = model.encode_music(music[None] + 1, 1 - beats[None], torch.tensor([0]), deaf)
    torch.testing.assert_close(one.tokens, two.tokens)


def test_the_phase_turns_once_between_two_beats_and_is_extrapolated():
    beats = torch.zeros(2, 13)
    beats[0, [2, 6, 10]] = 1
    phase = beat_phase(beats)
    assert torch.equal(phase[..., 0], beats)
    quarter = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    torch.testing.assert_close(phase[0, :, 1:], quarter.repeat(4, 1)[2:15], atol=1e-6, rtol=0)
    assert phase[1].abs().max() == 0  # no beat, no phase


def test_a_single_beat_has_no_phase():
    beats = torch.zeros(1, 5)
    beats[0, 2] = 1
    assert beat_phase(beats)[..., 1:].abs().max() == 0


def test_beats_have_no_effect_on_a_model_without_the_beat_input():
    model = wake(BADM(replace(TINY, beat=False)))
    music, beats = song(TINY.window_frames)
    noisy = torch.zeros(1, TINY.window, 3)
    torch.testing.assert_close(
        predicted(model, noisy, music, beats), predicted(model, noisy, music, 1 - beats)
    )


@pytest.mark.parametrize("frames", [1, 31, 32, 33, 200])
def test_a_dance_is_as_long_as_its_music(model, frames):
    assert dance(model, *song(frames)).shape == (-(-frames // 2), 3)


def test_the_same_seed_gives_the_same_dance_and_another_another(model):
    music, beats = song(120)
    assert torch.equal(dance(model, music, beats), dance(model, music, beats))
    assert not torch.allclose(dance(model, music, beats), dance(model, music, beats, seed=1))


def test_music_after_the_windows_of_a_group_does_not_change_it(model):
    music, beats = song(300)
    longer = dance(model, music, beats)
    torch.testing.assert_close(longer[:24], dance(model, music[:160], beats[:160])[:24], rtol=0, atol=1e-5)


@pytest.mark.parametrize("slices", [4, 3])
def test_windows_and_groups_join_without_a_seam(slices):
    model = wake(BADM(replace(TINY, slices=slices)))
    music, beats = song(400)
    whole = dance(model, music, beats, options=replace(FEW, steps=30))
    jump = (whole[2:] - 2 * whole[1:-1] + whole[:-2]).norm(dim=-1)
    half = -(-slices // 2) * 4
    joins = torch.arange(slices * 4, len(jump), half)  # behind the end of each window
    assert jump[joins - 1].mean() < 1.5 * jump.mean()


def test_constrained_values_stay(model):
    music, beats = song(100)
    values, mask = torch.zeros(50, 3), torch.zeros(50, 3, dtype=torch.bool)
    mask[:20], mask[30:, 1] = True, True
    generated = dance(model, music, beats, constraint=Constraint(values, mask))
    torch.testing.assert_close(generated[mask], values[mask], rtol=0, atol=1e-5)
    assert generated[~mask].abs().min() > 0


def test_an_unknown_style_lists_those_there_are(model):
    with pytest.raises(ValueError, match="style: expected one of salsa, ballet, got 'waltz'"):
        dance(model, *song(8), style="waltz")


@pytest.mark.parametrize("field", ["slices", "dim", "dropout", "space"])
def test_sizes_that_make_no_sense_are_refused(field):
    with pytest.raises(ValueError, match=f"{field}: expected"):
        replace(TINY, **{field: "sound" if field == "space" else 1 if field != "dim" else 15})


@pytest.mark.parametrize("space", ["latent", "motion", "edge"])
def test_the_presets_have_windows_of_five_seconds(space):
    assert 140 <= PRESETS["paper"][space].window_frames <= 150


@pytest.mark.slow
def test_one_window_can_be_overfitted():
    model = BADM(replace(TINY, condition_dropout=0.0))
    music, beats = song(TINY.window_frames)
    window = torch.sin(torch.arange(TINY.window)[:, None] / torch.tensor([2.0, 3.0, 5.0]))
    batch = {
        "window": window.expand(16, -1, -1), "music": music.expand(16, -1, -1), "beats": beats.expand(16, -1),
        "style": torch.zeros(16, dtype=torch.long), "keep_style": torch.ones(16, dtype=torch.bool),
    }  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    draw = torch.Generator().manual_seed(0)
    for _ in range(300):
        denoised = denoise(model, batch, draw)
        (denoised.predicted - denoised.clean).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    generated = dance(model.eval(), music, beats, options=BADMOptions(steps=20, guidance_scale=1.0))
    assert (generated - window).square().mean() < 0.02
