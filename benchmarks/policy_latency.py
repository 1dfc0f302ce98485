"""Policy latency benchmark: time of an action chunk on one CPU thread, of CARP and baselines of the same size.

python -m benchmarks.policy_latency [--state-dim 16] [--action-dim 2] [--rounds 15]

Weights are random, which does not affect the time. The policies take turns, so that other load on the machine affects
all of them; values are medians over rounds, and ratios are of CPU time, which other load affects least. LSTM-GMM
predicts one action at a time: its chunk is as many predictions as the others execute actions.
"""

import argparse
import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from benchmarks.policies import PAPER, POLICIES, AnyPolicy, sampling_variants
from benchmarks.policies.sizes import matched, parameters
from motiongen.heads import sampler_of
from motiongen.heads.carp.config import PRESETS
from motiongen.heads.carp.model import CARP

EXECUTED = 8
"""Actions of a chunk that are executed."""
DEPTH = 8
"""Layers of the published diffusion policy."""
ROUND_SECONDS = 0.05
"""Length of the turn of a policy, at least one call; its fastest call counts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dim", type=int, default=16)
    parser.add_argument("--action-dim", type=int, default=2)
    parser.add_argument("--image-size", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sizes: dict[str, Any] = {
        "state_dim": args.state_dim,
        "action_dim": args.action_dim,
        "image_size": args.image_size,
    }
    groups = make_groups(sizes)
    measured = chunk_ms([model for group in groups.values() for model in group.values()], args.rounds)
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
    """Return the policies of the size of each CARP preset, CARP first, and those of published sizes."""
    groups: dict[str, dict[str, AnyPolicy]] = {}
    for preset, config in PRESETS.items():
        size = replace(config, **sizes)
        group: dict[str, AnyPolicy] = {"CARP": CARP(size).eval()}
        for name, policy in POLICIES.items():
            group |= sampling_variants(policy(matched(name, size)).eval())  # type: ignore[arg-type]
        if size.num_layers != DEPTH:
            deep = matched("diffusion_policy", size, DEPTH)
            deeper = sampling_variants(POLICIES["diffusion_policy"](deep).eval())  # type: ignore[arg-type]
            group |= {f"{way}, {DEPTH} layers": model for way, model in deeper.items()}
        groups[f"CARP {preset}, {size.num_layers} layers"] = group
    published: dict[str, AnyPolicy] = {"CARP": CARP(replace(PRESETS["paper"], **sizes)).eval()}
    for name, policy in POLICIES.items():
        published |= sampling_variants(policy(replace(PAPER[name], **sizes)).eval())  # type: ignore[arg-type]
    return {**groups, "as published": published}


def chunk_ms(models: list[AnyPolicy], rounds: int) -> list[tuple[float, float]]:
    """Return the wall time and the CPU time of a chunk, milliseconds at batch 1, of each model."""
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
    """Return a zero observation of the shapes that a model expects."""
    config = model.config
    batch = {
        "state": torch.zeros(1, config.obs_steps, config.state_dim),
        "task": torch.zeros(1, dtype=torch.long),
    }
    if config.image_size:
        batch["image"] = torch.zeros(1, config.obs_steps, 3, *[config.image_size] * 2, dtype=torch.uint8)
    return batch


def timed(model: AnyPolicy, batch: dict[str, Tensor], generator: torch.Generator) -> tuple[float, float]:
    """Return the wall time and the CPU time of a call, seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    sampler_of(model).predict(batch, generator=generator)
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
