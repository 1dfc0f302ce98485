"""Retargeting: frames a second, and how feet slide and forearms twist on characters of other proportions.

python benchmarks/retarget.py CLIP … --characters AVATAR … [--runs 3]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from motiongen import Motion
from motiongen.evaluation.foot_skate import foot_skate_speed
from motiongen.humanoid import humanoid_map
from motiongen.retargeting import Body, Character, Retargeter, find_t_pose, leg_length, retarget
from motiongen.retargeting.soles import SMPL_LEG
from motiongen.rotation import quat_inverse, quat_multiply, quat_rotate
from motiongen.skeleton import Skeleton, local_rotations


def joint_by_joint(motion: Motion, target: Skeleton) -> Motion:
    """Return the motion on a target by rotations alone, a joint at a time: how it was done before."""
    source, mapping, own = motion.skeleton, humanoid_map(motion.skeleton), humanoid_map(target)
    source_t, _ = source.fk(find_t_pose(source, mapping, motion), motion.root.new_zeros(3))
    target_t, _ = target.fk(find_t_pose(target, own), motion.root.new_zeros(3))
    world = motion.global_rotations()
    part = {own[name]: mapping[name] for name in mapping if name in own}
    turned: list[Tensor] = []
    for joint, name in enumerate(target.names):
        if name in part:
            at = source.index(part[name])
            change = quat_multiply(world[:, at], quat_inverse(source_t[at]))
            turned.append(quat_multiply(change, target_t[joint].expand_as(change)))
        elif joint == 0:
            turned.append(target.rest_rotations[0].expand(len(motion), 4))
        else:
            above = turned[target.parents[joint]]
            turned.append(quat_multiply(above, target.rest_rotations[joint].expand_as(above)))
    rotations = local_rotations(torch.stack(turned, dim=1), target)
    hips = motion.positions()[:, [source.index(mapping[f"{side}_hip"]) for side in ("left", "right")]].mean(1)
    unmoved = target.fk(rotations, torch.zeros_like(hips))[1]
    middle = unmoved[:, [target.index(own[f"{side}_hip"]) for side in ("left", "right")]].mean(1)
    scale = leg_length(target, own) / leg_length(source, mapping)
    return Motion(target, rotations, hips * scale - middle, motion.fps)


def feet(motion: Motion, body: Body) -> Tensor:
    """Return heels and balls (T, 4, 3) over the floor, of a body of SMPL-22's size."""
    turns, places = motion.global_rotations(), motion.positions()
    points = []
    for sole in body.soles(has_toes="left_foot" in body.mapping):
        for joint, point in ((sole.ankle, sole.heel), (sole.toes, sole.ball)):
            points.append(places[:, joint] + quat_rotate(turns[:, joint], point.to(places)))
    return torch.stack(points, 1) * (SMPL_LEG / body.leg)


def skate(motion: Motion, body: Body, floor: float = 0.0) -> float:
    """Return the mean speed of points of the feet on the floor, m/s for a body of SMPL-22's size."""
    points = feet(motion, body) - torch.tensor([0.0, floor * SMPL_LEG / body.leg, 0.0])
    return float(foot_skate_speed(points, motion.fps))


def twists(motion: Motion, body: Body, side: str) -> Tensor:
    """Return a forearm's turn about its own length since the T-pose (T,), radians."""
    turned, at = body.skeleton.fk(body.t_pose, motion.root.new_zeros(3))
    elbow, wrist = body.index(f"{side}_elbow"), body.index(f"{side}_wrist")
    change = quat_multiply(motion.global_rotations()[:, elbow], quat_inverse(turned[elbow]))
    axis = torch.nn.functional.normalize(at[wrist] - at[elbow], dim=0)
    return 2 * torch.atan2((change[:, :3] * axis).sum(-1), change[:, 3])


def twist_error(source: Motion, body: Body, target: Motion, other: Body) -> float:
    """Return the difference of the forearms' twists, degrees, root mean square."""
    differences = []
    for side in ("left", "right"):
        delta = twists(target, other, side) - twists(source, body, side)
        differences.append(torch.atan2(delta.sin(), delta.cos()))
    return float(torch.cat(differences).square().mean().sqrt().rad2deg())


def rate(work: Callable[[], object], frames: int, runs: int) -> float:
    """Return frames a second, by the median of several runs."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return frames / statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--characters", type=Path, nargs="+", required=True)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    characters = [Character.load(path) for path in options.characters]
    print("| clip | character | slide, m/s | rotations alone | planted | ratio | forearm twist | bones, mm |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    motion = None
    for path in options.clips:
        motion = Motion.load(path)
        mapping = humanoid_map(motion.skeleton)
        body = Body.of(motion.skeleton, mapping, find_t_pose(motion.skeleton, mapping, motion))
        probe = Retargeter(body, body, fps=motion.fps)
        ways = None if motion.translations is None else motion.translations.numpy()
        floor = probe.find_floor(*motion.numpy(), ways) or 0.0
        own = skate(motion, body, floor)
        for character in characters:
            plain = retarget(motion, character, plant_feet=False)
            planted = retarget(motion, character)
            slides = [skate(each, character.body) for each in (plain, planted)]
            bones = planted.positions()[:, 1:] - planted.positions()[:, list(planted.skeleton.parents[1:])]
            off = (bones.norm(dim=-1) - planted.skeleton.offsets[1:].norm(dim=-1)).abs().max()
            print(
                f"| {path.stem} | {character.path.stem} | {own:.3f} | {slides[0]:.3f} | {slides[1]:.3f} | "
                f"{slides[1] / max(own, 1e-6):.2f} | {twist_error(motion, body, planted, character.body):.2f}° | "
                f"{1000 * float(off):.4f} |"
            )
    assert motion is not None
    print(
        "\n| frames a second, one core | whole clip | a joint at a time | chunks of 4 | 64 characters, chunks of 4 |"
    )
    print("|---|---:|---:|---:|---:|")
    long = motion.at(torch.arange(4000) % len(motion))
    rotations, root = long.numpy()
    for character in characters:
        tool = Retargeter(Body.of(long.skeleton, mapping, body.t_pose), character.body, fps=long.fps)
        state, many = tool.init_state(), tool.init_state(64)
        chunk, path_chunk = rotations[:256].reshape(64, 4, *rotations.shape[1:]), root[:256].reshape(64, 4, 3)
        rates = (
            rate(lambda tool=tool: tool.step(rotations, root, tool.init_state()), 4000, options.runs),
            rate(lambda target=character.skeleton: joint_by_joint(long, target), 4000, options.runs),
            rate(
                lambda tool=tool, state=state: [
                    tool.step(rotations[at : at + 4], root[at : at + 4], state) for at in range(0, 400, 4)
                ],
                400,
                options.runs,
            ),
            rate(lambda step=tool.step, each=(chunk, path_chunk, many): step(*each), 256, options.runs),
        )
        print(f"| {character.path.stem} | " + " | ".join(f"{each:,.0f}" for each in rates) + " |")


if __name__ == "__main__":
    main()
