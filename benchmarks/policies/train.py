"""Trains a baseline as CARP is trained: same windows, batches, optimizer and schedule, same start of the encoder.

python -m benchmarks.policies.train diffusion_policy --data DIR -o DIR --minutes 60
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import torch

from benchmarks.policies import PAPER, POLICIES, Baseline
from benchmarks.policies.flat_ar import FlatAR
from benchmarks.policies.frames import FrameEncoder
from benchmarks.policies.recipe import BaselineRecipe
from benchmarks.policies.sizes import matched
from motiongen.data.chunks import ChunkSampler, sized_for
from motiongen.data.demonstrations import Demonstrations, parted
from motiongen.heads.carp.config import PRESETS, CARPConfig, CARPTrainConfig
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import has_trained_parts, train_parts
from motiongen.modules.policy_config import PolicyConfig
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from motiongen_datasets import lerobot


def main() -> None:
    asked = parse()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    schedule = TrainConfig(
        steps=asked.steps,
        minutes=0.0 if asked.steps else asked.minutes,
        learning_rate=asked.learning_rate,
        seed=asked.seed,
    )
    recipe = CARPTrainConfig(
        batch_size=asked.batch_size,
        tokenizer_steps=asked.tokenizer_steps,
        encoder_steps=asked.encoder_steps,
    )
    cameras = None if asked.image_size else ()
    demonstrations = parted(lerobot.read_all(asked.data, (asked.camera,) if asked.camera else cameras))
    torch.manual_seed(schedule.seed)  # of the first weights
    model, sampler = build(asked, demonstrations)
    resumes = asked.resume and has_trained_parts(asked.output)
    if not resumes:
        prepare(model, demonstrations, asked, recipe, schedule)
    trainer = Trainer(BaselineRecipe(model, sampler, recipe), schedule, asked.output, asked.device)
    for key, value in trainer.run(resumes).items():
        print(f"{key:<32} {value:.4g}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=POLICIES)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="LeRobot datasets")
    parser.add_argument("-o", "--output", type=Path, required=True)
    sizes = "as many parameters as CARP, or as published"
    parser.add_argument("--preset", choices=("matched", "paper"), default="matched", help=sizes)
    parser.add_argument(
        "--carp", choices=PRESETS, default="small", help="the CARP that matched is matched to"
    )
    parser.add_argument("--layers", type=int, help="of a matched transformer; by default as many as CARP has")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="where no steps are given")
    parser.add_argument("--learning-rate", type=float, default=TrainConfig.learning_rate)
    parser.add_argument("--batch-size", type=int, default=CARPTrainConfig.batch_size)
    parser.add_argument(
        "--tokenizer-steps", type=int, default=CARPTrainConfig.tokenizer_steps, help="of flat_ar"
    )
    parser.add_argument("--encoder-steps", type=int, default=CARPTrainConfig.encoder_steps)
    parser.add_argument(
        "--action-steps", type=int, default=PRESETS["small"].action_steps, help="of a chunk, executed"
    )
    parser.add_argument("--image-size", type=int, default=0, help="pixels; 0 for states alone")
    parser.add_argument("--camera")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def build(
    asked: argparse.Namespace, demonstrations: Sequence[Demonstrations]
) -> tuple[Baseline, ChunkSampler]:
    """Return a new model sized and normalised for the data, and what draws its batches."""
    if asked.preset == "matched":
        own = {"image_size": asked.image_size, "action_steps": asked.action_steps}
        size = replace(PRESETS[asked.carp], **own)
        config = matched(asked.name, sized_for(size, demonstrations), asked.layers)
    else:
        config = sized_for(replace(PAPER[asked.name], image_size=asked.image_size), demonstrations)
    sampler = ChunkSampler(demonstrations, config, asked.camera)
    model: Baseline = POLICIES[asked.name](config)  # type: ignore[arg-type]
    encoder = model.observation.frame if isinstance(model.observation, FrameEncoder) else model.observation
    sampler.fit(encoder, model.action_normaliser)
    return model, sampler


def prepare(
    model: Baseline,
    demonstrations: Sequence[Demonstrations],
    asked: argparse.Namespace,
    recipe: CARPTrainConfig,
    schedule: TrainConfig,
) -> None:
    """Train what CARP trains before the rest: the observation encoder, and the action tokenizer where there is one.

    An encoder of single frames is trained as that of a CARP that sees one. Parts whose checkpoints are in the output
    folder are not trained again: copy a CARP's `encoder` there to begin with the very same one.
    """
    if isinstance(model, FlatAR):
        sampler = ChunkSampler(demonstrations, model.config, asked.camera)
        train_parts(model, sampler, recipe, schedule, asked.output, asked.device, resume=True)
        return
    assert isinstance(model.observation, FrameEncoder)
    seen = model.observation.frame.config
    sizes = {field.name: getattr(seen, field.name) for field in fields(PolicyConfig)}
    chunk = {name: getattr(CARPConfig(), name) for name in ("horizon", "action_steps")}
    donor = CARP(CARPConfig(**{**sizes, **chunk}))
    sampler = ChunkSampler(demonstrations, donor.config, asked.camera)
    sampler.fit(donor.observation, donor.action_normaliser)
    parts = replace(recipe, tokenizer_steps=0)
    train_parts(donor, sampler, parts, schedule, asked.output, asked.device, resume=True)
    model.observation.frame.load_state_dict(donor.observation.state_dict())


if __name__ == "__main__":
    main()
