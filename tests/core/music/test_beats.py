import itertools

import numpy as np
import pytest

from motiongen.music.audio import Audio
from motiongen.music.beats import beat_f_measure, beat_one_hot, beat_recall, track_beats
from motiongen.music.synthesis import synthesise
from tests.core.music.clicks import click_music, clicks_at, noisy_clicks

RATE = 22050


@pytest.mark.parametrize("bpm", [75.0, 100.0, 128.0])
def test_beats_of_clicks_are_found(bpm):
    audio, truth = click_music(bpm, 12.0, first=0.2)
    grid = track_beats(audio)
    assert grid.bpm == pytest.approx(bpm, rel=0.01)
    assert beat_f_measure(grid.beats, truth) > 0.95
    nearest = np.abs(grid.beats[:, None] - truth).min(axis=1)
    assert np.median(nearest) < 0.015


def test_new_tempo_is_followed():
    slow, truth = click_music(90.0, 16.0)
    fast, more = click_music(125.0, 16.0)
    audio = Audio(np.concatenate([slow.samples, fast.samples]), RATE)
    grid = track_beats(audio)
    assert beat_f_measure(grid.beats, np.concatenate([truth, more + 16.0])) > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [70.0, 83.0, 97.5, 111.0, 120.0, 133.0, 149.0, 165.0])
def test_no_beat_is_lost_or_doubled_where_windows_meet(bpm):
    for seconds, phase in itertools.product((6.1, 7.9, 13.3, 31.0), (0.0, 0.3, 0.55, 0.8)):
        truth = np.arange(phase * 60 / bpm, seconds - 0.1, 60 / bpm)
        beats = track_beats(Audio(clicks_at(truth, seconds), RATE)).beats
        gaps = np.diff([truth[0], *beats, truth[-1]])[1:-1] * bpm / 60
        assert gaps.max() < 1.5 and gaps.min() > 0.5, (seconds, phase)
        assert beat_recall(beats, truth) == 1.0, (seconds, phase)


def test_beats_at_two_a_second_from_zero_are_all_found():
    audio, truth = click_music(120.0, 55.0)
    beats = track_beats(audio).beats
    assert len(beats) == len(truth) == 110
    np.testing.assert_allclose(beats, truth, atol=0.02)


@pytest.mark.parametrize(("bpm", "bar"), [(60, 1), (90, 3), (120, 1), (150, 3), (180, 3), (190, 1)])
def test_clicks_are_heard_through_noise(bpm, bar):
    audio, truth = noisy_clicks(bpm, 20.0, bar)
    grid = track_beats(audio)
    assert beat_f_measure(grid.beats, truth) > 0.97
    assert grid.bpm == pytest.approx(bpm, rel=0.01)


@pytest.mark.parametrize(("first", "last"), [(90, 150), (140, 100)])
def test_tempo_that_rises_or_falls_is_followed(first, last):
    t = np.linspace(0, 30, 30001)
    count = np.cumsum(first + (last - first) * t / 30) / 60 * 1e-3 + 0.2
    truth = np.interp(np.arange(1, int(count[-1]) + 1), count, t)
    audio = Audio(clicks_at(truth, 30.0), RATE)
    assert beat_f_measure(track_beats(audio).beats, truth) > 0.97


@pytest.mark.slow
def test_fast_waltz_is_counted_in_three():
    song = synthesise("waltz", 172.0, 20.0, 5301, first_beat=0.3)
    grid = track_beats(Audio(song.samples, song.sample_rate))
    assert grid.bpm == pytest.approx(172, rel=0.01) and beat_f_measure(grid.beats, song.beats) > 0.95


def test_quiet_music_has_the_same_beats():
    audio, _ = click_music(110.0, 10.0)
    quiet = Audio(audio.samples * np.float32(0.02), RATE)
    np.testing.assert_allclose(track_beats(quiet).beats, track_beats(audio).beats, atol=0.01)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.0, 12.0])
def test_silence_has_no_beats(seconds):
    grid = track_beats(Audio(np.zeros(int(seconds * RATE), np.float32), RATE))
    assert (grid.bpm, len(grid.beats)) == (0.0, 0)


@pytest.mark.parametrize("seconds", [2.0, 5.0, 12.0])
def test_noise_has_no_beats(seconds):
    noise = np.random.default_rng(0).standard_normal(int(seconds * RATE)).astype(np.float32)
    assert len(track_beats(Audio(0.1 * noise, RATE)).beats) == 0


def test_there_are_no_beats_in_the_silence_around_music():
    audio, _ = click_music(120.0, 8.0)
    pause = np.zeros(6 * RATE, np.float32)
    beats = track_beats(Audio(np.concatenate([pause, audio.samples, pause]), RATE)).beats
    assert 5.4 < beats.min() < 6.6 and 13.4 < beats.max() < 14.6


@pytest.mark.slow
@pytest.mark.parametrize("style", ["techno", "rock", "waltz", "disco"])
def test_beats_of_songs_are_found(style):
    song = synthesise(style, 112.0, 15.0, 2000, first_beat=0.3)
    grid = track_beats(Audio(song.samples, song.sample_rate))
    assert beat_f_measure(grid.beats, song.beats) > 0.9


def test_one_hot_marks_the_nearest_frames():
    one_hot = beat_one_hot([-0.2, 0.0, 0.016, 0.02, 0.5, 0.99], 30)
    assert one_hot.nonzero()[:, 0].tolist() == [0, 1, 15]  # 0.99 s is nearest to frame 30, which is outside
    assert beat_one_hot([], 5).tolist() == [0.0] * 5


def test_f_measure_by_hand():
    # 1.05 and 3.0 are right; 1.08 comes a second time, 4.2 is wrong; 2.0 and 4.0 were missed: P = R = 2 / 4.
    truth, found = [1.0, 2.0, 3.0, 4.0], [1.05, 1.06, 3.0, 4.2]
    assert beat_f_measure(found, truth) == pytest.approx(0.5)
    assert beat_recall(found, truth) == pytest.approx(0.5)
    # One of two true beats, by the only one found: P = 1, R = 1 / 2, F = 2 / 3.
    assert beat_f_measure([1.07], [1.0, 2.0], tolerance=0.0701) == pytest.approx(2 / 3)


def test_f_measure_of_nothing():
    assert beat_f_measure([], []) == 1.0
    assert beat_f_measure([], [1.0]) == beat_f_measure([1.0], []) == beat_recall([], [1.0]) == 0.0
