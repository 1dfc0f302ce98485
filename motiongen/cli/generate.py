"""``motiongen generate PROMPT … -o OUT``: text to one continuous motion, in one or more formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from motiongen.cli import UsageError, arguments, choices
from motiongen.cli.figure import NOBODY, CharacterOptions
from motiongen.cli.progress import bar
from motiongen.devices import limit_threads
from motiongen.lazy import uncollected


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Turn text into motion. Several prompts give one continuous motion, and so does "X, then Y" in one.

    The format of each output is determined by its extension: {outputs}.
    """

    prompts: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(name="PROMPT", metavar="PROMPT …", help_behavior_hint="(required)"),
    ]
    """One sentence for each part of the motion; - reads them from standard input, one a line."""
    prompts_file: Annotated[
        Path | None, tyro.conf.arg(name="prompts", metavar="FILE", help_behavior_hint="(optional)")
    ] = None
    """A text file of many sentences, one a line (- for standard input): a clip of each goes into the folder -o, and the
    same command goes on where it was stopped."""
    format: str = "bvh"
    """With --prompts: extension of the clips. A folder of bvh is one that motiongen prepare takes."""
    engine: Literal["local", "ray"] = "local"
    """With --prompts: where the work is done, on this machine or on a Ray cluster (needs motiongen[ray])."""
    workers: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """With --prompts: number of processes, or of tasks at a time on Ray; 0 for one per core."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    head: Annotated[str, choices.head("words")] = "bamm"
    weights: arguments.Weights = "open"
    memory: arguments.Memory = None
    seconds: Annotated[float | None, arguments.by_model("S")] = None
    """Length of the motion of each prompt."""
    seed: int = 0
    """The same seed gives the same motion on the same device."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """Classifier-free guidance scale; 1 for no guidance."""
    temperature: Annotated[float | None, arguments.by_model("T")] = None
    """Sampling temperature; 0 takes the likeliest codes."""
    count: Annotated[int, tyro.conf.arg(metavar="K")] = 1
    """Number of variants; with K > 1 the files are named OUT-1, OUT-2 …"""
    best_of: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Tries of each prompt, of which the one nearest to real clips that are like it is taken: slower, surer."""
    device: arguments.Device = "auto"
    """Device of the model."""
    start_from: Annotated[Path | None, tyro.conf.arg(metavar="CLIP", help_behavior_hint="(optional)")] = None
    """A clip to continue."""
    constraints: arguments.Constraints = None
    lock_feet: bool = True
    """Keep standing feet from sliding, by inverse kinematics of the legs."""
    plan: bool = True
    """Read sentences for acts that follow each other, counts, speeds and turns; without, the head alone hears them."""
    explain: bool = False
    """Print the plan, a line for each part; without -o nothing is generated."""
    size: arguments.Size = None
    """Width and height of videos and images, pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) in place of the shipped body."""
    figure: CharacterOptions = NOBODY

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 600:
            raise UsageError(f"seconds: expected 0 < S <= 600, got {self.seconds}; or leave it to the model")
        if not 1 <= self.count <= 1000:
            raise UsageError(f"count: expected 1 to 1000 variants, got {self.count}")
        if not 1 <= self.best_of <= 100:
            raise UsageError(f"best-of: expected 1 to 100 tries, got {self.best_of}")
        if self.explain and not self.plan:
            raise UsageError("explain: expected a plan to print, got --no-plan; leave one of them out")
        if self.workers < 0:
            raise UsageError(f"workers: expected 0 or more, got {self.workers}; 0 is one per core")
        arguments.check_sampling(self.seed, self.guidance, self.temperature)
        arguments.check_size(self.size)
        self._check_many()

    def _check_many(self) -> None:
        """Raise UsageError for options that go with --prompts alone, or not with it."""
        wrong: dict[str, object]
        if self.prompts_file is None:
            wrong = {
                "format": self.format != "bvh",
                "engine": self.engine != "local",
                "workers": self.workers,
            }
            told = "expected --prompts FILE beside it, got none; add a file of sentences, or leave it out"
        else:
            wrong = {"prompt": self.prompts, "start-from": self.start_from, "constraints": self.constraints}
            wrong |= {"explain": self.explain, "size": self.size, "body": self.body}
            wrong |= {"character": self.figure != NOBODY}
            told = "expected none beside --prompts FILE, got one; leave one of them out"
        for name, given in wrong.items():
            if given:
                raise UsageError(f"{name}: {told}")


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen generate``."""
    config = arguments.parse(GenerateConfig, argv, "generate")
    if config.prompts_file is not None:
        _many(config, config.prompts_file)
        return
    prompts = arguments.read_prompts(config.prompts)
    if config.explain:
        from motiongen.conditions.plan import explain, plan_all

        print(explain(plan_all(prompts)), flush=True)
        if not config.output:
            return
    outputs = [
        arguments.numbered(path, i, config.count) for i in range(config.count) for path in config.output
    ]
    arguments.check_outputs(config.output, arguments.known_outputs(), config.figure.character)
    arguments.check_inputs(config.start_from, config.constraints, config.body)
    constraints = arguments.read_constraints(config.constraints)
    device = arguments.resolve_device(config.device)
    limit_threads(config.count)
    character = config.figure.load(config.body)
    with uncollected():
        from motiongen.inference.generate import variants
        from motiongen.motion import Motion

    start = None if config.start_from is None else Motion.load(config.start_from)
    generated = variants(
        prompts,
        count=config.count,
        seed=config.seed,
        start_from=start,
        constraints=constraints,
        **_writing(config, device),
    )
    for i, variant in enumerate(generated):
        motion = config.figure.moved(variant.motion, character)
        for path in config.output:
            named = arguments.numbered(path, i, config.count)
            arguments.write(motion, named, variant.parts, config.size, config.body, character=character)
    for i, variant in enumerate(generated):
        arguments.report_outcomes(
            variant.outcomes, outputs[i * len(config.output)] if config.count > 1 else None
        )
    arguments.report(outputs, generated[0].motion.licence)


def _writing(config: GenerateConfig, device: str) -> dict[str, Any]:
    """Return what one clip and many are written with alike; see `motiongen.generate`."""
    return {
        "seconds": config.seconds,
        "best_of": config.best_of,
        "guidance_scale": config.guidance,
        "temperature": config.temperature,
        "plan": config.plan,
        "lock_feet": config.lock_feet,
        "head": config.head,
        "weights": config.weights,
        "device": device,
        "memory": config.memory,
    }


def _many(config: GenerateConfig, file: Path) -> None:
    """Write a clip of each line of a file into a folder."""
    prompts = arguments.read_lines(file)
    if len(config.output) != 1 or config.output[0].suffix.lower() in arguments.known_outputs():
        given = " ".join(map(str, config.output)) or "none"
        raise UsageError(
            f"output: expected one folder, -o FOLDER, got {given}; --format is that of the clips"
        )
    folder = config.output[0]
    if f".{config.format}" not in arguments.known_formats():
        known = ", ".join(extension.removeprefix(".") for extension in arguments.known_formats())
        raise UsageError(f"format: expected one of {known}, got {config.format!r}")
    arguments.check_new_folder(folder)
    device = arguments.resolve_device(config.device)
    from motiongen.inference.many import generate_many
    from motiongen.inference.weight_sets import licence_of, weights_folder

    licence = licence_of(weights_folder(config.weights))
    try:
        with bar("clips") as progress:
            generate_many(
                prompts,
                folder,
                file_format=config.format,
                count=config.count,
                seed=config.seed,
                engine=config.engine,
                workers=config.workers,
                on_progress=progress,
                **_writing(config, device),
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted; {folder} is begun, and the same command goes on with it"
        ) from None
    arguments.report([folder], licence)
