"""Music to dance in one call, and a dance written anew in part."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen import checkpoint, features, tokenizers
from motiongen.conditions.music import MusicCondition
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.sampler import DanceOptions, Held, sample_dance
from motiongen.heads.badm.spaces import Space, make_space
from motiongen.inference import splice
from motiongen.inference.model import canonical, put_back, resolve_device, weights_folder
from motiongen.motion import Motion
from motiongen.music.audio import Audio, read_audio
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
    """A loaded BADM. Make one with `load_dance`.

    Attributes:
        head: denoises windows.
        space: what they are windows of.
        about: what the set of weights says of itself.
    """

    head: BADM
    space: Space
    about: dict[str, Any] = field(default_factory=dict)

    def dance(
        self,
        music: MusicCondition,
        *,
        style: str | None = None,
        seed: int = 0,
        options: DanceOptions | None = None,
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
        options: DanceOptions | None = None,
        held: Held | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Return the feature frames (T, 140) of a dance; `held` is what of it is known, in the model's space."""
        pieces = sample_dance(
            self.head, music.features[0], music.beats[0], style=style,
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
        options: DanceOptions | None = None,
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


def spaces_of(weights: str | Path) -> list[str]:
    """Return the spaces in which a set of weights dances, the first one first."""
    folder = weights_folder(weights)
    return [
        name for name in ("latent", "motion", "edge") if (folder / "badm" / name / "config.json").is_file()
    ]


@lru_cache(maxsize=4)
def load_dance(space: str | None = None, weights: str | Path = "full", device: str = "auto") -> DanceModel:
    """Return a BADM, ready to dance; the same one when asked again.

    Args:
        space: "latent", "motion", or None for the one that the set's first.
        weights: "full" (non-commercial), "open" (free sources) or a folder with `badm/SPACE/`, and `tokenizer/` for
            latents.
        device: "cpu", "cuda", or "auto".

    Raises:
        ValueError: the set has no such model, or files are damaged.
    """
    folder, there = weights_folder(weights), spaces_of(weights)
    if not there or (space is not None and space not in there):
        asked = "a BADM" if space is None else f"badm/{space}"
        found = f"only {', '.join(there)}" if there else "none"
        raise ValueError(
            f"weights: expected {asked} in {folder}, got {found}; train one or choose another set"
        )
    on = resolve_device(device)
    head = checkpoint.load(folder / "badm" / (space or there[0]), BADM).eval().to(on).requires_grad_(False)
    tokenizer = None
    if head.config.space == "latent":
        tokenizer = tokenizers.load(folder / "tokenizer").to(on).requires_grad_(False)
    about = checkpoint.read_json(folder / "about.json") if (folder / "about.json").is_file() else {}
    return DanceModel(head, make_space(head.config.space, tokenizer), {"name": folder.name, **about})


def dance(
    music: str | Path | Audio,
    *,
    seconds: float | None = None,
    start: float = 0.0,
    style: str | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    steps: int | None = None,
    space: str | None = None,
    weights: str | Path = "full",
    device: str = "auto",
    progress: Progress | None = None,
) -> Motion:
    """Return a dance to a piece of music, as long as it.

    Args:
        music: a sound file (wav, mp3, ogg, flac …) or samples.
        seconds: how much of the music; None for all of it.
        start: where in the file to begin, seconds.
        style: a dance style that the weights know; None for any.
        seed: the same seed gives the same dance on the same device.
        guidance_scale: how strictly to follow the music; 1 is no stricter than the data.
        steps: of denoising.
        space: "latent" or "motion".
        weights: "full" (non-commercial), "open" (free sources) or a folder.
        device: "auto", "cpu" or "cuda".
        progress: called with places done and in all.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no sound, an unknown style, or a number out of range.
    """
    audio = music if isinstance(music, Audio) else read_audio(music, start=start, seconds=seconds)
    model = load_dance(space, weights, device)
    options = DanceOptions().adjusted(guidance_scale, steps)
    condition = MusicCondition.from_audio(audio)
    return model.dance(condition, style=style, seed=seed, options=options, progress=progress)


def edit_dance(
    motion: Motion,
    music: str | Path | Audio,
    *,
    between: tuple[float, float] | None = None,
    joints: str | None = None,
    keep_root: bool = False,
    style: str | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    steps: int | None = None,
    weights: str | Path = "full",
    device: str = "auto",
) -> Motion:
    """Return a motion with a span, a group of joints, or both, danced anew to music; see `DanceModel.edit`.

    The music's first second is the motion's first; the other arguments are as in `dance`.
    """
    audio = music if isinstance(music, Audio) else read_audio(music, seconds=motion.seconds + 1)
    model = load_dance("motion", weights, device)
    options = DanceOptions().adjusted(guidance_scale, steps)
    condition = MusicCondition.from_audio(audio)
    return model.edit(
        motion, condition, between=between, joints=joints, keep_root=keep_root, style=style, seed=seed,
        options=options,
    )  # fmt: skip
