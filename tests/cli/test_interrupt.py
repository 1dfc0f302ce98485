"""Ctrl-C in the middle of long work, in a process of its own."""

import signal
import subprocess
import sys
import time

import pytest

from tests.core.motions import wobble


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_leaves_no_file(tmp_path):
    clip, out = tmp_path / "long.npz", tmp_path / "long.mp4"
    wobble(9000).save(clip)  # minutes of video
    command = [sys.executable, "-m", "motiongen", "render", str(clip), "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    waited = time.monotonic() + 60
    # It is sent once the video is being written, aside.
    while not list(tmp_path.glob(".long.*")) and time.monotonic() < waited:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "motiongen: error: interrupted"
    assert [path.name for path in tmp_path.iterdir()] == ["long.npz"]
