"""``motiongen dance MUSIC -o OUT``: music to dance, with the music in the video."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import UsageError, arguments, choices
from motiongen.cli.figure import NOBODY, CharacterOptions
from motiongen.cli.progress import bar


@dataclass(frozen=True, kw_only=True)
class DanceConfig:
    """Turn music into a dance of the same length. Videos contain the music.

    The format of each output is determined by its extension: {outputs}.
    """

    music: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MUSIC")]
    """Audio file: wav, mp3, ogg, flac or any other format of FFmpeg; its beats are found from 56 to 200 a minute."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    start: Annotated[float, tyro.conf.arg(name="from", metavar="S")] = 0.0
    """Start in the music, seconds."""
    seconds: Annotated[
        float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: to its end)")
    ] = None
    """Length of the music to use."""
    style: Annotated[str | None, tyro.conf.arg(metavar="STYLE", help_behavior_hint="(default: any)")] = None
    """Dance style of the weights; see motiongen models."""
    weights: arguments.Weights = "open"
    space: Annotated[str | None, choices.space()] = None
    seed: int = 0
    """The same seed gives the same dance on the same device."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """Classifier-free guidance scale of the music; 1 for no guidance."""
    steps: Annotated[int | None, arguments.by_model("N")] = None
    """Denoising steps; more are slower and more accurate."""
    count: Annotated[int, tyro.conf.arg(metavar="K")] = 1
    """Number of dances; with K > 1 the files are named OUT-1, OUT-2 …"""
    lock_feet: bool = True
    """Keep standing feet from sliding, by inverse kinematics of the legs."""
    device: arguments.Device = "auto"
    """Device of the model."""
    size: arguments.Size = None
    """Width and height of videos and images, pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) in place of the shipped body."""
    figure: CharacterOptions = NOBODY

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise UsageError(f"seconds: expected 0 < S <= 3600, got {self.seconds}; or leave it out")
        arguments.check_start(self.start)
        arguments.check_sampling(self.seed, self.guidance)
        arguments.check_steps(self.steps)
        if not 1 <= self.count <= 1000:
            raise UsageError(f"count: expected 1 to 1000 dances, got {self.count}")
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen dance``."""
    config = arguments.parse(DanceConfig, argv, "dance")
    arguments.check_outputs(config.output, arguments.known_outputs(), config.figure.character)
    arguments.check_inputs(config.music, config.body)
    arguments.check_style(config.style, config.weights)
    device = arguments.resolve_device(config.device)
    character = config.figure.load(config.body)
    from motiongen.inference.dance import dance
    from motiongen.music.audio import read_audio

    audio = read_audio(config.music, start=config.start, seconds=config.seconds, sample_rate=44100)
    for index in range(config.count):
        with bar("dancing") as progress:
            motion = dance(
                audio,
                style=config.style,
                seed=config.seed + index,
                guidance_scale=config.guidance,
                steps=config.steps,
                space=config.space,
                lock_feet=config.lock_feet,
                weights=config.weights,
                device=device,
                progress=progress,
            )
        motion = config.figure.moved(motion, character)
        for path in config.output:
            named = arguments.numbered(path, index, config.count)
            arguments.write(motion, named, None, config.size, config.body, audio, character)
    written = [
        arguments.numbered(path, index, config.count)
        for index in range(config.count)
        for path in config.output
    ]
    arguments.report(written, motion.licence)
