"""Control of files: motion held to paths, waypoints, poses and hands of held-out clips, beside the same without.

Each prompt is of another content, of a clip on its feet that the classifier recognises.

python benchmarks/control.py --data CACHE [--weights open] [--prompts 6] [--seeds 3]
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache as remembered

import torch

from motiongen import features, load
from motiongen.constraints import Constraint, JointKey, PoseKey, RootPath, Waypoint
from motiongen.data.cache import ClipCache
from motiongen.evaluation import classifier
from motiongen.evaluation.foot_skate import foot_skate_ratio, foot_skate_speed, toes_over_floor
from motiongen.evaluation.jerk import jerk
from motiongen.evaluation.prompts import EvaluationPrompt, choose_prompts
from motiongen.inference.constrained import constrained
from motiongen.inference.model import Model
from motiongen.inference.perform import perform
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22

LONGEST = 6.0
"""Seconds of a clip that are asked for."""
SHORTEST, STANDS = 3.0, 0.5
"""Least length of such a clip, seconds, and least share of its frames with a foot on the ground."""
BESIDE = 0.5
"""Seconds beside a key that count as at it."""


def xz(motion: Motion, frame: int) -> tuple[float, float]:
    x, _, z = motion.root[frame].tolist()
    return x, z


def path(clip: Motion) -> list[Constraint]:
    frames = range(0, clip.num_frames, 3)
    return [RootPath(times=tuple(f / clip.fps for f in frames), points=tuple(xz(clip, f) for f in frames))]


def at_thirds(clip: Motion) -> list[int]:
    return [clip.num_frames // 3, 2 * clip.num_frames // 3, clip.num_frames - 1]


def waypoints(clip: Motion) -> list[Constraint]:
    return [
        Waypoint(time=f / clip.fps, x=xz(clip, f)[0], z=xz(clip, f)[1], heading=float(clip.heading()[f]))
        for f in at_thirds(clip)
    ]


def poses(clip: Motion) -> list[Constraint]:
    return [
        PoseKey.from_motion(clip, f / clip.fps, time=f / clip.fps, in_place=False)
        for f in at_thirds(clip)[:2]
    ]


def hands(clip: Motion) -> list[Constraint]:
    """Hands where the clip has them, seen from where the motion's own root is: see `placed`."""
    return [
        JointKey(
            joint=name,
            time=f / clip.fps,
            position=tuple(clip.positions()[f, SMPL22.index(name)].tolist()),
            rotation=tuple(clip.global_rotations()[f, SMPL22.index(name)].tolist()),
        )
        for f, name in zip(at_thirds(clip)[:2], ("right_wrist", "left_wrist"), strict=True)
    ]


def hands_on_the_way(clip: Motion) -> list[Constraint]:
    return [*waypoints(clip)[:2], *hands(clip)]


KINDS: dict[str, Callable[[Motion], list[Constraint]]] = {
    "a path": path, "three waypoints": waypoints, "two poses": poses, "two hands": hands_on_the_way,
}  # fmt: skip


