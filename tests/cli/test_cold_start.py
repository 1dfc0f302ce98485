"""What `motiongen generate` does not import, which would take as long as all that it does."""

import subprocess
import sys

import pytest

SLOW = ("transformers", "huggingface_hub", "torch._dynamo", "sympy", "librosa", "rich", "av", "panda3d")
"""Packages of .2 to 3 s that a sentence does not need on its way to a file."""


@pytest.mark.slow
def test_a_sentence_becomes_a_file_without_the_packages_that_it_does_not_need(tmp_path):
    code = (
        "import sys; from motiongen.cli import main\n"
        f"code = main(['generate', 'a person bows', '--seconds', '1', '-o', {str(tmp_path / 'bow.bvh')!r}])\n"
        f"print(code, [name for name in {SLOW!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 []" and (tmp_path / "bow.bvh").is_file()
