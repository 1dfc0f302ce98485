"""Trainings of all recipes, in this process or by torchrun in several: -m tests.core.training.shared_steps FOLDER."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from motiongen.checkpoint import read_json
from motiongen.heads import HEADS
from motiongen.heads.carp.config import CARPTrainConfig
from motiongen.heads.carp.parts import ActionVQRecipe, EncoderRecipe, train_parts
from motiongen.heads.carp.recipe import CARPRecipe, carp_for
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from motiongen.training.processes import Processes, joined
from tests.core.heads.carp.test_recipe import SIZES, reaching
from tests.core.heads.contract import KITS
from tests.core.training.test_loop import trainer

BATCHES = 2
STEPS, FEW_STEPS = 50, 10
"""Steps of the tokenizers, which learn without gradients, too; and of all others."""


def recipes(folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield names, and functions that make recipes, whose files are in a folder."""
    config = CARPTrainConfig(tokenizer_batch_size=16, encoder_batch_size=16)
    yield "tokenizer", lambda: trainer(folder / "tokenizer", accumulate=BATCHES).recipe
    yield "action_vq", lambda: ActionVQRecipe(*carp_for([reaching()], SIZES), config)
    yield "encoder", lambda: EncoderRecipe(*carp_for([reaching()], SIZES), config)
    for spec in HEADS.values():
        yield spec.name, lambda spec=spec: KITS[spec.kind].recipe(spec, folder / f"cache-{spec.name}")


def train_policy(folder: Path) -> list[float]:
    """Return what a CARP is after all of its stages: held-out losses, and the sum of its weights."""
    torch.manual_seed(0)
    model, sampler = carp_for([reaching()], SIZES)
    config = CARPTrainConfig(batch_size=16, tokenizer_steps=3, encoder_steps=3)
    schedule = TrainConfig(steps=3, accumulate=BATCHES, autocast=False)
    train_parts(model, sampler, config, schedule, folder)
    run = Trainer(CARPRecipe(model, sampler, config), schedule, folder)
    run.run()
    losses = read_json(folder / "checkpoint" / "state.json")["metrics"]
    return [*losses.values(), float(sum(p.detach().double().abs().sum() for p in run.ema.model.parameters()))]


def train_all(folder: Path) -> dict[str, list[float]]:
    """Return the loss of each step, by recipe, and last the sum of all weights; and `train_policy`."""
    processes, found = Processes.current(), {}
    for name, make in recipes(folder):
        torch.manual_seed(0)
        with processes.first_alone():
            recipe = make()
        steps = STEPS if name in ("tokenizer", "action_vq") else FEW_STEPS
        schedule = TrainConfig(steps=steps, accumulate=BATCHES, autocast=False)
        run = Trainer(recipe, schedule, folder / name)
        found[name] = [run.train_step()["loss"] for _ in range(steps)]
        found[name].append(float(sum(p.detach().double().abs().sum() for p in run.ema.model.parameters())))
    return found | {"policy": train_policy(folder / "policy")}


if __name__ == "__main__":
    torch.set_num_threads(1)
    with joined("cpu") as these:
        results = train_all(Path(sys.argv[1]))
        if these.is_first:
            print(json.dumps(results))
