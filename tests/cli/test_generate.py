import io
import logging

import pytest
import torch

from motiongen import Motion
from motiongen.cli import main
from motiongen_datasets import clips_of
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return the options that choose a tiny model on the CPU."""
    return ["--weights", str(save_tiny(tmp_path_factory.mktemp("weights"))), "--device", "cpu"]


@pytest.mark.slow
def test_one_motion_goes_to_every_output(weights, tmp_path, capsys):
    outputs = [str(tmp_path / name) for name in ("walk.bvh", "walk.npz", "walk.glb", "walk.png")]
    options = [word for path in outputs for word in ("-o", path)]
    assert main(["generate", "a person walks", *options, "--seconds", "1", *weights]) == 0
    assert capsys.readouterr().out.splitlines() == outputs
    bvh, npz = (Motion.load(path).positions() for path in outputs[:2])
    torch.testing.assert_close(bvh, npz, rtol=0, atol=1e-4)


def test_the_licence_of_the_weights_is_said_and_goes_into_the_files(weights, tmp_path, capsys):
    outputs = [tmp_path / "walk.npz", tmp_path / "walk.glb"]
    options = [word for path in outputs for word in ("-o", str(path))]
    assert main(["generate", "a person walks", *options, "--seconds", "1", *weights]) == 0
    assert "licence of the motion: CC0" in capsys.readouterr().err.splitlines()[-1]
    assert [Motion.load(path).licence for path in outputs] == ["CC0"] * 2
    edited = tmp_path / "edited.npz"
    words = ["edit", str(outputs[0]), "a person bows", "--after", "0.5", "-o", str(edited), "-q"]
    assert main([*words, *weights]) == 0
    assert Motion.load(edited).licence == "CC0" and capsys.readouterr().err == ""


def test_prompts_come_from_standard_input(weights, tmp_path, monkeypatch, error_line):
    out = tmp_path / "two.npz"
    command = ["generate", "-", "--seconds", "1", "-o", str(out), *weights]
    monkeypatch.setattr("sys.stdin", io.StringIO("a person walks\n\na person bows\n"))
    assert main([*command, "-q"]) == 0
    assert Motion.load(out).num_frames == 60
    for text, words, said in (
        ("\n", command, "expected a sentence a line on standard input, got none"),
        ("a\nb", ["generate", "-", "-", "-o", str(out)], "expected - once"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert main(words) == 2
        assert said in error_line()


def test_many_sentences_become_a_folder_that_prepare_takes(weights, tmp_path, capsys):
    (tmp_path / "say.txt").write_text("a person walks\n\na person bows\n")
    out = str(tmp_path / "clips")
    command = ["generate", "--prompts", str(tmp_path / "say.txt"), "-o", out]
    command += ["--seconds", "1", "--workers", "1"]
    assert main([*command, *weights]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n" and "licence of the motion: CC0" in said.err
    clips = clips_of(out)
    assert [clip.labels.sentences for clip in clips] == [("a person walks",), ("a person bows",)]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("a\n\n?!\n", ["-o", "out"], "say.txt, line 3: prompt: expected words, got '?!'"),
        ("\n", ["-o", "out"], "say.txt: expected a sentence a line, got none"),
        (b"\xff\xfe", ["-o", "out"], "say.txt: expected text in UTF-8"),
        ("a", [], "output: expected one folder, -o FOLDER, got none"),
        ("a", ["-o", "a.bvh"], "output: expected one folder, -o FOLDER, got a.bvh"),
        ("a", ["-o", "out", "a person walks"], "prompt: expected none beside --prompts FILE, got one"),
        ("a", ["-o", "out", "--format", "mp4"], "format: expected one of bvh, "),
        ("a", ["-o", "out", "--workers", "-1"], "workers: expected 0 or more, got -1"),
        (None, ["-o", "out"], "say.txt: no such file"),
    ],
)
def test_what_is_wrong_with_many_sentences_is_one_line(text, words, said, tmp_path, error_line, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "say.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["generate", "--prompts", "say.txt", *words]) == 2
    assert said in error_line()


def test_an_engine_is_for_many_sentences(tmp_path, error_line):
    assert main(["generate", "a person walks", "-o", str(tmp_path / "a.bvh"), "--engine", "ray"]) == 2
    assert "engine: expected --prompts FILE beside it, got none" in error_line()


def test_prompts_follow_each_other_in_one_file(weights, tmp_path):
    out = tmp_path / "two.npz"
    assert (
        main(["generate", "a person walks", "a person bows", "--seconds", "1", "-o", str(out), *weights]) == 0
    )
    assert Motion.load(out).num_frames == 60


@pytest.mark.parametrize("extension", ["bvh", "npz", "glb"])
def test_same_seed_gives_the_same_bytes(extension, weights, tmp_path):
    files = [tmp_path / f"{i}.{extension}" for i in range(2)]
    for file in files:
        prompt = ["generate", "a person walks", "--seconds", "0.5", "--seed", "7"]
        assert main([*prompt, "-o", str(file), *weights]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_variants_are_numbered_and_differ(weights, tmp_path, capsys):
    out = tmp_path / "walk.npz"
    assert (
        main(["generate", "a person walks", "--seconds", "1", "--count", "2", "-o", str(out), *weights]) == 0
    )
    first, second = capsys.readouterr().out.splitlines()
    assert (first, second) == (str(tmp_path / "walk-1.npz"), str(tmp_path / "walk-2.npz"))
    assert not torch.equal(Motion.load(first).rotations, Motion.load(second).rotations)


def test_start_is_kept_and_gone_on_from(weights, tmp_path):
    start, out = tmp_path / "start.npz", tmp_path / "more.npz"
    wobble(32).save(start)
    options = ["--start-from", str(start), "--seconds", "1", "-o", str(out)]
    assert main(["generate", "a person bows", *options, *weights]) == 0
    before, after = Motion.load(start), Motion.load(out)
    assert after.num_frames == 32 + 30
    torch.testing.assert_close(after.rotations[:32], before.rotations, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [(["--between", "0.5:1"], 15, 30), (["--before", "0.5"], 0, 15), (["--after", "1"], 30, 45)],
)
def test_edit_rewrites_its_span_and_nothing_else(options, first, last, weights, tmp_path):
    clip, out = tmp_path / "clip.npz", tmp_path / "edited.npz"
    wobble(45).save(clip)
    assert main(["edit", str(clip), "a person bows", *options, "-o", str(out), *weights]) == 0
    before, after = Motion.load(clip), Motion.load(out)
    kept = [i for i in range(45) if not first <= i < last]
    assert torch.equal(
        after.rotations[kept, 1:], before.rotations[kept, 1:]
    )  # what follows is carried along as a whole
    assert torch.equal(after.rotations[:first], before.rotations[:first])
    assert torch.equal(after.root[:first], before.root[:first])
    assert not torch.equal(after.rotations[first:last], before.rotations[first:last])


def test_edit_after_the_end_is_misuse(weights, clip, tmp_path, error_line):
    out = str(tmp_path / "x.bvh")
    assert main(["edit", str(clip), "a person bows", "--after", "9", "-o", out, *weights]) == 2
    assert "before the clip's end at 1.00 s" in error_line()


def test_a_prompt_far_from_anything_known_moves_and_says_so(weights, tmp_path, capsys):
    prompt = "quarterly tax returns of a limited company"
    assert main(["generate", prompt, "--seconds", "0.5", "-o", str(tmp_path / "x.npz"), *weights]) == 0
    assert "is far from what this model knows; the nearest that it knows is" in capsys.readouterr().err


def test_ten_thousand_words_are_refused(error_line, tmp_path):
    assert main(["generate", "walk " * 10_000, "-o", str(tmp_path / "x.bvh")]) == 2
    assert "expected at most 60 words, got 10000" in error_line()


def test_unknown_weights_list_the_known(error_line, tmp_path):
    assert main(["generate", "a person bows", "--weights", "fulll", "-o", str(tmp_path / "x.bvh")]) == 1
    assert "weights: expected" in error_line()


def test_truncated_weights_are_one_line_and_nothing_is_written(tmp_path, error_line):
    folder = save_tiny(tmp_path / "weights")
    file = folder / "bamm" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    out = tmp_path / "x.bvh"
    assert main(["generate", "a person bows", "--weights", str(folder), "-o", str(out)]) == 1
    assert "model.safetensors: expected a whole safetensors file" in error_line()
    assert not out.exists()


def test_commands_leave_logging_as_it_was(tmp_path):
    before = list(logging.getLogger("motiongen").handlers)
    main(["info", str(tmp_path)])
    assert logging.getLogger("motiongen").handlers == before
