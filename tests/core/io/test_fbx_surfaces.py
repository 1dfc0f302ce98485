"""What FBX figures are covered with: materials and pictures, in the file or beside it, and on into GLB."""

import io
import logging
import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from motiongen import Character
from motiongen.io.fbx import read_character
from motiongen.io.fbx_document import to_bytes
from motiongen.io.fbx_write import _Scene
from motiongen.io.gltf_container import GltfReader
from motiongen.io.gltf_write import stick_mesh
from motiongen.skeleton import SMPL22
from motiongen.skinned_mesh import Look, Surface
from tests.core.motions import wobble

pytest.importorskip("ufbx")
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
WHITE = (1.0, 1.0, 1.0)


def picture(kind="PNG") -> bytes:
    """Four pixels: red and green over blue and yellow."""
    out, image = io.BytesIO(), Image.new("RGB", (2, 2))
    for place, colour in zip([(0, 0), (1, 0), (0, 1), (1, 1)], [RED, GREEN, BLUE, YELLOW], strict=True):
        image.putpixel(place, colour)
    image.save(out, kind)
    return out.getvalue()


def covered(*surfaces: Surface):
    """A stick for each bone, each triangle in the middle of one pixel, the surfaces one after the other."""
    mesh = stick_mesh(SMPL22)
    corners = torch.tensor([[0.2, 0.3], [0.8, 0.3], [0.2, 0.7], [0.8, 0.7]])
    uvs = corners[torch.arange(len(mesh.faces)) % 4].repeat_interleave(3, 0)
    return replace(mesh, look=Look(surfaces, torch.arange(len(mesh.faces)) % len(surfaces), uvs))


def without_content(mesh, file: str) -> bytes:
    """The bytes of a file of which no picture is inside, but said to be at a path."""
    records = _Scene(wobble(2), mesh).records()
    waiting = list(records)
    while waiting:
        record = waiting.pop()
        record.children = [child for child in record.children if child.name != "Content"]
        waiting += record.children
        if record.name in ("FileName", "RelativeFilename", "Filename"):
            record.properties = (file,)
    return to_bytes(records)


def test_materials_and_a_picture_in_the_file_are_read_as_they_were_written(tmp_path):
    mesh = covered(Surface("skin", WHITE, picture()), Surface("cloth", (0.2, 0.4, 0.6)))
    wobble(2).save(tmp_path / "figure.fbx", mesh=mesh)
    _, read = read_character(tmp_path / "figure.fbx")
    assert read.look.surfaces == mesh.look.surfaces
    assert torch.equal(read.look.face_surfaces, mesh.look.face_surfaces)
    assert_close(read.look.uvs[read.faces], mesh.look.uvs[mesh.faces])
    assert_close(read.vertices[read.faces], mesh.vertices[mesh.faces], atol=1e-5, rtol=0)
    assert_close(read.colours[read.faces[1]], torch.tensor([0.2, 0.4, 0.6]).repeat(3, 1))
    shown = [read.colours[read.faces[face, 0]].mul(255).round().tolist() for face in (0, 2)]
    assert shown == [list(RED), list(BLUE)]


def test_a_glb_of_the_figure_has_its_materials_and_pictures(tmp_path):
    skin, hair = Surface("skin", WHITE, picture()), Surface("hair", WHITE, picture(), is_cut=True)
    cloth = Surface("cloth", (0.5, 0.0, 1.0))
    wobble(2).save(tmp_path / "figure.fbx", mesh=covered(skin, hair, cloth))
    character = Character.load(tmp_path / "figure.fbx")
    character.save(wobble(3).retarget(character), tmp_path / "on.glb")
    reader = GltfReader(tmp_path / "on.glb")
    one, two, three = reader.items("materials")
    assert [one["name"], two["name"], three["name"]] == ["skin", "hair", "cloth"]
    assert (two["alphaMode"], "alphaMode" in one) == ("MASK", False)
    linear = three["pbrMetallicRoughness"]["baseColorFactor"]
    assert linear == pytest.approx([0.2140, 0, 1, 1], abs=1e-4)  # (.5 + .055) / 1.055 to the 2.4th
    [image] = reader.items("images")  # both use the same
    assert reader.view_bytes(image["bufferView"]) == picture() and image["mimeType"] == "image/png"
    first, _, last = reader.items("meshes")[0]["primitives"]
    assert "COLOR_0" not in first["attributes"] and "TEXCOORD_0" not in last["attributes"]
    again = Character.load(tmp_path / "on.glb").mesh
    for n, primitive in enumerate((first, None, last)):  # as the reader of glTF sees them: the same colours
        if primitive is not None:
            vertices = np.unique(reader.accessor(primitive["indices"]))
            own = character.mesh.faces[character.mesh.look.face_surfaces == n].unique()
            assert np.array_equal(vertices, own.numpy())
            start = n * len(character.mesh.vertices)
            assert_close(again.colours[start + own], character.mesh.colours[own], atol=1e-3, rtol=0)


