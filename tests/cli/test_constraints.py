import json

import pytest

from motiongen import Motion
from motiongen.cli import main
from tests.core.constraints.walking import walk
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return ["--weights", str(save_tiny(tmp_path_factory.mktemp("weights"))), "--device", "cpu"]


@pytest.fixture
def shot(tmp_path):
    entries = [
        {"type": "waypoint", "time": 1.5, "x": 0.4, "z": 0.8},
        {"type": "joint", "joint": "right_wrist", "time": 1.4, "position": [3, 1, 3]},
    ]
    file = tmp_path / "shot.json"
    file.write_text(json.dumps({"version": 1, "constraints": entries}))
    return file


def test_each_constraint_has_a_line_with_its_error_before_and_after(weights, shot, tmp_path, capsys):
    out = tmp_path / "out.npz"
    words = ["generate", "a person walks", "--seconds", "1", "--constraints", str(shot), "-o", str(out), "-q"]
    assert main([*words, *weights]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(out)]
    first, second = said.err.splitlines()
    assert first.startswith("waypoint at 1.50 s: ") and first.endswith("-> 0.0 cm")
    assert second.startswith("right_wrist at 1.40 s: ") and "missed" in second
    assert Motion.load(out).num_frames >= 46


def test_an_edit_takes_them_too(weights, shot, tmp_path, capsys):
    walk(90).save(tmp_path / "walk.npz")
    out = tmp_path / "out.npz"
    words = [
        "edit",
        str(tmp_path / "walk.npz"),
        "a person waves",
        "--after",
        "1",
        "--constraints",
        str(shot),
        "-q",
    ]
    assert main([*words, "-o", str(out), *weights]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 2 and Motion.load(out).num_frames == 90


def test_a_wrong_file_is_misuse(tmp_path, error_line):
    words = ["generate", "a person walks", "-o", str(tmp_path / "out.npz"), "--constraints"]
    assert main([*words, str(tmp_path / "none.json")]) == 2
    assert "no such file" in error_line()
    (tmp_path / "shot.json").write_text('{"version": 1, "constraints": [{"type": "waypoint", "tme": 1}]}')
    assert main([*words, str(tmp_path / "shot.json")]) == 2
    assert "did you mean time?" in error_line()
