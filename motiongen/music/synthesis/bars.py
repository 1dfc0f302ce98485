"""The strokes of the drums and the notes of the other parts in a bar of a score, in steps of its grid."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from motiongen.music.synthesis.arrangement import BarPosition, PlayedPart, Score
from motiongen.music.synthesis.drums import DRUMS
from motiongen.music.synthesis.style import LOUDNESS, REST, Style

_PAD_CENTRE, _LEAD_CENTRE = 60, 68


@dataclass(frozen=True)
class Stroke:
    """One stroke of a drum, `step` steps after the start of the bar."""

    drum: str
    step: int
    loudness: float


@dataclass(frozen=True)
class Note:
    """One note of a part (bass, chords, arpeggio, pad or lead): a MIDI pitch that is held for some steps.

    `string` counts the notes of a chord, low to high.
    """

    part: str
    pitch: int
    step: int
    steps: float
    loudness: float
    string: int = 0


def strokes(score: Score, style: Style, bar: int, rng: np.random.Generator) -> Iterator[Stroke]:
    """Yield the drum strokes of a bar, with fills at the end of most sections and now and then between."""
    position = score.position(bar)
    fill_from = _fill_start(score, style, position, rng)
    for drum, patterns in score.drums.items():
        role = DRUMS[drum].role
        if role not in position.section.drums:
            continue
        for step, char in _pattern(patterns, position, style.steps_per_bar):
            if char in LOUDNESS and not (role == "backbeat" and step >= fill_from):
                yield Stroke(drum, step, LOUDNESS[char])
    if position.opens and position.section.full:
        yield Stroke("crash", 0, 1.0)
    for step in range(fill_from, style.steps_per_bar):
        if rng.random() < score.fill_density:
            through = (step - fill_from) / (style.steps_per_bar - fill_from)
            drum = style.fill[int(through * len(style.fill))]
            yield Stroke(drum, step, float(rng.uniform(0.5, 0.8) + 0.2 * through))


def _fill_start(score: Score, style: Style, position: BarPosition, rng: np.random.Generator) -> int:
    """Return the step at which a fill begins; the number of steps in the bar where there is none."""
    chance = 0.85 if position.closes else 0.3 if position.bar % 4 == 3 else 0.0
    beats = int(rng.choice([1, 1, 2]))
    plays = rng.random() < chance and "backbeat" in position.section.drums
    return style.steps_per_bar - (beats * style.steps_per_beat if plays else 0)


def notes(score: Score, style: Style, bar: int) -> Iterator[Note]:
    """Yield the pitched notes of a bar."""
    position = score.position(bar)
    section, key = position.section, score.key
    progression = score.progressions[section.full]
    root = progression[position.bar % len(progression)]
    if score.bass and section.bass:
        yield from _chord_tones("bass", score.bass, score, position, root, style)
    if score.arpeggio and section.arpeggio:
        yield from _chord_tones("arpeggio", score.arpeggio, score, position, root, style)
    if section.chords:
        line = score.chords
        pitches = key.chord(root, line.part.centre, score.chord_size)
        for step, char, length in _note_lengths(line, position, style.steps_per_bar):
            for string, pitch in enumerate(pitches):
                yield Note("chords", pitch, step, length, LOUDNESS[char], string)
    if score.pad and section.chords:
        for pitch in key.chord(root, _PAD_CENTRE, 3):
            yield Note("pad", pitch, 0, style.steps_per_bar, 0.8)
    if section.lead:
        yield from _melody(score, style, position, root)


def _pattern(patterns: tuple[str, str], position: BarPosition, steps: int) -> Iterator[tuple[int, str]]:
    pattern = patterns[position.section.full]
    start = position.bar * steps % len(pattern)
    yield from enumerate(pattern[start : start + steps])


def _note_lengths(line: PlayedPart, position: BarPosition, steps: int) -> Iterator[tuple[int, str, float]]:
    """Yield step, character and length of a part's notes: each lasts until the next one, or as long as its gate."""
    hits = [(step, char) for step, char in _pattern(line.patterns, position, steps) if char != REST]
    ends = [step for step, _ in hits[1:]] + [steps]
    for (step, char), end in zip(hits, ends, strict=True):
        yield step, char, min(end - step, line.part.gate)


def _chord_tones(
    name: str, line: PlayedPart, score: Score, position: BarPosition, root: int, style: Style
) -> Iterator[Note]:
    for step, char, length in _note_lengths(line, position, style.steps_per_bar):
        pitch = score.key.chord_tone(root, char, line.part.centre)
        yield Note(name, pitch, step, length, 1.0 if step % style.steps_per_beat == 0 else 0.8)


def _melody(score: Score, style: Style, position: BarPosition, root: int) -> Iterator[Note]:
    start = position.bar % score.motif_bars * style.steps_per_bar
    for note in score.melodies[position.section.full]:
        step = note.step - start
        if 0 <= step < style.steps_per_bar:
            on_beat = step % (2 * style.steps_per_beat) == 0
            degree = _nearest_chord_degree(note.degree, root) if on_beat else note.degree
            pitch = score.key.pitch(degree, _LEAD_CENTRE)
            yield Note("lead", pitch, step, note.length * 0.95, 1.0 if on_beat else 0.85)


def _nearest_chord_degree(degree: int, root: int) -> int:
    """Return the degree of the triad on a root that is nearest to a degree."""
    return min(
        (degree + d for d in (0, 1, -1, 2, -2)),
        key=lambda d: ((d - root) % 7 not in (0, 2, 4), abs(d - degree)),
    )
