"""``motiongen generate PROMPT … -o OUT``: sentences into one unbroken motion, in as many formats as asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Turn sentences into motion. Several prompts follow each other without a break.

    The extension of each output says what is written: {outputs}.
    """

    prompts: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(name="PROMPT", metavar="PROMPT …")
    ]
    """What happens, a sentence each."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    head: Literal["bamm", "mogo"] = "bamm"
    """The model that turns words into codes: bamm revises what it wrote, mogo writes forward only, as in a stream."""
    weights: arguments.Weights = "full"
    """full (non-commercial), open (free sources, may be used in products), or a folder of your own."""
    seconds: Annotated[float | None, arguments.by_model("S")] = None
    """Length of each prompt's motion."""
    seed: int = 0
    """The same seed gives the same motion on the same device."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """How strictly to follow the words: 1 is not at all stricter than the data."""
    temperature: Annotated[float | None, arguments.by_model("T")] = None
    """How far to stray from the likeliest motion."""
    count: Annotated[int, tyro.conf.arg(metavar="K")] = 1
    """Variants to make; with K > 1 the files are named OUT-1, OUT-2 …"""
    device: arguments.Device = "auto"
    """Where to compute."""
    start_from: Annotated[Path | None, tyro.conf.arg(metavar="CLIP", help_behavior_hint="(optional)")] = None
    """A clip to continue."""
    lock_feet: bool = False
    """Hold standing feet still, by bending the legs."""
    size: arguments.Size = None
    """Width and height of videos and pictures, pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) instead of the body that is shipped."""

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 600:
            raise UsageError(f"seconds: expected 0 < S <= 600, got {self.seconds}; or leave it to the model")
        if not 1 <= self.count <= 1000:
            raise UsageError(f"count: expected 1 to 1000 variants, got {self.count}")
        if self.temperature is not None and not self.temperature >= 0:
            raise UsageError(f"temperature: expected 0 or more, got {self.temperature}; 1 is usual")
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Generate, then write every output."""
    config = arguments.parse(GenerateConfig, argv, "generate")
    arguments.check_prompts(config.prompts)
    outputs = [
        arguments.numbered(path, i, config.count) for i in range(config.count) for path in config.output
    ]
    arguments.check_outputs(config.output, arguments.known_outputs())
    arguments.check_inputs(config.start_from, config.body)
    from motiongen.inference.generate import variants
    from motiongen.motion import Motion

    start = None if config.start_from is None else Motion.load(config.start_from)
    made = variants(
        config.prompts,
        count=config.count,
        seconds=config.seconds,
        seed=config.seed,
        guidance_scale=config.guidance,
        temperature=config.temperature,
        start_from=start,
        head=config.head,
        weights=config.weights,
        device=config.device,
    )
    for i, take in enumerate(made):
        motion = take.motion.with_locked_feet() if config.lock_feet else take.motion
        for path in config.output:
            arguments.write(
                motion, arguments.numbered(path, i, config.count), take.parts, config.size, config.body
            )
    arguments.report(outputs)
