"""``motiongen edit CLIP PROMPT --between 1.0:2.5 -o OUT``: new motion in a span, the rest frame for frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments


@dataclass(frozen=True, kw_only=True)
class EditConfig:
    """Rewrite a span of a clip by a sentence. What lies outside the span stays as it was, frame for frame."""

    clip: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CLIP")]
    """Clip to edit."""
    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What shall happen in the span."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    between: Annotated[str | None, tyro.conf.arg(metavar="START:END", help_behavior_hint="(seconds)")] = None
    """The span to rewrite; an open side reaches to that end of the clip."""
    before: Annotated[float | None, tyro.conf.arg(metavar="END", help_behavior_hint="(seconds)")] = None
    """Rewrite everything before this time."""
    after: Annotated[float | None, tyro.conf.arg(metavar="START", help_behavior_hint="(seconds)")] = None
    """Rewrite everything after this time."""
    head: Literal["bamm"] = "bamm"
    """The model that turns words into codes."""
    weights: arguments.Weights = "full"
    """full (non-commercial), open (free sources, may be used in products), or a folder of your own."""
    seed: int = 0
    """The same seed gives the same motion on the same device."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """How strictly to follow the words: 1 is not at all stricter than the data."""
    temperature: Annotated[float | None, arguments.by_model("T")] = None
    """How far to stray from the likeliest motion."""
    device: arguments.Device = "auto"
    """Where to compute."""
    size: arguments.Size = None
    """Width and height of videos and pictures, pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) instead of the body that is shipped."""

    def __post_init__(self) -> None:
        given = [self.between, self.before, self.after]
        if sum(option is not None for option in given) != 1:
            raise UsageError(
                "span: expected one of --between, --before, --after; say which seconds to rewrite"
            )
        arguments.check_size(self.size)
        _ = self.span  # refuses what is no span

    @property
    def span(self) -> tuple[float, float]:
        """The span (start, end) to rewrite in seconds; the end may be infinite."""
        if self.between is not None:
            return arguments.parse_span(self.between)
        return arguments.parse_span(f":{self.before}" if self.after is None else f"{self.after}:")


def main(argv: Sequence[str]) -> None:
    """Edit one clip and write every output."""
    config = arguments.parse(EditConfig, argv, "edit")
    arguments.check_prompts([config.prompt])
    arguments.check_outputs(config.output, arguments.known_outputs())
    arguments.check_inputs(config.clip, config.body)
    from motiongen.inference.generate import edit
    from motiongen.motion import Motion

    motion = Motion.load(config.clip)
    start, end = config.span
    if start >= motion.seconds:
        raise UsageError(
            f"span: expected a start before the clip's end at {motion.seconds:.2f} s, got {start:g}"
        )
    edited = edit(
        motion,
        config.prompt,
        between=(start, min(end, motion.seconds)),
        seed=config.seed,
        guidance_scale=config.guidance,
        temperature=config.temperature,
        head=config.head,
        weights=config.weights,
        device=config.device,
    )
    for path in config.output:
        arguments.write(edited, path, config.prompt, config.size, config.body)
    arguments.report(config.output)
