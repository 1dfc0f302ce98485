import numpy as np
import pytest
import torch

from motiongen.music.beats import beat_recall
from motiongen.music.features import music_features
from motiongen.music.stream import MusicStream
from tests.core.music.clicks import click_music

RATE = 22050


def streamed(samples, sizes, rate=RATE):
    """Features and beats of a stream that hears samples in parts of these sizes, and the most frames it was late."""
    stream, first, late, frames = MusicStream(rate), 0, 0.0, 0
    taken = []
    while first < len(samples):
        size = sizes[len(taken) % len(sizes)]
        stream.push(samples[first : first + size])
        first = min(first + size, len(samples))
        taken.append(stream.take())
        frames += len(taken[-1][1])
        late = max(late, first / rate * 30 - frames)
    stream.finish()
    taken.append(stream.take())
    features, beats = (torch.cat(parts) for parts in zip(*taken, strict=True))
    return features, beats, late


@pytest.mark.parametrize("sizes", [[1], [2205], [10**6], [1, 5000, 333]])
@pytest.mark.parametrize("rate", [RATE, 15360])
def test_stream_equals_batch(sizes, rate):
    audio, _ = click_music(120.0, 0.4, rate=rate)
    features, _, _ = streamed(audio.samples, sizes, rate)
    torch.testing.assert_close(features, music_features(audio), rtol=0, atol=1e-6)


def test_beats_do_not_depend_on_the_parts():
    audio, _ = click_music(120.0, 6.0)
    runs = [streamed(audio.samples, sizes)[1] for sizes in ([441], [2205], [10**6])]
    assert runs[0].sum() > 3
    assert runs[0].tolist() == runs[1].tolist() == runs[2].tolist()


@pytest.mark.parametrize("rate", [8000, 15360, 22050, 44100, 48000])
def test_frames_come_within_the_delay(rate):
    audio, _ = click_music(120.0, 3.0, rate=rate)
    _, _, late = streamed(audio.samples, [rate // 50], rate)
    stream = MusicStream(rate)
    assert late <= stream.delay + 1 and stream.delay <= 8


def test_future_never_changes_what_was_taken():
    audio, _ = click_music(120.0, 6.0)
    other = audio.samples.copy()
    other[int(4.5 * RATE) :] = np.random.default_rng(1).standard_normal(len(other) - int(4.5 * RATE)) * 0.2
    first, second = streamed(audio.samples, [2205]), streamed(other, [2205])
    known = int(4.5 * 30) - MusicStream(RATE).delay
    torch.testing.assert_close(first[0][:known], second[0][:known], rtol=0, atol=0)
    torch.testing.assert_close(first[1][:known], second[1][:known], rtol=0, atol=0)


@pytest.mark.parametrize("bpm", [84.0, 105.0, 126.0])
def test_beats_are_foretold_after_five_seconds(bpm):
    audio, truth = click_music(bpm, 12.0, first=0.3)
    _, beats, _ = streamed(audio.samples, [4410])
    found = beats.nonzero()[:, 0].numpy() / 30
    assert beat_recall(found[found > 4.9], truth[truth > 5]) > 0.95
    assert np.diff(found).min() > 0.5 * 60 / bpm


def test_silence_and_noise_have_no_beats():
    noise = 0.1 * np.random.default_rng(0).standard_normal(6 * RATE).astype(np.float32)
    assert streamed(np.zeros(5 * RATE, np.float32), [2205])[1].sum() == 0
    assert streamed(noise, [2205])[1].sum() == 0


def test_nothing_is_heard_after_the_end():
    stream = MusicStream(RATE)
    stream.finish()
    stream.finish()
    features, beats = stream.take()
    assert (features.shape, beats.shape) == ((0, 34), (0,))
    with pytest.raises(ValueError, match=r"samples: expected none after finish\(\)"):
        stream.push(np.zeros(10, np.float32))