def test_colours_that_blender_writes_are_linear(tmp_path):
    wobble(2).save(tmp_path / "figure.fbx", mesh=covered(Surface("cloth", (0.5, 0.0, 1.0))))
    data = (tmp_path / "figure.fbx").read_bytes()
    assert data.count(b"motiongen") == 2
    named = data.replace(b"motiongen", b"Blender 5")
    (tmp_path / "figure.fbx").write_bytes(named)
    [surface] = read_character(tmp_path / "figure.fbx")[1].look.surfaces
    assert surface.colour == pytest.approx((0.7354, 0.0, 1.0), abs=1e-4)  # 1.055 * .5 ** (1 / 2.4) - .055


@pytest.mark.parametrize(
    ("said", "lies"),
    [
        ("skin.png", "skin.png"),
        ("maps\\skin.png", "maps/skin.png"),
        ("C:\\Users\\ann\\skin.png", "skin.png"),
        ("/home/ann/skin.png", "textures/skin.png"),
        ("..\\..\\skin.png", "figure.fbm/skin.png"),
        ("skin.tga", "skin.tga"),
    ],
)
def test_a_picture_beside_the_file_is_found(tmp_path, said, lies):
    (tmp_path / lies).parent.mkdir(exist_ok=True)
    (tmp_path / lies).write_bytes(picture("TGA" if lies.endswith("tga") else "PNG"))
    mesh = covered(Surface("skin", WHITE, picture()))
    (tmp_path / "figure.fbx").write_bytes(without_content(mesh, said))
    [surface] = read_character(tmp_path / "figure.fbx")[1].look.surfaces
    assert surface.picture[:4] == b"\x89PNG"
    with Image.open(io.BytesIO(surface.picture)) as image:
        assert image.convert("RGB").getpixel((1, 0)) == GREEN


@pytest.mark.parametrize("said", ["../skin.png", "/{folder}/skin.png", "link.png", "skin.png", "broken.png"])
def test_a_picture_elsewhere_is_not_read_and_a_note_says_so(tmp_path, caplog, said):
    (tmp_path / "skin.png").write_bytes(picture())
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "skin.png")
    (folder / "broken.png").write_bytes(b"no picture")
    said = said.format(folder=tmp_path)
    (folder / "figure.fbx").write_bytes(without_content(covered(Surface("skin", WHITE, picture())), said))
    with caplog.at_level(logging.INFO):
        [surface] = read_character(folder / "figure.fbx")[1].look.surfaces
    assert surface == Surface("skin", (0.8, 0.8, 0.8))
    assert f"figure.fbx: 'skin' is grey, for its picture {said!r} is neither in the file nor" in caplog.text


TO_FBX = """
import sys, bpy
glb, fbx = sys.argv[1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=glb)
bpy.ops.export_scene.fbx(filepath=fbx, path_mode="COPY", embed_textures=True, bake_anim=False)
"""


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["human-male", "human-female", "Mannequin_Medium"])
def test_a_figure_that_blender_wrote_has_the_colours_of_its_glb(tmp_path, shared_data, blender, name):
    path = shared_data / "characters" / f"{name}.glb"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    command = [blender, "-c", TO_FBX, str(path), str(tmp_path / "figure.fbx")]
    ran = subprocess.run(
        command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    original, read = Character.load(path).mesh, Character.load(tmp_path / "figure.fbx").mesh
    some = slice(None, None, 7)
    near = torch.cdist(original.vertices[some], read.vertices) < 2e-3  # several at a seam
    off = torch.cdist(original.colours[some], read.colours, p=torch.inf)
    assert bool(near.any(1).all())
    assert float(off.where(near, 1.0).amin(1).max()) < 0.005
