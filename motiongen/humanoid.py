"""A map from SMPL's 22 joints to those of any humanoid skeleton, as rig_match.py finds it or somebody says it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from motiongen.files import read_json
from motiongen.registry import suggest
from motiongen.rig_match import find_roles
from motiongen.skeleton import SMPL22, Skeleton

NEEDED = (
    "pelvis",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")),
)
"""Joints without which a skeleton is no humanoid."""


@dataclass(frozen=True)
class HumanoidMatch:
    """The joints of a skeleton that play the parts of SMPL's.

    Attributes:
        roles: SMPL joint name -> the skeleton's, in SMPL's order; parts that it lacks are left out.
        left_out: joints of the skeleton that play no part.
        confidence: 0 to 1, the mean over SMPL's 22 joints: 1 where a name that has one meaning was found, 0.9 and
            0.8 where the tree alone told which of two or where there was no known name, 0 for a missing one.
    """

    roles: dict[str, str]
    left_out: tuple[str, ...]
    confidence: float

    @property
    def missing(self) -> tuple[str, ...]:
        """SMPL's joints that the skeleton lacks."""
        return tuple(name for name in SMPL22.names if name not in self.roles)

    @property
    def is_humanoid(self) -> bool:
        """Whether all that makes a humanoid was found."""
        return all(name in self.roles for name in NEEDED)


def humanoid_map(skeleton: Skeleton) -> dict[str, str]:
    """Return SMPL joint name -> name in `skeleton` for every joint that is recognised, or that its `roles` give.

    Raises:
        ValueError: hips, knees, shoulders or elbows are not recognised: the skeleton is no known humanoid.
    """
    if skeleton.roles is None and set(SMPL22.names) <= set(skeleton.names):
        return {name: name for name in SMPL22.names}
    found = humanoid_match(skeleton)
    if not found.is_humanoid:
        missing = [name for name in NEEDED if name not in found.roles]
        raise ValueError(
            f"skeleton: expected a humanoid, found no joint for {', '.join(missing)} among "
            f'{", ".join(skeleton.names[:8])}…; name them in a JSON file, {{"left_hip": "joint", …}}, and give it '
            "as --mapping FILE (in Python mapping=)"
        )
    return dict(found.roles)


def humanoid_match(skeleton: Skeleton) -> HumanoidMatch:
    """Return which joints of a skeleton play the parts of SMPL's 22, how sure that is, and what was left out."""
    found = match(skeleton.names, skeleton.parents)
    if skeleton.roles is None:
        return found
    told = {name: joint for name, joint in skeleton.roles if joint}
    dropped = {name for name, joint in skeleton.roles if not joint}
    kept = {
        n: j for n, j in found.roles.items() if n not in dropped and n not in told and j not in told.values()
    }
    kept |= told
    sure = found.confidence + sum(1 / len(SMPL22.names) for name in told if name not in found.roles)
    roles = {name: kept[name] for name in SMPL22.names if name in kept}
    left_out = tuple(name for name in skeleton.names if name not in roles.values())
    return HumanoidMatch(roles, left_out, min(1.0, sure))


def read_roles(path: str | Path, skeleton: Skeleton) -> tuple[tuple[str, str], ...]:
    """Return the roles in a JSON file, {SMPL joint name: joint name or null}, checked; null takes a joint out.

    Raises:
        ValueError: no JSON object, or a name that is no joint of SMPL's or of the skeleton; the nearest is named.
    """
    told = read_json(path, "a JSON object of SMPL's joints and the skeleton's")
    for role, joint in told.items():
        if role not in SMPL22.names:
            hint = suggest(role, SMPL22.names) or ", ".join(SMPL22.names)
            raise ValueError(f"{path}: expected joints of SMPL-22, got {role!r}; did you mean {hint}?")
        if joint is not None and joint not in skeleton.names:
            hint = suggest(str(joint), skeleton.names) or ", ".join(skeleton.names[:30])
            raise ValueError(
                f"{path}: {role}: expected a joint of the clip, got {joint!r}; did you mean {hint}?"
            )
    return tuple((role, joint or "") for role, joint in told.items())


def stands_along_z(skeleton: Skeleton) -> bool:
    """Return whether a skeleton is a humanoid that stands along z in its rest pose, as in a z-up world."""
    try:
        found = humanoid_map(skeleton)
    except ValueError:
        return False
    rest = {name: skeleton.rest_positions[skeleton.index(joint)] for name, joint in found.items()}
    up = rest["left_shoulder"] + rest["right_shoulder"] - rest["left_hip"] - rest["right_hip"]
    legs = rest["left_hip"] + rest["right_hip"] - rest["left_knee"] - rest["right_knee"]
    return all(float(part[2]) > 0.85 * float(part.norm()) for part in (up, legs))


@lru_cache(maxsize=256)
def match(names: tuple[str, ...], parents: tuple[int, ...]) -> HumanoidMatch:
    """Return which joints of a tree play the parts of SMPL's 22.

    Args:
        names: of the joints.
        parents: index of each joint's parent, which comes before it; -1 for a root.
    """
    found = find_roles(names, parents)
    joints = {role: names[joint] for role, (joint, _) in found.items()}
    return HumanoidMatch(
        roles={role: joints[role] for role in SMPL22.names if role in joints},
        left_out=tuple(name for name in names if name not in joints.values()),
        confidence=round(sum(sure for _, sure in found.values()) / len(SMPL22.names), 3),
    )
