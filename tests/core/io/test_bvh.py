"""BVH: exact bytes, every channel layout, errors that name the line, and bvhio as a second reader."""

from pathlib import Path

import bvhio
import numpy as np
import pytest
import torch

from motiongen.io import bvh
from motiongen.motion import Motion
from motiongen.rotation import quat_angle, quat_from_euler, quat_inverse, quat_normalize, quat_rotate
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.motions import t_pose

ARM = """HIERARCHY
ROOT Hips
{
\tOFFSET 0 0 0
\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
\tJOINT Arm
\t{
\t\tOFFSET 50 0 0
\t\tCHANNELS 1 Yrotation
\t\tEnd Site
\t\t{
\t\t\tOFFSET 25 0 0
\t\t}
\t}
}
MOTION
Frames: 2
Frame Time: 0.0333333
0.000000 100.000000 0.000000 0.000000 0.000000 0.000000 0.000000
0.000000 100.000000 0.000000 90.000000 0.000000 0.000000 -90.000000
"""


def save(folder: Path, text: str) -> Path:
    path = folder / "clip.bvh"
    path.write_bytes(text.encode())
    return path


def random_motion(skeleton: Skeleton = SMPL22, frames: int = 4, seed: int = 0) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    rotations = quat_normalize(torch.randn(frames, skeleton.num_joints, 4, generator=generator))
    return Motion(
        skeleton=skeleton, rotations=rotations, root=torch.randn(frames, 3, generator=generator), fps=30.0
    )


def referee_positions(path: Path, frame: int) -> dict[str, np.ndarray]:
    root = bvhio.readAsHierarchy(str(path)).loadPose(frame)
    return {joint.Name: np.array(joint.PositionWorld) for joint, _, _ in root.layout()}


def test_positions_by_hand(tmp_path):
    # A quarter turn about Z lifts the arm's root to 50 cm over the hips; its own -90 about Y does not move it.
    motion = bvh.read(save(tmp_path, ARM))
    torch.testing.assert_close(motion.positions()[1, 1], torch.tensor([0.0, 1.5, 0.0]), rtol=0, atol=1e-6)
    assert motion.fps == 30.0 and motion.skeleton.ends == ((1, (0.25, 0.0, 0.0)),)


def test_parse_then_write_gives_the_same_bytes(tmp_path):
    source = save(tmp_path, ARM)
    bvh.write_bvh(bvh.parse(source), tmp_path / "copy.bvh")
    assert (tmp_path / "copy.bvh").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    "mangle",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(" ", " \t "),
        lambda text: text.replace("100.000000", "1.0e+2").replace(" 90.000000", " .9E+02"),
        lambda text: "\ufeff" + text.replace("\n{", " {").replace("}\n", "}\n\n"),
        lambda text: text.replace("MOTION", "motion").replace("Xrotation", "XRotation").rstrip(),
        lambda text: text.replace(" 0.000000 0.000000 0.000000\n", " 0\n 0\t0\n"),
    ],
    ids=["crlf", "cr", "tabs", "exponents", "bom", "case", "wrapped"],
)
def test_odd_spelling_reads_the_same(tmp_path, mangle):
    plain = bvh.parse(save(tmp_path, ARM))
    odd = bvh.parse(save(tmp_path, mangle(ARM)))
    assert odd.names == plain.names and odd.channels == plain.channels and odd.end_sites == plain.end_sites
    np.testing.assert_array_equal(odd.values, plain.values)


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_every_euler_order_agrees_with_bvhio(tmp_path, order):
    turns = " ".join(f"{axis}rotation" for axis in order)
    text = ARM.replace("Zrotation Xrotation Yrotation", turns).replace(
        "CHANNELS 1 Yrotation", f"CHANNELS 3 {turns}"
    )
    head, _, _ = text.partition("0.000000 100")
    path = save(tmp_path, head + "1 2 3 10 20 30 40 50 60\n3 2 1 -170 80 15 5 -95 120\n")
    expected = referee_positions(path, 1)["Arm"]
    np.testing.assert_allclose(bvh.read(path, 1.0).positions()[1, 1].numpy(), expected, atol=1e-4)


def test_each_joint_may_have_its_own_order_and_missing_channels(tmp_path):
    head, _, _ = ARM.replace("CHANNELS 1 Yrotation", "CHANNELS 2 Yrotation Xrotation").partition(
        "0.000000 100"
    )
    motion = bvh.read(save(tmp_path, head + "0 0 0 10 20 30 40 50\n" * 2))
    expected = quat_from_euler(torch.tensor([40.0, 50.0, 0.0]).deg2rad(), "YXZ")
    assert quat_angle(motion.rotations[0, 1], expected) < 1e-6


def test_moving_joints_become_translations(tmp_path):
    head, _, _ = ARM.replace("CHANNELS 1 Yrotation", "CHANNELS 2 Yrotation Zposition").partition(
        "0.000000 100"
    )
    motion = bvh.read(save(tmp_path, head + "0 0 0 0 0 0 0 7\n" * 2))
    assert motion.translations is not None
    torch.testing.assert_close(
        motion.translations[0, 1], torch.tensor([0.5, 0.0, 0.07])
    )  # x, y from the offset
    bvh.write(motion, tmp_path / "again.bvh")
    torch.testing.assert_close(bvh.read(tmp_path / "again.bvh").positions(), motion.positions())


