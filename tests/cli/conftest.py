import math

import pytest
import torch

from motiongen import Motion
from motiongen.rotation import quat_yaw
from motiongen.skeleton import SMPL22


@pytest.fixture
def clip(tmp_path):
    """A second of a person in T-pose who turns and glides at 1 m/s along +Z."""
    rotations = torch.zeros(30, 22, 4)
    rotations[..., 3] = 1.0
    rotations[:, 0] = quat_yaw(torch.linspace(0, math.pi / 2, 30))
    root = torch.zeros(30, 3)
    root[:, 1], root[:, 2] = 0.95, torch.arange(30) / 30
    path = tmp_path / "turn.bvh"
    Motion(SMPL22, rotations, root, fps=30.0).save(path)
    return path


@pytest.fixture
def error_line(capsys):
    """Return a function that gives what stderr got: one line, as every error starts."""

    def read() -> str:
        error = capsys.readouterr().err
        assert error.startswith("motiongen: error: ") and error.count("\n") == 1, error
        return error

    return read
