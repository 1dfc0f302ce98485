"""Small files as users have them, made by script: bodies in other units, skins in pieces, keys at other rates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiongen.io import bvh
from motiongen.io.gltf_container import GltfBuilder
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose

IDENTITY = np.eye(4, dtype=np.float32).reshape(-1)


def body_bvh(path: Path, unit: float, size: float = 1.0) -> None:
    """Write a person (size 1: 1.70 m), in a unit of so many metres."""
    motion = t_pose(3)
    offsets = SMPL22.offsets * size
    skeleton = type(SMPL22)(SMPL22.names, SMPL22.parents, offsets)
    bvh.write(Motion(skeleton, motion.rotations, motion.root * size, 30.0), path, unit_to_metres=unit)


class Scene:
    """A glTF file with bodies of SMPL's joints."""

    def __init__(self) -> None:
        self.builder = GltfBuilder("other")
        self.tops: list[int] = []
        self.animations: dict[str, dict[str, Any]] = {}

    def body(
        self, above: dict[str, Any] | None = None, suffix: str = "", offset: float = 0.0
    ) -> dict[str, int]:
        """Add the nodes of a body below a node; return joint -> node."""
        top = self.builder.add("nodes", {"name": f"armature{suffix}", "children": [], **(above or {})})
        self.tops.append(top)
        nodes: dict[str, int] = {}
        for joint, name in enumerate(SMPL22.names):
            place = SMPL22.offsets[joint].tolist()
            place = [offset, 0.97, 0.0] if joint == 0 else place
            nodes[name] = self.builder.add("nodes", {"name": name + suffix, "translation": place})
            parent = SMPL22.parents[joint]
            over = self.builder.json["nodes"][top if parent < 0 else nodes[SMPL22.names[parent]]]
            over.setdefault("children", []).append(nodes[name])
        return nodes

    def node(self, name: str, parent: int | None = None, translation: Sequence[float] = (0, 0, 0)) -> int:
        node = self.builder.add("nodes", {"name": name, "translation": list(translation)})
        if parent is None:
            self.tops.append(node)
        else:
            self.builder.json["nodes"][parent].setdefault("children", []).append(node)
        return node

    def skin(self, joints: Sequence[int], binds: bool = False) -> None:
        skin: dict[str, Any] = {"joints": list(joints)}
        if binds:
            skin["inverseBindMatrices"] = self.builder.add_accessor(
                np.tile(IDENTITY, (len(joints), 1)), "MAT4"
            )
        self.builder.add("skins", skin)

    def keys(
        self,
        name: str,
        node: int,
        times: Sequence[float],
        values: Any,
        path: str = "rotation",
        **sampler: Any,
    ) -> None:
        """Add a track to an animation."""
        item = self.animations.setdefault(name, {"name": name, "samplers": [], "channels": []})
        kinds = {"rotation": "VEC4", "translation": "VEC3", "scale": "VEC3", "weights": "SCALAR"}
        item["samplers"].append(
            {
                "input": self.builder.add_accessor(np.array(times, np.float32), "SCALAR", bounds=True),
                "output": self.builder.add_accessor(np.array(values, np.float32), kinds[path]),
                "interpolation": "LINEAR",
                **sampler,
            }
        )
        target = {"node": node, "path": path}
        item["channels"].append({"sampler": len(item["samplers"]) - 1, "target": target})

    def save(self, path: Path) -> Path:
        self.builder.json["animations"] = list(self.animations.values())
        self.builder.add("scenes", {"nodes": self.tops})
        path.write_bytes(self.builder.to_bytes() if path.suffix == ".glb" else self.builder.to_json())
        return path


def turns(angles: Sequence[float], axis: int = 1) -> np.ndarray:
    """Quaternions (N, 4) of turns about an axis, degrees."""
    half = np.deg2rad(np.asarray(angles, dtype=np.float64)) / 2
    quats = np.zeros((len(half), 4))
    quats[:, axis], quats[:, 3] = np.sin(half), np.cos(half)
    return quats


def as_tensor(values: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)
