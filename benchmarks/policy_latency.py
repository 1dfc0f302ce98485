"""How long policies take for a chunk of actions on one CPU thread: CARP beside baselines with as many parameters.

python -m benchmarks.policy_latency [--state-dim 16] [--action-dim 2] [--rounds 15]

Weights are random, which changes no time. The policies take turns, round after round, so that whatever else the machine
does falls on all of them; numbers are medians over rounds, and ratios of CPU time, which other work lengthens least.
LSTM-GMM answers with one action at a time: its chunk is as many answers as the others execute of theirs.
"""

import argparse
import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from benchmarks.policies import PAPER, POLICIES, AnyPolicy, ways
from benchmarks.policies.sizes import matched, parameters
from motiongen.heads import sampler_of
from motiongen.heads.carp.config import PRESETS
from motiongen.heads.carp.model import CARP

EXECUTED = 8
"""Actions of a chunk that are executed."""
DEPTH = 8
"""Layers of the published diffusion policy."""
ROUND_SECONDS = 0.05
"""How long a policy's turn is, at least a call; its fastest call counts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dim", type=int, default=16)
    parser.add_argument("--action-dim", type=int, default=2)
    parser.add_argument("--image-size", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    sizes: dict[str, Any] = {
        "state_dim": asked.state_dim,
        "action_dim": asked.action_dim,
        "image_size": asked.image_size,
    }
    groups = make_groups(sizes)
    measured = chunk_ms([model for group in groups.values() for model in group.values()], asked.rounds)
    print(f"torch {torch.__version__}, 1 thread, batch 1, {sizes}\n")
    print("| matched to | policy | parameters | ms a chunk | CPU ms | CPU ms an action | against CARP |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for title, group in groups.items():
        base = measured[0][1]
        for name, model in group.items():
            wall, cpu = measured.pop(0)
            cells = f"{parameters(model):,} | {wall:.1f} | {cpu:.1f} | {cpu / EXECUTED:.2f}"
            print(f"| {title} | {name} | {cells} | {cpu / base:.1f} x |")


def make_groups(sizes: dict[str, Any]) -> dict[str, dict[str, AnyPolicy]]:
    """Return for each CARP preset the policies as large as it, CARP first; then the published ones."""
    groups: dict[str, dict[str, AnyPolicy]] = {}
    for preset, config in PRESETS.items():
        size = replace(config, **sizes)
        group: dict[str, AnyPolicy] = {"CARP": CARP(size).eval()}
        for name, policy in POLICIES.items():
            group |= ways(policy(matched(name, size)).eval())  # type: ignore[arg-type]
        if size.num_layers != DEPTH:
            deep = matched("diffusion_policy", size, DEPTH)
            deeper = ways(POLICIES["diffusion_policy"](deep).eval())  # type: ignore[arg-type]
            group |= {f"{way}, {DEPTH} layers": model for way, model in deeper.items()}
        groups[f"CARP {preset}, {size.num_layers} layers"] = group
    published: dict[str, AnyPolicy] = {"CARP": CARP(replace(PRESETS["paper"], **sizes)).eval()}
    for name, policy in POLICIES.items():
        published |= ways(policy(replace(PAPER[name], **sizes)).eval())  # type: ignore[arg-type]
    return {**groups, "as published": published}


def chunk_ms(models: list[AnyPolicy], rounds: int) -> list[tuple[float, float]]:
    """Return the milliseconds that each model takes for the actions of a chunk at batch 1: by the clock, and of CPU."""
    generator = torch.Generator().manual_seed(0)
    seen = [observation(model) for model in models]
    taken: list[list[tuple[float, float]]] = [[] for _ in models]
    for round_ in range(rounds + 1):
        for model, batch, times in zip(models, seen, taken, strict=True):
            calls: list[tuple[float, float]] = []
            began = time.perf_counter()
            while not calls or time.perf_counter() - began < ROUND_SECONDS:
                calls.append(timed(model, batch, generator))
            if round_:  # the first one warms up
                times.append((min(wall for wall, _ in calls), min(cpu for _, cpu in calls)))
    answers = [EXECUTED / model.config.action_steps for model in models]
    medians = [torch.tensor(times).median(0).values * 1e3 for times in taken]
    return [
        (float(wall) * count, float(cpu) * count) for (wall, cpu), count in zip(medians, answers, strict=True)
    ]


def observation(model: AnyPolicy) -> dict[str, Tensor]:
    """Return something to be seen, of the sizes that a model expects."""
    config = model.config
    batch = {
        "state": torch.zeros(1, config.obs_steps, config.state_dim),
        "task": torch.zeros(1, dtype=torch.long),
    }
    if config.image_size:
        batch["image"] = torch.zeros(1, config.obs_steps, 3, *[config.image_size] * 2, dtype=torch.uint8)
    return batch


def timed(model: AnyPolicy, batch: dict[str, Tensor], generator: torch.Generator) -> tuple[float, float]:
    """Return the seconds of a call, by the clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    sampler_of(model).predict(batch, generator=generator)
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
