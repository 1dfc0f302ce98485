"""Retargeting from any humanoid skeleton to any other, whole or as a stream.

Both skeletons are put into the same T-pose, and each joint's rotation from there, in the world, is copied; bone
lengths are the target's, and the hips' path is scaled by leg length. Then standing feet are held by the legs' joints,
and hands near the body by the arms', if asked for.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motiongen.humanoid import humanoid_map
from motiongen.motion import Motion
from motiongen.retargeting.body import Body
from motiongen.retargeting.character import Character
from motiongen.retargeting.retargeter import Retargeter
from motiongen.retargeting.t_pose import find_t_pose, leg_length
from motiongen.skeleton import SMPL22, Skeleton

CHUNK = 1024
"""Frames that are done at once, which bounds the memory of a long clip."""

__all__ = ["Body", "Character", "Retargeter", "find_t_pose", "leg_length", "position_error", "retarget"]


def retarget(
    motion: Motion,
    target: Skeleton | Character | str | Path = SMPL22,
    *,
    mapping: dict[str, str] | None = None,
    t_pose: Tensor | None = None,
    target_mapping: dict[str, str] | None = None,
    plant_feet: bool = True,
    keep_hands: bool = False,
) -> Motion:
    """Return the motion on another skeleton, at the same rate, standing on a floor at y = 0.

    Args:
        motion: of any humanoid.
        target: the skeleton to move, or the character that is to move, or the path of its file.
        mapping: SMPL joint name -> joint name of the motion's skeleton; found by names if None.
        t_pose: local rotations (J, 4) that put the motion's skeleton into SMPL's T-pose; if None they come from
            its rest pose, or from its first frame where the rest pose is not a person's.
        target_mapping: as mapping, for a target that is a skeleton.
        plant_feet: hold standing feet by the legs' joints; without, rotations alone are copied, and heights scaled.
        keep_hands: let hands near each other or near the body keep their distance, by the arms' joints.

    Raises:
        ValueError: a skeleton is no humanoid, or a limb has a bone without length.
    """
    mapping = humanoid_map(motion.skeleton) if mapping is None else mapping
    if t_pose is None:
        t_pose = find_t_pose(motion.skeleton, mapping, motion)
    source = Body.of(motion.skeleton, mapping, t_pose)
    if isinstance(target, str | Path):
        target = Character.load(target)
    body = target.body if isinstance(target, Character) else Body.of(target, target_mapping)
    retargeter = Retargeter(source, body, fps=motion.fps, plant_feet=plant_feet, keep_hands=keep_hands)
    rotations, root = motion.rotations.detach().cpu().numpy(), motion.root.detach().cpu().numpy()
    ways = None if motion.translations is None else motion.translations.detach().cpu().numpy()
    if retargeter.plants_feet:
        floor = retargeter.find_floor(rotations, root, ways)
        retargeter.plants_feet = floor is not None  # where nobody stands, a floor would be a guess
        retargeter.floor = floor or 0.0
    state, parts = retargeter.init_state(), []
    for start in range(0, len(motion), CHUNK):
        span = slice(start, start + CHUNK)
        some = None if ways is None else ways[span]
        parts.append(retargeter.step(rotations[span], root[span], state, translations=some))
    turned, moved = (torch.from_numpy(np.concatenate(each)) for each in zip(*parts, strict=True))
    return Motion(
        body.skeleton,
        turned.to(motion.rotations),
        moved.to(motion.root),
        motion.fps,
        licence=motion.licence,
    )


def position_error(source: Motion, retargeted: Motion, mapping: dict[str, str] | None = None) -> Tensor:
    """Return the distance (T, M), metres, of M joints of a retargeted motion from the source's, scaled by leg length.

    Both are measured from the middle of the hips, so that only the difference of proportions and rest poses remains.

    Args:
        source: any humanoid.
        retargeted: the same motion on SMPL-22.
        mapping: SMPL joint name -> joint name of the source; found by names if None.
    """
    mapping = humanoid_map(source.skeleton) if mapping is None else mapping
    own = {name: name for name in mapping}
    scale = leg_length(retargeted.skeleton, own) / leg_length(source.skeleton, mapping)
    expected, actual = source.positions() * scale, retargeted.positions()
    expected = expected - _middle_of_hips(expected, source.skeleton, mapping)[:, None]
    actual = actual - _middle_of_hips(actual, retargeted.skeleton, own)[:, None]
    expected = expected[:, [source.skeleton.index(name) for name in mapping.values()]]
    actual = actual[:, [retargeted.skeleton.index(name) for name in mapping]]
    return (expected - actual).norm(dim=-1)


def _middle_of_hips(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
    left, right = (skeleton.index(mapping[f"{side}_hip"]) for side in ("left", "right"))
    return (positions[..., left, :] + positions[..., right, :]) / 2
