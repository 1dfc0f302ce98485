"""A user's own folder of BVH files goes through the same commands as ours."""

import json

import pytest

from motiongen import Motion
from motiongen.checkpoint import read_tensors
from motiongen.cli import main

TINY = ["--steps", "2", "--batch-size", "2", "--window", "16", "--kinematic-items", "2", "--device", "cpu"]


@pytest.fixture
def folder(clip, tmp_path):
    """Six clips of two contents with captions, as a user would have them."""
    folder = tmp_path / "my_clips"
    folder.mkdir()
    motion = Motion.load(clip)
    rows = ["file,caption"]
    for i in range(6):
        (motion if i % 2 else motion.mirror()).save(folder / f"take{i}.bvh")
        rows.append(f"take{i}.bvh,a person turns {'left' if i % 2 else 'right'}")
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.slow
def test_prepare_says_what_went_in(folder, tmp_path, capsys):
    assert main(["prepare", str(folder), "-o", str(tmp_path / "cache"), "--workers", "1"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["bvh_folder", "6", "clips", "0.1", "min"]
    assert out[-1] == str(tmp_path / "cache")


def test_prepare_of_nothing_is_one_line(tmp_path, error_line):
    (tmp_path / "empty").mkdir()
    assert main(["prepare", str(tmp_path / "empty"), "-o", str(tmp_path / "cache"), "--workers", "1"]) == 1
    assert "found none" in error_line()


def test_train_without_a_cache_says_what_to_run(tmp_path, error_line):
    assert main(["train", "tokenizer", "--data", str(tmp_path), "-o", str(tmp_path / "run")]) == 1
    assert "run motiongen prepare" in error_line()


def test_train_of_an_unknown_model_gets_the_nearest(error_line):
    assert main(["train", "tokeniser"]) == 2
    assert "did you mean 'tokenizer'?" in error_line()


@pytest.mark.slow
def test_train_writes_a_tokenizer_and_resumes(folder, tmp_path, capsys):
    cache, run = str(tmp_path / "cache"), tmp_path / "run"
    assert main(["prepare", str(folder), "-o", cache, "--workers", "1", "--held-out", "0.3"]) == 0
    assert main(["train", "tokenizer", "--data", cache, "-o", str(run), *TINY]) == 0
    assert (run / "tokenizer" / "model.safetensors").exists()
    more = [*TINY, "--resume"]
    more[1] = "3"
    assert main(["train", "tokenizer", "--data", cache, "-o", str(run), *more]) == 0
    assert json.loads((run / "tokenizer" / "checkpoint" / "state.json").read_text())["step"] == 3
    capsys.readouterr()


@pytest.mark.slow
def test_own_folder_becomes_own_model(folder, tmp_path, capsys):
    cache, mine = str(tmp_path / "cache"), tmp_path / "mine"
    assert main(["prepare", str(folder), "-o", cache, "--workers", "1", "--held-out", "0.3"]) == 0
    assert main(["train", "tokenizer", "--data", cache, "-o", str(mine), *TINY]) == 0
    bamm = [
        "--steps",
        "2",
        "--batch-size",
        "2",
        "--compositions",
        "4",
        "--held-out-items",
        "2",
        "--device",
        "cpu",
    ]
    bamm += ["--data", cache, "-o", str(mine)]
    assert main(["train", "bamm", *bamm]) == 0
    out = str(tmp_path / "turn.npz")
    assert main(["generate", "a person turns left", "--weights", str(mine), "--seconds", "1", "-o", out]) == 0
    assert Motion.load(out).num_frames == 30
    assert (mine / "about.json").exists()
    again = ["--tokenizer", str(mine / "tokenizer"), "--learning-rate", "0", "--start-from"]
    bamm[-1] = str(tmp_path / "again")
    assert main(["train", "bamm", *bamm, *again, str(mine / "bamm")]) == 0
    first, second = (read_tensors(set_ / "bamm" / "model.safetensors") for set_ in (mine, tmp_path / "again"))
    assert all(first[key].equal(second[key]) for key in first)  # a rate of zero leaves them as they started
    assert main(["train", "bamm", *bamm, *again, str(mine / "tokenizer")]) == 1
    assert "is of another model" in capsys.readouterr().err
