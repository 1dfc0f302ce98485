"""Measures beat trackers on sounds whose beats are known: F within 70 ms, bias, and whether the tempo is right.

    python benchmarks/beats.py [--rows "clicks" "ramps"] [--trackers ours live librosa essentia]

`live` is MusicStream, which hears no future; its beats are counted from the eighth second on. essentia (AGPL) is for
comparison and is measured where it is installed. The table in docs/results.md was made by this script; no seed here
trained `pulse.safetensors`.
"""

import argparse
import importlib.util
import time

import numpy as np

from motiongen.music.audio import Audio
from motiongen.music.beats import BeatGrid, beat_f_measure, track_beats
from motiongen.music.stream import MusicStream
from motiongen.music.synthesis import STYLES, synthesise
from motiongen.music.synthesis.band import Band

RATE = 22050
NOISE = 0.06  # RMS
PEAK = 0.56
SETTLED = 8.0  # seconds after which the live tracker counts


def click(hertz):
    """Return a click (S,) of peak 1: 60 ms of a tone that dies away."""
    t = np.arange(int(0.06 * RATE)) / RATE
    return np.sin(2 * np.pi * hertz * t) * np.exp(-60 * t)


def clicks(beats, seconds, *, accent=0, between=0.0, noise=0.0, seed=0):
    """Return clicks at beats: every `accent`-th one higher, others halfway between at a gain, over white noise."""
    samples = np.zeros(int(seconds * RATE))
    halves = (beats[1:] + beats[:-1]) / 2 if between else beats[:0]
    onsets = [(at, 1760 if accent and index % accent == 0 else 1000, 1.0) for index, at in enumerate(beats)]
    for at, hertz, gain in [*onsets, *((at, 4000, between) for at in halves)]:
        sound, start = click(hertz), int(at * RATE)
        part = sound[: max(0, len(samples) - start)]
        samples[start : start + len(part)] += PEAK * gain * part
    samples += noise * np.random.default_rng(seed).standard_normal(len(samples))
    return Audio(samples.clip(-1, 1).astype(np.float32), RATE), beats


def steady(bpm, seconds, rng):
    """Return the beats of a steady tempo, from a random phase."""
    return np.arange(rng.uniform(0, 60 / bpm), seconds, 60 / bpm)


def click_tracks(**options):
    """Yield clicks at 60 to 190 BPM."""
    for index, bpm in enumerate(range(60, 191, 10)):
        rng = np.random.default_rng(5000 + index)
        yield clicks(steady(bpm, 30.0, rng), 30.0, seed=index, **options)


def ramps(noise=0.0):
    """Yield clicks whose tempo rises or falls evenly by 36 to 60 BPM within thirty seconds."""
    seconds = 30.0
    for index, (low, high) in enumerate(
        [(70, 106), (80, 130), (90, 150), (100, 140), (110, 170), (120, 160)]
    ):
        for first, last in ((low, high), (high, low)):
            t = np.linspace(0, seconds, 30001)
            count = np.cumsum(first + (last - first) * t / seconds) / 60 * (t[1] - t[0]) + 0.2
            beats = np.interp(np.arange(1, int(count[-1]) + 1), count, t)
            yield clicks(beats, seconds, noise=noise, seed=index, between=0.4)


