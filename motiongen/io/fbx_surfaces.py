"""What a mesh is covered with, in FBX: values for the corners of its faces, materials, and pictures inside the file."""

import numpy as np

from motiongen.io.fbx_document import Int32, Raw, Record
from motiongen.skinned_mesh import SkinnedMesh, Surface


def layers(mesh: SkinnedMesh) -> list[Record]:
    """Return the normals, colours, places in pictures, and materials of a mesh, by corners and faces."""
    faces, look = mesh.faces.numpy().astype(np.int32), mesh.look
    normals = _layer("LayerElementNormal", "ByPolygonVertex", "Direct")
    normals.add("Normals", mesh.normals.double().numpy()[faces.ravel()].ravel())
    made = [normals]
    if look is None or any(surface.colour is None for surface in look.surfaces):
        colours = _layer("LayerElementColor", "ByPolygonVertex", "IndexToDirect")
        rgba = np.concatenate([mesh.colours.double().numpy(), np.ones((len(mesh.colours), 1))], axis=1)
        colours.add("Colors", rgba.ravel())
        colours.add("ColorIndex", faces.ravel())
        made.append(colours)
    if look is not None:
        uvs = _layer("LayerElementUV", "ByPolygonVertex", "IndexToDirect")
        uvs.add(
            "UV",
            (look.uvs.double() * look.uvs.new_tensor([1, -1]) + look.uvs.new_tensor([0, 1])).numpy().ravel(),
        )
        uvs.add("UVIndex", faces.ravel())
        made.append(uvs)
    materials = _layer("LayerElementMaterial", "AllSame" if look is None else "ByPolygon", "IndexToDirect")
    of_faces = np.zeros(1) if look is None else look.face_surfaces.numpy()
    materials.add("Materials", of_faces.astype(np.int32))
    made.append(materials)
    layer = Record("Layer", (Int32(0),))
    layer.add("Version", Int32(100))
    for kind in made:
        element = layer.add("LayerElement")
        element.add("Type", kind.name)
        element.add("TypedIndex", Int32(0))
    return [*made, layer]


def describe_material(record: Record, surface: Surface) -> None:
    """Fill the record of a surface's material."""
    record.add("Version", Int32(102))
    record.add("ShadingModel", "phong")
    if surface.colour is not None:
        record.add_table(
            [
                ("DiffuseColor", "Color", "", "A", *map(float, surface.colour)),
                ("DiffuseFactor", "Number", "", "A", 1.0),
            ]
        )


def describe_texture(record: Record, name: str, picture: bytes) -> None:
    """Fill the record of a texture that shows a picture."""
    record.add("Type", "TextureVideoClip")
    record.add("Version", Int32(202))
    record.add("TextureName", name)
    record.add("Media", name)
    record.add("FileName", _file(name, picture))
    record.add("RelativeFilename", _file(name, picture))


def describe_video(record: Record, name: str, picture: bytes) -> None:
    """Fill the record of a picture's file."""
    record.add("Type", "Clip")
    record.add_table([("Path", "KString", "XRefUrl", "", _file(name, picture))])
    record.add("UseMipMap", Int32(0))
    record.add("Filename", _file(name, picture))
    record.add("RelativeFilename", _file(name, picture))
    record.add("Content", Raw(picture))


def _file(name: str, picture: bytes) -> str:
    return f"{name}.{'png' if picture[:4] == bytes.fromhex('89504e47') else 'jpg'}"


def _layer(kind: str, mapping: str, reference: str) -> Record:
    record = Record(kind, (Int32(0),))
    record.add("Version", Int32(101))
    record.add("Name", "")
    record.add("MappingInformationType", mapping)
    record.add("ReferenceInformationType", reference)
    return record
