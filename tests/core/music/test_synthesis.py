"""Synthesised music: the grid to the sample, every style audible, the same bits for the same seed."""

import numpy as np
import pytest

from motiongen.music.synthesis import STYLES, synthesise
from motiongen.music.synthesis.style import Part, Style


def loudness(samples: np.ndarray, sample_rate: int, seconds: float) -> np.ndarray:
    """Root mean square of windows of some seconds, every half second."""
    power = np.add.accumulate(np.append(0.0, samples.astype(np.float64) ** 2))
    width, hop = round(seconds * sample_rate), sample_rate // 2
    starts = np.arange(0, len(samples) - width + 1, hop)
    return np.sqrt((power[starts + width] - power[starts]) / width)


def test_beats_lie_on_an_exact_grid():
    song = synthesise("house", 123.456, 20.0, seed=0)
    np.testing.assert_allclose(song.beats, np.arange(len(song.beats)) * 60 / 123.456, rtol=0, atol=1e-9)
    assert song.beats[-1] < 20.0 <= song.beats[-1] + 60 / 123.456
    np.testing.assert_array_equal(song.downbeats, song.beats[::4])


def test_the_grid_goes_on_before_the_first_beat():
    song = synthesise("rock", 120.0, 5.0, seed=0, first_beat=1.25)
    np.testing.assert_allclose(song.beats[:4], [0.25, 0.75, 1.25, 1.75], rtol=0, atol=1e-9)
    np.testing.assert_allclose(song.downbeats, [1.25, 3.25], rtol=0, atol=1e-9)
    assert np.abs(song.samples[: round(1.2 * song.sample_rate)]).max() > 0.05, "silent before the first beat"


def test_a_beat_at_zero_survives_rounding():
    period = 60 / 97.3
    for beats in (3, 6, 7, 11, 14):
        assert synthesise("techno", 97.3, 9.0, seed=0, first_beat=beats * period).beats[0] == 0.0


def test_a_waltz_counts_to_three():
    song = synthesise("waltz", 150.0, 10.0, seed=3)
    np.testing.assert_array_equal(song.downbeats, song.beats[::3])


def test_the_seed_decides_every_bit():
    one, again, other = (synthesise("funk", 104.0, 4.0, seed).samples for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.05


def test_a_longer_song_begins_with_the_shorter_one():
    short = synthesise("disco", 118.0, 5.0, seed=2, first_beat=0.3).samples
    long = synthesise("disco", 118.0, 9.0, seed=2, first_beat=0.3).samples
    np.testing.assert_allclose(long[: len(short)], short, rtol=0, atol=1e-5)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_style_is_heard_all_the_time(style, seed):
    low, high = STYLES[style].tempo
    song = synthesise(style, (low, high)[seed], 12.0, seed)
    assert song.samples.dtype == np.float32 and song.samples.shape == (12 * 22050,)
    assert np.isfinite(song.samples).all() and np.abs(song.samples).max() <= 0.9
    assert loudness(song.samples, song.sample_rate, seconds=2.0).min() > 0.01, "2 s of silence"


@pytest.mark.parametrize("bpm", [40.0, 220.0])
def test_extreme_tempos_are_played(bpm):
    for style in STYLES:
        samples = synthesise(style, bpm, 2.0, seed=5).samples
        assert np.isfinite(samples).all() and np.abs(samples).max() > 0.05, style


def test_the_kick_falls_on_the_beats():
    song, hop = synthesise("house", 121.7, 16.0, seed=6), 110  # 5 ms
    level = np.sqrt(np.add.reduceat(song.samples**2, np.arange(0, len(song.samples), hop)))
    rise, times = np.diff(level, prepend=0), np.arange(len(level)) * hop / song.sample_rate
    windows = [np.flatnonzero(np.abs(times - beat) < 0.06) for beat in song.beats[1:-1]]
    strongest = np.array([times[window[np.argmax(rise[window])]] for window in windows])
    assert np.mean(np.abs(strongest - song.beats[1:-1]) < 0.01) > 0.9


def test_a_sample_rate_changes_no_beat():
    low, high = (synthesise("samba", 99.0, 4.0, seed=1, sample_rate=rate) for rate in (16000, 44100))
    np.testing.assert_array_equal(low.beats, high.beats)
    assert len(low.samples) == 4 * 16000 and len(high.samples) == 4 * 44100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("house", 39.9, 4.0, 0), r"bpm: expected 40\.\.220, got 39\.9"),
        (("house", float("nan"), 4.0, 0), r"bpm: expected 40\.\.220, got nan"),
        (("house", 120.0, 0.0, 0), r"seconds: expected 0\.1\.\.3600, got 0\.0"),
        (("house", 120.0, 4.0, -1), r"seed: expected 0\.\.inf, got -1"),
        (("hause", 120.0, 4.0, 0), r"style: expected one of .*got 'hause'; did you mean house\?"),
    ],
)
def test_what_cannot_be_played_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        synthesise(*arguments)


def test_the_first_beat_lies_in_the_song():
    with pytest.raises(ValueError, match=r"first_beat: expected 0\.\.4, got 5"):
        synthesise("house", 120.0, 4.0, 0, first_beat=5.0)


def test_a_style_has_whole_bars_and_known_instruments():
    chords = Part(voices=("piano",), patterns=("x---" * 4,))
    with pytest.raises(ValueError, match="pattern: expected bars of 16 steps, got 15"):
        Style(tempo=(90, 100), drums={"kick": ("X--" * 5,)}, bass=None, chords=chords)
    with pytest.raises(ValueError, match=r"instruments: expected .* got \['kik'\]"):
        Style(tempo=(90, 100), drums={"kik|kick": ("X---" * 4,)}, bass=None, chords=chords)
