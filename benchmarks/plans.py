"""Plan benchmark: whether sentences of several acts, counts, turns and speeds give what they say, with a plan or not.

python benchmarks/plans.py [--weights full open] [--head bamm] [--seeds 3] [--list]
"""

import argparse
import math
from collections.abc import Callable
from functools import partial

from motiongen import load
from motiongen.evaluation.acts import follow, spans, sways
from motiongen.evaluation.foot_skate import foot_skate_speed, toes_over_floor
from motiongen.inference.model import Model
from motiongen.inference.perform import perform
from motiongen.motion import Motion
from motiongen.shaping.steps import footfalls
from motiongen.shaping.turning import net_turn

Check = Callable[[Motion], bool]

SEQUENCES = [
    ("a person walks forward, then waves", "walk", "wave"), ("a person waves, then walks forward", "wave", "walk"),
    ("a person walks and then jumps", "walk", "jump"), ("a person jumps, then bows", "jump", "bow"),
    ("a person bows, then walks away", "bow", "walk"), ("a person kicks, then punches", "kick", "punch"),
    ("a person punches before kicking", "punch", "kick"), ("a person squats, after that jumps", "squat", "jump"),
    ("a man walks forward. Then he kicks.", "walk", "kick"), ("a person claps, then waves", "clap", "wave"),
    ("after jumping, a person walks forward", "jump", "walk"), ("a person runs forward, then squats", "walk", "squat"),
]  # fmt: skip
COUNTS = [
    ("a person jumps twice", "jump", 2), ("a person jumps three times", "jump", 3),
    ("a person kicks twice", "kick", 2), ("a person kicks three times", "kick", 3),
    ("a person squats twice", "squat", 2), ("a person does three squats", "squat", 3),
    ("a person bows twice", "bow", 2), ("a person waves three times", "sways", 3),
    ("a person waves five times", "sways", 5), ("a person punches twice", "punch", 2),
    ("a person takes three steps forward", "steps", 3), ("a person walks five steps", "steps", 5),
]  # fmt: skip
TURNS = [
    ("a person turns around", 180), ("a person turns left", 90), ("a person turns to the right", -90),
    ("a person walks forward and turns right", -90), ("a person walks forward, then turns around", 180),
    ("a person spins around", 360), ("a person walks in a circle", 360), ("a person walks in a circle clockwise", -360),
    ("a person runs in a circle", 360), ("a person walks in a circle to the left", 360),
]  # fmt: skip
TEMPI = [
    ("a person walks slowly", "a person walks", 0.55, 0.9), ("a person walks quickly", "a person walks", 1.1, 1.8),
    ("a person walks forward very slowly", "a person walks forward", 0.4, 0.8),
    ("a person walks forward fast", "a person walks forward", 1.1, 1.8),
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", nargs="+", default=["full", "open"])
    parser.add_argument("--head", default="bamm")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--list", action="store_true", help="say what each sentence gave")
    args = parser.parse_args()
    print(
        "| | X, then Y: both | counts | steps | turns | circles | speeds | skate, m/s |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for weights in args.weights:
        model = load(args.head, weights)
        for name, generate in (("with", _planned(model)), ("without", _plain(model))):
            print(_row(f"{args.head} `{weights}`, {name} plan", generate, args.seeds, args.list), flush=True)


def _planned(model: Model) -> Callable[[str, int], Motion]:
    return lambda text, seed: perform(model, [text], seed=seed)[0].motion


def _plain(model: Model) -> Callable[[str, int], Motion]:
    return lambda text, seed: model.sequence([text], seed=seed)[0].motion


def _row(name: str, generate: Callable[[str, int], Motion], seeds: int, lists: bool) -> str:
    made: list[Motion] = []

    def share(prompts: list[tuple[str, Check]]) -> str:
        hits = []
        for text, check in prompts:
            motions = [generate(text, seed) for seed in range(seeds)]
            found = [check(motion) for motion in motions]
            made.extend(motions)
            hits += found
            if lists:
                print(f"  {text}: {sum(found)}/{seeds}", flush=True)
        return f"{sum(hits)}/{len(hits)}"

    cells = [
        share([(text, partial(follow, first=a, second=b)) for text, a, b in SEQUENCES]),
        share([(text, _counted(act, count)) for text, act, count in COUNTS if act != "steps"]),
        share([(text, _counted(act, count)) for text, act, count in COUNTS if act == "steps"]),
        share([(text, _turned(angle)) for text, angle in TURNS if abs(angle) < 360 or "circle" not in text]),
        share([(text, _closed(angle)) for text, angle in TURNS if "circle" in text]),
        share([(text, _speed(generate, base, low, high)) for text, base, low, high in TEMPI]),
    ]
    skate = sum(float(foot_skate_speed(toes_over_floor(motion), motion.fps)) for motion in made) / len(made)
    return f"| {name} | {' | '.join(cells)} | {skate:.3f} |"


def _counted(act: str, count: int) -> Check:
    if act == "steps":  # the last step that brings the feet together counts, or not
        return lambda motion: count <= len(footfalls(motion)) <= count + 1
    if act == "sways":
        return lambda motion: sways(motion) == count
    return lambda motion: len(spans(motion, act)) == count


def _turned(angle: float) -> Check:
    """Within 30 degrees; half a turn may go to either side."""

    def check(motion: Motion) -> bool:
        found = math.degrees(net_turn(motion))
        return abs(found - angle) < 30 or (angle == 180 and abs(found + angle) < 30)

    return check


def _closed(angle: float) -> Check:
    """Turned by a whole turn within 45 degrees, and back within a quarter of the way across."""

    def check(motion: Motion) -> bool:
        path = motion.root[:, [0, 2]]
        way = float((path[1:] - path[:-1]).norm(dim=-1).sum())
        gap = float((path[-1] - path[0]).norm())
        return abs(math.degrees(net_turn(motion)) - angle) < 45 and way > 2 and gap < 0.25 * way

    return check


def _speed(generate: Callable[[str, int], Motion], base: str, low: float, high: float) -> Check:
    usual = [_mean_speed(generate(base, seed)) for seed in range(3)]
    return lambda motion: low < _mean_speed(motion) / (sum(usual) / 3) < high


def _mean_speed(motion: Motion) -> float:
    path = motion.root[:, [0, 2]]
    return float((path[1:] - path[:-1]).norm(dim=-1).mean()) * motion.fps


if __name__ == "__main__":
    main()