def test_round_trip_is_exact_to_a_ten_thousandth_of_a_degree(tmp_path):
    motion = random_motion(frames=200)
    bvh.write(motion, tmp_path / "clip.bvh")
    again = bvh.read(tmp_path / "clip.bvh")
    assert again.skeleton.names == SMPL22.names and again.fps == 30.0
    assert quat_angle(again.rotations.double(), motion.rotations.double()).rad2deg().max() < 1e-4
    torch.testing.assert_close(again.root, motion.root, rtol=0, atol=1e-6)


@pytest.mark.parametrize("middle", [90.0, -90.0, 89.9999, 89.99])
def test_round_trip_at_gimbal_lock(tmp_path, middle):
    angles = torch.tensor([[30.0, middle, -70.0]]).deg2rad()
    rotations = random_motion(frames=1).rotations.clone()
    rotations[:, 3] = quat_from_euler(angles, "ZXY")
    bvh.write(
        Motion(skeleton=SMPL22, rotations=rotations, root=torch.zeros(1, 3), fps=30.0), tmp_path / "clip.bvh"
    )
    again = bvh.read(tmp_path / "clip.bvh", 0.01)
    assert quat_angle(again.rotations.double(), rotations.double()).rad2deg().max() < 1e-4


def test_bvhio_reads_what_we_write(tmp_path):
    motion = random_motion()
    bvh.write(motion, tmp_path / "clip.bvh")
    theirs = referee_positions(tmp_path / "clip.bvh", 3)
    ours = {name: motion.positions()[3, j].numpy() * 100 for j, name in enumerate(SMPL22.names)}
    assert set(theirs) == set(ours)
    assert max(abs(theirs[name] - ours[name]).max() for name in ours) < 1e-3  # centimetres


@pytest.mark.parametrize(("scale", "unit"), [(1.0, 0.01), (0.01, 1.0)])
def test_unit_is_guessed_from_the_size_of_the_skeleton(tmp_path, scale, unit):
    text = ARM.replace("OFFSET 50", f"OFFSET {50 * scale}").replace("OFFSET 25", f"OFFSET {25 * scale}")
    assert bvh.guess_unit(bvh.parse(save(tmp_path, text))) == unit


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "GLTF", r"line 1: expected HIERARCHY, got 'GLTF'"),
        ("OFFSET 50 0 0", "OFFSET 50 0", r"line 9: expected OFFSET and three finite numbers, got 'CHANNELS'"),
        ("CHANNELS 1 Yrotation", "CHANNELS 1 Wrotation", r"line 9: expected Xposition.*got 'Wrotation'"),
        ("JOINT Arm", "JOINT Hips", r"line 7: expected a joint name, each once, got 'Hips'"),
        ("JOINT Arm", "LIMB Arm", r"line 6: expected JOINT, End Site.*got 'LIMB'"),
        ("MOTION", "", r"line 17: expected MOTION after one ROOT, got 'Frames:'"),
        ("Frames: 2", "Frames: 4", r"line 20: expected 4 rows as Frames says, got 2 rows of 7 numbers"),
        ("Frames: 2", "Frames: 0", r"expected at least one frame and one channel, got 2 rows"),
        ("Frames: 2", "Frames: many", r"line 17: expected Frames: COUNT, got 'Frames: many'"),
        ("Time: 0.0333333", "Time: 0", r"line 18: expected Frame Time: a number over 0, got '0'"),
        ("90.000000", "ninety", r"line 20: expected a number, got 'ninety'"),
        (" -90.000000", "", r"line 20: expected 7 numbers, one for each channel, got 6"),
        ("90.000000", "nan", r"line 20: expected finite numbers, got nan in frame 1, channel 4"),
        ("90.000000", "-inf", r"line 20: expected finite numbers, got -inf in frame 1"),
    ],
)
def test_broken_files_name_path_line_and_what_was_expected(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message) as caught:
        bvh.parse(save(tmp_path, ARM.replace(old, new, 1)))
    assert "clip.bvh" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("length", range(0, len(ARM) - 12, 7))
def test_a_cut_file_is_one_clear_error(tmp_path, length):
    with pytest.raises(ValueError, match=r"clip\.bvh: line"):
        bvh.parse(save(tmp_path, ARM[:length]))


def test_bytes_that_are_no_text_are_one_clear_error(tmp_path):
    (tmp_path / "clip.bvh").write_bytes(bytes(range(256)) * 50)
    with pytest.raises(ValueError, match="line 1: expected HIERARCHY"):
        bvh.parse(tmp_path / "clip.bvh")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    (tmp_path / "clip.bvh").write_text("old")
    with pytest.raises(AttributeError):
        bvh.write(None, tmp_path / "clip.bvh")  # type: ignore[arg-type]
    assert (tmp_path / "clip.bvh").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_person_that_rests_along_z_is_stood_up(tmp_path):
    motion = t_pose(4)
    lying = Skeleton(SMPL22.names, SMPL22.parents, quat_rotate(quat_inverse(bvh.Z_TO_Y), SMPL22.offsets))
    root = quat_rotate(quat_inverse(bvh.Z_TO_Y), motion.root)
    bvh.write(Motion(lying, motion.rotations, root, 30.0), tmp_path / "z.bvh")
    torch.testing.assert_close(
        bvh.read(tmp_path / "z.bvh").positions(), motion.positions(), atol=1e-4, rtol=0
    )
    as_written = bvh.read(tmp_path / "z.bvh", up="y")
    torch.testing.assert_close(as_written.root, root, atol=1e-4, rtol=0)
