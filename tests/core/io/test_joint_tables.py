"""Tables of joints (CSV, TRC, C3D): the places and rotations of the motion, in the units and axes of each format."""

import csv

import pytest
import torch
from torch.testing import assert_close

from motiongen import Motion
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.motions import wobble


def test_csv_has_places_and_rotations_in_the_world(tmp_path):
    motion = wobble(4, fps=60.0)
    motion.save(tmp_path / "clip.csv")
    with open(tmp_path / "clip.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["time"] for row in rows] == ["0.000000", "0.016667", "0.033333", "0.050000"]
    assert len(rows[0]) == 1 + 22 * 7
    for frame, row in enumerate(rows):
        for name in ("pelvis", "left_wrist"):
            joint = SMPL22.index(name)
            place = torch.tensor([float(row[f"{name}.{axis}"]) for axis in "xyz"])
            assert_close(place, motion.positions()[frame, joint], atol=1e-6, rtol=0)
            turn = torch.tensor([float(row[f"{name}.q{axis}"]) for axis in "xyzw"])
            assert_close(turn, motion.global_rotations()[frame, joint], atol=1e-6, rtol=0)


def test_trc_is_laid_out_as_its_readers_want(tmp_path):
    motion = wobble(3, fps=120.0)
    motion.save(tmp_path / "clip.trc")
    lines = (tmp_path / "clip.trc").read_text().split("\n")
    assert lines[0].split("\t") == ["PathFileType", "4", "(X/Y/Z)", "clip.trc"]
    assert lines[2].split("\t") == ["120", "120", "3", "22", "mm", "120", "1", "3"]
    names = lines[3].split("\t")
    assert names[:6] == ["Frame#", "Time", "pelvis", "", "", "left_hip"]
    assert lines[4].split("\t")[:5] == ["", "", "X1", "Y1", "Z1"]
    assert lines[5] == ""
    last = lines[8].split("\t")
    assert last[:2] == ["3", "0.016667"]
    assert len(last) == 2 + 66 == len(names)
    wrist = SMPL22.index("left_wrist")
    place = torch.tensor([float(cell) for cell in last[2 + 3 * wrist : 5 + 3 * wrist]]) / 1000
    assert_close(place, motion.positions()[2, wrist], atol=1e-6, rtol=0)


def test_names_with_blanks_do_not_break_a_trc(tmp_path):
    skeleton = Skeleton(("left up leg",), (-1,), torch.zeros(1, 3))
    motion = wobble(2)
    Motion(skeleton, motion.rotations[:, :1], motion.root, 30.0).save(tmp_path / "clip.trc")
    assert "\tleft_up_leg\t" in (tmp_path / "clip.trc").read_text()


def test_c3d_is_read_with_z_up_in_millimetres(tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    motion = wobble(6, fps=50.0)
    motion.save(tmp_path / "clip.c3d")
    file = ezc3d.c3d(str(tmp_path / "clip.c3d"))
    point = file["parameters"]["POINT"]
    assert tuple(point["LABELS"]["value"]) == SMPL22.names
    assert (point["RATE"]["value"][0], point["UNITS"]["value"]) == (50.0, ["mm"])
    x, y, z = torch.from_numpy(file["data"]["points"][:3]).float() / 1000  # each (J, T)
    assert_close(torch.stack([x, z, -y], dim=-1).transpose(0, 1), motion.positions(), atol=1e-5, rtol=0)


def test_a_clip_that_c3d_cannot_count_is_one_line(tmp_path):
    pytest.importorskip("ezc3d")
    skeleton = Skeleton(("hips",), (-1,), torch.zeros(1, 3))
    rotations = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(65_536, 1, 4)
    with pytest.raises(ValueError, match="at most 65,535 frames in a C3D file, got 65,536"):
        Motion(skeleton, rotations, torch.zeros(65_536, 3), 30.0).save(tmp_path / "clip.c3d")
