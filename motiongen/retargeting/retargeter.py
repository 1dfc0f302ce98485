"""Retargeting prepared once for two skeletons, then done frame by frame or a clip at a time with the same bits."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from motiongen import planes, two_bone
from motiongen.planes import Planes
from motiongen.retargeting.body import SIDES, Body
from motiongen.retargeting.character import Character
from motiongen.retargeting.planting import Planting, PlantingState, find_floor
from motiongen.retargeting.reach import Reach
from motiongen.retargeting.rotation_copy import CopiedRotations, WorldRotations, constant, waist
from motiongen.retargeting.soles import SMPL_LEG, Sole
from motiongen.retargeting.twist import Twist, twist_bones
from motiongen.rotation import quat_inverse, quat_rotate
from motiongen.skeleton import Skeleton

Frames = NDArray[np.float32]
MOST_DROP = 0.12
"""Share of the leg's length by which a body sinks at most, so that its feet reach where they stand."""
_FLOOR_CHUNK = 1024  # frames at once
_LEG = ("hip", "knee", "ankle")


class Retargeter:
    """Puts the motion of one humanoid on another: rotations copied, the hips' path scaled, standing feet held.

    `step` is causal and without delay: a frame depends on those before it alone, and has the same bits in any chunks.
    Bones keep the target's lengths.

    Args:
        source: the skeleton that moves.
        target: the skeleton to move, or the character that has it.
        fps: frames a second, for the speeds that tell whether a foot stands.
        plant_feet: hold standing feet on a floor at y = 0 by the legs' joints; without, rotations alone are copied,
            and heights scaled. Feet are left as they are where a leg has no ankle, or does not end in it.
        keep_hands: let hands that are near each other or near the body keep their distance, by the arms' joints.
        floor: height of the floor under the source, metres.

    Attributes:
        source: the skeleton that moves, its parts and T-pose.
        target: likewise the skeleton to move.
        plants_feet: whether feet are held; may be set to False.
        floor: height of the floor under the source, metres; may be set anew.

    Raises:
        ValueError: a skeleton is no humanoid, or a limb has a bone without length.
    """

    delay = 0
    """Frames by which a result is late."""

    def __init__(
        self,
        source: Skeleton | Body,
        target: Skeleton | Body | Character,
        *,
        fps: float,
        plant_feet: bool = True,
        keep_hands: bool = False,
        floor: float = 0.0,
    ) -> None:
        self.source = source if isinstance(source, Body) else Body.of(source)
        target = target.body if isinstance(target, Character) else target
        self.target = target if isinstance(target, Body) else Body.of(target)
        source_t, _ = self.source.skeleton.fk(self.source.t_pose.double(), torch.zeros(3).double())
        target_t, _ = self.target.skeleton.fk(self.target.t_pose.double(), torch.zeros(3).double())
        bones = twist_bones(self.target) if self._has_wrists() else []
        self._copy = CopiedRotations(source_t, target_t, self.target.skeleton, self._pairs(bones))
        place = {joint: number for number, joint in enumerate(self._copy.branch.joints)}
        self._place = {role: place[self.target.index(role)] for role in self._shared}
        feet = [f"{side}_{part}" for side in SIDES for part in ("ankle", "foot")]
        self._moves = WorldRotations(
            self.source.skeleton, [*self._copy.sources, *(self.source.index(role) for role in self._shared)]
        )
        self._from = {role: len(self._copy.sources) + number for number, role in enumerate(self._shared)}
        self._scale, self._fps = self.target.leg / self.source.leg, fps
        self.floor, self._rise = floor, 0.0
        self.plants_feet = plant_feet and self._has_legs()
        if self.plants_feet:
            has_toes = all(role in self._shared for role in feet)
            soles = self.source.soles(has_toes=has_toes), self.target.soles(has_toes=has_toes)
            self._source_soles, self._target_soles = (self._points(each) for each in soles)
            depths = [sum(sole.depth for sole in each) / 2 for each in soles]
            self._rise = depths[1] - depths[0] * self._scale
            self._planting = Planting(self.target.leg / SMPL_LEG, fps)
            self._toes = "foot" if has_toes else "ankle"
            lateral = target_t.new_tensor([1.0, 0.0, 0.0])
            hips = [target_t[self.target.index(f"{side}_hip")] for side in SIDES]
            self._hinges = constant(
                torch.stack([-quat_rotate(quat_inverse(hip), lateral) for hip in hips], -1)
            )
        self._twist = Twist(bones, self.target, target_t, place) if bones else None
        self._reach = Reach(self.source, self.target, self._shared) if keep_hands else None
        self._still = self.target.skeleton.rest_rotations.float().numpy()

    @property
    def joints(self) -> list[int]:
        """The target's joints that turn; all others stay as they rest."""
        return list(self._copy.branch.joints)

    @property
    def _shared(self) -> list[str]:
        """The parts that both have."""
        return [role for role in self.source.mapping if role in self.target.mapping]

    def _has_wrists(self) -> bool:
        """Return whether both have elbows and wrists."""
        return all(f"{side}_{part}" in self._shared for side in SIDES for part in ("elbow", "wrist"))

    def _pairs(self, bones: list[tuple[int, str, float]]) -> list[tuple[int, int]]:
        """Return (joint of the target, joint of the source) of all that turns; twist bones turn with the elbow."""
        pairs = {self.target.index(role): self.source.index(role) for role in self._shared}
        pairs |= {joint: self.source.index(f"{side}_elbow") for joint, side, _ in bones}
        joint = waist(self.target.skeleton, self.target.mapping)
        if joint is not None:
            pairs.setdefault(joint, self.source.index("pelvis"))
        return list(pairs.items())

    def _has_legs(self) -> bool:
        """Return whether both have legs that end in ankles: in rigs for inverse kinematics feet hang elsewhere."""
        for side in SIDES:
            if f"{side}_ankle" not in self._shared:
                return False
            hip, knee, ankle = (self._place[f"{side}_{part}"] for part in _LEG)
            if self._copy.branch.above[knee] != hip or self._copy.branch.above[ankle] != knee:
                return False
        return True

    @staticmethod
    def _points(soles: list[Sole]) -> tuple[Planes, Planes]:
        """Return heels and balls (3, 2, 1, 1) in the frames of their joints."""
        return (
            constant(torch.stack([sole.heel for sole in soles], -1)),
            constant(torch.stack([sole.ball for sole in soles], -1)),
        )

    def init_state(self, batch_size: int = 1) -> PlantingState:
        """Return the state of B characters before their first frame."""
        return PlantingState.of(batch_size)

    def step(
        self,
        rotations: ArrayLike,
        root: ArrayLike,
        state: PlantingState,
        *,
        translations: ArrayLike | None = None,
    ) -> tuple[Frames, Frames]:
        """Return the target's local rotations and root for the next frames; updates the state.

        Args:
            rotations: (T, J, 4) or (B, T, J, 4) local rotations of the source.
            root: (T, 3) or (B, T, 3) position of its first joint, metres.
            state: from `init_state`, of as many characters.
            translations: (T, J, 3) or (B, T, J, 3) local translations, metres, where joints move on their parents.

        Returns:
            Local rotations (T, J', 4) or (B, T, J', 4) and the first joint's position (T, 3) or (B, T, 3), float32.

        Raises:
            ValueError: other shapes, or another number of characters.
        """
        is_batch = np.ndim(rotations) == 4
        local, path = _planes(rotations, 4), _planes(root, 3)
        ways = None if translations is None else _planes(translations, 4)
        self._check(local, path, len(state.is_fresh))
        turns, places = self._moves(local, path, ways)
        world = self._copy.world(turns[:, : len(self._copy.sources)])
        hips = self._middle(places, self._from) * self._scale  # (3, T, B)
        if self.plants_feet:
            hips[1] += self._rise - self.floor * self._scale
        branch = self._copy.branch
        at = branch.positions(world, self._copy.levels)  # (3, M, T, B)
        shift = hips - self._middle(at, self._place)
        at = at + shift[:, None]
        if self.plants_feet:
            drop = self._stand(world, at, turns, places, state)
            shift[1] -= drop
            at[1] -= drop
        if self._reach is not None:
            self._reach(world, at, places, self._place, self._from)
        if self._twist is not None:
            self._twist(world)
        frames = np.empty((*local.shape[:1:-1], *self._still.shape), dtype=np.float32)
        frames[:] = self._still
        frames[:, :, branch.joints] = self._copy.local(world).transpose(3, 2, 1, 0)
        moved = shift.transpose(2, 1, 0).astype(np.float32)
        return (frames, moved) if is_batch else (frames[0], moved[0])

    def _check(self, local: Planes, path: Planes, batch_size: int) -> None:
        joints = self.source.skeleton.num_joints
        frames = local.shape[2]
        if (
            local.shape != (4, joints, frames, batch_size)
            or path.shape != (3, frames, batch_size)
            or not frames
        ):
            raise ValueError(
                f"frames: expected rotations (B, T, {joints}, 4) and root (B, T, 3) of {batch_size} characters and one "
                f"frame or more, got {local.shape[::-1]} and {path.shape[::-1]}; match the source's skeleton and the "
                "state"
            )

    @staticmethod
    def _middle(positions: Planes, place: dict[str, int]) -> Planes:
        """Return the middle (3, T, B) between the hips."""
        return np.asarray((positions[:, place["left_hip"]] + positions[:, place["right_hip"]]) * 0.5)

    def _stand(
        self, world: Planes, at: Planes, turns: Planes, places: Planes, state: PlantingState
    ) -> Planes:
        """Turn hips and knees so that standing feet stand, and return by how much the body sinks to reach them (T, B).

        Changes rotations of the target.
        """
        wanted = self._soles_at(turns, places, self._from, self._source_soles)
        wanted[1] -= self.floor
        wanted *= self._scale
        copied = self._soles_at(world, at, self._place, self._target_soles)
        hip, knee, ankle = ([self._place[f"{side}_{part}"] for side in SIDES] for part in _LEG)
        correction, contact = self._planting.step(wanted, copied, state)
        goal, hips = at[:, ankle] + correction, at[:, hip]
        length = planes.norm(at[:, knee] - hips) + planes.norm(at[:, ankle] - at[:, knee])
        drop = self._drop(hips, goal, length * two_bone.MAX_REACH, contact)
        low = np.zeros_like(goal)
        low[1] = drop
        hinge = planes.rotate(world[:, hip], self._hinges)
        bend, swing = two_bone.solve(hips - low, at[:, knee] - low, at[:, ankle] - low, goal, hinge)
        world[:, knee] = planes.multiply(swing, planes.multiply(bend, world[:, knee]))
        world[:, hip] = planes.multiply(swing, world[:, hip])
        return drop

    def _drop(self, hips: Planes, goal: Planes, reach: Planes, contact: Planes) -> Planes:
        """Return how far hips (3, 2, T, B) must sink for legs of a length to reach feet that stand (T, B), metres."""
        way = hips - goal
        across = reach * reach - way[0] * way[0] - way[2] * way[2]
        needed = (way[1] - np.sqrt(np.maximum(across, 0.0))) * contact  # (2, T, B)
        return np.clip(np.maximum(needed[0], needed[1]), 0.0, MOST_DROP * self.target.leg)

    def _soles_at(
        self, turns: Planes, places: Planes, place: dict[str, int], soles: tuple[Planes, Planes]
    ) -> Planes:
        """Return where heels and balls are, (3, 2 feet, 2 points, T, B)."""
        ankles = [place[f"{side}_ankle"] for side in SIDES]
        toes = [place[f"{side}_{self._toes}"] for side in SIDES]
        heels = places[:, ankles] + planes.rotate(turns[:, ankles], soles[0])
        balls = places[:, toes] + planes.rotate(turns[:, toes], soles[1])
        return np.stack([heels, balls], axis=2)

    def find_floor(
        self, rotations: ArrayLike, root: ArrayLike, translations: ArrayLike | None = None
    ) -> float | None:
        """Return the height of the floor under a clip of the source, metres; None where hardly anybody stands.

        None, too, where feet are not planted.

        Args:
            rotations: (T, J, 4), and all else as in `step`.
            root: (T, 3).
            translations: (T, J, 3) or None.
        """
        if not self.plants_feet:
            return None
        local, path = np.asarray(rotations), np.asarray(root)
        points = []
        for start in range(0, len(local), _FLOOR_CHUNK):
            span = slice(start, start + _FLOOR_CHUNK)
            ways = None if translations is None else _planes(np.asarray(translations)[span], 4)
            turns, places = self._moves(_planes(local[span], 4), _planes(path[span], 3), ways)
            points.append(self._soles_at(turns, places, self._from, self._source_soles)[..., 0])
        return find_floor(np.concatenate(points, axis=-1), self._fps, self.source.leg / SMPL_LEG)


def _planes(values: ArrayLike, rank: int) -> Planes:
    """Return frames (T, ...) or (B, T, ...) as planes (..., T, B); `rank` is that with B."""
    array = np.asarray(values, dtype=np.float64)
    return np.ascontiguousarray((array if array.ndim == rank else array[None]).T)
