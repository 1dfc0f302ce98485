"""DanceModel: a loaded music-to-dance head that generates and edits dances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from motiongen import features
from motiongen.conditions.music import MusicCondition
from motiongen.heads.badm.config import BADMOptions
from motiongen.heads.badm.sampler import Constraint
from motiongen.heads.badm.spaces import LatentSpace, Space
from motiongen.heads.spec import Kind
from motiongen.inference import splice
from motiongen.inference.humanoid_clip import canonical, put_back
from motiongen.inference.joint_groups import JOINT_GROUPS
from motiongen.inference.pretrained import Pretrained
from motiongen.motion import Motion
from motiongen.music.audio import Audio
from motiongen.skeleton import SMPL22
from motiongen.training.model_card import Task

ROOT = ("turn", "velocity", "height", "tilt")
"""Slices of the feature frame that describe the root."""

Progress = Callable[[int, int], Any]
"""Progress callback, called with the numbers of steps done and in all."""


@dataclass
class DanceModel(Pretrained):
    """A loaded music-to-dance head; create one with `load`.

    Attributes:
        head: the denoiser, an nn.Module.
        space: representation that is diffused.
        about: contents of the about.json of the weights.
        folder: of the weights; None for a model that was made in Python.
    """

    kind: ClassVar[Kind] = "music"

    head: Any
    space: Space
    about: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @cached_property
    def sampler(self) -> Any:
        """Sampler of the head."""
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
        """Return a dance to music, of the same length.

        Args:
            music: features and beats, of which the first item of the batch is used.
            style: one of `head.config.styles`; None for any.
            seed: of the noise.
            options: steps and guidance.
            progress: called with the numbers of positions done and in all.
        """
        frames = self.frames(music, style=style, seed=seed, options=options, progress=progress)
        return features.decode(frames).licensed(self.licence)

    def frames(
        self,
        music: MusicCondition,
        *,
        style: str | None = None,
        seed: int = 0,
        options: BADMOptions | None = None,
        constraint: Constraint | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Return the feature frames (T, 140) of a dance; see `dance`.

        Args:
            music: features and beats.
            style: as in `dance`.
            seed: of the noise.
            options: steps and guidance.
            constraint: known values of the dance, in the units of the space.
            progress: as in `dance`.

        Raises:
            ValueError: music without a frame.
        """
        if not music.num_frames:
            raise ValueError("music: expected at least 1/30 s, got less; take more of it")
        parts = self.sampler.sample(
            music.features[0], music.beats[0], style=style,
            generator=torch.Generator().manual_seed(seed), options=options, constraint=constraint, progress=progress,
        )  # fmt: skip
        return self.space.decode(torch.cat(list(parts)))[: music.num_frames].cpu()

    def _modules(self) -> dict[str, tuple[nn.Module, Task]]:
        modules: dict[str, tuple[nn.Module, Task]] = {
            f"{self.spec.name}/{self.space.name}": (self.head, "music")
        }
        if isinstance(self.space, LatentSpace):
            modules["tokenizer"] = (self.space.tokenizer, "tokenizer")
        return modules

    def silence(self, num_frames: int) -> MusicCondition:
        """Return the music condition of silence, (1, num_frames, ...), on the device of the model."""
        frame = _silent_frame().to(self.head.device)
        return MusicCondition(frame.features.expand(1, num_frames, -1), frame.beats.expand(1, num_frames))

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
        """Return a motion in which a span, a group of joints, or both are regenerated; the rest is unchanged.

        Args:
            motion: of any humanoid, at any rate.
            music: features and beats; starts with the motion, and is followed by silence.
            between: start and end of the span, seconds; None for the whole motion.
            joints: a name in JOINT_GROUPS; None for the whole body.
            keep_root: keep path, height and tilt of the root.
            style: as in `dance`.
            seed: of the noise.
            options: steps and guidance.

        Raises:
            ValueError: a model in another space than "motion", nothing to edit, an empty span, music that ends before
                it, or an unknown group.
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
        if music.num_frames <= first:
            raise ValueError(
                f"music: expected it to last into the span, which begins at {first / features.FPS:.2f} s, got "
                f"{music.num_frames / features.FPS:.2f} s; take longer music or an earlier span"
            )
        silent = self.silence(max(0, near.stop - music.num_frames))
        generated = self.frames(
            music.followed_by(silent).frames(near.start, near.stop), style=style, seed=seed, options=options,
            constraint=Constraint(frames[near], ~free[near]),
        )  # fmt: skip
        new = frames.clone()
        new[near] = torch.where(free[near], generated[: len(new[near])], frames[near])
        if joints is None and not keep_root:
            span = splice.fill(whole, new, first, last)
        else:
            span = _with_new_joints(whole, new, first, last, keep_root or joints != "lower")
        if whole is motion:
            return splice.put(motion, span, first, last).licensed(self.licence)
        return put_back(motion, whole, span, first, last).licensed(self.licence)


def _span(between: tuple[float, float] | None, whole: Motion) -> tuple[int, int]:
    """Return the first frame of a span and the first frame after it."""
    start, end = between or (0.0, whole.seconds)
    end = min(end, whole.seconds)
    if not 0 <= start < end or round((end - start) * whole.fps) < 4:
        raise ValueError(
            f"between: expected a span of at least 0.13 s within 0:{whole.seconds:.2f}, got {start:g}:{end:g}"
        )
    return round(start * whole.fps), min(round(end * whole.fps), whole.num_frames)


def _free_channels(joints: str | None, keep_root: bool) -> Tensor:
    """Return a mask (140,) of the feature channels that an edit regenerates."""
    if joints is not None and joints not in JOINT_GROUPS:
        raise ValueError(f"joints: expected one of {', '.join(JOINT_GROUPS)}, got {joints!r}; pick one")
    free = torch.zeros(features.FEATURE_DIM, dtype=torch.bool)
    start = features.LAYOUT["joints"].start
    for name in JOINT_GROUPS[joints] if joints else SMPL22.names[1:]:
        channel = start + 6 * (SMPL22.index(name) - 1)
        free[channel : channel + 6] = True
    if joints in (None, "lower"):  # the root moves with the legs
        free[features.LAYOUT["contacts"]] = True
        if not keep_root:
            for part in ROOT:
                free[features.LAYOUT[part]] = True
    return free


def _with_new_joints(whole: Motion, new: Tensor, first: int, last: int, keep_root: bool) -> Motion:
    """Return frames [first, last) of a motion with the joints of new features (T, 140), and its root if it is kept."""
    if not keep_root:
        return splice.fill(whole, new, first, last)
    decoded = features.decode(new[first:last])
    rotations = decoded.rotations.clone()
    rotations[:, 0] = whole.rotations[first:last, 0]
    span = Motion(whole.skeleton, rotations, whole.root[first:last], whole.fps)
    before, after = whole[:first] if first else None, whole[last:] if last < whole.num_frames else None
    return splice.meet(span, before, after)


@lru_cache(maxsize=1)
def _silent_frame() -> MusicCondition:
    """Return the music condition of one frame of silence."""
    whole = MusicCondition.from_audio(Audio(np.zeros(22050, np.float32), 22050))
    return whole.frames(15, 16)
