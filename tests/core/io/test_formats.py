"""The contract of motion formats, over the whole registry; and a format from outside the package."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motiongen import Motion
from motiongen.cli import UsageError, arguments, main
from motiongen.io import FORMATS, FormatSpec, format_of, readable, save, writable
from motiongen.io.gltf_container import GltfReader
from motiongen.render import PICTURES
from motiongen.skeleton import SMPL22
from tests.core.io.test_asf import AMC, ASF
from tests.core.motions import t_pose, wobble


def acclaim(folder: Path) -> Path:
    (folder / "toy.asf").write_text(ASF)
    (folder / "toy.amc").write_text(AMC)
    return folder / "toy.amc"


SAMPLES = {".amc": acclaim}
"""Extension -> function that writes a good file into a folder, for formats that are only read."""

PAIRS = [(name, extension) for name, spec in FORMATS.items() for extension in spec.extensions]
GARBAGE = [b"", b"\n", b"la la la\n", b"\0" * 200, b"{}", bytes(range(256)) * 4]


def sample(extension: str, folder: Path) -> Path:
    """A good file of a format."""
    if extension in SAMPLES:
        return SAMPLES[extension](folder)
    wobble(6).save(folder / f"good{extension}")
    return folder / f"good{extension}"


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_says_what_it_is(name):
    spec = FORMATS[name]
    assert spec.name and spec.summary and "\n" not in spec.summary
    assert spec.write is not None or not spec.takes_mesh


def test_no_extension_has_two_meanings():
    specs = [*FORMATS.values(), *PICTURES.values()]
    extensions = [extension for spec in specs for extension in spec.extensions]
    assert len(set(extensions)) == len(extensions)


@pytest.mark.parametrize("extension", [ext for ext in readable() if ext in writable()])
@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_a_round_trip_keeps_joints_rate_and_poses(tmp_path, extension, fps):
    motion = wobble(7, fps=fps)
    motion.save(tmp_path / f"clip{extension}")
    again = Motion.load(tmp_path / f"clip{extension}")
    assert (again.fps, len(again)) == (fps, 7)
    order = [again.skeleton.index(name) for name in SMPL22.names]  # a format may keep another order of joints
    assert len(again.skeleton.names) == 22
    torch.testing.assert_close(again.positions()[:, order], motion.positions(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("extension", writable())
def test_the_same_motion_gives_the_same_bytes_and_nothing_else(tmp_path, extension):
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        wobble(3).save(folder / f"clip{extension}")
        assert [path.name for path in folder.iterdir()] == [f"clip{extension}"]
    assert (tmp_path / "a" / f"clip{extension}").read_bytes() == (
        tmp_path / "b" / f"clip{extension}"
    ).read_bytes()


@pytest.mark.parametrize("extension", writable())
def test_a_missing_folder_is_one_line(tmp_path, extension):
    with pytest.raises(FileNotFoundError, match="expected an existing folder"):
        wobble(2).save(tmp_path / "missing" / f"clip{extension}")


@pytest.mark.parametrize("extension", readable())
def test_a_good_file_is_read(tmp_path, extension):
    motion = Motion.load(sample(extension, tmp_path))
    assert len(motion) > 1
    assert bool(torch.isfinite(motion.positions()).all())


@pytest.mark.parametrize("extension", readable())
@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_one_line_that_names_the_file(tmp_path, extension, data):
    path = sample(extension, tmp_path)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=path.name) as caught:
        Motion.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("extension", readable())
def test_half_a_file_is_one_line_that_names_the_file(tmp_path, extension):
    path = sample(extension, tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=path.name) as caught:
        Motion.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("extension", readable())
def test_a_missing_file_is_one_line(tmp_path, extension):
    with pytest.raises(FileNotFoundError, match=f"gone{extension}: expected a motion file"):
        Motion.load(tmp_path / f"gone{extension}")


@pytest.mark.parametrize("name", [name for name, spec in FORMATS.items() if not spec.write])
def test_what_is_only_read_refuses_to_be_written(tmp_path, name):
    path = tmp_path / f"clip{FORMATS[name].extensions[0]}"
    with pytest.raises(
        ValueError, match=r"expected a format that can be written, got .*, which is only read"
    ):
        wobble(2).save(path)
    assert list(tmp_path.iterdir()) == []


def test_a_mesh_is_for_formats_that_hold_one(tmp_path):
    from motiongen.body import load

    motion = t_pose(2)
    with pytest.raises(ValueError, match="mesh: expected none for BVH, which holds no mesh"):
        motion.save(tmp_path / "clip.bvh", mesh=load())
    save(motion, tmp_path / "sticks.glb")
    motion.save(tmp_path / "body.glb")
    counts = []
    for name in ("sticks.glb", "body.glb"):
        reader = GltfReader(tmp_path / name)
        primitive = reader.items("meshes")[0]["primitives"][0]
        counts.append(len(reader.accessor(primitive["attributes"]["POSITION"])))
    assert counts == [24 * 21, len(load().vertices)], (
        "a stick for each of 21 bones, and the body of the facade"
    )
    arm = Motion.load(sample(".amc", tmp_path))
    with pytest.raises(ValueError, match=r"mesh: expected the joints of the motion \(3 joints from 'root'\)"):
        arm.save(tmp_path / "arm.glb", mesh=load())


# A format as someone else would add it: text, one line of numbers a frame, SMPL-22 only.


def read_dots(path: Path) -> Motion:
    try:
        rows = np.loadtxt(path, ndmin=2)
        root, rotations = rows[:, :3], rows[:, 3:].reshape(-1, 22, 4)
    except ValueError as error:
        raise ValueError(f"{path}: expected rows of 91 numbers, got {error}") from error
    return Motion(SMPL22, torch.from_numpy(rotations).float(), torch.from_numpy(root).float(), 30.0)


def write_dots(motion: Motion, path: Path) -> None:
    rotations, root = motion.numpy()
    np.savetxt(path, np.concatenate([root, rotations.reshape(-1, 88)], axis=1))


@pytest.fixture
def dots(monkeypatch):
    spec = FormatSpec(name="Dots", summary="rows", extensions=(".dots",), read=read_dots, write=write_dots)
    monkeypatch.setitem(FORMATS, "dots", spec)
    return spec


def test_a_format_from_outside_is_saved_loaded_and_converted(dots, tmp_path, capsys):
    motion = wobble(5)
    motion.save(tmp_path / "a.dots")
    torch.testing.assert_close(Motion.load(tmp_path / "a.dots").rotations, motion.rotations)
    assert main(["convert", str(tmp_path / "a.dots"), str(tmp_path / "b.npz")]) == 0
    assert main(["convert", str(tmp_path / "b.npz"), str(tmp_path / "c.dots")]) == 0
    torch.testing.assert_close(Motion.load(tmp_path / "c.dots").root, motion.root)
    assert main(["convert", "--help"]) == 0
    assert ".dots (rows)" in capsys.readouterr().out
    assert format_of("X.DOTS") is dots


def test_one_way_formats_end_in_one_line(monkeypatch, tmp_path, capsys):
    one_way = {
        "in": FormatSpec(name="In", summary="read", extensions=(".in",), read=read_dots),
        "out": FormatSpec(name="Out", summary="written", extensions=(".out",), write=write_dots),
    }
    for name, spec in one_way.items():
        monkeypatch.setitem(FORMATS, name, spec)
    write_dots(wobble(2), tmp_path / "a.in")
    Motion.load(tmp_path / "a.in").save(tmp_path / "b.out")
    with pytest.raises(
        ValueError, match=r"b.out: expected a format that can be read, got Out, which is only"
    ):
        Motion.load(tmp_path / "b.out")
    assert main(["convert", str(tmp_path / "a.in"), str(tmp_path / "c.in")]) == 2
    assert "output: cannot write c.in; known extensions:" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "b.out"), str(tmp_path / "c.npz")]) == 1
    assert "which is only written" in capsys.readouterr().err


def test_what_a_reader_does_not_check_names_the_file_all_the_same(dots, tmp_path):
    (tmp_path / "bad.dots").write_text(" ".join(["nan"] * 91))
    with pytest.raises(ValueError, match=r"bad.dots: motion: expected finite numbers"):
        Motion.load(tmp_path / "bad.dots")


@pytest.mark.parametrize(
    "change", [{"extensions": ("bvh",)}, {"extensions": ()}, {"extensions": (".BVH",)}, {"read": None}]
)
def test_a_format_that_could_not_be_found_or_used_is_refused(change):
    with pytest.raises(ValueError, match=r"^(extensions|format): expected"):
        FormatSpec(**{"name": "X", "summary": "x", "extensions": (".x",), "read": read_dots, **change})


def test_a_format_that_needs_an_extra_says_which(tmp_path, monkeypatch):
    path = tmp_path / "clip.odd"
    spec = FormatSpec(
        name="Odd", summary="none", extensions=(".odd",), write=print, write_needs=("no_such_module", "odd")
    )
    monkeypatch.setitem(FORMATS, "odd", spec)
    wanted = r"clip.odd: Odd is written with an extra; run pip install 'motiongen\[odd\]'"
    with pytest.raises(ImportError, match=wanted):
        wobble(2).save(path)
    with pytest.raises(UsageError, match=wanted):
        arguments.check_outputs([path], arguments.known_outputs())
