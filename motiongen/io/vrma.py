"""Motion to VRM Animation (VRMC_vrm_animation 1.0): a GLB of the humanoid bones alone, which any VRM avatar can play.

A player takes each bone's rotation from its rest pose, which the specification wants to be a T-pose, and scales the
path of the hips by the height at which they rest. Keys are linear, since players read other kinds as linear too.
"""

from pathlib import Path

from torch import Tensor

from motiongen.atomic import atomic_path
from motiongen.contacts import CLEARANCE, CONTACT_JOINTS
from motiongen.io.gltf_container import GltfBuilder
from motiongen.io.gltf_write import add_animation
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22

EXTENSION = "VRMC_vrm_animation"
BONES = {
    "pelvis": "hips", "spine1": "spine", "spine2": "chest", "spine3": "upperChest", "neck": "neck", "head": "head",
    **{
        f"{side}_{joint}": f"{side}{bone}"
        for side in ("left", "right")
        for joint, bone in {
            "collar": "Shoulder", "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand",
            "hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "foot": "Toes",
        }.items()
    },
}  # fmt: skip
"""SMPL joint -> humanoid bone of VRM 1.0."""


def write(motion: Motion, path: str | Path) -> None:
    """Write a motion of any humanoid as a .vrma; it is retargeted to SMPL-22, whose rest pose is a T-pose, facing +Z.

    Raises:
        ValueError: the skeleton is no humanoid.
    """
    if motion.skeleton.names != SMPL22.names:
        motion = motion.retarget(SMPL22)
    builder = GltfBuilder()
    for joint, (name, offset) in enumerate(zip(SMPL22.names, rest_offsets().tolist(), strict=True)):
        node: dict[str, object] = {"name": name, "translation": offset}
        if children := SMPL22.children(joint):
            node["children"] = list(children)
        builder.add("nodes", node)
    builder.add("scenes", {"name": "scene", "nodes": [0]})
    builder.json["scene"] = 0
    add_animation(builder, motion, "motion")
    bones = {BONES[name]: {"node": joint} for joint, name in enumerate(SMPL22.names)}
    builder.json["extensionsUsed"] = [EXTENSION]
    builder.json["extensions"] = {EXTENSION: {"specVersion": "1.0", "humanoid": {"humanBones": bones}}}
    with atomic_path(path) as aside:
        aside.write_bytes(builder.to_bytes())


def rest_offsets() -> Tensor:
    """Return the rest pose (22, 3) of SMPL-22, each joint in its parent's frame, metres; the feet are on y = 0."""
    offsets = SMPL22.offsets.double().clone()
    offsets[0] = 0.0
    positions = SMPL22.fk(SMPL22.rest_rotations.double(), offsets[0])[1]
    soles = [
        float(positions[SMPL22.index(name), 1]) - clearance
        for name, clearance in zip(CONTACT_JOINTS, CLEARANCE, strict=True)
    ]
    offsets[0, 1] = -min(soles)
    return offsets
