"""Music features for dance: 34 numbers a frame at 30 fps, the 35 of AIST++ (Li et al., ICCV 2021) without the beat.

The beat is an input of its own. Unlike AIST++'s, these features need no whole clip: floors are fixed, chroma is
relative to the frame, loudness to a running mean, and peaks are picked among neighbours. So a stream gives, a few
frames late, the features of the whole file, and quiet and loud recordings of a song have the same ones.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.music.audio import HOP, SAMPLE_RATE, Audio, Samples

FPS = 30.0
LAYOUT: dict[str, slice] = {
    "envelope": slice(0, 1),  # mean rise of the mel bands since the frame before, in 10 dB
    "mfcc": slice(1, 21),  # cosine transform of the mel bands relative to the running loudness, in 10 dB
    "chroma": slice(21, 33),  # C, C#, … B: 0..1 of the frame's strongest pitch class
    "peaks": slice(33, 34),  # 1 where the envelope peaks
}
MUSIC_DIM = 34
LOOK_AHEAD = 3
"""Number of later frames that a frame's features depend on."""

MISSING = "music: needs librosa; run pip install 'motiongen[dance]'"
RESAMPLING = "HQ"
"""Quality of soxr at which a stream gives the samples of the whole, bit for bit."""

Array = NDArray[np.float64]

_WINDOW = 2 * HOP  # of loudness and mel bands: short, for the time of onsets
_CHROMA_WINDOW = 4 * HOP  # of chroma: long, for the pitch of low notes
_MELS = 40
_LOWEST = 30.0  # Hz
_EMPTY = 1e-12  # power of silence
_RANGE = 60.0  # dB below the running loudness that are kept
_GATE = -55.0  # dB of full scale: quieter frames are pauses, which the running loudness leaves out
_LOUDNESS = -20.0  # dB, the running loudness at the start
_TRUST, _MEMORY = 15, 300  # frames: weight of that start, and largest weight of the running mean
_PEAK_PAST, _PEAK_MEAN = 3, 15  # frames before one: a peak is the highest of them, and stands over their mean
_PEAK_RISE = 0.1  # of envelope over the mean
_BLOCK = 1024  # frames at once, so that an hour needs little memory


@dataclass
class FeatureState:
    """State of a stream of samples at SAMPLE_RATE.

    Attributes:
        tail: samples that later frames still need.
        loudness: running mean of the loudness, dB.
        loud_frames: number of frames in that mean, at most its memory.
        bands: (40,) mel bands of the last frame, dB.
        envelope: envelope of the last frames, for finding peaks.
        rows: (n, 33) frames that are complete except for their peak.
    """

    tail: Samples
    loudness: float
    loud_frames: int
    bands: Array
    envelope: Array
    rows: Array


def music_features(audio: Audio) -> Tensor:
    """Return features (T, 34), float32: frame t is centred at t / 30 s, and T = round(30 * seconds).

    Silence gives a constant frame; there is silence before and after the samples.

    Raises:
        ImportError: librosa is not installed.
    """
    state = init_state()
    frames = count_frames(len(audio.samples), audio.sample_rate)
    samples = resample(audio.samples, audio.sample_rate)
    return torch.cat([step(samples, state), finish(state)])[:frames]


def count_frames(samples: int, sample_rate: int) -> int:
    """Return the number of frames T of a number of samples."""
    return int(samples * FPS / sample_rate + 0.5)


def resample(samples: Samples, sample_rate: int) -> Samples:
    """Return samples (S,) at SAMPLE_RATE.

    Raises:
        ImportError: soxr, which comes with librosa, is not installed.
    """
    try:
        import soxr
    except ImportError as error:
        raise ImportError(MISSING) from error
    resampled: Samples = soxr.resample(samples, sample_rate, SAMPLE_RATE, quality=RESAMPLING)
    return resampled


