"""``motiongen dance MUSIC -o OUT``: a piece of music into a dance, with the music in the video."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.cli.progress import bar


@dataclass(frozen=True, kw_only=True)
class DanceConfig:
    """Turn music into a dance as long as it. A video has the music in it.

    The extension of each output says what is written: {outputs}.
    """

    music: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MUSIC")]
    """Sound file: wav, mp3, ogg, flac and what else FFmpeg reads."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    start: Annotated[float, tyro.conf.arg(name="from", metavar="S")] = 0.0
    """Where in the music to begin, seconds."""
    seconds: Annotated[
        float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: to its end)")
    ] = None
    """How much of the music to dance to."""
    style: Annotated[str | None, tyro.conf.arg(metavar="STYLE", help_behavior_hint="(default: any)")] = None
    """A dance style that the weights know; motiongen models lists them."""
    weights: arguments.Weights = "full"
    """full (non-commercial), open (free sources, may be used in products), or a folder of your own."""
    space: Annotated[
        Literal["latent", "motion"] | None, tyro.conf.arg(help_behavior_hint="(default: latent)")
    ] = None
    """What is denoised: the tokenizer's latents (faster) or the frames themselves."""
    seed: int = 0
    """The same seed gives the same dance on the same device."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """How strictly to follow the music: 1 is not at all stricter than the data."""
    steps: Annotated[int | None, arguments.by_model("N")] = None
    """Steps of denoising: more are slower and finer."""
    count: Annotated[int, tyro.conf.arg(metavar="K")] = 1
    """Dances to make; with K > 1 the files are named OUT-1, OUT-2 …"""
    lock_feet: bool = False
    """Hold standing feet still, by bending the legs."""
    device: arguments.Device = "auto"
    """Where to compute."""
    size: arguments.Size = None
    """Width and height of videos and pictures, pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) instead of the body that is shipped."""

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise UsageError(f"seconds: expected 0 < S <= 3600, got {self.seconds}; or leave it out")
        if not self.start >= 0:
            raise UsageError(f"from: expected 0 or more seconds, got {self.start}")
        if not 1 <= self.count <= 1000:
            raise UsageError(f"count: expected 1 to 1000 dances, got {self.count}")
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Dance, then write every output."""
    config = arguments.parse(DanceConfig, argv, "dance")
    arguments.check_outputs(config.output, arguments.known_outputs())
    arguments.check_inputs(config.music, config.body)
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
                weights=config.weights,
                device=config.device,
                progress=progress,
            )
        motion = motion.with_locked_feet() if config.lock_feet else motion
        for path in config.output:
            named = arguments.numbered(path, index, config.count)
            arguments.write(motion, named, None, config.size, config.body, audio)
    arguments.report(
        arguments.numbered(path, index, config.count)
        for index in range(config.count)
        for path in config.output
    )
