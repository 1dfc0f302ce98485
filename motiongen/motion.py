"""Motion: the rotations and the root path of a skeleton over time. Immutable: every method returns a new one."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen import limits
from motiongen.blend import take_over
from motiongen.contacts import foot_contacts, ground_height
from motiongen.foot_lock import lock_feet
from motiongen.frames import PoseArrays, stack_frames
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
from motiongen.skeleton import SMPL22, Skeleton, are_unit, check_unit, local_rotations

if TYPE_CHECKING:
    from motiongen.io import ReadOptions
    from motiongen.retargeting import Character
    from motiongen.skinned_mesh import SkinnedMesh


@dataclass(frozen=True, eq=False, repr=False)
class Motion:
    """A clip of T frames of a skeleton with J joints.

    `len(motion)` is T; `motion[3]` is frame 3 as a motion of one frame, `motion[10:20]` a span of frames.

    Attributes:
        skeleton: joints and offsets.
        rotations: (T, J, 4) local rotations, unit quaternions x, y, z, w.
        root: (T, 3) position of joint 0, metres.
        fps: frames a second.
        translations: (T, J, 3) local translations, metres, only for rigs whose joints move on their parents.
        licence: of the weights that made it, in words for people; empty where it is not known. Files of npz and glTF
            keep it.
    """

    skeleton: Skeleton
    rotations: Tensor
    root: Tensor
    fps: float
    translations: Tensor | None = None
    licence: str = ""

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
        limits.check_fps(self.fps)
        self._check_numbers()

    def _check_numbers(self) -> None:
        """Raise ValueError for a frame with NaN, infinity, a quaternion not of unit length, or one beyond reach."""
        moved = [self.root] if self.translations is None else [self.root, self.translations]
        if are_unit(self.rotations) and all(
            float(item.detach().abs().max()) <= limits.MAX_DISTANCE for item in moved
        ):
            return  # as nearly always; what is wrong is looked for below
        finite = torch.isfinite(self.rotations).flatten(1).all(1) & torch.isfinite(self.root).all(1)
        if self.translations is not None:
            finite = finite & torch.isfinite(self.translations).flatten(1).all(1)
        if not finite.all():
            frame = int((~finite).nonzero()[0])
            raise ValueError(f"motion: expected finite numbers, got NaN or infinity in frame {frame}")
        check_unit(self.rotations, self.skeleton.names, "motion")
        for name, places in (("root", self.root), ("translations", self.translations)):
            if places is not None and float(places.detach().abs().max()) > limits.MAX_DISTANCE:
                far = (places.detach().abs() > limits.MAX_DISTANCE).flatten(1).any(1)
                raise ValueError(
                    f"motion: expected {name} within {limits.MAX_DISTANCE:g} m, got one beyond in frame "
                    f"{int(far.nonzero()[0])}; check the unit"
                )

    def licensed(self, licence: str) -> Self:
        """Return the motion with a further licence, beside that of what it was made from.

        Args:
            licence: in words for people; empty for none.
        """
        both = dict.fromkeys(filter(None, (self.licence, licence)))
        return replace(self, licence="; ".join(both))

    @classmethod
    def from_frames(
        cls,
        frames: Iterable[PoseArrays],
        fps: float,
        *,
        skeleton: Skeleton = SMPL22,
        normalize: bool = False,
    ) -> Self:
        """Return NumPy frames, such as those of a stream, as a motion.

        Args:
            frames: one or more, each with `rotations` (J, 4) and `root` (3,).
            fps: frames a second.
            skeleton: their joints.
            normalize: scale quaternions to unit length, for frames that were rounded on their way here.
        """
        rotations, root = stack_frames(frames)
        return cls(skeleton, quat_normalize(rotations) if normalize else rotations, root, fps)

    def numpy(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return local rotations (T, J, 4) and root positions (T, 3) as NumPy arrays; they may share memory."""
        return self.rotations.detach().float().cpu().numpy(), self.root.detach().float().cpu().numpy()

    def __repr__(self) -> str:
        return (
            f"Motion({self.skeleton.label}, {self.num_frames} frames, {self.fps:g} fps, {self.seconds:.2f} s)"
        )

    def __len__(self) -> int:
        return self.num_frames

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self.rotations.shape[0]

    @property
    def seconds(self) -> float:
        """Length in seconds: T frames, each shown for 1/fps."""
        return self.num_frames / self.fps

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        """Return the motion on another device, in another floating-point type, or both.

        Args:
            device: where the tensors shall be; where they are if None. The skeleton stays where it is.
            dtype: a floating-point type; their own if None.
        """
        if dtype is not None and not dtype.is_floating_point:
            raise ValueError(f"dtype: expected a floating-point type, got {dtype}; use torch.float32")
        translations = self.translations
        return replace(
            self,
            rotations=self.rotations.to(device=device, dtype=dtype),
            root=self.root.to(device=device, dtype=dtype),
            translations=None if translations is None else translations.to(device=device, dtype=dtype),
        )

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
        rest = self.skeleton.rest_rotations[0].to(self.rotations)
        return heading_angle(quat_multiply(self.rotations[:, 0], quat_inverse(rest)))

    def __getitem__(self, frames: int | slice) -> Self:
        """Return a span of frames; for a number, that one frame as a motion of one frame.

        Raises:
            IndexError: there is no frame of that number.
            ValueError: an empty span.
        """
        if not isinstance(frames, slice):
            index = operator.index(frames)
            if not -self.num_frames <= index < self.num_frames:
                raise IndexError(f"frame: expected {-self.num_frames} to {self.num_frames - 1}, got {index}")
            frames = slice(index, index + 1) if index != -1 else slice(-1, None)
        translations = None if self.translations is None else self.translations[frames]
        return replace(
            self, rotations=self.rotations[frames], root=self.root[frames], translations=translations
        )

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
        """Return the motion at another rate: slerp for rotations, straight lines for positions.

        Raises:
            ValueError: no such rate, or more frames than `limits.check_poses` allows.
        """
        limits.check_fps(fps)
        if fps == self.fps:
            return self
        count = max(1, round((self.num_frames - 1) * fps / self.fps) + 1)
        joints = self.skeleton.num_joints
        limits.check_poses(count, joints, limits.GROWTH * self.num_frames * joints)
        return self.at(torch.arange(count, dtype=torch.float64) * self.fps / fps, float(fps))

    def at(self, frames: Tensor, fps: float | None = None) -> Self:
        """Return the motion sampled at fractional frames: slerp for rotations, straight lines for positions.

        Args:
            frames: frame numbers (T',), in any order; those outside the clip give its first or last frame.
            fps: frames a second of the result; the motion's own if None.
        """
        times = frames.to(torch.float64).clamp(0, self.num_frames - 1)
        low = times.floor().long()
        high = (low + 1).clamp(max=self.num_frames - 1)
        part = (times - low).to(self.root)
        translations = self.translations
        return replace(
            self,
            rotations=quat_slerp(self.rotations[low], self.rotations[high], part[:, None]),
            root=_lerp(self.root[low], self.root[high], part),
            fps=self.fps if fps is None else fps,
            translations=None if translations is None else _lerp(translations[low], translations[high], part),
        )

    def mirror(self) -> Self:
        """Return the motion with left and right exchanged, seen in the mirror x -> -x.

        Each joint's rotation from its rest pose is mirrored, so a rig needs a symmetric rest pose, not symmetric
        local axes.

        Raises:
            ValueError: joints that move on their parents.
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
        mirrored = quat_multiply(mirror_quat(from_rest[:, index]), rest)
        return replace(
            self,
            rotations=local_rotations(mirrored, self.skeleton),
            root=self.root * self.root.new_tensor([-1.0, 1, 1]),
        )

    def rotated(self, rotation: Tensor, about: Tensor | None = None) -> Self:
        """Return the whole motion rotated by a quaternion (4,) about a point (3,), the origin unless given."""
        about = self.root.new_zeros(3) if about is None else about
        rotation = rotation.to(self.root)
        rotations = torch.cat([quat_multiply(rotation, self.rotations[:, :1]), self.rotations[:, 1:]], dim=1)
        root = quat_rotate(rotation, self.root - about) + about
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

    def with_locked_feet(self, first: int = 0, last: int | None = None) -> Self:
        """Return the motion with standing feet held where they stand; see motiongen.foot_lock.

        Args:
            first: frames before it stay as they are.
            last: so do those from this one on; None for none.
        """
        rotations = lock_feet(
            self.global_rotations(), self.positions(), self.contacts(), self.skeleton, self.fps, first, last
        )
        end = self.num_frames if last is None else last
        rotations = torch.cat([self.rotations[:first], rotations[first:end], self.rotations[end:]])
        return replace(self, rotations=rotations)

    def concatenate(self, other: "Motion", blend: float = 0.3) -> Self:
        """Return this motion followed by another one, which begins where this one ends, in its direction.

        Args:
            other: a motion of the same skeleton; it is resampled to this rate.
            blend: seconds in which the difference at the seam fades out; no frame is lost.

        Raises:
            ValueError: other joints, or joints that move on their parents.
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

    # A facade: the methods below import layers above this one, inside the call, so that everyday work needs one class.
    # They are the only imports of the core that point upwards, and pyproject.toml names each.

    def retarget(
        self,
        target: "Skeleton | Character | str | Path",
        *,
        plant_feet: bool = True,
        keep_hands: bool = False,
    ) -> "Motion":
        """Return the motion on another humanoid, given as a skeleton or as the file of a character.

        Args:
            target: a skeleton, a `motiongen.Character` or the path of one.
            plant_feet: hold standing feet on a floor at y = 0; without, rotations alone are copied.
            keep_hands: let hands near each other or near the body keep their distance.
        """
        from motiongen.retargeting import retarget

        return retarget(self, target, plant_feet=plant_feet, keep_hands=keep_hands)

    @staticmethod
    def load(path: str | Path, options: "ReadOptions | None" = None) -> "Motion":
        """Return the motion in a file; its extension names the format, one of `motiongen.io.FORMATS`.

        Args:
            path: the file.
            options: what is known of the file (`motiongen.io.ReadOptions`), in place of guesses.
        """
        from motiongen.io import load

        return load(path, options)

    def save(
        self,
        path: str | Path,
        *,
        mesh: "SkinnedMesh | None" = None,
        character: str | Path | None = None,
    ) -> None:
        """Write the motion to a file; its extension names the format, one of `motiongen.io.FORMATS`.

        Args:
            path: a file to make or replace.
            mesh: the body in formats that hold one; if None, motiongen's own body for SMPL-22, else a stick a bone.
            character: file of the character that the motion is on, in place of a mesh: a GLB keeps all that it shows.
        """
        from motiongen.io import format_of, save

        if mesh is None and character is None and format_of(path).takes_mesh:
            from motiongen.body import default_mesh

            mesh = default_mesh(self.skeleton)
        save(self, path, mesh=mesh, character=character)

    def render(self, path: str | Path, **options: Any) -> None:
        """Draw the motion to a video or picture; extensions and options are those of motiongen.render.render."""
        from motiongen.render import render

        render(self, path, **options)


def _lerp(a: Tensor, b: Tensor, part: Tensor) -> Tensor:
    return a + (b - a) * part.reshape(-1, *[1] * (a.dim() - 1))
