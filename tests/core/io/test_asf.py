"""ASF/AMC: positions by hand, a referee in SciPy matrices, and errors that name the line."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from motiongen.io import asf

ASF = """# a leg of two bones
:version 1.10
:name toy
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  free text
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 2
    name shin
    direction 0 -1 0
    length 8
    axis 20 30 40 XYZ
    dof rx rz
    limits (-10.0 170.0)
           (-inf inf)
  end
  begin
    id 1
    name thigh
    direction 0 -1 0
    length 10
    axis 0 0 90 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
:hierarchy
  begin
    root thigh
    thigh shin
  end
"""
AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 1 20 3 0 0 0
thigh 90 0 0
shin 0 0
2
root 1 20 3 10 20 30
thigh 40 50 60
shin 70 80
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "toy.asf").write_text(ASF)
    (tmp_path / "toy.amc").write_text(AMC)
    return tmp_path / "toy.asf", tmp_path / "toy.amc"


def referee_shin_tip(root: list[float], thigh: list[float], shin: list[float]) -> np.ndarray:
    """The tip of the shin after the definition: L = C M C^-1, rotations about fixed axes x, then y, then z."""
    turned = Rotation.from_euler("xyz", root[3:], degrees=True)
    tip = np.array(root[:3])
    for angles, axis, length in ((thigh, [0, 0, 90], 10), ([shin[0], 0, shin[1]], [20, 30, 40], 8)):
        frame = Rotation.from_euler("xyz", axis, degrees=True)
        turned = turned * frame * Rotation.from_euler("xyz", angles, degrees=True) * frame.inv()
        tip = tip + turned.apply([0, -length, 0])
    return tip


def test_positions_by_hand(files):
    # The thigh's frame is turned 90 degrees about z, so its own x is the world's y: 90 about that leaves it hanging.
    motion = asf.read_amc(*files, fps=60.0, unit_to_metres=1.0)
    torch.testing.assert_close(motion.positions()[0, 1], torch.tensor([1.0, 20.0, 3.0]))
    torch.testing.assert_close(motion.positions()[0, 2], torch.tensor([1.0, 10.0, 3.0]))
    assert motion.fps == 60.0


def test_every_rotation_agrees_with_the_definition(files):
    motion = asf.read_amc(*files, fps=60.0, unit_to_metres=1.0)
    rotations, positions = motion.global_rotations(), motion.positions()
    tip = positions[1, 2].numpy() + Rotation.from_quat(rotations[1, 2].numpy()).apply([0, -8, 0])
    expected = referee_shin_tip([1, 20, 3, 10, 20, 30], [40, 50, 60], [70, 80])
    np.testing.assert_allclose(tip, expected, atol=1e-5)


def test_unit_comes_from_the_skeleton(files):
    assert asf.parse_asf(files[0]).unit_to_metres == pytest.approx(0.056444, abs=1e-6)
    torch.testing.assert_close(asf.read_amc(*files, fps=60.0).root[0, 1], torch.tensor(20 * 0.0254 / 0.45))


def test_bones_are_sorted_and_tips_kept(files):
    bones = asf.parse_asf(files[0]).bones
    assert [bone.name for bone in bones] == ["root", "thigh", "shin"]
    assert bones[2].limits == ((-10.0, 170.0), (-np.inf, np.inf))
    assert asf.read_amc(*files, fps=1.0, unit_to_metres=1.0).skeleton.ends == ((2, (0.0, -8.0, 0.0)),)


def test_radians_read_the_same(files):
    degrees = asf.read_amc(*files, fps=60.0)
    path = files[1].with_name("radians.amc")
    rows = [line.split() for line in AMC.replace(":DEGREES", ":RADIANS").splitlines()]
    for row in rows[3:]:
        first = 4 if row[0] == "root" else 1
        row[first:] = [repr(float(np.deg2rad(float(word)))) for word in row[first:]]
    path.write_text("\r\n".join(" ".join(row) for row in rows))
    torch.testing.assert_close(asf.read_amc(files[0], path, fps=60.0).rotations, degrees.rotations)


def test_the_skeleton_beside_is_found(files):
    assert asf.read(files[1]).fps == 120.0
    files[0].rename(files[0].with_name("one.asf"))
    assert asf.read(files[1]).num_frames == 2
    files[0].with_name("two.asf").write_text(ASF)
    with pytest.raises(ValueError, match=r"expected toy\.asf or one ASF file beside it, got 2"):
        asf.read(files[1])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("thigh 40 50 60", "thigh 40 50", r"line 10: expected 3 numbers for thigh, got 2 in frame 2"),
        ("thigh 40 50 60", "thigh 40 fifty 60", r"line 10: expected finite numbers for thigh, got 'fifty'"),
        (
            "thigh 40 50 60",
            "thigh 40 nan 60",
            r"line 10: expected finite numbers for thigh, got 'nan' in frame 2",
        ),
        ("thigh 40 50 60", "wing 40 50 60", r"line 10: expected a bone of the ASF file, got 'wing'"),
        ("thigh 40 50 60\n", "", r"expected the bones of the first frame"),
        (AMC, "", r"toy\.amc: line 0: expected frames, got none"),
    ],
)
def test_broken_motions_name_the_line(files, old, new, message):
    files[1].write_text(AMC.replace(old, new))
    with pytest.raises(ValueError, match=message) as caught:
        asf.read_amc(*files, fps=60.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("length 10", "length ten", r"expected a number, got 'ten'"),
        ("axis 0 0 90 XYZ", "axis 0 0 90 XYY", r"expected an axis order such as XYZ, got 'XYY'"),
        ("thigh shin", "thigh foot", r"expected every bone once in :bonedata and in :hierarchy, got shin"),
        ("dof rx rz", "dof rx l", r"expected dof of 'shin' to be rx, ry or rz, got rx l"),
        ("direction 0 -1 0", "direction 0 -1", r"expected three numbers, got 0 -1"),
        (ASF, "", r"toy\.asf: line 0: expected :root, :bonedata and :hierarchy"),
    ],
)
def test_broken_skeletons_say_what_was_expected(files, old, new, message):
    files[0].write_text(ASF.replace(old, new))
    with pytest.raises(ValueError, match=message):
        asf.parse_asf(files[0])