def init_state() -> FeatureState:
    """Return the state before the first sample.

    Raises:
        ImportError: librosa is not installed.
    """
    mel_filters(_WINDOW, _MELS)  # librosa takes a second to import: now, not while music is playing
    nothing = np.full(_MELS, -np.inf)
    return FeatureState(
        tail=np.zeros(_CHROMA_WINDOW // 2, np.float32),  # the first frame is centred at 0
        loudness=_LOUDNESS,
        loud_frames=_TRUST,
        bands=nothing,
        envelope=np.zeros(_PEAK_MEAN),
        rows=np.zeros((0, MUSIC_DIM - 1)),
    )


def step(samples: Samples, state: FeatureState) -> Tensor:
    """Return the features (n, 34) that become final with the next samples (S,) at SAMPLE_RATE; updates the state."""
    state.tail = np.concatenate([state.tail, samples.astype(np.float32)])
    count = max(0, (len(state.tail) - _CHROMA_WINDOW) // HOP + 1)
    made = [_rows(min(_BLOCK, count - first), state) for first in range(0, count, _BLOCK)]
    rows = np.concatenate([state.rows, *made])  # (n, 33)
    state.rows = rows[-1:]
    return _with_peaks(rows, state)


def finish(state: FeatureState) -> Tensor:
    """Return the features (n, 34) of the frames that are not final yet, and of some silence after them."""
    return step(np.zeros(_CHROMA_WINDOW + HOP, np.float32), state)


def _rows(count: int, state: FeatureState) -> Array:
    """Return the next frames (count, 33) without their peaks, and drop the samples that no later frame needs."""
    windows = np.lib.stride_tricks.sliding_window_view(state.tail, _CHROMA_WINDOW)[::HOP][:count]
    state.tail = state.tail[count * HOP :]
    mel, chroma, cosines = mel_filters(_WINDOW, _MELS), _chroma_filters(), _cosines()
    edge = (_CHROMA_WINDOW - _WINDOW) // 2
    power = power_spectra(windows[:, edge : edge + _WINDOW])  # (n, bins), summing to the mean square
    bands = 10 * np.log10(power @ mel.T + _EMPTY)  # (n, 40) dB
    loudness = _running_loudness(10 * np.log10(power.sum(axis=1) + _EMPTY), state)[:, None]  # (n, 1)
    before = np.concatenate([state.bands[None], bands[:-1]])
    state.bands = bands[-1]
    relative = np.maximum(bands - loudness, -_RANGE)
    # Both bands are relative to one loudness: a change of the running mean is no onset.
    rise = relative - np.maximum(before - loudness, -_RANGE)
    envelope = np.maximum(rise, 0).mean(axis=1, keepdims=True) / 10
    mfcc = relative @ cosines.T / 10
    pitch = np.sqrt(power_spectra(windows)) @ chroma.T  # (n, 12)
    # The offset, far below the loudness, makes silence zero and changes nothing else.
    pitch = pitch / (pitch.max(axis=1, keepdims=True) + 10 ** ((loudness - _RANGE) / 20))
    return np.concatenate([envelope, mfcc, pitch], axis=1)


def power_spectra(windows: Samples) -> Array:
    """Return one-sided power spectra (n, bins) of windows (n, W), which sum to their weighted mean squares."""
    size = windows.shape[1]
    shape = np.hanning(size + 1)[:-1]
    spectrum = np.fft.rfft(windows * shape)
    return np.asarray(np.abs(spectrum) ** 2 * (2 / (size * np.square(shape).sum())))


def _running_loudness(levels: Array, state: FeatureState) -> Array:
    """Return the running loudness (n,) after each of the next frames, whose levels are (n,) dB.

    A mean of decibels rather than of power: a wrong start is forgotten in a second or two.
    """
    loudness = np.empty(len(levels))
    for index, level in enumerate(levels.tolist()):
        if level > _GATE:
            state.loud_frames = min(state.loud_frames + 1, _MEMORY)
            state.loudness += (level - state.loudness) / state.loud_frames
        loudness[index] = state.loudness
    return loudness


def _with_peaks(rows: Array, state: FeatureState) -> Tensor:
    """Return features (n - 1, 34) of rows (n, 33): the last row's peak depends on the next one."""
    final = len(rows) - 1
    if final < 1:
        return torch.zeros(0, MUSIC_DIM)
    known = np.concatenate([state.envelope, rows[:, 0]])
    past = np.lib.stride_tricks.sliding_window_view(known[: _PEAK_MEAN + final], _PEAK_MEAN + 1)[:final]
    own, following = rows[:final, 0], rows[1:, 0]
    peaks = own > past[:, -1 - _PEAK_PAST : -1].max(axis=1)
    peaks &= (own >= following) & (own > past.mean(axis=1) + _PEAK_RISE)
    state.envelope = known[final : final + _PEAK_MEAN]
    return torch.from_numpy(np.concatenate([rows[:final], peaks[:, None]], axis=1).astype(np.float32))


@lru_cache(maxsize=4)
def mel_filters(window: int, bands: int) -> Array:
    """Return filters (bands, bins) that sum up power spectra, from 30 Hz to the highest."""
    return np.asarray(
        _librosa_filters().mel(
            sr=SAMPLE_RATE, n_fft=window, n_mels=bands, fmin=_LOWEST, norm=None, dtype=np.float64
        )
    )


@lru_cache(maxsize=1)
def _chroma_filters() -> Array:
    """Return filters (12, bins) that sum up amplitudes by pitch class, with A at 440 Hz."""
    return np.asarray(
        _librosa_filters().chroma(sr=SAMPLE_RATE, n_fft=_CHROMA_WINDOW, tuning=0.0, dtype=np.float64)
    )


@lru_cache(maxsize=1)
def _cosines() -> Array:
    """Return the cosine transform (20, 40); its first row is a mean."""
    order = np.arange(20)[:, None]
    cosines = np.cos(np.pi / _MELS * (np.arange(_MELS) + 0.5) * order)
    return np.asarray(cosines * np.sqrt(np.where(order == 0, 1, 2)) / _MELS)


def _librosa_filters() -> Any:
    try:
        import librosa.filters as filters
    except ImportError as error:
        raise ImportError(MISSING) from error
    return filters
