"""A loaded head that dances: music into motion, and dances danced anew in part."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen import features, heads
from motiongen.conditions.music import MusicCondition
from motiongen.heads.badm.config import BADMOptions
from motiongen.heads.badm.sampler import Held
from motiongen.heads.badm.spaces import Space
from motiongen.heads.spec import HeadSpec
from motiongen.inference import splice
from motiongen.inference.humanoid_clip import canonical, put_back
from motiongen.motion import Motion
from motiongen.music.audio import Audio
from motiongen.skeleton import SMPL22

_ARMS = ("collar", "shoulder", "elbow", "wrist")
_LEGS = ("hip", "knee", "ankle", "foot")
JOINT_GROUPS: dict[str, tuple[str, ...]] = {
    "upper": tuple(n for n in SMPL22.names if not n.endswith(_LEGS) and n != "pelvis"),
    "lower": tuple(n for n in SMPL22.names if n.endswith(_LEGS)),
    "arms": tuple(n for n in SMPL22.names if n.endswith(_ARMS)),
    "left_arm": tuple(f"left_{part}" for part in _ARMS),
    "right_arm": tuple(f"right_{part}" for part in _ARMS),
    "torso": ("spine1", "spine2", "spine3"),
    "head": ("neck", "head"),
}
"""Name -> joints that an edit may be limited to."""
ROOT = ("turn", "velocity", "height", "tilt")
"""Slices of the learned frame that carry the root."""

Progress = Callable[[int, int], Any]


@dataclass
class DanceModel:
    """A loaded head that dances. Make one with `load`.

    Attributes:
        head: the nn.Module that denoises windows.
        space: what the windows hold.
        about: what the set of weights says of itself.
    """

    head: Any
    space: Space
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> HeadSpec:
        """What the head is called and can do."""
        return heads.lookup(self.head.model_type, "music")

    @cached_property
    def sampler(self) -> Any:
        """What samples dances from the head."""
        return self.spec.sampler()(self.head)

    def dance(
        self,
        music: MusicCondition,
        *,
        style: str | None = None,
        seed: int = 0,
        options: BADMOptions | None = None,
        progress: Progress | None = None,
    ) -> Motion:
        """Return a dance as long as the music (the first item of its batch).

        Args:
            music: its features and beats.
            style: one of `head.config.styles`, or None for any.
            seed: of the noise.
            options: steps and guidance.
            progress: called with places done and in all.
        """
        frames = self.frames(music, style=style, seed=seed, options=options, progress=progress)
        return features.decode(frames)

    def frames(
        self,
        music: MusicCondition,
        *,
        style: str | None = None,
        seed: int = 0,
        options: BADMOptions | None = None,
        held: Held | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Return the feature frames (T, 140) of a dance; `held` is what of it is known, in the model's space."""
        pieces = self.sampler.sample(
            music.features[0], music.beats[0], style=style,
            generator=torch.Generator().manual_seed(seed), options=options, held=held, progress=progress,
        )  # fmt: skip
        return self.space.decode(torch.cat(list(pieces)))[: music.num_frames].cpu()

    def silence(self, num_frames: int) -> MusicCondition:
        """Return what a number of frames of silence sound like."""
        one = _silence().to(self.head.device)
        return MusicCondition(one.features.expand(1, num_frames, -1), one.beats.expand(1, num_frames))

    def edit(
        self,
        motion: Motion,
        music: MusicCondition,
        *,
        between: tuple[float, float] | None = None,
        joints: str | None = None,
        keep_root: bool = False,
        style: str | None = None,
        seed: int = 0,
        options: BADMOptions | None = None,
    ) -> Motion:
        """Return a motion with a span, a group of joints, or both, danced anew; all else as it was.

        Args:
            motion: of any humanoid, at any rate.
            music: what it is danced to; its first frame is the motion's first.
            between: start and end of the span, seconds; None for the whole motion.
            joints: a name in JOINT_GROUPS; None for the whole body.
            keep_root: keep the root's path, height and lean too.
            style: as in `dance`.
            seed: of the noise.
            options: steps and guidance.

        Raises:
            ValueError: a model of another space than "motion", nothing to edit, an empty span, an unknown group.
        """
        if self.head.config.space != "motion":
            raise ValueError(
                f"space: expected motion to edit in, got {self.head.config.space}; load that one"
            )
        if between is None and joints is None and not keep_root:
            raise ValueError(
                "edit: expected a span, joints or keep_root, got none; use dance for a new dance"
            )
        whole = canonical(motion)
        first, last = _span(between, whole)
        frames = features.encode(whole)
        free = torch.zeros_like(frames, dtype=torch.bool)
        free[first:last] = _free_channels(joints, keep_root)
        margin = self.head.config.window_frames // 2
        near = slice(max(0, first - margin), min(len(frames), last + margin))
        made = self.frames(
            music.frames(near.start, near.stop), style=style, seed=seed, options=options,
            held=Held(frames[near], ~free[near]),
        )  # fmt: skip
        new = frames.clone()
        new[near] = torch.where(free[near], made[: len(new[near])], frames[near])
        if joints is None and not keep_root:
            span = splice.fill(whole, new, first, last)
        else:
            span = _changed_in_place(whole, new, first, last, keep_root or joints != "lower")
        if whole is motion:
            return splice.put(motion, span, first, last)
        return put_back(motion, whole, span, first, last)


def _span(between: tuple[float, float] | None, whole: Motion) -> tuple[int, int]:
    """Return the first frame of a span and the first after it."""
    start, end = between or (0.0, whole.seconds)
    end = min(end, whole.seconds)
    if not 0 <= start < end or round((end - start) * whole.fps) < 4:
        raise ValueError(
            f"between: expected a span of at least 0.13 s within 0:{whole.seconds:.2f}, got {start:g}:{end:g}"
        )
    return round(start * whole.fps), min(round(end * whole.fps), whole.num_frames)


def _free_channels(joints: str | None, keep_root: bool) -> Tensor:
    """Return (140,) bool, true for the channels that an edit writes anew."""
    if joints is not None and joints not in JOINT_GROUPS:
        raise ValueError(f"joints: expected one of {', '.join(JOINT_GROUPS)}, got {joints!r}; pick one")
    free = torch.zeros(features.FEATURE_DIM, dtype=torch.bool)
    start = features.LAYOUT["joints"].start
    for name in JOINT_GROUPS[joints] if joints else SMPL22.names[1:]:
        place = start + 6 * (SMPL22.index(name) - 1)
        free[place : place + 6] = True
    if joints in (None, "lower"):  # legs carry the body: where it goes follows from them
        free[features.LAYOUT["contacts"]] = True
        if not keep_root:
            for part in ROOT:
                free[features.LAYOUT[part]] = True
    return free


def _changed_in_place(whole: Motion, new: Tensor, first: int, last: int, keep_root: bool) -> Motion:
    """Return frames [first, last) with new joints; the root is the old one's unless it was free to move."""
    if not keep_root:
        return splice.fill(whole, new, first, last)
    decoded = features.decode(new[first:last])
    rotations = decoded.rotations.clone()
    rotations[:, 0] = whole.rotations[first:last, 0]
    span = Motion(whole.skeleton, rotations, whole.root[first:last], whole.fps)
    before, after = whole[:first] if first else None, whole[last:] if last < whole.num_frames else None
    return splice.meet(span, before, after)


@lru_cache(maxsize=1)
def _silence() -> MusicCondition:
    """A frame of silence."""
    whole = MusicCondition.from_audio(Audio(np.zeros(22050, np.float32), 22050))
    return whole.frames(15, 16)
