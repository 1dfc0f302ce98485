"""``motiongen beats MUSIC``: the tempo and the beats of a piece of music, and a picture of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import UsageError, arguments


@dataclass(frozen=True, kw_only=True)
class BeatsConfig:
    """Find the tempo, 56 to 200 beats a minute, and the beats of a piece of music; draw them with its features.

    The tempo may drift or change. Slower or faster music is counted twice or half as fast.
    """

    music: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MUSIC")]
    """Sound file: wav, mp3, ogg, flac and what else FFmpeg reads."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT.png", help_behavior_hint="(optional)")
    ] = None
    """Picture to draw: waveform, onsets, beats, MFCC and chroma."""
    start: Annotated[float, tyro.conf.arg(name="from", metavar="S")] = 0.0
    """Where in the music to begin, seconds; beats are counted from the file's beginning all the same."""
    seconds: Annotated[
        float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: to its end)")
    ] = None
    """How much of the music to hear."""
    json: bool = False
    """Print one JSON object instead of lines."""

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise UsageError(f"seconds: expected 0 < S <= 3600, got {self.seconds}; or leave it out")
        arguments.check_start(self.start)


def main(argv: Sequence[str]) -> None:
    """Print the beats of one piece, and draw them if a picture is asked for."""
    config = arguments.parse(BeatsConfig, argv, "beats")
    if config.output is not None:
        arguments.check_outputs([config.output], [".png"])
    arguments.check_inputs(config.music)
    from motiongen.music.audio import read_audio
    from motiongen.music.beats import track_beats

    audio = read_audio(config.music, start=config.start, seconds=config.seconds)
    grid = track_beats(audio)
    times = [round(config.start + beat, 3) for beat in grid.beats.tolist()]
    if config.json:
        print(json.dumps({"bpm": round(grid.bpm, 2), "seconds": round(audio.seconds, 3), "beats": times}))
    elif not times:
        print("tempo  none: no pulse was found\nbeats  0")
    else:
        print(f"tempo  {grid.bpm:.1f} BPM\nbeats  {len(times)}")
        print("\n".join(f"{time:.3f}" for time in times))
    if config.output is not None:
        from motiongen.music.plot import draw_beats

        draw_beats(audio, grid, config.output, title=config.music.name, start=config.start)
