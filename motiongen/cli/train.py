"""``motiongen train MODEL --data CACHE -o DIR``: weights of your own, model by model."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen import tokenizers
from motiongen.cli import UsageError, arguments
from motiongen.features import FEATURE_DIM
from motiongen.heads import badm, bamm, carp, mogo
from motiongen.tokenizers import rvq_vae
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.about import write_about
from motiongen.training.badm import BADMRecipe, BADMTrainConfig
from motiongen.training.bamm import BAMMRecipe, BAMMTrainConfig
from motiongen.training.cache import ClipCache
from motiongen.training.carp import CARPRecipe, carp_for
from motiongen.training.carp_parts import CARPTrainConfig, goes_on, train_parts
from motiongen.training.evaluator import EvaluatorRecipe, EvaluatorTrainConfig
from motiongen.training.loop import Recipe, TrainConfig, Trainer
from motiongen.training.mogo import MogoRecipe, MogoTrainConfig
from motiongen.training.tokenizer import TokenizerRecipe, TokenizerTrainConfig


@dataclass(frozen=True, kw_only=True)
class Run:
    """What every training is told."""

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Folder of the set of weights: each model lies in a folder of its own name in it, with its checkpoint and log."""
    resume: bool = False
    """Go on from the model's checkpoint; repeat the options that the run was started with."""
    device: arguments.Device = "auto"
    """Where to compute."""
    schedule: TrainConfig
    """How long and how to train; an hour unless --steps or --minutes say otherwise."""

    def describe(self) -> None:
        """Write what is to be known of the set beside the model's card: nothing, unless a model overrides it."""

    def folder(self, name: str) -> Path:
        """Return where in the set the model of that name lies."""
        return self.output / name

    def resumes(self) -> bool:
        """Return whether the model goes on from its checkpoint; asked before `build`."""
        return self.resume


@dataclass(frozen=True, kw_only=True)
class CacheRun(Run):
    """What the trainings on motion are told."""

    data: Annotated[Path, tyro.conf.arg(metavar="CACHE")]
    """Cache that motiongen prepare wrote."""


@dataclass(frozen=True, kw_only=True)
class TokenizerRun(CacheRun):
    """Train the RVQ-VAE that turns motion into codes and back."""

    preset: Literal["small", "open", "large", "paper"] = "small"
    """small and open are the sizes that ship; paper has the published ones and looks ahead, so it does not stream."""
    recipe: TokenizerTrainConfig = field(default_factory=TokenizerTrainConfig)
    """Batches and loss weights."""

    def build(self) -> Recipe:
        """Return the recipe for the data."""
        model = replace(rvq_vae.PRESETS[self.preset], feature_dim=FEATURE_DIM)
        return TokenizerRecipe.from_cache(ClipCache.open(self.data), model, self.recipe)


@dataclass(frozen=True, kw_only=True)
class HeadRun(CacheRun):
    """What the training of a head is told."""

    tokenizer: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the set's)")
    ] = None
    """Folder of the tokenizer that was trained before."""
    licence: str = ""
    """Terms of the weights, for about.json; those of the data when left out."""
    preset: Literal["small", "open", "paper"] = "small"
    """small and open are the sizes that ship; paper is the published one."""

    def describe(self) -> None:
        """Write about.json, which `generate` and `models` read."""
        write_about(self.output, ClipCache.open(self.data), self.licence)

    def sources(self) -> tuple[ClipCache, RVQVAE]:
        """Return the cache and the tokenizer."""
        return ClipCache.open(self.data), tokenizers.load(self.tokenizer or self.output / "tokenizer")


@dataclass(frozen=True, kw_only=True)
class BAMMRun(HeadRun):
    """Train BAMM, which turns words into the tokenizer's codes: for files."""

    recipe: BAMMTrainConfig = field(default_factory=BAMMTrainConfig)
    """Batches: which clips, how cut and how joined."""

    def build(self) -> Recipe:
        """Return the recipe for the data."""
        cache, tokenizer = self.sources()
        return BAMMRecipe.from_cache(cache, tokenizer, bamm.PRESETS[self.preset], self.recipe)


@dataclass(frozen=True, kw_only=True)
class MogoRun(HeadRun):
    """Train Mogo, which turns words into the tokenizer's codes one by one: for streams."""

    recipe: MogoTrainConfig = field(default_factory=MogoTrainConfig)
    """Batches: which clips, how cut and how joined."""

    def build(self) -> Recipe:
        """Return the recipe for the data."""
        cache, tokenizer = self.sources()
        return MogoRecipe.from_cache(cache, tokenizer, mogo.PRESETS[self.preset], self.recipe)


