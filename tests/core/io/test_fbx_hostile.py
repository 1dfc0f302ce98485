"""FBX figures that are made to harm: pictures that are no pictures or fill a machine, numbers that are none, names."""

import io
import logging
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from motiongen import limits
from motiongen.io import fbx_child
from motiongen.io.fbx import read_character
from motiongen.io.fbx_document import to_bytes
from motiongen.io.fbx_write import _Scene
from motiongen.io.pictures import colours_at, pixels
from motiongen.skinned_mesh import Surface
from tests.core.io.test_fbx_surfaces import RED, WHITE, covered, picture, without_content
from tests.core.motions import wobble

pytest.importorskip("ufbx")


def wide(side: int) -> bytes:
    """A white PNG of so many pixels a side, a bit each."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff" * (side // 8)) * side
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


def document() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "EPS")
    return out.getvalue()


def test_pictures_that_cannot_be_shown_are_grey_and_the_others_are_not(tmp_path, caplog):
    broken = picture()[:50]
    surfaces = [Surface(name, WHITE, data) for name, data in [
        ("good", picture()), ("cut", broken), ("program", document()), ("huge", wide(8200)),
    ]]  # fmt: skip
    wobble(2).save(tmp_path / "figure.fbx", mesh=covered(*surfaces))
    with caplog.at_level(logging.INFO):
        read = read_character(tmp_path / "figure.fbx")[1]
    assert read.look.surfaces == (surfaces[0], *(Surface(s.name, (0.8, 0.8, 0.8)) for s in surfaces[1:]))
    assert [name for name in ("good", "cut", "program", "huge") if f"{name!r} is grey" in caplog.text] == [
        "cut", "program", "huge",
    ]  # fmt: skip
    grey = read.colours[read.faces[read.look.face_surfaces > 0]]
    assert torch.equal(grey, torch.full_like(grey, 0.8))


def test_a_picture_is_decoded_up_to_a_size():
    assert pixels(wide(64)).shape == (64, 64, 3)
    assert 8200**2 > limits.MAX_PIXELS >= 8192**2
    assert pixels(wide(8200)) is None


@pytest.mark.parametrize("said", ["a" * 300 + ".png", "a/" * 3000 + "b", "skin\0.png", "C:", "\\", "CON"])
def test_names_that_no_file_can_have_are_grey(tmp_path, said):
    mesh = covered(Surface("skin", WHITE, picture()))
    (tmp_path / "figure.fbx").write_bytes(without_content(mesh, said))
    assert read_character(tmp_path / "figure.fbx")[1].look.surfaces == (Surface("skin", (0.8, 0.8, 0.8)),)


def test_places_that_are_no_numbers_are_some_place():
    shown = np.array([[RED]], np.uint8)
    places = np.array([[np.nan, 0.5], [np.inf, -np.inf], [1e300, -1e300], [0.5, 0.5]])
    assert colours_at(shown, places).tolist() == [[1.0, 0.0, 0.0]] * 4


def test_a_file_whose_places_are_no_numbers_is_read(tmp_path):
    mesh = covered(Surface("skin", WHITE, picture()))
    mesh.look.uvs[::5], mesh.look.uvs[1::5] = torch.nan, torch.inf
    wobble(2).save(tmp_path / "figure.fbx", mesh=mesh)
    read = read_character(tmp_path / "figure.fbx")[1]
    assert bool(read.look.uvs.isfinite().all()) and bool(read.colours.isfinite().all())


def test_a_picture_that_many_materials_show_is_kept_once(tmp_path, monkeypatch):
    data = picture()
    texture = SimpleNamespace(content=data, relative_filename="a", absolute_filename="b")
    surfaces = fbx_child.Surfaces(lambda of: of, is_linear=False)
    monkeypatch.setattr(surfaces, "_texture", lambda shown: texture)
    for number in range(100):
        material = SimpleNamespace(
            typed_id=number, name="x" * 2000, pbr=SimpleNamespace(base_color=0, base_factor=0, opacity=0),
            fbx=SimpleNamespace(transparency_color=0),
        )  # fmt: skip
        surfaces.number(material, False)
    arrays = surfaces.arrays()
    assert len(arrays["picture_bytes"]) == len(data)
    assert arrays["surface_pictures"].tolist() == [1] * 100
    assert arrays["picture_ends"].tolist() == [0, 0, len(data)]
    assert {len(name) for name in arrays["surface_names"]} == {fbx_child.LONGEST_NAME}


def test_polygons_are_cut_into_fans():
    mesh = SimpleNamespace(faces=[(0, 3), (3, 5), (8, 2), (10, 4)])
    corners, polygons = fbx_child.triangles(mesh, lambda of: of)
    fans = [[0, 1, 2], [3, 4, 5], [3, 5, 6], [3, 6, 7], [10, 11, 12], [10, 12, 13]]
    assert corners.tolist() == fans and polygons.tolist() == [0, 1, 1, 1, 3, 3]
    many, _ = fbx_child.triangles(SimpleNamespace(faces=[(0, 10**6)]), lambda of: of)
    assert many.shape == (10**6 - 2, 3) and many[-1].tolist() == [0, 10**6 - 2, 10**6 - 1]


@pytest.mark.parametrize(("record", "value"), [("Vertices", np.nan), ("Vertices", 1e12), ("Weights", np.nan)])
def test_a_mesh_whose_numbers_are_none_is_told_in_one_line(tmp_path, record, value):
    records = list(_Scene(wobble(2), covered(Surface("skin", WHITE, picture()))).records())
    waiting = list(records)
    while waiting:
        one = waiting.pop()
        waiting += one.children
        if one.name == record:
            one.properties = (np.full_like(one.properties[0], value),)
    (tmp_path / "figure.fbx").write_bytes(to_bytes(records))
    with pytest.raises(ValueError, match=r"figure\.fbx: mesh: expected .*; export it again"):
        read_character(tmp_path / "figure.fbx")


def test_a_fault_of_the_reader_is_told_in_one_line(tmp_path, monkeypatch):
    wobble(2).save(tmp_path / "figure.fbx", mesh=covered(Surface("skin", WHITE, picture())))
    faulty = (
        Path(fbx_child.__file__)
        .read_text()
        .replace("    uv, tint =", "    raise IndexError('a\\nb')\n    uv, tint =")
    )
    (tmp_path / "child.py").write_text(faulty)
    monkeypatch.setattr(fbx_child, "__file__", str(tmp_path / "child.py"))
    said = r"figure\.fbx: expected a whole FBX file, got a damaged one \(IndexError: a b\); export it again$"
    with pytest.raises(ValueError, match=said):
        read_character(tmp_path / "figure.fbx")
