"""A plot of music and its beats: waveform, onsets, MFCC and chroma, one above the other."""

from pathlib import Path

import numpy as np

from motiongen.atomic import atomic_path
from motiongen.music.audio import Audio
from motiongen.music.beats import BeatGrid
from motiongen.music.features import FPS, LAYOUT, music_features

PITCHES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_INK, _BEAT, _SOUND = "#22303c", "#e4572e", "#4a7fb5"
_INCHES_A_SECOND = 0.6
_COLUMNS = 2400  # of the waveform: more could not be seen


def draw_beats(
    audio: Audio, grid: BeatGrid, path: str | Path, *, title: str = "", start: float = 0.0
) -> None:
    """Draw music and its beats to a PNG, whole or not at all.

    Args:
        audio: the music.
        grid: its beats.
        path: the file.
        title: text above the plot.
        start: time of the first sample in its file, seconds, for the time axis.

    Raises:
        ImportError: matplotlib or librosa is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("music: needs matplotlib to draw; run pip install 'motiongen[dance]'") from error
    features = music_features(audio).numpy()  # (T, 34)
    width = min(max(10.0, _INCHES_A_SECOND * audio.seconds), 40.0)
    figure = Figure(figsize=(width, 7.5), dpi=120, layout="constrained")
    rows = figure.subplots(4, 1, sharex=True, height_ratios=[2, 2, 3, 2])
    pulse = f"{grid.bpm:.1f} BPM, {len(grid.beats)} beats" if len(grid.beats) else "no pulse"
    figure.suptitle(f"{title} · {pulse}" if title else pulse, color=_INK, x=0.02, ha="left", weight="bold")

    times, low, high = _outline(audio)
    rows[0].fill_between(times + start, low, high, color=_SOUND, linewidth=0)
    rows[0].set(ylim=(-1, 1), yticks=[], ylabel="sound")
    frames = start + np.arange(len(features)) / FPS
    envelope = features[:, LAYOUT["envelope"]][:, 0]
    rows[1].fill_between(frames, envelope, color=_INK, alpha=0.75, linewidth=0)
    peaks = features[:, LAYOUT["peaks"]][:, 0] > 0
    rows[1].plot(frames[peaks], envelope[peaks], "o", color=_SOUND, markersize=3, label="peak")
    top = (
        float(np.quantile(envelope, 0.99)) if len(envelope) else 1.0
    )  # the music's own beginning is the highest
    rows[1].set(ylim=(0, max(0.5, 1.3 * top)), yticks=[], ylabel="onsets")
    edges = (frames[0] - 0.5 / FPS, frames[-1] + 0.5 / FPS) if len(frames) else (start, start + 1 / FPS)
    image = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    # The first coefficient, the level, is left out; each of the others is as bright as the next.
    shape = features[:, LAYOUT["mfcc"]][:, 1:]
    shape = (shape - shape.mean(axis=0)) / (shape.std(axis=0) + 1e-2)
    rows[2].imshow(shape.T, extent=(*edges, 1.5, 20.5), cmap="RdBu_r", vmin=-3, vmax=3, **image)
    rows[2].set(yticks=[5, 10, 15, 20], ylabel="MFCC")
    rows[3].imshow(
        features[:, LAYOUT["chroma"]].T, extent=(*edges, -0.5, 11.5), cmap="magma", vmin=0, vmax=1, **image
    )
    rows[3].set(yticks=range(0, 12, 2), yticklabels=PITCHES[::2], ylabel="chroma", xlabel="seconds")
    for row, strong in zip(rows, (0.6, 0.9, 0.35, 0.35), strict=True):
        row.vlines(grid.beats + start, *row.get_ylim(), color=_BEAT, linewidth=1.2, alpha=strong)
        row.set_xlim(start, start + audio.seconds)
        row.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})


def _outline(audio: Audio) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times (n,), and the lowest and highest sample near each."""
    step = max(1, len(audio.samples) // _COLUMNS)
    starts = np.arange(0, len(audio.samples), step)
    low, high = (reduce.reduceat(audio.samples, starts) for reduce in (np.minimum, np.maximum))
    return starts / audio.sample_rate, low, high
