"""Ctrl-C in the middle of long work, in a process of its own."""

import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.core.motions import wobble


def test_a_suite_that_was_started_in_the_background_has_ctrl_c(tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(
        "import os, signal, pytest\n"
        "def test_it():\n"
        "    with pytest.raises(KeyboardInterrupt):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        signal.pause()\n"
    )
    code = (
        "import signal, sys, pytest; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        f"sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'tests.conftest', {str(test)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_a_test_that_waits_for_ever_is_ended():
    with pytest.raises(TimeoutError, match="expected to end within"):
        signal.raise_signal(signal.SIGALRM)


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_leaves_no_file(tmp_path):
    clip, out = tmp_path / "long.npz", tmp_path / "long.mp4"
    wobble(9000).save(clip)  # minutes of video
    command = [sys.executable, "-m", "motiongen", "render", str(clip), "-o", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        waited = time.monotonic() + 120
        # It is sent once the video is being written, aside.
        while not list(tmp_path.glob(".long.*")) and time.monotonic() < waited:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "motiongen: error: interrupted"
    assert [path.name for path in tmp_path.iterdir()] == ["long.npz"]
