"""motiongen's own body, and skinned meshes from GLB files."""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

import motiongen_assets
from motiongen.io.gltf_container import GltfReader
from motiongen.skeleton import SMPL22, Skeleton
from motiongen.skinned_mesh import SkinnedMesh


@lru_cache(maxsize=1)
def load() -> SkinnedMesh:
    """Return motiongen's own body, rigged to SMPL-22; do not write to its tensors."""
    return read_body(motiongen_assets.path("body/mannequin.glb"))


def default_mesh(skeleton: Skeleton) -> SkinnedMesh | None:
    """Return the mesh that a skeleton is shown with: motiongen's own body for SMPL-22, None for any other."""
    return load() if skeleton.names == SMPL22.names else None


def read_body(path: str | Path) -> SkinnedMesh:
    """Return the first skinned mesh of a GLB whose joints carry SMPL-22's names.

    Raises:
        ValueError: the file is broken, has no skinned mesh, or lacks a joint.
    """
    reader = GltfReader(path)
    skinned = [node for node in reader.items("nodes") if "mesh" in node and "skin" in node]
    if not skinned:
        raise reader.broken("a node with a mesh and a skin", "none")
    skin = reader.item("skins", skinned[0]["skin"])
    primitive = reader.item("meshes", skinned[0]["mesh"])["primitives"][0]
    found = [reader.item("nodes", node).get("name", "") for node in skin["joints"]]
    missing = [name for name in SMPL22.names if name not in found]
    if missing:
        raise reader.broken("joints named as in SMPL-22", f"none named {', '.join(missing)}")
    attributes = {
        name: torch.from_numpy(reader.accessor(index)) for name, index in primitive["attributes"].items()
    }
    number = torch.tensor([SMPL22.names.index(name) if name in SMPL22.names else 0 for name in found])
    columns = torch.from_numpy(reader.accessor(skin["inverseBindMatrices"])).view(-1, 4, 4)
    positions = torch.linalg.inv(columns.mT)[:, :3, 3]  # (J, 3)
    order = torch.tensor([found.index(name) for name in SMPL22.names])
    linear = (
        attributes["COLOR_0"][:, :3]
        if "COLOR_0" in attributes
        else torch.full_like(attributes["POSITION"], 0.6)
    )
    return SkinnedMesh(
        vertices=attributes["POSITION"],
        normals=attributes["NORMAL"],
        faces=torch.from_numpy(reader.accessor(primitive["indices"]).astype("int64")).view(-1, 3),
        joint_indices=number[attributes["JOINTS_0"].long()],
        joint_weights=attributes["WEIGHTS_0"],
        colours=_display(linear),
        joints=positions[order],
        names=SMPL22.names,
    )


def _display(linear: Tensor) -> Tensor:
    """Return display (sRGB) colours for the linear ones that glTF stores."""
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055
    )
