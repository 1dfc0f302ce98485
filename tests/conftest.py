"""Shared by all tests: fixed seeds for module initialisation, and the place of the real motion data."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent

# The tests' tensors are small: more threads would only wait for each other, and far longer on a busy machine.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded_module_init():
    """Modules draw their first weights from torch's global generator; sampling never does."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real motion capture; set MOTIONGEN_DATA, or put it beside the checkout."""
    folder = Path(os.environ.get("MOTIONGEN_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs real motion capture in {folder}; set MOTIONGEN_DATA")
    return folder
