import json

import pytest

from motiongen.cli import main


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
