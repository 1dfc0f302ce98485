import subprocess
import sys

import pytest

from motiongen.cli import COMMANDS, main


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.split())


def test_no_command_prints_help_and_is_misuse(capsys):
    assert main([]) == 2
    assert "usage: motiongen" in capsys.readouterr().out


def test_version_is_the_packages(capsys):
    import motiongen

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"motiongen {motiongen.__version__}\n"


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_explains_itself(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"motiongen {verb}" in capsys.readouterr().out


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
