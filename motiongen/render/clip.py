"""Motions prepared for drawing: one rate, human size, side by side, on the floor."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.io.options import scaled
from motiongen.motion import Motion
from motiongen.render.camera import view_axes, view_yaw
from motiongen.rotation import heading_angle, quat_inverse, quat_multiply, quat_rotate

Array = NDArray[np.float64]

_HEIGHT = 1.7  # metres, of characters that are scaled
_FREE = 0.05  # metres that a joint moves relative to its parent to count as free of it
_TIP = 0.17  # metres from the last joint of a limb to its tip, where the skeleton has none
_SPACING = 1.3  # metres between characters side by side


@dataclass(frozen=True)
class Clip:
    """One or more motions at one rate over the same floor.

    Attributes:
        motions: the motions; the shorter ones hold their last frame.
        yaw: direction of the camera, radians about +Y; 0 is on +Z.
    """

    motions: tuple[Motion, ...]
    yaw: float

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.motions[0].fps

    @property
    def num_frames(self) -> int:
        """Frames of the longest motion."""
        return max(motion.num_frames for motion in self.motions)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.num_frames / self.fps

    @cached_property
    def points(self) -> Array:
        """All joints and tips (T, P, 3), metres."""
        return np.concatenate([_padded(_points(motion), self.num_frames) for motion in self.motions], axis=1)

    @cached_property
    def centres(self) -> Array:
        """The mean position of the characters' hips (T, 3), metres."""
        hips = [motion.positions()[:, base_joint(motion)].double().numpy() for motion in self.motions]
        return np.asarray(np.mean([_padded(positions, self.num_frames) for positions in hips], axis=0))

    def headings(self) -> Array:
        """Return the heading of the first character (T,), radians about +Y."""
        return _padded(_headings(self.motions[0]), self.num_frames)

    def one(self, index: int) -> "Clip":
        """Return a clip of one of the motions, seen from the same direction."""
        return Clip(motions=(self.motions[index],), yaw=self.yaw)


def prepare(motions: Motion | Sequence[Motion], fps: float) -> Clip:
    """Return motions as a clip.

    Skeletons of another size (in centimetres, say) are scaled to a person's, and motions that are not near y = 0 are
    moved onto it, so that camera, floor and shadow fit any file.

    Args:
        motions: one motion, or several to stand side by side.
        fps: frames a second of the clip.
    """
    motions = [motions] if isinstance(motions, Motion) else list(motions)
    if not motions:
        raise ValueError("motion: expected at least one motion, got none; pass a Motion or a list of them")
    ready = [_on_floor(_human_size(motion.resample(fps))) for motion in motions]
    first = ready[0]
    yaw = view_yaw(_headings(first), first.positions()[:, base_joint(first)].double().numpy())
    right = view_axes(yaw)[1]
    for i, motion in enumerate(ready):
        if len(ready) > 1:
            start = motion.positions()[0, base_joint(motion)] * motion.root.new_tensor([1.0, 0.0, 1.0])
            position = torch.from_numpy(right * _SPACING * (i - (len(ready) - 1) / 2))
            ready[i] = motion.moved(position.to(start) - start)
    return Clip(motions=tuple(ready), yaw=yaw)


def base_joint(motion: Motion) -> int:
    """Return the joint that carries the body: the first one, or its only child where that moves relative to it.

    The first joint of many files is a reference on the floor, at rest or under the body.
    """
    children = motion.skeleton.children(0)
    if motion.translations is None or len(children) != 1:
        return 0
    way = motion.translations[:, children[0]]
    return children[0] if float((way.amax(0) - way.amin(0)).max()) > _FREE else 0


def _headings(motion: Motion) -> Array:
    skeleton, base = motion.skeleton, base_joint(motion)
    rest = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))[0][base]
    from_rest = quat_multiply(motion.global_rotations()[:, base], quat_inverse(rest).to(motion.rotations))
    return np.asarray(heading_angle(from_rest).double().numpy())


def _human_size(motion: Motion) -> Motion:
    skeleton = motion.skeleton
    height = float((skeleton.rest_positions.amax(0) - skeleton.rest_positions.amin(0)).max())
    if not height > 0 or 0.4 < height < 4.0:
        return motion
    return scaled(motion, _HEIGHT / height)


def _on_floor(motion: Motion) -> Motion:
    lowest = float(_points(motion)[..., 1].min())
    if -0.15 <= lowest <= 0.25:
        return motion
    return motion.moved(motion.root.new_tensor([0.0, -lowest, 0.0]))


def _points(motion: Motion) -> Array:
    positions: Tensor = motion.positions()
    rotations = motion.global_rotations()
    skeleton = motion.skeleton
    ends = [(joint, positions.new_tensor(offset)) for joint, offset in skeleton.ends]
    # The tip of a hand, a foot or a head lies in the direction of the bone before it.
    further = _TIP * torch.nn.functional.normalize(skeleton.offsets, dim=-1).to(positions)
    without = set(range(skeleton.num_joints)) - set(skeleton.parents) - {joint for joint, _ in ends}
    ends += [(joint, further[joint]) for joint in without]
    tips = [positions[:, j] + quat_rotate(rotations[:, j], offset) for j, offset in ends]
    joints = positions[:, base_joint(motion) :]  # without the reference before it
    points: Array = torch.stack([*joints.unbind(1), *tips], dim=1).double().numpy()
    return points


def _padded(values: Array, frames: int) -> Array:
    """Return values (T, ...) with the last one repeated to a number of frames."""
    return np.concatenate([values, np.repeat(values[-1:], frames - len(values), axis=0)])