@dataclass
class Row:
    """What is measured of one kind of control, over all prompts and seeds."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    turned: list[float] = field(default_factory=list)
    joints: list[tuple[float, float]] = field(default_factory=list)
    motions: list[tuple[EvaluationPrompt, Motion]] = field(default_factory=list)
    at_keys: list[float] = field(default_factory=list)


def jerk_at(motion: Motion, times: Sequence[float]) -> float:
    """Return the jerk beside times, as a multiple of that elsewhere."""
    near = torch.zeros(motion.num_frames, dtype=torch.bool)
    for moment in times:
        first = max(0, round((moment - BESIDE) * motion.fps))
        near[first : round((moment + BESIDE) * motion.fps)] = True
    positions = motion.positions()
    third = (
        (positions[3:] - 3 * positions[2:-1] + 3 * positions[1:-2] - positions[:-3]).norm(dim=-1).mean(dim=-1)
    )
    near = near[2:-1]
    return float(third[near].mean() / third[~near].mean()) if near.any() and not near.all() else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--classifier", default="benchmarks/evaluation/classifier")
    parser.add_argument("--prompts", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    clips, labels, model = (
        ClipCache.open(args.data),
        classifier.load(args.classifier),
        load("bamm", args.weights),
    )
    moves = _moves(clips, labels, args.prompts)
    rows = {name: Row() for name in ("none", *KINDS)}
    for prompt in moves:
        clip = features.decode(clips.features(prompt.clip, prompt.mirrored)).at_origin()
        clip = clip[: round(LONGEST * clip.fps)]
        for seed in range(args.seeds):
            _measure(model, prompt, clip, seed, rows)
    print(", ".join(prompt.content or "" for prompt in moves))
    print(f"{len(moves)} prompts, seeds 0 to {args.seeds - 1}\n")
    print("| | before | after | angle | skate m/s | skating | content | jerk | jerk at keys / elsewhere |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, row in rows.items():
        print(_line(name, row, labels))
    _cost(model)


def _moves(clips: ClipCache, labels: classifier.MotionClassifier, count: int) -> list[EvaluationPrompt]:
    """Return prompts, one a content, of clips that are long enough, on their feet, and recognised."""
    found: dict[str, EvaluationPrompt] = {}
    for prompt in choose_prompts(clips, 1000, torch.Generator().manual_seed(0)):
        if prompt.content is None or prompt.content in found:
            continue
        clip = clips.features(prompt.clip, prompt.mirrored)
        stands = features.decode(clip).contacts().any(dim=1).float().mean() > STANDS
        if (
            len(clip) >= SHORTEST * features.FPS
            and stands
            and labels.recognise([clip])[0] == [prompt.content]
        ):
            found[prompt.content] = prompt
        if len(found) == count:
            break
    return list(found.values())


def _measure(model: Model, prompt: EvaluationPrompt, clip: Motion, seed: int, rows: dict[str, Row]) -> None:
    """Add one prompt and seed to the rows."""

    @remembered
    def write(seconds: float | None):
        written = perform(model, [prompt.text], seconds=seconds, seed=seed)
        return [type(each)(each.motion.with_locked_feet(), each.parts) for each in written]

    rows["none"].motions.append((prompt, write(clip.seconds)[0].motion))
    for name, kind in KINDS.items():
        asked, row = kind(clip), rows[name]
        held = constrained(write, asked, prompts=1, seconds=clip.seconds, start=None)[0]
        row.motions.append((prompt, held.motion))
        for outcome in held.outcomes:
            if name == "two hands" and outcome.constraint.kind != "joint":
                continue
            row.before.append(outcome.before or 0.0)
            row.after.append(outcome.after or 0.0)
            if outcome.turned_after is not None:
                row.turned.append(outcome.turned_after)
        if name != "a path":
            times = [each.span[0] for each in asked]
            row.at_keys.append(jerk_at(held.motion, times))
            if name == "two poses":
                rows["none"].at_keys.append(jerk_at(write(clip.seconds)[0].motion, times))


def _line(name: str, row: Row, labels: classifier.MotionClassifier) -> str:
    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    prompts, motions = zip(*row.motions, strict=True)
    said = labels.recognise([features.encode(motion) for motion in motions])[0]
    right = mean([float(word == prompt.content) for word, prompt in zip(said, prompts, strict=True)])
    toes = [(toes_over_floor(motion), motion.fps) for motion in motions]
    errors = [f"{100 * mean(each):.1f} cm" if each else "" for each in (row.before, row.after)]
    angle = f"{torch.tensor(row.turned).rad2deg().mean():.1f}°" if row.turned else ""
    slides = mean([float(foot_skate_speed(*each)) for each in toes])
    skating = mean([float(foot_skate_ratio(*each)) for each in toes])
    shakes = mean([float(jerk(motion.positions(), motion.fps)) for motion in motions])
    at_keys = f"{mean(row.at_keys):.2f}" if row.at_keys else ""
    return (
        f"| {name} | {errors[0]} | {errors[1]} | {angle} | {slides:.3f} | {skating:.1%} | {right:.1%} | "
        f"{shakes:.0f} | {at_keys} |"
    )


def _cost(model: Model) -> None:
    """Print the seconds of a 6-s clip with five keys and without, the median of three runs each, taken in turn."""
    asked = [
        Waypoint(time=2.0, x=0.0, z=2.0),
        Waypoint(time=5.0, x=1.0, z=4.5),
        JointKey(joint="right_wrist", time=2.0, position=(-0.3, 1.4, 2.4)),
        JointKey(joint="left_wrist", time=5.0, position=(1.3, 1.3, 4.9)),
        JointKey(joint="head", time=3.5, position=(0.5, 1.5, 3.3)),
    ]

    def write(seconds: float | None):
        return perform(model, ["a person walks forward"], seconds=seconds, seed=0)

    ways = {
        "without": lambda: write(6.0),
        "with": lambda: constrained(write, asked, prompts=1, seconds=6.0, start=None),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            spent[name].append(time.perf_counter() - start)
    middle = {name: sorted(each)[1] for name, each in spent.items()}
    print(f"\n6 s: {middle['without']:.2f} s; with five keys {middle['with']:.2f} s", end="")
    print(f" ({middle['with'] / middle['without']:.2f} x)")


if __name__ == "__main__":
    main()
