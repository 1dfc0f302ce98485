"""Commands killed at a few moments; `benchmarks/kills.py` has more."""

import subprocess
import sys

import pytest

from benchmarks.kills import COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_leaves_the_old_or_the_new_and_nothing_after_the_next_run(name):
    # In a process of its own, since this one has threads, which a fork does not take along.
    words = [sys.executable, "-m", "benchmarks.kills", "--moments", "3", "--commands", name]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
