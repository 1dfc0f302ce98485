"""``motiongen edit CLIP PROMPT|--music SONG --between 1.0:2.5 -o OUT``: regenerates a span and keeps the rest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments, choices
from motiongen.cli.figure import NOBODY, CharacterOptions
from motiongen.cli.reading import AS_IT_IS, FileOptions

if TYPE_CHECKING:
    from motiongen.motion import Motion
    from motiongen.music.audio import Audio


@dataclass(frozen=True, kw_only=True)
class EditConfig:
    """Regenerate a part of a clip by text or to music. All other poses stay unchanged.

    After a span that words changed, the clip goes on where the span ends, turned and moved as a whole; --keep-path
    leaves it where it is.
    """

    clip: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CLIP")]
    """Clip to edit."""
    prompt: Annotated[
        tyro.conf.Positional[str | None], tyro.conf.arg(metavar="PROMPT", help_behavior_hint="(or --music)")
    ] = None
    """Sentence for the span; - reads it from standard input."""
    music: Annotated[Path | None, tyro.conf.arg(metavar="MUSIC", help_behavior_hint="(or a prompt)")] = None
    """Audio file to dance to; it starts with the clip."""
    joints: Annotated[str | None, choices.joints()] = None
    keep_root: bool = False
    """Keep path, height and tilt of the root; with --music."""
    keep_path: bool = False
    """Leave all that follows the span where it is, and steer the span to meet it; with words."""
    constraints: arguments.Constraints = None
    lock_feet: bool = True
    """Keep standing feet of the span from sliding, by inverse kinematics of the legs; with words."""
    style: Annotated[str | None, tyro.conf.arg(metavar="STYLE", help_behavior_hint="(with --music)")] = None
    """Dance style of the weights; see motiongen models."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    between: Annotated[str | None, tyro.conf.arg(metavar="START:END", help_behavior_hint="(seconds)")] = None
    """Span to regenerate; a missing side is that end of the clip."""
    before: Annotated[float | None, tyro.conf.arg(metavar="END", help_behavior_hint="(seconds)")] = None
    """Regenerate everything before this time."""
    after: Annotated[float | None, tyro.conf.arg(metavar="START", help_behavior_hint="(seconds)")] = None
    """Regenerate everything after this time."""
    head: Annotated[str, choices.head("words", edits=True)] = "bamm"
    weights: arguments.Weights = "open"
    memory: arguments.Memory = None
    seed: int = 0
    """The same seed gives the same motion on the same device."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """Classifier-free guidance scale; 1 for no guidance."""
    temperature: Annotated[float | None, arguments.by_model("T")] = None
    """Sampling temperature; 0 takes the likeliest codes; not with --music."""
    steps: Annotated[int | None, arguments.by_model("N")] = None
    """Denoising steps; with --music."""
    device: arguments.Device = "auto"
    """Device of the model."""
    size: arguments.Size = None
    """Width and height of videos and images, pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) in place of the shipped body."""
    figure: CharacterOptions = NOBODY
    reading: FileOptions = AS_IT_IS

    def __post_init__(self) -> None:
        if (self.prompt is None) == (self.music is None):
            raise UsageError("edit: expected a sentence or --music, got both or neither; say one")
        if self.music is not None and self.memory is not None:
            raise UsageError("memory: expected a sentence with it, got --music; leave one out")
        if self.music is None and (self.joints is not None or self.keep_root or self.style is not None):
            raise UsageError(
                "joints, keep-root, style: expected --music with them; words rewrite the whole body"
            )
        if self.music is not None and self.keep_path:
            raise UsageError(
                "keep-path: expected a sentence with it; to music the path after the span always stays"
            )
        if self.music is None and self.steps is not None:
            raise UsageError("steps: expected --music with it; words are not denoised")
        if self.music is not None and self.temperature is not None:
            raise UsageError("temperature: expected a sentence with it, got --music; leave one out")
        arguments.check_sampling(self.seed, self.guidance, self.temperature)
        arguments.check_steps(self.steps)
        if self.constraints is not None and (self.music is not None or self.keep_path):
            raise UsageError(
                "constraints: expected a sentence with them and a path that may bend, got --music or --keep-path; "
                "leave one out"
            )
        given = sum(option is not None for option in (self.between, self.before, self.after))
        if given > 1 or (not given and self.joints is None and not self.keep_root):
            raise UsageError(
                "span: expected one of --between, --before, --after; say which seconds to rewrite"
            )
        arguments.check_size(self.size)
        _ = self.span  # raises UsageError for an invalid span

    @property
    def span(self) -> tuple[float, float]:
        """Span (start, end) to regenerate, seconds; the end may be infinite."""
        if self.between is None and self.before is None and self.after is None:
            return 0.0, math.inf
        if self.between is not None:
            return arguments.parse_span(self.between)
        return arguments.parse_span(f":{self.before}" if self.after is None else f"{self.after}:")


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen edit``."""
    config = arguments.parse(EditConfig, argv, "edit")
    prompts = () if config.prompt is None else arguments.read_prompts([config.prompt])
    if len(prompts) > 1:
        raise UsageError(f"prompt: expected one sentence, got {len(prompts)} lines; edit one span at a time")
    arguments.check_style(config.style, config.weights)
    arguments.check_outputs(config.output, arguments.known_outputs(), config.figure.character)
    arguments.check_inputs(config.clip, config.music, config.constraints, config.body)
    arguments.resolve_device(config.device)
    character = config.figure.load(config.body)
    from motiongen.motion import Motion

    motion = Motion.load(config.clip, config.reading)
    start, end = config.span
    if start >= motion.seconds:
        raise UsageError(
            f"span: expected a start before the clip's end at {motion.seconds:.2f} s, got {start:g}"
        )
    between = (start, min(end, motion.seconds))
    if config.music is None:
        edited, audio = _by_words(config, motion, prompts[0], between), None
    else:
        from motiongen.music.audio import read_audio

        audio = read_audio(config.music, seconds=motion.seconds, sample_rate=44100)
        edited = _by_music(config, motion, between, audio)
    edited = config.figure.moved(edited, character)
    caption = prompts[0] if prompts else None
    for path in config.output:
        arguments.write(edited, path, caption, config.size, config.body, audio, character)
    arguments.report(config.output, edited.licence)


def _by_words(config: EditConfig, motion: "Motion", prompt: str, between: tuple[float, float]) -> "Motion":
    from motiongen.constraints.hold import hold
    from motiongen.inference.generate import edit

    constraints = arguments.read_constraints(config.constraints)
    edited = edit(
        motion,
        prompt,
        between=between,
        keep_path=config.keep_path,
        lock_feet=config.lock_feet,
        seed=config.seed,
        guidance_scale=config.guidance,
        temperature=config.temperature,
        head=config.head,
        weights=config.weights,
        device=config.device,
        memory=config.memory,
    )
    if not constraints:
        return edited
    held = hold(edited, constraints, first=round(between[0] * edited.fps))
    arguments.report_outcomes(held.outcomes)
    return held.motion


def _by_music(config: EditConfig, motion: "Motion", between: tuple[float, float], audio: "Audio") -> "Motion":
    from motiongen.inference.dance import edit_dance

    return edit_dance(
        motion,
        audio,
        between=between,
        joints=config.joints,
        keep_root=config.keep_root,
        style=config.style,
        seed=config.seed,
        guidance_scale=config.guidance,
        steps=config.steps,
        weights=config.weights,
        device=config.device,
    )
