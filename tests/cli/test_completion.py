"""Completion scripts, run by the shells that this machine has."""

import shutil
import subprocess

import pytest

from motiongen.cli import COMMANDS, completion, main
from motiongen.cli.train import trainings


@pytest.fixture(scope="module")
def found():
    return {page.words: page for page in completion.pages()}


def test_every_command_and_model_has_its_options(found):
    assert {words[0] for words in found} == set(COMMANDS)
    assert {words[1] for words in found if len(words) == 2} == set(trainings())
    assert {"--output", "--seed", "--no-lock-feet", "-q"} <= set(found["generate",].options)
    assert "--image-size" in found["train", "carp"].options
    assert found["generate",].values["--device"] == ("auto", "cpu", "cuda")
    assert "--camera" not in found["train", "carp"].values  # any word


COMPLETE = {
    "bash": """source {script}
COMP_WORDS=({words} '{begun}'); COMP_CWORD={place}; _motiongen; printf '%s\\n' "${{COMPREPLY[@]}}" """,
    "zsh": """compdef() {{ :; }}; _files() {{ :; }}; compadd() {{ shift; print -l -- $@; }}; source {script}
words=({words} '{begun}'); CURRENT={place}+1; _motiongen""",
    "fish": "source {script}; complete -C '{words} {begun}' | cut -f 1",
}


@pytest.mark.parametrize("shell", COMPLETE)
@pytest.mark.parametrize(
    ("words", "begun", "expected"),
    [
        ("motiongen", "gen", {"generate"}),
        ("motiongen train", "car", {"carp"}),
        ("motiongen train carp", "--image", {"--image-size"}),
        ("motiongen generate --device", "c", {"cpu", "cuda"}),
    ],
)
def test_a_shell_completes(shell, words, begun, expected, found, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(completion.SCRIPTS[shell](list(found.values())))
    place = len(words.split())
    asked = COMPLETE[shell].format(script=script, words=words, begun=begun, place=place)
    done = subprocess.run([shell, "-c", asked], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    assert {word for word in done.stdout.split() if word.startswith(begun)} == expected


def test_a_shell_that_is_not_known_is_misuse(error_line):
    assert main(["completion", "cmd"]) == 2
    assert "bash" in error_line()
