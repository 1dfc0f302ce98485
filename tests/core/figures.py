"""Characters made by script: other proportions, rests and names, with and without toes, chest, neck and twist bones."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_inverse, quat_multiply, quat_rotate, quat_yaw
from motiongen.skeleton import SMPL22, Skeleton, local_rotations

RIGS = json.loads((Path(__file__).parents[2] / "bridge/fixtures/rigs.json").read_text(encoding="utf-8"))[
    "rigs"
]
"""Name -> joints and parts of the rigs that Python and the page must know."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """How a character differs from SMPL-22.

    Attributes:
        size: of everything.
        thigh: length of the thigh in SMPL's, with the same leg as a whole.
        hips: distance of the hips.
        feet: length and height of the feet.
        arms: length of the arms.
        droop: angle of the arms below the T-pose, radians.
        without: joints that it lacks.
        twists: whether elbows have a further joint in the middle of the forearm, that nothing moves.
        root: whether a joint on the floor carries the pelvis.
        axes: seed of the joints' own axes, which exporters choose as they like; None for the world's.
        names: SMPL joint name -> its own.
    """

    size: float = 1.0
    thigh: float = 1.0
    hips: float = 1.0
    feet: float = 1.0
    arms: float = 1.0
    droop: float = 0.0
    without: tuple[str, ...] = ()
    twists: bool = False
    root: bool = False
    axes: int | None = None
    names: dict[str, str] | None = None

    def skeleton(self) -> Skeleton:
        """Return the character's skeleton, standing over its root."""
        offsets = SMPL22.offsets.clone() * self.size
        change = {
            "hip": torch.tensor([self.hips, 1.0, 1.0]),
            "foot": torch.tensor([1.0, 1.0, 1.0]) * self.feet,
        }
        shin = 1 + (1 - self.thigh) * 0.4 / 0.405
        change |= {"knee": torch.tensor(self.thigh), "ankle": torch.tensor(shin)}
        change |= dict.fromkeys(("elbow", "wrist"), torch.tensor(self.arms))
        for joint, name in enumerate(SMPL22.names):
            offsets[joint] = offsets[joint] * change.get(name.split("_")[-1], torch.ones(3))
        places = Skeleton(SMPL22.names, SMPL22.parents, offsets).rest_positions + torch.tensor(
            [0.0, 1.0, 0.0]
        )
        parents = {
            name: SMPL22.names[max(p, 0)] for name, p in zip(SMPL22.names, SMPL22.parents, strict=True)
        }
        at = dict(zip(SMPL22.names, places, strict=True))
        turned = {name: quat_from_axis_angle(torch.zeros(3)) for name in SMPL22.names}
        for side, sign in (("left", -1.0), ("right", 1.0)):
            droop = quat_from_axis_angle(torch.tensor([0.0, 0.0, sign * self.droop]))
            middle = at[f"{side}_shoulder"]
            for part in ("shoulder", "elbow", "wrist"):
                name = f"{side}_{part}"
                at[name], turned[name] = middle + quat_rotate(droop, at[name] - middle), droop
        names = [name for name in SMPL22.names if name not in self.without]
        over = {}
        for name in names:
            above = parents[name]
            while above in self.without:
                above = parents[above]
            over[name] = above
        if self.twists:
            for side in ("left", "right"):
                twist = f"{side}_forearm_twist"
                names.insert(names.index(f"{side}_elbow") + 1, twist)
                over[twist] = f"{side}_elbow"
                at[twist] = (at[f"{side}_elbow"] + at[f"{side}_wrist"]) / 2
                turned[twist] = turned[f"{side}_elbow"]
        if self.root:
            names.insert(0, "root")
            over |= {"root": "root", "pelvis": "root"}
            at["root"], turned["root"] = torch.zeros(3), quat_from_axis_angle(torch.zeros(3))
        world = torch.stack([turned[name] for name in names])
        if self.axes is not None:
            seeded = torch.randn(len(names), 3, generator=torch.Generator().manual_seed(self.axes))
            world = quat_multiply(world, quat_from_axis_angle(seeded))
        indices = tuple(-1 if name == names[0] else names.index(over[name]) for name in names)
        way = torch.stack([at[name] - at[over[name]] for name in names])
        own = [max(parent, 0) for parent in indices]
        local = quat_rotate(quat_inverse(world[own]), way)
        local[0] = 0.0
        called = tuple((self.names or {}).get(name, name) for name in names)
        flat = Skeleton(called, indices, local)
        return Skeleton(called, indices, local, local_rotations(world, flat))


