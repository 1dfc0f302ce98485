"""SIGTERM stops a command as Ctrl-C does."""

import os
import signal
import time

import pytest

from motiongen import cli
from motiongen.atomic import atomic_path
from motiongen.training.interrupt import deferred_interrupt


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)  # the signal ends the sleep


def test_what_is_unfinished_is_removed(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), cli._terminated_like_interrupted(), atomic_path(tmp_path / "a"):
        terminate()
    assert not list(tmp_path.iterdir()) and signal.getsignal(signal.SIGTERM) == before


def test_a_training_ends_with_its_step():
    with cli._terminated_like_interrupted(), deferred_interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.pending
