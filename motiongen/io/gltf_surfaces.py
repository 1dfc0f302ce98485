"""What a mesh is covered with, in glTF: a primitive and a material for each surface, and its pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongen.io.gltf_container import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GltfBuilder
from motiongen.skinned_mesh import SkinnedMesh, Surface

_PLAIN = Surface("body")
"""Of a mesh that has colours alone."""


def primitives(builder: GltfBuilder, mesh: SkinnedMesh, attributes: dict[str, int]) -> list[dict[str, Any]]:
    """Return the primitives of a mesh, one a surface, with what their materials need added to the document.

    Args:
        builder: the document.
        mesh: the mesh.
        attributes: accessors that all primitives have.
    """
    look, faces = mesh.look, mesh.faces.numpy()
    surfaces = (_PLAIN,) if look is None else look.surfaces
    of_faces = np.zeros(len(faces), np.int64) if look is None else look.face_surfaces.numpy()
    index_type = np.uint16 if len(mesh.vertices) < 65535 else np.uint32
    pictures: dict[bytes, int] = {}
    made, colours, uvs = [], None, None
    for number, surface in enumerate(surfaces):
        own = faces[of_faces == number]
        if not len(own):
            continue
        given = dict(attributes)
        if surface.colour is None:
            colours = _add_colours(builder, mesh) if colours is None else colours
            given["COLOR_0"] = colours
        if surface.picture is not None and look is not None:
            if uvs is None:
                uvs = builder.add_accessor(look.uvs.float().numpy(), "VEC2", target=ARRAY_BUFFER)
            given["TEXCOORD_0"] = uvs
        indices = builder.add_accessor(
            own.astype(index_type).reshape(-1), "SCALAR", target=ELEMENT_ARRAY_BUFFER
        )
        material = builder.add("materials", _material(builder, surface, pictures))
        made.append({"attributes": given, "indices": indices, "material": material})
    return made


def _add_colours(builder: GltfBuilder, mesh: SkinnedMesh) -> int:
    rgba = np.concatenate([_linear(mesh.colours.double().numpy()), np.ones((len(mesh.colours), 1))], axis=1)
    return builder.add_accessor(
        np.round(rgba * 255).astype(np.uint8), "VEC4", target=ARRAY_BUFFER, normalized=True
    )


def _material(builder: GltfBuilder, surface: Surface, pictures: dict[bytes, int]) -> dict[str, Any]:
    """Return the material of a surface; `pictures` are the textures so far, which take its own, too."""
    shine: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 0.8}
    if surface.colour is not None and surface.colour != (1.0, 1.0, 1.0):
        shine["baseColorFactor"] = [*_linear(np.array(surface.colour)).tolist(), 1.0]
    if surface.picture is not None:
        if surface.picture not in pictures:
            kind = "image/png" if surface.picture[:4] == b"\x89PNG" else "image/jpeg"
            image = {"bufferView": builder.add_bytes(surface.picture), "mimeType": kind}
            pictures[surface.picture] = builder.add("textures", {"source": builder.add("images", image)})
        shine["baseColorTexture"] = {"index": pictures[surface.picture]}
    cut = {"alphaMode": "MASK", "doubleSided": True} if surface.is_cut else {}
    return {"name": surface.name, "pbrMetallicRoughness": shine, **cut}


def _linear(display: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the linear colours of display (sRGB) colours."""
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)
