"""The form of a song: the instruments that play in each bar, and the pattern of each."""

from dataclasses import dataclass

import numpy as np

from motiongen.music.synthesis.drums import DRUMS, Role
from motiongen.music.synthesis.harmony import MODES, PROGRESSIONS, Key, MelodyNote, motif
from motiongen.music.synthesis.style import Part, Style


@dataclass(frozen=True)
class Section:
    """A span of bars with the same drums and parts; `full` takes the variants of the chorus."""

    bars: int
    drums: tuple[Role, ...] = ("low", "backbeat", "top")
    bass: bool = True
    chords: bool = True
    arpeggio: bool = False
    lead: bool = False
    full: bool = False


@dataclass(frozen=True)
class BarPosition:
    """The position of a bar in a song's form: its section and its number in that section."""

    section: Section
    bar: int

    @property
    def opens(self) -> bool:
        """True for the first bar of its section."""
        return self.bar == 0

    @property
    def closes(self) -> bool:
        """True for the last bar of its section."""
        return self.bar == self.section.bars - 1


@dataclass(frozen=True)
class PlayedPart:
    """A part as one song plays it: a voice's name, and its patterns in verses and in choruses."""

    part: Part
    voice: str
    patterns: tuple[str, str]


@dataclass(frozen=True)
class Score:
    """A song as a seed draws it, except for the timbres and the timing of its players.

    Attributes:
        form: the sections, repeated from the first after the last.
        offset: bar of the form at which the song's bar 0 lies.
        key: the key.
        progressions: roots of the chords, one a bar, in verses and in choruses.
        chord_size: notes in a chord.
        drums: a pattern for verses and one for choruses by drum.
        bass, chords, arpeggio: the accompaniment.
        lead: name of the melody's voice.
        melodies: motifs of verses and choruses.
        motif_bars: length of a motif.
        pad: name of the voice of the sustained background; empty for none.
        swing: delay of every second step, as a share of a step.
        fill_density: probability of a stroke in each step of a fill.
    """

    form: tuple[Section, ...]
    offset: int
    key: Key
    progressions: tuple[tuple[int, ...], tuple[int, ...]]
    chord_size: int
    drums: dict[str, tuple[str, str]]
    bass: PlayedPart | None
    chords: PlayedPart
    arpeggio: PlayedPart | None
    lead: str
    melodies: tuple[list[MelodyNote], list[MelodyNote]]
    motif_bars: int
    pad: str
    swing: float
    fill_density: float

    def position(self, bar: int) -> BarPosition:
        """Return the position of a bar in the form; negative bars come before the first."""
        left = (bar + self.offset) % sum(section.bars for section in self.form)
        for section in self.form:
            if left < section.bars:
                return BarPosition(section, left)
            left -= section.bars
        raise AssertionError(left)


def draw_score(style: Style, rng: np.random.Generator) -> Score:
    """Return one of a style's songs."""
    unit = 2 if style.tempo[1] < 100 else 4  # bars: the slow ones are long
    form = _draw_form(rng, unit)
    starts = np.cumsum([0, *(section.bars for section in form[:-1])])
    choices = PROGRESSIONS[str(rng.choice(style.progressions))]
    verse, chorus = (choices[rng.integers(len(choices))] for _ in range(2))
    grid = style.steps_per_bar, style.steps_per_beat
    return Score(
        form=form,
        offset=int(starts[0] if rng.random() < 0.4 else rng.choice(starts)),
        key=Key(int(rng.integers(12)), MODES[str(rng.choice(style.modes))]),
        progressions=(verse, chorus if rng.random() < 0.6 else verse),
        chord_size=4 if rng.random() < style.sevenths else 3,
        drums=_draw_drums(style, rng),
        bass=_draw_part(style.bass, rng) if style.bass else None,
        chords=_draw_part(style.chords, rng),
        arpeggio=_draw_part(style.arpeggio, rng) if style.arpeggio else None,
        lead=str(rng.choice(style.leads)),
        melodies=(motif(rng, *grid, unit), motif(rng, *grid, unit)),
        motif_bars=unit,
        pad=str(rng.choice(("pad", "strings", "organ"))) if rng.random() < style.pad else "",
        swing=float(rng.uniform(*style.swing)),
        fill_density=float(rng.uniform(0.5, 0.95)),
    )


def _draw_form(rng: np.random.Generator, unit: int) -> tuple[Section, ...]:
    """Return the sections of a song; `unit` is the bars of a short one."""
    openings: tuple[tuple[Role, ...], ...] = (("top", "low"), ("top", "backbeat"), ("top", "low", "backbeat"))
    opening = openings[rng.integers(len(openings))]
    intro = Section(unit, opening, bass=bool(rng.random() < 0.4), chords=bool(rng.random() < 0.8))
    verse = Section(2 * unit, arpeggio=bool(rng.random() < 0.3), lead=bool(rng.random() < 0.6))
    chorus = Section(2 * unit, arpeggio=bool(rng.random() < 0.7), lead=bool(rng.random() < 0.8), full=True)
    # Two bars at most without bass drum and backbeat: dancers must not lose the pulse.
    thin = Section(2, ("top",), bass=bool(rng.random() < 0.3), lead=bool(rng.random() < 0.5))
    rise = Section(unit, ("top", "backbeat"), bass=bool(rng.random() < 0.5), arpeggio=True)
    solo = Section(unit, lead=True, chords=bool(rng.random() < 0.5))
    return intro, verse, chorus, verse, thin, rise, chorus, solo, chorus


def _draw_part(part: Part, rng: np.random.Generator) -> PlayedPart:
    verse, chorus = (str(rng.choice(part.patterns)) for _ in range(2))
    return PlayedPart(part, str(rng.choice(part.voices)), (verse, chorus if rng.random() < 0.6 else verse))


def _draw_drums(style: Style, rng: np.random.Generator) -> dict[str, tuple[str, str]]:
    """Return the drums of a song: all low ones and backbeats, the first of the top drums and most of the others."""
    drums: dict[str, tuple[str, str]] = {}
    has_top = False
    for names, patterns in style.drums.items():
        name = str(rng.choice(names.split("|")))
        verse, chorus = (str(rng.choice(patterns)) for _ in range(2))
        if DRUMS[name].role == "top":
            if has_top and rng.random() < 0.35:
                continue
            has_top = True
            verse, chorus = (_varied(pattern, rng) for pattern in (verse, chorus))
        drums[name] = (verse, chorus if rng.random() < 0.5 else verse)
    return drums


def _varied(pattern: str, rng: np.random.Generator) -> str:
    """Return a pattern with a few ghosts added and a few soft strokes left out."""
    chance = rng.random(len(pattern))
    odd = rng.uniform(0, 0.12)
    swaps = {"-": ".", ".": "-", "o": "."}
    return "".join(swaps.get(c, c) if p < odd else c for c, p in zip(pattern, chance, strict=True))
