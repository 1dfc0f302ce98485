import json

import pytest

from motiongen.cli import main
from motiongen.skeleton import SMPL22


def test_info_as_json_gives_the_numbers_of_the_clip(clip, capsys):
    # The clip goes 29 steps of 1/30 m at 30 fps: 0.967 m at 1 m/s, in 30 frames.
    assert main(["info", str(clip), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["frames"], facts["fps"], facts["seconds"]) == (30, 30.0, 1.0)
    assert facts["skeleton"] == "22 joints, root pelvis"
    assert facts["metres_walked"] == pytest.approx(29 / 30, abs=2e-3)
    assert facts["metres_a_second"] == pytest.approx(1.0, abs=2e-3)
    assert facts["left_foot_down"] == 0.0  # feet that glide at 1 m/s stand nowhere


def test_info_prints_a_line_for_each_fact(clip, capsys):
    assert main(["info", str(clip)]) == 0
    out = capsys.readouterr().out
    assert "metres a second  1.0" in out
    assert "left foot down   0% of frames" in out


def test_info_of_a_text_file_is_one_line(tmp_path, error_line):
    (tmp_path / "song.bvh").write_text("la la la\n")
    assert main(["info", str(tmp_path / "song.bvh")]) == 1
    assert "song.bvh" in error_line()


def test_info_of_a_folder_is_misuse(tmp_path, error_line):
    assert main(["info", str(tmp_path)]) == 2
    assert "is a folder" in error_line()


def test_the_hips_are_followed_below_a_root_that_stays(clip, tmp_path, capsys):
    """A BVH of Bandai-Namco's or Rokoko's kind: a root on the floor that never moves, and the hips below it."""
    text = clip.read_text()
    head, motion = text.split("MOTION")
    hierarchy = head.replace("ROOT pelvis", "JOINT pelvis").split("\n", 1)[1]
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    root = f"HIERARCHY\nROOT joint_Root\n{{\nOFFSET 0 0 0\n{channels}\n"
    lines = motion.strip().split("\n")
    rows = ["0 0 0 0 0 0 " + row for row in lines[2:]]
    (tmp_path / "rooted.bvh").write_text(
        root + hierarchy + "}\nMOTION\n" + "\n".join([*lines[:2], *rows]) + "\n"
    )
    assert main(["info", str(tmp_path / "rooted.bvh"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["metres_walked"] == pytest.approx(29 / 30, abs=2e-3)
    assert facts["humanoid"]["joints"]["pelvis"] == "pelvis" and facts["humanoid"]["missing"] == []


def test_joints_that_no_name_tells_are_named_by_a_file(clip, tmp_path, capsys):
    text = clip.read_text()
    joints = {name: f"bone{i}x" for i, name in enumerate(SMPL22.names)}
    for name in sorted(joints, key=len, reverse=True):
        text = text.replace(f"{name}\n", f"{joints[name]}\n")
    (tmp_path / "plain.bvh").write_text(text)
    (tmp_path / "names.json").write_text(json.dumps(joints))
    assert main(["info", str(tmp_path / "plain.bvh")]) == 0
    assert "no; --mapping FILE names the joints" in capsys.readouterr().out
    assert main(["info", str(tmp_path / "plain.bvh"), "--mapping", str(tmp_path / "names.json")]) == 0
    out = capsys.readouterr().out
    assert "22 of 22 joints" in out and "left foot down   0% of frames" in out
