"""A folder of clips becomes a memory by one command, and the other commands read it."""

import json

import pytest

from motiongen import Motion
from motiongen.cli import main
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(save_tiny(tmp_path_factory.mktemp("weights")))


@pytest.fixture
def folder(clip, tmp_path):
    """Two takes, one of them with captions."""
    folder = tmp_path / "my_clips"
    folder.mkdir()
    for name in ("juggle", "take2"):
        Motion.load(clip).save(folder / f"{name}.bvh")
    (folder / "captions.csv").write_text("file,caption\ntake2.bvh,a person conducts an orchestra\n")
    return folder


@pytest.mark.slow
def test_a_folder_of_clips_answers_to_its_captions(folder, weights, tmp_path, capsys):
    memory = str(tmp_path / "memory")
    assert main(["remember", str(folder), "-o", memory, "--weights", weights, "--workers", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == memory
    assert main(["models", memory, "--memory", "somebody conducts the orchestra", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out).values()
    assert (found[0]["id"], found[0]["licence"]) == ("bvh_folder/take2", "the owner's")
    assert found[0]["similarity"] > 0.8 and found[0]["fit"] == 0.0  # too few clips to tell
    lines = [(clip["id"], clip["sentence"]) for clip in found]
    assert len(set(lines)) == len(lines)
    out, plain = str(tmp_path / "a.npz"), str(tmp_path / "b.npz")
    words = ["generate", "a person conducts an orchestra", "--weights", weights]
    assert main([*words, "--memory", memory, "-o", out]) == 0
    assert main([*words, "--memory", "0", "-o", plain]) == 0
    assert Motion.load(out).num_frames == pytest.approx(Motion.load(folder / "take2.bvh").num_frames, abs=4)


def test_a_memory_that_is_not_there_is_one_line(weights, tmp_path, error_line):
    words = ["generate", "a person walks", "--weights", weights, "--memory", str(tmp_path / "none")]
    assert main([*words, "-o", str(tmp_path / "a.npz")]) == 1
    assert "expected a folder that motiongen remember wrote, or 0" in error_line()


def test_weights_that_read_no_memory_are_refused(folder, tmp_path, error_line):
    assert main(["remember", str(folder), "-o", str(tmp_path / "memory"), "--weights", "full"]) == 2
    assert "expected a set whose heads read a memory, got full" in error_line()
