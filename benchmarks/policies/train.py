"""Trains a baseline like CARP: same windows, batches, optimizer, schedule and initial encoder.

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
from motiongen.data.demonstrations import Demonstrations, split_states
from motiongen.devices import resolve_device
from motiongen.heads.carp.config import PRESETS, CARPConfig, CARPTrainConfig
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import has_trained_parts, train_parts
from motiongen.modules.policy_config import PolicyConfig
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from motiongen_datasets import lerobot


def main() -> None:
    args = parse()
    args.device = str(resolve_device(args.device))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    schedule = TrainConfig(
        steps=args.steps,
        minutes=0.0 if args.steps else args.minutes,
        learning_rate=args.learning_rate,
        seed=args.seed,
    )
    recipe = CARPTrainConfig(
        batch_size=args.batch_size,
        tokenizer_steps=args.tokenizer_steps,
        encoder_steps=args.encoder_steps,
    )
    cameras = None if args.image_size else ()
    demonstrations = split_states(lerobot.read_all(args.data, (args.camera,) if args.camera else cameras))
    torch.manual_seed(schedule.seed)  # of the first weights
    model, sampler = build(args, demonstrations)
    resumes = args.resume and has_trained_parts(args.output)
    if not resumes:
        prepare(model, demonstrations, args, recipe, schedule)
    trainer = Trainer(BaselineRecipe(model, sampler, recipe), schedule, args.output, args.device)
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
    args: argparse.Namespace, demonstrations: Sequence[Demonstrations]
) -> tuple[Baseline, ChunkSampler]:
    """Return a new model with the sizes and normalisers of the data, and the sampler of its training windows."""
    if args.preset == "matched":
        own = {"image_size": args.image_size, "action_steps": args.action_steps}
        size = replace(PRESETS[args.carp], **own)
        config = matched(args.name, sized_for(size, demonstrations), args.layers)
    else:
        config = sized_for(replace(PAPER[args.name], image_size=args.image_size), demonstrations)
    sampler = ChunkSampler(demonstrations, config, args.camera)
    model: Baseline = POLICIES[args.name](config)  # type: ignore[arg-type]
    encoder = model.observation.frame if isinstance(model.observation, FrameEncoder) else model.observation
    sampler.fit(encoder, model.action_normaliser)
    return model, sampler


def prepare(
    model: Baseline,
    demonstrations: Sequence[Demonstrations],
    args: argparse.Namespace,
    recipe: CARPTrainConfig,
    schedule: TrainConfig,
) -> None:
    """Run CARP's first training stages: the observation encoder, and the action tokenizer if there is one.

    An encoder of single frames is trained as that of a CARP with one observation step. Stages with a checkpoint in the
    output folder are skipped: copy the `encoder` folder of a CARP there to start with the same encoder.
    """
    if isinstance(model, FlatAR):
        sampler = ChunkSampler(demonstrations, model.config, args.camera)
        train_parts(model, sampler, recipe, schedule, args.output, args.device, resume=True)
        return
    assert isinstance(model.observation, FrameEncoder)
    seen = model.observation.frame.config
    sizes = {field.name: getattr(seen, field.name) for field in fields(PolicyConfig)}
    chunk = {name: getattr(CARPConfig(), name) for name in ("horizon", "action_steps")}
    donor = CARP(CARPConfig(**{**sizes, **chunk}))
    sampler = ChunkSampler(demonstrations, donor.config, args.camera)
    sampler.fit(donor.observation, donor.action_normaliser)
    parts = replace(recipe, tokenizer_steps=0)
    train_parts(donor, sampler, parts, schedule, args.output, args.device, resume=True)
    model.observation.frame.load_state_dict(donor.observation.state_dict())


if __name__ == "__main__":
    main()
