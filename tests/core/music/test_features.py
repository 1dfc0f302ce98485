import sys

import numpy as np
import pytest
import torch

from motiongen.music import features
from motiongen.music.audio import SAMPLE_RATE, Audio
from motiongen.music.features import LAYOUT, MUSIC_DIM, music_features

RATE = 22050


def noise(seconds, seed=0, rate=RATE):
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)


def tone(hertz, seconds, rate=RATE):
    return (0.2 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def test_layout_fills_the_frame():
    assert [part.start for part in LAYOUT.values()] == [0, 1, 21, 33]
    assert [part.stop for part in LAYOUT.values()] == [1, 21, 33, MUSIC_DIM]


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (1, 0), (400, 1), (22050, 30), (33075, 45), (22418, 31)]
)
def test_there_are_thirty_frames_a_second(samples, frames):
    made = music_features(Audio(noise(2)[:samples], RATE))
    assert (made.shape, made.dtype) == ((frames, MUSIC_DIM), torch.float32)


def test_silence_is_one_constant_frame():
    made = music_features(Audio(np.zeros(RATE, np.float32), RATE))
    assert torch.isfinite(made).all()
    # Some processors round the rows of a product differently.
    torch.testing.assert_close(made, made[:1].expand_as(made), rtol=0, atol=1e-9)
    assert made[0, 1] == -6.0  # 60 dB below what is expected, in 10 dB
    assert made[0, LAYOUT["chroma"]].sum() == made[:, LAYOUT["peaks"]].sum() == 0


def test_pause_after_music_is_silence_again():
    made = music_features(Audio(np.concatenate([noise(2), np.zeros(RATE, np.float32)]), RATE))
    silent = music_features(Audio(np.zeros(RATE, np.float32), RATE))
    torch.testing.assert_close(made[70:], silent[:20], rtol=0, atol=1e-6)


def test_clicks_peak_at_their_frames():
    samples = 1e-4 * noise(4)
    for second in (0.5, 1.0, 2.5, 3.1):
        samples[int(second * RATE) :][:400] += noise(1)[:400]
    made = music_features(Audio(samples, RATE))
    assert made[:, LAYOUT["peaks"]].nonzero()[:, 0].tolist() == [15, 30, 75, 93]
    assert made[:, LAYOUT["envelope"]].squeeze()[[15, 30, 75, 93]].min() > 0.5


@pytest.mark.parametrize(("hertz", "pitch"), [(440.0, 9), (261.63, 0), (1318.5, 4)])
def test_chroma_names_the_note(hertz, pitch):
    chroma = music_features(Audio(tone(hertz, 1), RATE))[10:20, LAYOUT["chroma"]]
    assert chroma.argmax(dim=1).tolist() == [pitch] * 10
    assert chroma.max() <= 1 and chroma[:, (pitch + 6) % 12].max() < 0.1


def test_loudness_is_forgotten():
    made, quiet = (music_features(Audio(np.float32(gain) * noise(15), RATE)) for gain in (1.0, 0.1))
    assert (quiet[0, 1] - made[0, 1]).abs() > 1.5  # 20 dB, in 10 dB
    torch.testing.assert_close(quiet[300:], made[300:], rtol=0, atol=0.15)


@pytest.mark.parametrize("size", [1, 333, 1536, 100_000])
def test_stream_equals_batch(size):
    samples = (noise(1.5, rate=SAMPLE_RATE) * tone(3, 1.5, SAMPLE_RATE) * 5).astype(np.float32)
    state = features.init_state()
    parts = [features.step(samples[i : i + size], state) for i in range(0, len(samples), size)]
    streamed = torch.cat([*parts, features.finish(state)])[:45]
    whole = music_features(Audio(samples, SAMPLE_RATE))
    torch.testing.assert_close(streamed, whole, rtol=0, atol=1e-6)


def test_future_never_changes_the_past():
    samples = noise(2, rate=SAMPLE_RATE)
    other = np.concatenate([samples[: 40 * 512], noise(1, seed=1, rate=SAMPLE_RATE)])
    first, second = (music_features(Audio(each, SAMPLE_RATE)) for each in (samples, other))
    known = 40 - features.LOOK_AHEAD
    torch.testing.assert_close(first[:known], second[:known], rtol=0, atol=0)
    assert (first[known + 4] - second[known + 4]).abs().max() > 0.01


def test_missing_librosa_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(ImportError, match=r"^music: needs librosa; run pip install 'motiongen\[dance\]'$"):
        music_features(Audio(noise(1), RATE))


@pytest.mark.slow
def test_long_music_needs_little_memory():
    import tracemalloc

    samples = np.tile(noise(60, rate=SAMPLE_RATE), 20)  # twenty minutes: 74 MB
    tracemalloc.start()
    made = music_features(Audio(samples, SAMPLE_RATE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(made) == 20 * 60 * 30
    assert peak < 4 * samples.nbytes
