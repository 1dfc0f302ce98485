"""Hands that keep their distance: to each other and to the body, where arms of other lengths would part or pierce them.

Near another part of the body a hand goes where the source's is, seen from that part and scaled by size; far from all it
stays where the copied rotations put it. The share of this falls smoothly with the distance, so that nothing jumps.
"""

import numpy as np
import torch

from motiongen import planes, two_bone
from motiongen.planes import Planes
from motiongen.retargeting.body import SIDES, Body
from motiongen.retargeting.rotation_copy import constant
from motiongen.rotation import quat_inverse, quat_rotate

BODY = 0.15, 0.6
"""Distances from a part of the body, in lengths of the source's arm: a hand keeps them wholly up to the first, and not
at all from the second."""
HANDS = 0.4, 1.0
"""Likewise from the other hand; a wide range, so that hands that clap still swing."""
_ANCHORS = ("head", "neck", "spine3", "spine1", "pelvis", "left_hip", "right_hip", "left_knee", "right_knee")
_ARM = ("shoulder", "elbow", "wrist")


class Reach:
    """The correction of both arms.

    Args:
        source: the body that moves.
        target: the body to move.
        shared: the parts that both have.
    """

    def __init__(self, source: Body, target: Body, shared: list[str]) -> None:
        self.is_possible = all(f"{side}_wrist" in shared for side in SIDES)
        self._anchors = [role for role in _ANCHORS if role in shared]
        lengths = [_arm_length(body) for body in (source, target)] if self.is_possible else [1.0, 1.0]
        self._length, self._scale = lengths[0], lengths[1] / lengths[0]
        turned, _ = target.skeleton.fk(target.t_pose.double(), torch.zeros(3).double())
        hinges = [
            quat_rotate(
                quat_inverse(turned[target.index(f"{side}_shoulder")]), turned.new_tensor([0.0, sign, 0.0])
            )
            for side, sign in (("left", 1.0), ("right", -1.0))
        ]
        self._hinges = constant(torch.stack(hinges, -1))
        ranges = np.array([BODY] * len(self._anchors) + [HANDS])
        self._near, self._far = (ranges[:, end].reshape(1, -1, 1, 1) for end in (0, 1))

    def __call__(
        self, world: Planes, at: Planes, places: Planes, place: dict[str, int], source: dict[str, int]
    ) -> None:
        """Turn shoulders and elbows of the target; changes its rotations.

        Args:
            world: (4, M, T, B) rotations of the target in the world.
            at: (3, M, T, B) its positions.
            places: (3, N, T, B) positions of the source.
            place: part -> number in `world` and `at`.
            source: part -> number in `places`.
        """
        if not self.is_possible:
            return
        shoulder, elbow, wrist = ([place[f"{side}_{part}"] for side in SIDES] for part in _ARM)
        hands = places[:, [source[f"{side}_wrist"] for side in SIDES]]  # (3, 2, T, B)
        anchors = self._anchors
        seen = hands[:, :, None] - places[:, None, [source[role] for role in anchors]]  # (3, 2, A, T, B)
        wished = at[:, None, [place[role] for role in anchors]] + seen * self._scale
        # The other hand is an anchor, too: both go to their middle, as far apart as they should be.
        middle = (at[:, wrist[0]] + at[:, wrist[1]]) * 0.5
        apart = (hands[:, 0] - hands[:, 1]) * (0.5 * self._scale)
        mutual = np.stack([middle + apart, middle - apart], axis=1)[:, :, None]
        between = np.stack([apart, apart], axis=1)[:, :, None] * (2.0 / self._scale)
        seen = np.concatenate([seen, between], axis=2)
        wished = np.concatenate([wished, mutual], axis=2)
        near = planes.norm(seen) / self._length  # (2, A + 1, T, B)
        part = np.clip((self._far - near) / (self._far - self._near), 0.0, 1.0)
        share = part * part * (3 - 2 * part)
        weight = share / (near * near + 1e-4)
        total, most = np.zeros_like(weight[:, 0]), np.zeros_like(weight[:, 0])
        goal = np.zeros_like(at[:, wrist])
        for number in range(len(anchors) + 1):
            total = total + weight[:, number]
            most = np.maximum(most, share[:, number])
            goal = goal + weight[:, number] * wished[:, :, number]
        copied = at[:, wrist]
        goal = copied + most * (goal / np.maximum(total, 1e-9) - np.where(total > 1e-9, copied, 0.0))
        hinge = planes.rotate(world[:, shoulder], self._hinges)
        bend, swing = two_bone.solve(at[:, shoulder], at[:, elbow], copied, goal, hinge)
        world[:, elbow] = planes.multiply(swing, planes.multiply(bend, world[:, elbow]))
        world[:, shoulder] = planes.multiply(swing, world[:, shoulder])


def _arm_length(body: Body) -> float:
    """Return the length of upper arm and forearm, metres, the mean of both sides."""
    positions = body.skeleton.rest_positions
    total = 0.0
    for side in SIDES:
        joints = [positions[body.index(f"{side}_{part}")] for part in _ARM]
        total += float((joints[0] - joints[1]).norm() + (joints[1] - joints[2]).norm())
    return total / 2
