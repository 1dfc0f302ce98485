"""Groups of SMPL-22's joints that an edit can be limited to. Without torch, for the command line's help."""

_LEFT_ARM = ("left_collar", "left_shoulder", "left_elbow", "left_wrist")
_RIGHT_ARM = ("right_collar", "right_shoulder", "right_elbow", "right_wrist")
_TORSO = ("spine1", "spine2", "spine3")
_HEAD = ("neck", "head")
_LEGS = tuple(f"{side}_{part}" for part in ("hip", "knee", "ankle", "foot") for side in ("left", "right"))

JOINT_GROUPS: dict[str, tuple[str, ...]] = {
    "upper": (*_TORSO, *_HEAD, *_LEFT_ARM, *_RIGHT_ARM),
    "lower": _LEGS,
    "arms": (*_LEFT_ARM, *_RIGHT_ARM),
    "left_arm": _LEFT_ARM,
    "right_arm": _RIGHT_ARM,
    "torso": _TORSO,
    "head": _HEAD,
}
"""Name of a group -> its joints."""