def off_beat():
    """Yield clicks whose off-beats are louder or as loud, above a low drum on the beat; and songs built so."""
    for index, bpm in enumerate((80, 95, 110, 125, 140)):
        rng = np.random.default_rng(5100 + index)
        beats = steady(bpm, 30.0, rng)
        drum, _ = clicks(beats, 30.0)
        t = np.arange(int(0.15 * RATE)) / RATE
        low = np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-30 * t)))) * np.exp(-20 * t)
        samples = np.zeros_like(drum.samples)
        hat = np.diff(rng.standard_normal(RATE // 12), prepend=0) * np.exp(-np.arange(RATE // 12) / 350)
        for at in beats:
            for sound, gain, onset in ((low, 0.5, at), (hat, 0.25, at + 30 / bpm)):
                part = sound[: max(0, len(samples) - int(onset * RATE))]
                samples[int(onset * RATE) : int(onset * RATE) + len(part)] += np.float32(gain) * part
        yield Audio(samples.clip(-1, 1), RATE), beats
    for style in ("house", "disco", "ska", "reggae"):
        if style in STYLES:
            yield song(style, sum(STYLES[style].tempo) / 2, 5150)


def song(style, bpm, seed, seconds=30.0):
    """Return a synthesised song and its beats."""
    made = synthesise(style, bpm, seconds, seed, first_beat=0.3)
    return Audio(made.samples, made.sample_rate), made.beats


def songs():
    """Yield a song of every style at a tempo that it is usually played at."""
    for index, (name, style) in enumerate(STYLES.items()):
        low, high = style.tempo
        bpm = low + (high - low) * np.random.default_rng(5200 + index).uniform()
        yield song(name, float(bpm), 5200 + index)


def waltzes():
    """Yield Viennese waltzes, 165 to 190 BPM."""
    for index, bpm in enumerate((165, 172, 178, 184, 190)):
        yield song("waltz", float(bpm), 5300 + index)


def drum_loops():
    """Yield two bars of a style's drums alone, played four times."""
    for index, style in enumerate(STYLES.values()):
        rng = np.random.default_rng(5400 + index)
        period = 60 / rng.uniform(*style.tempo)
        length = 2 * style.beats_per_bar * period
        band = Band(style, period, int(length * RATE), RATE, (5400 + index,))
        for bar in (0, 1):
            band.play(bar + 8, bar * length / 2)  # the ninth and tenth: all play by then
        loop = np.tile(band._drums, 4)
        if np.abs(loop).max() > 1e-3:
            loop = 0.8 * loop / np.abs(loop).max()
            yield Audio(loop.astype(np.float32), RATE), np.arange(0, len(loop) / RATE - 0.02, period)


ROWS = {
    "clicks": lambda: click_tracks(),
    "clicks, noise": lambda: click_tracks(noise=NOISE),
    "clicks in three, noise": lambda: click_tracks(accent=3, noise=NOISE),
    "waltzes": waltzes,
    "ramps": lambda: ramps(),
    "ramps, noise": lambda: ramps(NOISE),
    "off-beat music": off_beat,
    "drum loops": drum_loops,
    "songs": songs,
}


def live(audio):
    """Return the beats that MusicStream gives while it hears."""
    stream = MusicStream(audio.sample_rate)
    stream.push(audio.samples)
    stream.finish()
    beats = stream.take()[1].nonzero()[:, 0].numpy() / 30
    return BeatGrid(60 / float(np.median(np.diff(beats))) if len(beats) > 1 else 0.0, beats)


def by_librosa(audio):
    """Return librosa's beats, with its defaults."""
    import librosa

    tempo, beats = librosa.beat.beat_track(y=audio.samples, sr=audio.sample_rate, units="time")
    return BeatGrid(float(np.atleast_1d(tempo)[0]), beats)


def by_essentia(audio):
    """Return the beats of essentia's RhythmExtractor2013 (multifeature: five trackers that vote)."""
    import essentia.standard
    import soxr

    samples = soxr.resample(audio.samples, audio.sample_rate, 44100).astype(np.float32)
    bpm, beats, *_ = essentia.standard.RhythmExtractor2013(method="multifeature")(samples)
    return BeatGrid(float(bpm), np.asarray(beats, dtype=np.float64))


TRACKERS = {"ours": track_beats, "live": live, "librosa": by_librosa, "essentia": by_essentia}


def measure(grid, truth, begin):
    """Return F, the bias in ms (found - true, the median of matches) and whether the tempo is within 4 %."""
    found, truth = grid.beats[grid.beats >= begin], truth[truth >= begin]
    if not len(found):
        return 0.0, np.nan, False
    away = found[:, None] - truth
    nearest = np.take_along_axis(away, np.abs(away).argmin(axis=1)[:, None], axis=1)[:, 0]
    hits = nearest[np.abs(nearest) <= 0.07]
    if len(found) > 1:
        middle = np.median(np.diff(truth)) / np.median(np.diff(found))
    else:
        middle = 0.0
    return (
        beat_f_measure(found, truth),
        1000 * float(np.median(hits)) if len(hits) else np.nan,
        abs(middle - 1) < 0.04,
    )


def main():
    """Print a line of the table for each row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    known = [name for name in TRACKERS if name != "essentia" or importlib.util.find_spec("essentia")]
    parser.add_argument("--trackers", nargs="+", choices=list(TRACKERS), default=known)
    parser.add_argument("--each", action="store_true", help="a line for each piece too")
    options = parser.parse_args()
    seconds = dict.fromkeys(options.trackers, 0.0)
    print(
        "| F, bias in ms, right tempi |",
        " | ".join(options.trackers),
        "|\n|---|" + "---:|" * len(options.trackers),
    )
    for row in options.rows:
        pieces = list(ROWS[row]())
        cells = []
        for name in options.trackers:
            began = time.perf_counter()
            grids = [TRACKERS[name](audio) for audio, _ in pieces]
            seconds[name] += time.perf_counter() - began
            begin = SETTLED if name == "live" else 0.0
            results = [measure(grid, truth, begin) for grid, (_, truth) in zip(grids, pieces, strict=True)]
            if options.each:
                for (f, bias, _), grid, (_, truth) in zip(results, grids, pieces, strict=True):
                    bpm = 60 / np.median(np.diff(truth))
                    print(f"  {name} {row}: {bpm:.1f} BPM, found {grid.bpm:.1f}, {f:.3f}, {bias:+.0f}")
            f, bias, tempo = zip(*results, strict=True)
            biases = [b for b in bias if not np.isnan(b)]
            cells.append(
                f"{np.mean(f):.3f}, {np.median(biases) if biases else np.nan:+.0f}, {sum(tempo)}/{len(tempo)}"
            )
        print(f"| {row} ({len(pieces)}) |", " | ".join(cells), "|", flush=True)
    print("seconds in all:", {name: round(value, 1) for name, value in seconds.items()})


if __name__ == "__main__":
    main()
