import json
import logging
import re
import subprocess
import sys

import pytest

import motiongen
from motiongen.cli import COMMANDS, main
from motiongen.cli.train import trainings


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.split())


def test_no_command_prints_help_and_is_misuse(capsys):
    assert main([]) == 2
    assert "usage: motiongen" in capsys.readouterr().out


def test_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"motiongen {motiongen.__version__}\n"


@pytest.mark.parametrize(
    ("words", "code", "out", "error"),
    [
        (["--version"], 0, f"motiongen {motiongen.__version__}\n", ""),
        ([], 2, "usage: motiongen COMMAND", ""),
        (["genrate"], 2, "", "motiongen: error: unknown command 'genrate'; did you mean 'generate'?\n"),
    ],
)
def test_the_module_runs_as_the_command_does(words, code, out, error):
    done = subprocess.run([sys.executable, "-m", "motiongen", *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, error)
    assert done.stdout.startswith(out) and bool(done.stdout) == bool(out)


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_explains_itself(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"motiongen {verb}" in capsys.readouterr().out


def help_pages():
    return [[verb] for verb in COMMANDS if verb != "train"] + [["train", name] for name in trainings()]


@pytest.mark.parametrize("words", help_pages(), ids=" ".join)
def test_every_option_says_what_it_is_and_no_default_is_empty(words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    assert main([*words, "--help"]) == 0
    lines = [line.strip("│ ") for line in capsys.readouterr().out.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        for nothing in ("(default: )", "(default: '')", "(default: None)"):
            assert nothing not in line
        if re.match("--?[a-z]", line):
            said = re.split(r"\s{2,}", line, maxsplit=1)[1] if "  " in line else following
            assert said and not said.startswith("("), line


@pytest.mark.parametrize(
    ("words", "said"), [([], ["news", "trouble"]), (["-q"], []), (["-v"], ["detail", "news", "trouble"])]
)
def test_q_logs_errors_only_and_v_all(words, said, monkeypatch, capsys):
    def work(argv):
        assert argv == ["clip.npz"]
        log = logging.getLogger("motiongen.test")
        log.debug("detail"), log.info("news"), log.warning("trouble")

    monkeypatch.setattr("motiongen.cli.info.main", work)
    assert main(["info", *words, "clip.npz"]) == 0
    assert capsys.readouterr().err.split() == said


def test_unknown_command_gets_the_nearest(capsys):
    assert main(["genrate", "x"]) == 2
    assert (
        capsys.readouterr().err == "motiongen: error: unknown command 'genrate'; did you mean 'generate'?\n"
    )


def test_unknown_option_is_one_line_with_the_nearest(capsys):
    assert main(["convert", "a.bvh", "b.npz", "--fsp", "30"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--fsp" in error and "--fps" in error


def test_help_needs_neither_torch_nor_tyro():
    code = (
        "import sys; from motiongen.cli import main; main(['--help']);"
        "print([m for m in ('torch', 'tyro', 'numpy', 'rich') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


HEAVY = ("torch", "transformers", "tokenizers", "safetensors", "huggingface_hub", "av", "pybullet", "librosa")
"""Packages that take from a tenth of a second to seconds to import."""
RUN = """
import contextlib, io, json, sys
from motiongen.cli import main
found = []
for argv in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = main(argv)
    found.append([code, [name for name in json.loads(sys.argv[2]) if name in sys.modules], said.getvalue()])
print(json.dumps(found))
"""


def run_all(commands):
    """Return (exit code, heavy packages that are imported by now, stderr) of each command, in a new process."""
    script = [sys.executable, "-c", RUN, json.dumps(commands), json.dumps(HEAVY)]
    return json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout)


def test_help_of_every_command_imports_nothing_heavy():
    verbs = (
        [[verb] for verb in COMMANDS] + [["train", name] for name in trainings()] + [["evaluate", "dance"]]
    )
    commands = [[*verb, "--help"] for verb in verbs]
    assert {tuple(argv): found for argv, found in zip(commands, run_all(commands), strict=True)} == {
        tuple(argv): [0, [], ""] for argv in commands
    }


def test_wrong_outputs_are_refused_before_anything_heavy_is_imported(tmp_path):
    clip, folder = tmp_path / "clip.bvh", str(tmp_path)
    clip.write_text("")
    doc, inside = (
        str(tmp_path / "x.doc"),
        str(clip / "x"),
    )  # an unknown extension, and a file taken for a folder
    commands = [
        ["generate", "a person bows", "-o", doc],
        ["dance", str(clip), "-o", doc],
        ["edit", str(clip), "a person bows", "--before", "1", "-o", doc],
        ["watch", "a person bows", "-o", doc],
        ["render", str(clip), "-o", doc],
        ["convert", str(clip), doc],
        ["beats", str(clip), "-o", doc],
        ["prepare", folder, "-o", inside],
        *(["train", name, "--data", folder, "-o", inside] for name in trainings()),
        ["evaluate", "--data", folder, "--evaluator", folder, "-o", inside],
        ["evaluate", "dance", "--data", folder, "-o", inside],
        ["demos", "BlockPush", "-o", inside],
        ["rollout", "BlockPush", "--report", doc],
        ["drive", "humanoid", "a person bows", "-o", doc],
    ]
    for argv, (code, heavy, said) in zip(commands, run_all(commands), strict=True):
        assert (code, heavy) == (2, []), argv
        assert said.startswith("motiongen: error: output: "), (argv, said)


def test_inputs_that_are_not_there_are_refused_before_anything_heavy_is_imported(tmp_path):
    out, gone = str(tmp_path / "x.bvh"), str(tmp_path / "gone")
    commands = [
        ["generate", "a person bows", "-o", out, "--start-from", gone],
        ["dance", gone, "-o", out],
        *(["train", name, "--data", gone, "-o", str(tmp_path)] for name in trainings()),
        ["evaluate", "--data", gone, "--evaluator", gone],
        ["evaluate", "dance", "--data", gone],
        ["drive", "humanoid", "gone.bvh"],
    ]
    for argv, (code, heavy, said) in zip(commands, run_all(commands), strict=True):
        assert (code, heavy) == (2, []), argv
        assert "gone" in said and "no such" in said, (argv, said)
