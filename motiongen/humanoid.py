"""A map from SMPL's 22 joints to those of any humanoid skeleton, found by joint names."""

import re

from motiongen.skeleton import SMPL22, Skeleton

# SMPL's part -> words for it in other rigs, best first, once the side and separators are removed from a name.
_PARTS = {
    "hip": ("upperleg", "upleg", "thigh", "femur", "hipjoint", "hip", "legupper"),
    "knee": ("lowerleg", "knee", "shin", "calf", "tibia", "leglower", "leg"),
    "ankle": ("foot", "ankle"),
    "foot": ("toebase", "toes", "toe", "ball"),
    "collar": ("clavicle", "collar", "shoulder"),
    "shoulder": ("upperarm", "uparm", "humerus", "armupper", "shldr", "arm", "shoulder"),
    "elbow": ("lowerarm", "forearm", "elbow", "radius", "armlower"),
    "wrist": ("hand", "wrist"),
}
_MIDDLE = {
    "pelvis": ("pelvis", "hips", "hip", "root"),
    "neck": ("neck", "neck1", "neck01"),
    "head": ("head",),
}
_SPINE = re.compile(r"^(spine|chest|upperchest|torso|abdomen|lowerback|upperback|thorax|waist|stomach)\d*$")
_PREFIX = re.compile(
    r"^(mixamorig\d*|bip\d+|def|skel|j_bip_c|j_bip|character\d*|rig|body)[\s:_\-.]+", re.IGNORECASE
)


def humanoid_map(skeleton: Skeleton) -> dict[str, str]:
    """Return SMPL joint name -> name in `skeleton` for every joint that is recognised.

    Raises:
        ValueError: hips, knees, shoulders or elbows are not recognised: the skeleton is no known humanoid.
    """
    if set(SMPL22.names) <= set(skeleton.names):
        return {name: name for name in SMPL22.names}
    keys = {name: _key(name) for name in skeleton.names}
    found: dict[str, str] = {}
    for part, words in _MIDDLE.items():
        _match(found, part, keys, "", words)
    for side in ("left", "right"):
        # Shoulder before collar: in rigs without an "upper arm" the word shoulder means the arm's joint.
        for part in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist", "collar"):
            _match(found, f"{side}_{part}", keys, side, _PARTS[part])
    found |= _spine(skeleton, keys, found)
    needed = [f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")]
    missing = [name for name in ["pelvis", *needed] if name not in found]
    if missing:
        raise ValueError(
            f"skeleton: expected a humanoid, found no joint for {', '.join(missing)} among "
            f"{', '.join(skeleton.names[:8])}…; rename its joints like "
            "SMPL's, or in Python call motiongen.retargeting.retarget with mapping={'left_hip': 'name', …}"
        )
    return {name: found[name] for name in SMPL22.names if name in found}


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


def _match(
    found: dict[str, str], part: str, keys: dict[str, tuple[str, str]], side: str, words: tuple[str, ...]
) -> None:
    """Enter into `found`, under `part`, the joint whose key has the side and the first possible of the words."""
    for word in words:
        for name, key in keys.items():
            if key == (side, word) and name not in found.values():
                found[part] = name
                return


def _spine(skeleton: Skeleton, keys: dict[str, tuple[str, str]], found: dict[str, str]) -> dict[str, str]:
    """Return the joints of a skeleton that stand for SMPL's three spine joints."""
    names = [
        name
        for name, (side, word) in keys.items()
        if not side and _SPINE.match(word) and name not in found.values()
    ]
    if len(names) == 1:
        return {"spine3": names[0]}
    if len(names) == 2:
        return {"spine1": names[0], "spine3": names[1]}
    picks = names[:1] + names[len(names) // 2 : len(names) // 2 + 1] + names[-1:] if names else []
    return dict(zip(("spine1", "spine2", "spine3"), picks, strict=False))


def _key(name: str) -> tuple[str, str]:
    """Return (side, word) of a joint name: 'mixamorig:LeftUpLeg' -> ('left', 'upleg')."""
    name = _PREFIX.sub("", name)
    side = ""
    for label, pattern in (
        ("left", r"left|(?<![a-zA-Z])l(?![a-z])"),
        ("right", r"right|(?<![a-zA-Z])r(?![a-z])"),
    ):
        matched = re.search(pattern, name, re.IGNORECASE)
        if matched:
            side, name = label, name[: matched.start()] + name[matched.end() :]
            break
    else:
        matched = re.match(
            r"([lr])(?=[A-Z]|femur|tibia|foot|toes|humerus|radius|wrist|hand|clavicle|hipjoint|thumb|fingers)",
            name,
        )
        if matched:
            side, name = {"l": "left", "r": "right"}[matched.group(1)], name[1:]
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    return side, re.sub(r"0+(\d)$", r"\1", word) if not _SPINE.match(word) else word
