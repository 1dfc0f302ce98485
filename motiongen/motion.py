"""Motion: a skeleton, its rotations and root over time. Immutable: every method returns a new one."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from motiongen.blend import take_over
from motiongen.contacts import foot_contacts, ground_height
from motiongen.rotation import (
    heading_angle,
    mirror_quat,
    quat_inverse,
    quat_multiply,
    quat_normalize,
    quat_rotate,
    quat_slerp,
    quat_yaw,
)
from motiongen.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Motion:
    """A clip of T frames of a skeleton with J joints.

    Attributes:
        skeleton: joints and offsets.
        rotations: (T, J, 4) local rotations.
        root: (T, 3) position of joint 0, metres.
        fps: frames a second.
        translations: (T, J, 3) local translations, metres, only for rigs whose joints move on their parents.
    """

    skeleton: Skeleton
    rotations: Tensor
    root: Tensor
    fps: float
    translations: Tensor | None = None

    def __post_init__(self) -> None:
        frames, joints = self.rotations.shape[0], self.skeleton.num_joints
        if self.rotations.shape != (frames, joints, 4) or self.root.shape != (frames, 3) or frames == 0:
            raise ValueError(
                f"motion: expected rotations (T, {joints}, 4) and root (T, 3) with T >= 1, got "
                f"{tuple(self.rotations.shape)} and {tuple(self.root.shape)}; match the skeleton"
            )
        if self.translations is not None and self.translations.shape != (frames, joints, 3):
            raise ValueError(
                f"motion: expected translations {(frames, joints, 3)}, got {tuple(self.translations.shape)}; "
                "give every joint one or leave them out"
            )
        if not self.fps > 0:
            raise ValueError(
                f"fps: expected a positive rate, got {self.fps}; say how many frames make a second"
            )
        bad = ~(torch.isfinite(self.rotations).flatten(1).all(1) & torch.isfinite(self.root).all(1))
        if bad.any():
            raise ValueError(
                f"motion: expected finite numbers, got NaN or infinity in frame {int(bad.nonzero()[0])}"
            )

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self.rotations.shape[0]

    @property
    def seconds(self) -> float:
        """Length in seconds: T frames, each shown for 1/fps."""
        return self.num_frames / self.fps

    @cached_property
    def _global(self) -> tuple[Tensor, Tensor]:
        return self.skeleton.fk(self.rotations, self.root, self.translations)

    def positions(self) -> Tensor:
        """Return joint positions (T, J, 3) in the world, metres."""
        return self._global[1]

    def global_rotations(self) -> Tensor:
        """Return joint rotations (T, J, 4) in the world."""
        return self._global[0]

    def contacts(self) -> Tensor:
        """Return foot contacts (T, 4) bool: left ankle, left foot, right ankle, right foot (SMPL-22 only)."""
        return foot_contacts(self.positions(), self.skeleton, self.fps)

    def heading(self) -> Tensor:
        """Return the root's angle about +Y (T,), radians; 0 faces +Z, pi/2 faces +X."""
        return heading_angle(
            quat_multiply(self.rotations[:, 0], quat_inverse(self.skeleton.rest_rotations[0]))
        )

    def __getitem__(self, frames: slice) -> Self:
        """Return the frames of a slice."""
        moved = None if self.translations is None else self.translations[frames]
        return replace(self, rotations=self.rotations[frames], root=self.root[frames], translations=moved)

    def slice(self, start: float, end: float) -> Self:
        """Return the frames from `start` up to `end`, seconds."""
        first, last = round(start * self.fps), round(end * self.fps)
        if not 0 <= first < last <= self.num_frames:
            raise ValueError(
                f"slice: expected 0 <= start < end <= {self.seconds:.2f} s, got {start:.2f}:{end:.2f}; "
                "choose a span inside the motion"
            )
        return self[first:last]

    def resample(self, fps: float) -> Self:
        """Return the motion at another rate: slerp for rotations, straight lines for positions."""
        if not fps > 0:
            raise ValueError(f"fps: expected a positive rate, got {fps}")
        if fps == self.fps:
            return self
        count = max(1, round((self.num_frames - 1) * fps / self.fps) + 1)
        return self.at(torch.arange(count, dtype=torch.float64) * self.fps / fps, float(fps))

    def at(self, frames: Tensor, fps: float | None = None) -> Self:
        """Return the motion as it is at fractional frames (T',), in any order; `fps` says at which rate to show them.

        Slerp for rotations, straight lines for positions; what lies outside the clip is its first or last frame.
        """
        times = frames.to(torch.float64).clamp(0, self.num_frames - 1)
        low = times.floor().long()
        high = (low + 1).clamp(max=self.num_frames - 1)
        part = (times - low).to(self.root)
        moved = (
            None
            if self.translations is None
            else _lerp(self.translations[low], self.translations[high], part)
        )
        return replace(
            self,
            rotations=quat_slerp(self.rotations[low], self.rotations[high], part[:, None]),
            root=_lerp(self.root[low], self.root[high], part),
            fps=self.fps if fps is None else fps,
            translations=moved,
        )

    def mirror(self) -> Self:
        """Return the motion with left and right exchanged, seen in the mirror x -> -x.

        What is mirrored is each joint's turn from its rest pose, so a rig needs a symmetric rest pose, not symmetric
        local axes.
        """
        if self.translations is not None:
            raise ValueError(
                "mirror: expected rigid bones, got translations of single joints; retarget first"
            )
        index = list(self.skeleton.mirror_index)
        rest = self.skeleton.fk(self.skeleton.rest_rotations, self.skeleton.offsets.new_zeros(3))[0].to(
            self.rotations
        )
        from_rest = quat_multiply(self.global_rotations(), quat_inverse(rest))
        turned = quat_multiply(mirror_quat(from_rest[:, index]), rest)
        return replace(
            self,
            rotations=local_rotations(turned, self.skeleton),
            root=self.root * self.root.new_tensor([-1.0, 1, 1]),
        )

    def rotated(self, turn: Tensor, about: Tensor | None = None) -> Self:
        """Return the motion turned as a whole by a quaternion (4,) about a point (3,), the origin unless given."""
        about = self.root.new_zeros(3) if about is None else about
        turn = turn.to(self.root)
        rotations = torch.cat([quat_multiply(turn, self.rotations[:, :1]), self.rotations[:, 1:]], dim=1)
        root = quat_rotate(turn, self.root - about) + about
        translations = self.translations
        if translations is not None:  # the first joint's repeats the root
            translations = torch.cat([root[:, None], translations[:, 1:]], dim=1)
        return replace(self, rotations=rotations, root=root, translations=translations)

    def turned(self, angle: float, about: Tensor | None = None) -> Self:
        """Return the motion turned by `angle` radians about +Y through a point (3,), the origin unless given."""
        return self.rotated(quat_yaw(self.root.new_tensor(angle)), about)

    def moved(self, shift: Tensor) -> Self:
        """Return the motion moved by shift (3,), metres."""
        return replace(self, root=self.root + shift.to(self.root))

    def with_heading(self, angle: float) -> Self:
        """Return the motion turned about its first root position so that it starts facing `angle`, radians."""
        return self.turned(angle - float(self.heading()[0]), about=self.root[0])

    def at_origin(self) -> Self:
        """Return the motion with its first frame over the origin, facing +Z; heights stay."""
        turned = self.with_heading(0.0)
        return turned.moved(-turned.root[0] * turned.root.new_tensor([1.0, 0.0, 1.0]))

    def grounded(self) -> Self:
        """Return the motion lifted or lowered so that its feet stand on y = 0."""
        return self.moved(self.root.new_tensor([0.0, -ground_height(self.positions(), self.skeleton), 0.0]))

    def with_locked_feet(self) -> "Motion":
        """Return the motion with standing feet held where they stand; see motiongen.foot_lock."""
        from motiongen.foot_lock import lock_feet

        return lock_feet(self)

    def concatenate(self, other: "Motion", blend: float = 0.3) -> Self:
        """Return this motion, then `other` from where this one ends, in its direction.

        Args:
            other: a motion of the same skeleton; it is resampled to this rate.
            blend: seconds in which what differs at the seam fades out; no frame is lost.
        """
        if other.skeleton.names != self.skeleton.names:
            raise ValueError(
                f"concatenate: expected the same joints, got {self.skeleton.num_joints} and "
                f"{other.skeleton.num_joints} joints; retarget one of them first"
            )
        if self.translations is not None or other.translations is not None:
            raise ValueError(
                "concatenate: expected rigid bones, got translations of single joints; retarget first"
            )
        other = other.resample(self.fps).with_heading(float(self.heading()[-1]))
        step = self.root[-1] + (self.root[-1] - self.root[-2] if self.num_frames > 1 else 0)
        other = other.moved((step - other.root[0]) * self.root.new_tensor([1.0, 0.0, 1.0]))
        rotations, root = take_over(
            other.rotations, other.root, self.rotations[-3:], self.root[-3:], round(blend * self.fps)
        )
        return replace(
            self,
            rotations=torch.cat([self.rotations, rotations]),
            root=torch.cat([self.root, root]),
            translations=None,
        )

    def retarget(self, target: "Skeleton | str | Path") -> "Motion":
        """Return the motion on another humanoid skeleton, or on that of a file (BVH, GLB)."""
        from motiongen.retarget import retarget

        if not isinstance(target, Skeleton):
            target = Motion.load(target).skeleton
        return retarget(self, target)

    @staticmethod
    def load(path: str | Path) -> "Motion":
        """Return the motion in a file; the extension names the format."""
        from motiongen.io import load

        return load(path)

    def save(self, path: str | Path) -> None:
        """Write the motion to a file whose extension names the format: .bvh, .glb, .npz."""
        from motiongen.io import save

        save(self, path)

    def render(self, path: str | Path, **options: Any) -> None:
        """Draw the motion to .mp4, .gif or .png (a sheet of poses); options as in motiongen.render.render."""
        from motiongen.render import render

        render(self, path, **options)


def local_rotations(global_rotations: Tensor, skeleton: Skeleton) -> Tensor:
    """Return local rotations (..., J, 4) of global ones (..., J, 4)."""
    parents = [max(parent, 0) for parent in skeleton.parents]
    local = quat_multiply(quat_inverse(global_rotations[..., parents, :]), global_rotations)
    return quat_normalize(torch.cat([global_rotations[..., :1, :], local[..., 1:, :]], dim=-2))


def _lerp(a: Tensor, b: Tensor, part: Tensor) -> Tensor:
    return a + (b - a) * part.reshape(-1, *[1] * (a.dim() - 1))
