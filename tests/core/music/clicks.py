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
