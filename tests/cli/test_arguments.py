import math
from pathlib import Path

import pytest

from motiongen import cli
from motiongen.cli import UsageError, arguments, main


@pytest.mark.parametrize(
    ("text", "span"),
    [("1.0:2.5", (1.0, 2.5)), (":2", (0.0, 2.0)), ("1:", (1.0, math.inf)), ("0:1e1", (0.0, 10.0))],
)
def test_span_reads(text, span):
    assert arguments.parse_span(text) == span


@pytest.mark.parametrize("text", ["", "1", "a:b", "2:1", "1:1", "-1:2", "nan:1", "1:2:3", "inf:"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(UsageError, match="span: expected"):
        arguments.parse_span(text)


def test_outputs_are_checked_before_any_work(tmp_path):
    with pytest.raises(UsageError, match=r"got none; known extensions: \.mp4"):
        arguments.check_outputs([], [".mp4"])
    with pytest.raises(UsageError, match=r"cannot write a.doc; known extensions: .mp4"):
        arguments.check_outputs([tmp_path / "a.doc"], [".mp4"])
    with pytest.raises(UsageError, match="does not exist"):
        arguments.check_outputs([tmp_path / "no" / "a.mp4"], [".mp4"])
    arguments.check_outputs([tmp_path / "A.MP4", Path("a.mp4")], [".mp4"])


@pytest.mark.parametrize("prompts", [(), ("",), ("a person walks", "  ")])
def test_empty_prompts_are_refused(prompts):
    with pytest.raises(UsageError, match=r"prompt: expected (a sentence|words)"):
        arguments.check_prompts(prompts)


def test_output_that_lost_its_flag_is_no_prompt(error_line):
    assert main(["generate", "a person bows", "bow.bvh"]) == 2
    assert "'bow.bvh' looks like a file; give each output its own -o" in error_line()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["generate"], "prompt: expected a sentence, got none"),
        (["generate", " ", "-o", "x.bvh"], "prompt: expected words, got"),
        (["generate", "a person bows"], "output: expected -o FILE, got none"),
        (["generate", "a person bows", "-o", "x.doc"], "cannot write x.doc"),
        (
            ["generate", "a person bows", "-o", "x.bvh", "--seconds", "-1"],
            "seconds: expected 0 < S <= 600, got -1.0",
        ),
        (["generate", "a person bows", "-o", "x.bvh", "--count", "0"], "count: expected 1 to 1000"),
        (["generate", "a person bows", "-o", "x.bvh", "--device", "tpu"], "--device"),
        (["generate", "a person bows", "-o", "x.bvh", "--start-from", "gone.bvh"], "gone.bvh: no such file"),
        (["edit", "gone.bvh", "bow", "-o", "x.bvh", "--between", "1:2"], "gone.bvh: no such file"),
        (["edit", "gone.bvh", "bow", "-o", "x.bvh"], "expected one of --between, --before, --after"),
        (["edit", "gone.bvh", "bow", "-o", "x.bvh", "--between", "-1:2"], "got '-1:2'"),
        (["render", "gone.bvh", "-o", "x.mp4", "--size", "3", "3"], "size: expected 16 to 4096"),
        (["render", "gone.bvh", "-o", "x.bvh"], "gone.bvh: no such file"),
        (
            ["train", "carp", "--data", "a", "--data", "b", "-o", "x"],
            "data: expected --data once, got it twice",
        ),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(argv, words, error_line):
    assert main(argv) == 2
    assert words in error_line()


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["convert", "a.bvh", "b.bvh", "--fps=x"], "fps: expected a number, got 'x'"),
        (["convert", "a.bvh", "b.bvh", "--character-index", "1.5"], "expected a whole number, got '1.5'"),
        (["generate", "w", "--size", "1", "x"], "size: expected INT INT, got ['1', 'x']"),
        (["convert", "a.bvh", "b.bvh", "--nope"], "error: Unrecognized options: --nope; see"),
        (["convert", "a.bvh"], "error: missing: OUT File to write. (required); see"),
        (["convert", "-clip.bvh", "b.bvh"], "write ./-clip.bvh for a file of that name"),
        (["beats", "a.wav", "--from", "1e20"], "error: from: expected 0 to 1e+06 seconds, got 1e+20; leave"),
        (["generate", "w", "--guidance", "nan"], "error: guidance: expected 0..100, got nan; or leave"),
        (["generate", "w", "--temperature", "1e308"], "error: temperature: expected 0..1000, got 1e+308"),
        (["generate", "w", "--seed", "9" * 30], "error: seed: expected a number of 64 bits, got 999"),
        (["prepare", "a", "-o", ""], "error: output: expected a name, got an empty one; is a variable"),
        (
            ["train", "tokenizer", "--data", "a", "--output="],
            "error: output: expected a name, got an empty one",
        ),
        (["dance", "a.wav", "--steps", "0"], "error: steps: expected 1 to 1000, got 0; or leave"),
        (["edit", "a.bvh", "w", "--after", "1", "--steps", "3"], "error: steps: expected --music with it"),
    ],
)
def test_the_parsers_messages_say_what_was_expected(argv, line, error_line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-clip.bvh").touch()
    assert main(argv) == 2
    assert line in error_line()


def test_boxes_of_the_parser_become_one_line():
    box = "╭─ Value error ───╮\n│ Error parsing --seed: no int │\n│ ──── │\n│ For full helptext, see x │\n╰───╯\n"
    assert arguments._flatten(box) == "Error parsing --seed: no int"


def test_the_renderer_draws_exactly_what_the_commands_offer():
    from motiongen.render import PICTURES

    assert arguments.known_pictures() == tuple(ext for spec in PICTURES.values() for ext in spec.extensions)


def test_a_full_memory_is_known_by_its_words():
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert cli.is_full_memory(caught.value) and cli.is_full_memory(MemoryError())
    assert not cli.is_full_memory(RuntimeError("shapes differ"))


def test_a_load_test_without_a_server_says_so(error_line):
    assert main(["bench-stream", "ws://127.0.0.1:1"]) == 1
    assert "expected a server, nobody listens there; run motiongen serve" in error_line()