def swaying_on_its_feet(frames: int = 90, fps: float = 30.0) -> Motion:
    """SMPL-22 with hips that turn, and go round and up and down, above two feet that stand."""
    time = torch.arange(frames) / fps
    bends = torch.zeros(frames, 22, 3)
    bends[:, 0, 1] = 0.4 * (2 * time).sin()
    bends[:, 1:3, 0], bends[:, 4:6, 0] = -0.5, 1.0
    bends[:, 16, 2], bends[:, 17, 2] = -1.0, 1.0  # arms hang
    height = 0.85 + 0.05 * (2.5 * time).sin()
    root = torch.stack([0.06 * (2 * time).sin(), height, 0.04 * (3 * time).sin()], -1)
    feet = torch.tensor([[0.09, 0.085, -0.02], [-0.09, 0.085, 0.02]])
    return _with_ankles(Motion(SMPL22, quat_from_axis_angle(bends), root, fps), feet.expand(frames, 2, 3))


def _with_ankles(motion: Motion, goal: torch.Tensor) -> Motion:
    """Return a motion with its ankles (T, 2, 3) elsewhere, and its feet flat, pointing to +Z."""
    from motiongen.foot_lock import leg_rotations

    world, places = motion.global_rotations().clone(), motion.positions()
    for side, number in (("left", 0), ("right", 1)):
        hip, knee, ankle = (SMPL22.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        bend, swing = leg_rotations(places[:, hip], places[:, knee], places[:, ankle], goal[:, number])
        world[:, hip] = quat_multiply(swing, world[:, hip])
        world[:, knee] = quat_multiply(swing, quat_multiply(bend, world[:, knee]))
    world[:, [7, 8, 10, 11]] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    return Motion(SMPL22, local_rotations(world, SMPL22), motion.root, motion.fps)


def walking(steps: int = 4, fps: float = 30.0) -> Motion:
    """SMPL-22 that walks along +Z: each foot stands for 0.6 s, then swings for 0.4 s, 12 cm high at most."""
    time = torch.arange(round(steps * fps)) / fps
    stride, speed = 1.0, 1.0
    goal = []
    for phase in (0.0, 0.5):
        cycle = time + phase
        part = ((cycle % 1.0 - 0.6) / 0.4).clamp_min(0)  # 0 while it stands
        eased = part * part * (3 - 2 * part)
        along = (cycle.floor() - phase + eased + 0.3) * stride
        side = torch.full_like(time, 0.09 if phase == 0.0 else -0.09)
        goal.append(torch.stack([side, 0.085 + 0.12 * (part * torch.pi).sin() ** 2, along], -1))
    root = torch.stack([torch.zeros_like(time), torch.full_like(time, 0.86), time * speed], -1)
    bends = torch.zeros(len(time), 22, 3)
    bends[:, 1:3, 0], bends[:, 4:6, 0], bends[:, 7:9, 0] = -0.5, 1.0, -0.5
    swing = 0.4 * (2 * torch.pi * time).sin()
    bends[:, 16], bends[:, 17] = torch.tensor([0.0, 0, -1.2]), torch.tensor([0.0, 0, 1.2])
    bends[:, 18, 0], bends[:, 19, 0] = swing, -swing
    bends[:, 18, 1], bends[:, 19, 1] = -0.4, 0.4
    motion = Motion(SMPL22, quat_from_axis_angle(bends), root, fps)
    return _with_ankles(motion, torch.stack(goal, 1)).rotated(quat_yaw(torch.tensor(0.6)))
