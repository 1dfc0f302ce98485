"""Avatars made of motiongen's own mannequin: the same body with other bones, as other tools would write it."""

import json
import math
import struct
from typing import Any

import numpy as np

import motiongen_assets
from motiongen.skeleton import SMPL22

MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
}  # fmt: skip
VRM = {
    "pelvis": "hips", "spine1": "spine", "spine2": "chest", "spine3": "upperChest", "neck": "neck", "head": "head",
    "collar": "Shoulder", "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand",
    "hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "foot": "Toes",
}  # fmt: skip


def mixamo_glb() -> bytes:
    """The mannequin in centimetres, with Mixamo's names and bones that are turned every way."""
    model, binary = _read()
    turns = [_turn(0.4 * j, 0.9 * j) for j in range(22)]
    binds = np.frombuffer(binary, "<f4", 22 * 16, _start(model, model["skins"][0]["inverseBindMatrices"]))
    binds = binds.reshape(22, 4, 4).copy()  # column-major: [j, column, row]
    for j, (name, parent) in enumerate(zip(SMPL22.names, SMPL22.parents, strict=True)):
        above = turns[parent] if parent >= 0 else np.eye(3)
        node = model["nodes"][j]
        node["name"] = "mixamorig:" + _named(name, MIXAMO, "Left", "Right")
        node["translation"] = (100 * above.T @ node["translation"]).tolist()
        node["rotation"] = _quaternion(above.T @ turns[j])
        binds[j] = binds[j] @ _affine(turns[j].T, 100.0)
        binds[j, 3, :3] *= 1.0
    armature = {"name": "Armature", "scale": [0.01, 0.01, 0.01], "children": [0]}
    model["nodes"].append(armature)
    model["scenes"][0]["nodes"] = [len(model["nodes"]) - 1, *(n for n in model["scenes"][0]["nodes"] if n)]
    start = _start(model, model["skins"][0]["inverseBindMatrices"])
    data = binds.astype("<f4").tobytes()
    return _write(model, binary[:start] + data + binary[start + len(data) :])


def vrm(version: int) -> bytes:
    """The mannequin as a VRM, without an upper chest; version 0 faces -Z."""
    model, binary = _read()
    bones = {_named(name, VRM, "left", "right"): j for j, name in enumerate(SMPL22.names) if name != "spine3"}
    if version == 1:
        meta = {"name": "mannequin", "authors": ["motiongen"], "licenseUrl": "https://vrm.dev/licenses/1.0/"}
        human = {"humanBones": {bone: {"node": j} for bone, j in bones.items()}}
        extension = {"VRMC_vrm": {"specVersion": "1.0", "meta": meta, "humanoid": human}}
    else:
        _turn_about(model)
        names = [{"bone": bone, "node": j} for bone, j in bones.items()]
        extension = {
            "VRM": {"specVersion": "0.0", "meta": {"title": "mannequin"}, "humanoid": {"humanBones": names}}
        }
    return _write(model | {"extensions": extension, "extensionsUsed": list(extension)}, binary)


def _turn_about(model: dict[str, Any]) -> None:
    """Rest facing -Z without any rotation, as VRM 0 wants: only the skeleton is, which is all that tests look at."""
    for node in model["nodes"][:22]:
        x, y, z = node["translation"]
        node["translation"] = [-x, y, -z]


def _named(joint: str, names: dict[str, str], left: str, right: str) -> str:
    side, _, part = joint.rpartition("_")
    return {"left": left, "right": right, "": ""}[side] + names[part]


def _read() -> tuple[dict[str, Any], bytes]:
    data = motiongen_assets.path("body/mannequin.glb").read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def _write(model: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(model).encode()
    text += b" " * (-len(text) % 4)
    chunks = (
        struct.pack("<II", len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def _start(model: dict[str, Any], accessor: int) -> int:
    view = model["bufferViews"][model["accessors"][accessor]["bufferView"]]
    return int(view.get("byteOffset", 0))


def _turn(yaw: float, roll: float) -> np.ndarray:
    cy, sy, cr, sr = math.cos(yaw), math.sin(yaw), math.cos(roll), math.sin(roll)
    return np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])


def _affine(turn: np.ndarray, scale: float) -> np.ndarray:
    """A glTF matrix, which is written column by column."""
    matrix = np.eye(4)
    matrix[:3, :3] = (turn * scale).T
    return matrix


def _quaternion(turn: np.ndarray) -> list[float]:
    w = math.sqrt(max(0.0, 1 + np.trace(turn))) / 2
    if w > 1e-3:
        axis = [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
        return [float(a) / (4 * w) for a in axis] + [w]
    values, vectors = np.linalg.eigh((turn + turn.T) / 2)
    return [float(x) for x in vectors[:, values.argmax()]] + [0.0]
