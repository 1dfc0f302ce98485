"""Commands that start themselves again."""

import subprocess
import sys

import pytest

from motiongen.cli import itself


def test_what_lies_in_the_working_folder_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("random", "tyro", "motiongen"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('it was run')\n")
    done = subprocess.run([*itself.command(), "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("motiongen"), done.stderr


@pytest.mark.parametrize("entry", ["", "{folder}"])
def test_a_folder_that_is_imported_from_is_imported_from_again(tmp_path, monkeypatch, entry):
    monkeypatch.chdir(tmp_path)
    assert "-P" in itself.command()
    monkeypatch.setattr(sys, "path", [*sys.path, entry.format(folder=tmp_path)])
    assert itself.command() == [sys.executable, "-m", "motiongen"]
