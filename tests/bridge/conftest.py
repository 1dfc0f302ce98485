import pytest

from motiongen import load
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small random model that obeys sentences."""
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")
