"""Twist bones of the forearm: they share the turn of the hand about it, where skin would else wring at the wrist."""

import re

import numpy as np
import torch
from torch import Tensor

from motiongen import planes
from motiongen.planes import Planes
from motiongen.retargeting.body import SIDES, Body
from motiongen.retargeting.rotation_copy import constant

_NAMES = re.compile(r"twist|roll|捩", re.IGNORECASE)


def twist_bones(body: Body) -> list[tuple[int, str, float]]:
    """Return (joint, side, share of the hand's turn) of a body's twist bones, by their names and their places.

    A bone halfway to the wrist takes half of the turn. Those that lie at the elbow take none, and are left out.
    """
    skeleton, found = body.skeleton, []
    _, at = skeleton.fk(body.t_pose, skeleton.offsets.new_zeros(3))
    for side in SIDES:
        if not {f"{side}_elbow", f"{side}_wrist"} <= body.mapping.keys():
            continue
        elbow, wrist = body.index(f"{side}_elbow"), body.index(f"{side}_wrist")
        way = at[wrist] - at[elbow]
        for joint, name in enumerate(skeleton.names):
            if joint != wrist and _NAMES.search(name) and name not in body.mapping.values():
                over = skeleton.parents[joint]
                while over not in (-1, elbow, wrist):
                    over = skeleton.parents[over]
                share = min(float((at[joint] - at[elbow]) @ way / (way @ way)), 1.0)
                if over == elbow and share > 0.05:
                    found.append((joint, side, share))
    return found


class Twist:
    """The turn of twist bones.

    Args:
        bones: joint, side and share of each, from `twist_bones`.
        body: the target.
        target_t: its rotations in the world in the T-pose (J, 4).
        place: joint -> its number among those that turn.
    """

    def __init__(
        self, bones: list[tuple[int, str, float]], body: Body, target_t: Tensor, place: dict[int, int]
    ) -> None:
        _, at = body.skeleton.fk(body.t_pose, body.skeleton.offsets.new_zeros(3))
        elbows = [body.index(f"{side}_elbow") for _, side, _ in bones]
        wrists = [body.index(f"{side}_wrist") for _, side, _ in bones]
        joints = [joint for joint, _, _ in bones]
        self._places = [[place[joint] for joint in each] for each in (joints, elbows, wrists)]
        self._rests = [constant(target_t[each].T) for each in (joints, elbows, wrists)]
        axes = torch.nn.functional.normalize(at[wrists] - at[elbows], dim=-1)
        self._axes = constant(axes.T)
        self._shares = constant(torch.tensor([share for _, _, share in bones]))

    def __call__(self, world: Planes) -> None:
        """Turn the twist bones; changes their rotations in `world` (4, M, T, B)."""
        bones, elbows, wrists = self._places
        rest, rest_elbow, rest_wrist = self._rests
        forearm = planes.multiply(world[:, elbows], planes.inverse(rest_elbow))  # from the T-pose
        hand = planes.multiply(world[:, wrists], planes.inverse(rest_wrist))
        turn = planes.multiply(planes.inverse(forearm), hand)  # of the hand, seen by a forearm in the T-pose
        about = planes.dot(turn[:3], np.broadcast_to(self._axes, turn[:3].shape))
        sign = np.where(turn[3] < 0, -1.0, 1.0)
        share = self._shares * sign
        part = np.concatenate([self._axes * (about * share), (1 - self._shares + turn[3] * share)[None]])
        part = planes.normalized(part)
        world[:, bones] = planes.multiply(planes.multiply(forearm, part), rest)
