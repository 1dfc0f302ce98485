"""Click music whose beats are known by construction: a low beat, a high half, a louder first of four."""

import numpy as np

from motiongen.music.audio import Audio


def click_music(bpm, seconds, first=0.0, rate=22050):
    """Return sound (S,) and its beats, seconds."""
    beats = np.arange(first, seconds, 60 / bpm)
    samples = np.zeros(int(seconds * rate), np.float32)
    noise = np.random.default_rng(0).standard_normal(rate // 20)
    time = np.arange(rate // 5) / rate
    kick = np.sin(2 * np.pi * (55 * time + 4 * (1 - np.exp(-30 * time)))) * np.exp(-18 * time)
    hat = 0.3 * np.diff(noise, prepend=0) * np.exp(-np.arange(len(noise)) / 300)
    snare = noise * np.exp(-np.arange(len(noise)) / 500)
    for index, beat in enumerate(beats):
        for sound, gain, onset in (
            (kick, 0.6, beat),
            (snare, 0.3 * (index % 2), beat),
            (hat, 0.4, beat + 30 / bpm),
        ):
            start = int(onset * rate)
            part = sound[: max(0, len(samples) - start)]
            samples[start : start + len(part)] += np.float32(gain) * part
    return Audio(samples, rate), beats


def clicks_at(beats, seconds, bar=1, rate=22050):
    """Return samples (S,) with a click of peak .56 on each beat, a higher one on the first of each bar."""
    samples = np.zeros(int(seconds * rate), np.float32)
    time = np.arange(int(0.06 * rate)) / rate
    for index, beat in enumerate(beats):
        sound = 0.56 * np.sin(2 * np.pi * (1000 if index % bar else 1500) * time) * np.exp(-60 * time)
        start = int(beat * rate)
        part = sound[: max(0, len(samples) - start)]
        samples[start : start + len(part)] += part
    return samples


def noisy_clicks(bpm, seconds, bar=1, rate=22050):
    """Return clicks under white noise of RMS .06, and their beats, seconds."""
    beats = np.arange(0.2, seconds, 60 / bpm)
    noise = 0.06 * np.random.default_rng(0).standard_normal(int(seconds * rate))
    return Audio((clicks_at(beats, seconds, bar, rate) + noise).astype(np.float32), rate), beats
