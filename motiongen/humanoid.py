"""Which joint of a foreign skeleton is which of SMPL's 22, told by their names."""

import re

from motiongen.skeleton import SMPL22, Skeleton

# SMPL's part -> words that foreign rigs use for it, best first, after the side and every separator are taken out.
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
    """Return SMPL joint name -> name in `skeleton` for every joint that can be told.

    Raises:
        ValueError: hips, knees, shoulders or elbows cannot be told, so this is no humanoid we know.
    """
    if set(SMPL22.names) <= set(skeleton.names):
        return {name: name for name in SMPL22.names}
    keys = {name: _key(name) for name in skeleton.names}
    found: dict[str, str] = {}
    for part, words in _MIDDLE.items():
        _take(found, part, keys, "", words)
    for side in ("left", "right"):
        # Shoulder before collar: in rigs without an "upper arm" the word shoulder means the arm's joint.
        for part in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist", "collar"):
            _take(found, f"{side}_{part}", keys, side, _PARTS[part])
    found |= _spine(skeleton, keys, found)
    needed = [f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")]
    missing = [name for name in ["pelvis", *needed] if name not in found]
    if missing:
        raise ValueError(
            f"skeleton: expected a humanoid, found no joint for {', '.join(missing)} among "
            f"{', '.join(skeleton.names[:8])}…; give mapping={{'left_hip': 'name', …}}"
        )
    return {name: found[name] for name in SMPL22.names if name in found}


def stands_along_z(skeleton: Skeleton) -> bool:
    """Whether a skeleton is a humanoid whose rest pose has its head and its feet apart along z, as in a z-up world."""
    try:
        found = humanoid_map(skeleton)
    except ValueError:
        return False
    places = {name: skeleton.rest_positions[skeleton.index(joint)] for name, joint in found.items()}
    up = places["left_shoulder"] + places["right_shoulder"] - places["left_hip"] - places["right_hip"]
    legs = places["left_hip"] + places["right_hip"] - places["left_knee"] - places["right_knee"]
    return all(float(part[2]) > 0.85 * float(part.norm()) for part in (up, legs))


def _take(
    found: dict[str, str], part: str, keys: dict[str, tuple[str, str]], side: str, words: tuple[str, ...]
) -> None:
    for word in words:
        for name, key in keys.items():
            if key == (side, word) and name not in found.values():
                found[part] = name
                return


def _spine(skeleton: Skeleton, keys: dict[str, tuple[str, str]], found: dict[str, str]) -> dict[str, str]:
    """Share out the spine joints between pelvis and neck over SMPL's three."""
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
