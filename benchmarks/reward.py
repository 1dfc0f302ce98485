"""Rewards: what four plain ones bring a stream and a clip, whether the content is still recognised, and what they cost.

Each prompt is written with and without, by several seeds; all of it in one run.

python benchmarks/reward.py [--weights open] [--prompts 6] [--seeds 3] [--candidates 8]
"""

import argparse
import time
from collections.abc import Callable, Sequence

from torch import Tensor

from motiongen import features, load
from motiongen.evaluation import classifier
from motiongen.evaluation.jerk import jerk
from motiongen.inference.perform import perform
from motiongen.motion import Motion
from motiongen.reward import CANDIDATES, SEED_STRIDE, Guide, Reward
from motiongen.skeleton import SMPL22
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import play, to_motion

PROMPTS = {
    "walk": "a person walks forward",
    "run": "a person runs",
    "kick": "a person kicks",
    "punch": "a person punches",
    "jump": "a person jumps",
    "dance": "a person dances",
}
SECONDS = 6.0
LOW = 0.12
"""Height under which a toe is on the ground, metres."""
TOES = [SMPL22.index("left_foot"), SMPL22.index("right_foot")]
HIPS = [SMPL22.index("left_hip"), SMPL22.index("right_hip")]


def hand_high(joints: Tensor) -> Tensor:
    """Mean height of the right wrist, metres."""
    return joints[:, :, SMPL22.index("right_wrist"), 1].mean(dim=1)


def near_origin(joints: Tensor) -> Tensor:
    """Mean distance of the pelvis from the origin, metres, negated."""
    return -joints[:, :, 0, [0, 2]].norm(dim=-1).mean(dim=1)


def face_north(joints: Tensor) -> Tensor:
    """Mean cosine of the angle between the hips' facing and +Z."""
    left = (joints[:, :, HIPS[0]] - joints[:, :, HIPS[1]])[..., [0, 2]]
    return (left[..., 0] / left.norm(dim=-1)).mean(dim=1)


def still_feet(joints: Tensor) -> Tensor:
    """Mean speed of toes on the ground, m/s, negated."""
    toes = joints[:, :, TOES]
    speed = (toes[:, 1:] - toes[:, :-1])[..., [0, 2]].norm(dim=-1) * features.FPS
    is_low = (toes[:, 1:, :, 1] < LOW).float()
    return -(speed * is_low).sum(dim=(1, 2)) / is_low.sum(dim=(1, 2)).clamp_min(1)


REWARDS: dict[str, Reward] = {
    "right hand high, m": hand_high,
    "near the origin, m": near_origin,
    "faces north, cosine": face_north,
    "feet slide little, m/s": still_feet,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--classifier", default="benchmarks/evaluation/classifier")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--ways", nargs="+", choices=("stream", "clip"), default=("stream", "clip"))
    args = parser.parse_args()
    labels = classifier.load(args.classifier)
    cases = [(name, seed) for name in list(PROMPTS)[: args.prompts] for seed in range(args.seeds)]
    print(f"{args.candidates} candidates, {len(cases) // args.seeds} prompts, seeds 0 to {args.seeds - 1}\n")
    print(
        "| reward | without | with | better or equal | content without | content with | jerk without | with |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for way in args.ways:
        write = streamed(args) if way == "stream" else clipped(args)
        written = [write(PROMPTS[name], seed) for name, seed in cases]
        names = [name for name, _ in cases]
        for reward, score in REWARDS.items():
            before = [found["none"] for found in written]
            after = [found[reward] for found in written]
            print(f"| {way}: {reward} | {row(score, before, after, names, labels)} |", flush=True)
    costs(args)


def row(
    score: Reward, before: Sequence[Motion], after: Sequence[Motion], names: Sequence[str], labels: Callable
) -> str:
    scores = [[float(score(each.positions()[None])[0]) for each in motions] for motions in (before, after)]
    means = [sum(each) / len(each) for each in scores]
    better = sum(new >= old for old, new in zip(*scores, strict=True)) / len(names)
    shares = []
    for motions in (before, after):
        said = labels.recognise([features.encode(motion) for motion in motions])[0]
        shares.append(sum(word == name for word, name in zip(said, names, strict=True)) / len(names))
    shakes = [
        sum(float(jerk(m.positions(), m.fps)) for m in motions) / len(names) for motions in (before, after)
    ]
    return (
        f"{means[0]:.2f} | {means[1]:.2f} | {better:.0%} | {shares[0]:.0%} | {shares[1]:.0%} | "
        f"{shakes[0]:.0f} | {shakes[1]:.0f}"
    )


def streamed(args: argparse.Namespace) -> Callable[[str, int], dict[str, Motion]]:
    """Return a function that streams a prompt without a reward and with each."""
    scheduler = StreamScheduler(load("mogo", args.weights), batch_sizes=(8,))

    def write(prompt: str, seed: int) -> dict[str, Motion]:
        found = {}
        for name, reward in {"none": None, **REWARDS}.items():
            one = scheduler.open(prompt=prompt, seed=seed, reward=reward, candidates=args.candidates)
            found[name] = to_motion(play(scheduler, one, round(SECONDS * scheduler.fps)))
            one.close()
        return found

    return write


def clipped(args: argparse.Namespace) -> Callable[[str, int], dict[str, Motion]]:
    """Return a function that writes the candidates of a prompt once, and takes the first and that of each reward."""
    model = load("bamm", args.weights)

    def write(prompt: str, seed: int) -> dict[str, Motion]:
        found = perform(model, [prompt], count=args.candidates, seed=seed, stride=SEED_STRIDE)
        motions = [each.motion.with_locked_feet() for each in found]
        joints = [motion.positions() for motion in motions]
        best = {
            name: motions[Guide(reward, args.candidates).best(joints)] for name, reward in REWARDS.items()
        }
        return {"none": motions[0], **best}

    return write


def costs(args: argparse.Namespace) -> None:
    """Print what a reward costs, beside the same without, in turn: the medians of five runs each."""
    scheduler, bamm = (
        StreamScheduler(load("mogo", args.weights), batch_sizes=(8, 1)),
        load("bamm", args.weights),
    )

    def stream(guided: bool) -> None:
        reward = hand_high if guided else None
        one = scheduler.open(prompt=PROMPTS["walk"], seed=0, reward=reward, candidates=args.candidates)
        play(scheduler, one, round(SECONDS * scheduler.fps))
        one.close()

    def clip(guided: bool) -> None:
        count = args.candidates if guided else 1
        found = perform(bamm, [PROMPTS["walk"]], count=count, seconds=SECONDS, seed=0, stride=SEED_STRIDE)
        joints = [each.motion.with_locked_feet().positions() for each in found]
        Guide(hand_high, count).best(joints)

    for name, way in {"a stream's 6 s": stream, "a clip of 6 s": clip}.items():
        spent: dict[bool, list[float]] = {False: [], True: []}
        for run in range(6):
            for guided, each in spent.items():
                began = time.perf_counter()
                way(guided)
                if run:
                    each.append(time.perf_counter() - began)
        without, guided = (sorted(each)[len(each) // 2] for each in spent.values())
        print(
            f"\n{name}: {without:.2f} s; with {args.candidates} candidates {guided:.2f} s ({guided / without:.2f} x)"
        )


if __name__ == "__main__":
    main()