@dataclass(frozen=True, kw_only=True)
class BADMRun(HeadRun):
    """Train BADM, which dances to music; the cache's dances are paired with music first."""

    space: Literal["latent", "motion", "edge"] = "latent"
    """What is denoised: the tokenizer's latents, feature frames, or EDGE's frames."""
    bidirectional: bool = True
    """Condition each slice on the next one too; without it, as in the paper's ablation, on the past alone."""
    local_decoder: bool = True
    """Refine the joined slices by convolutions."""
    beat: bool = True
    """Hear the beat as an input of its own."""
    slices: int = 6
    """Slices of a window, whose length stays."""
    recipe: BADMTrainConfig = field(default_factory=BADMTrainConfig)
    """Batches, and what is paired."""

    def __post_init__(self) -> None:
        window = badm.PRESETS[self.preset][self.space].window
        if self.slices < 2 or window % self.slices:
            raise UsageError(f"slices: expected a divisor of {window}, at least 2, got {self.slices}")

    def folder(self, name: str) -> Path:
        """Return where in the set the model of that name lies: one for each space."""
        return self.output / name / self.space

    def build(self) -> Recipe:
        """Return the recipe for the data."""
        cache = ClipCache.open(self.data)
        is_latent = self.space == "latent"
        tokenizer = tokenizers.load(self.tokenizer or self.output / "tokenizer") if is_latent else None
        sizes = badm.PRESETS[self.preset][self.space]
        model = replace(
            sizes,
            slices=self.slices,
            slice_length=sizes.window // self.slices,
            bidirectional=self.bidirectional,
            local_decoder=self.local_decoder,
            beat=self.beat,
        )
        return BADMRecipe.from_cache(cache, tokenizer, model, self.recipe)


@dataclass(frozen=True, kw_only=True)
class EvaluatorRun(CacheRun):
    """Train the evaluator, which measures how well motion and words agree."""

    recipe: EvaluatorTrainConfig = field(default_factory=EvaluatorTrainConfig)
    """Batches."""

    def build(self) -> Recipe:
        """Return the recipe for the data."""
        return EvaluatorRecipe.from_cache(ClipCache.open(self.data), self.recipe)


@dataclass(frozen=True, kw_only=True)
class CARPRun(Run):
    """Train CARP, which turns a robot's observations into actions, on demonstrations: motiongen demos."""

    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR [DIR ...]")]
    """LeRobot datasets (v2.1 or v3); of several tasks, for one policy that knows them all.

    A policy that sees learns what to do from demonstrations without pictures, where there are any whose states say in
    numbers what the others' pictures show."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Folder of the policy, which holds its action tokenizer too, its checkpoint and log."""
    preset: Literal["small", "body", "paper"] = "small"
    """small is the size that ships, body that for robots of many joints; paper is the published one for states."""
    image_size: int = 0
    """See: side of the square to which the camera's pictures are scaled, pixels; 0 for states alone."""
    action_steps: Annotated[int | None, tyro.conf.arg(help_behavior_hint="(default: the preset's)")] = None
    """Actions of a chunk that are executed before the next one is asked for."""
    temperature: float = 0.0
    """At which the policy draws its codes when it acts; 0 takes the likeliest, as published."""
    camera: Annotated[str | None, tyro.conf.arg(help_behavior_hint="(default: the only one)")] = None
    """Which of the datasets' cameras."""
    recipe: CARPTrainConfig = field(default_factory=CARPTrainConfig)
    """Batches."""

    def folder(self, name: str) -> Path:
        """Return where the policy lies: the output folder itself."""
        return self.output

    def resumes(self) -> bool:
        """Return whether the policy itself goes on; ValueError where nothing has begun."""
        return self.resume and goes_on(self.output)

    def build(self) -> Recipe:
        """Return the recipe for the demonstrations; tokenizer and observation encoder are trained first."""
        from motiongen_datasets import lerobot

        config = replace(carp.PRESETS[self.preset], image_size=self.image_size, temperature=self.temperature)
        if self.action_steps is not None:
            config = replace(config, action_steps=self.action_steps)
        model, sampler = carp_for(lerobot.read_all(self.data, self._cameras()), config, self.camera)
        if not self.resumes():
            device = arguments.resolve_device(self.device)
            train_parts(model, sampler, self.recipe, self.schedule, self.output, device, self.resume)
        return CARPRecipe(model, sampler, self.recipe)

    def _cameras(self) -> tuple[str, ...] | None:
        """Return which cameras to decode; None is all."""
        if not self.image_size:
            return ()
        return None if self.camera is None else (self.camera,)


RUNS: dict[str, type[TokenizerRun | BAMMRun | MogoRun | BADMRun | EvaluatorRun | CARPRun]] = {
    "tokenizer": TokenizerRun,
    "bamm": BAMMRun,
    "mogo": MogoRun,
    "badm": BADMRun,
    "evaluator": EvaluatorRun,
    "carp": CARPRun,
}
"""Name -> what its training is told; in the order of training."""


def main(argv: Sequence[str]) -> None:
    """Train one model; Ctrl-C saves, and --resume goes on."""
    import torch

    name, options = (argv[0], list(argv[1:])) if argv else ("", [])
    if name in ("-h", "--help"):
        print(f"usage: motiongen train {'|'.join(RUNS)} --data DIR -o DIR [options]\n\n{_purposes()}")
        return
    if name not in RUNS:
        near = difflib.get_close_matches(name, RUNS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"models: {', '.join(RUNS)}"
        raise UsageError(f"train: expected a model, got {name!r}; {hint}")
    if not any(word.split("=")[0] in ("--steps", "--minutes") for word in options):
        options += ["--minutes", "60"]
    run = arguments.parse(RUNS[name], options, f"train {name}")
    arguments.check_new_folder(run.output)
    resumes = run.resumes()
    torch.manual_seed(run.schedule.seed)  # of a model's first weights
    trainer = Trainer(run.build(), run.schedule, run.folder(name), arguments.resolve_device(run.device))
    metrics = trainer.run(resumes)
    run.describe()
    for key, value in metrics.items():
        print(f"{key:<32} {value:.4g}")
    print(run.folder(name))


def _purposes() -> str:
    return "\n".join(f"  {name:<10} {(run.__doc__ or '').splitlines()[0]}" for name, run in RUNS.items())
