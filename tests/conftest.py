"""Shared by all tests: fixed seeds for module initialisation, limits of time, and the place of the real motion data."""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent

# The tests' tensors are small: more threads would only wait for each other, and far longer on a busy machine.
torch.set_num_threads(1)


# A shell starts what it runs in the background with Ctrl-C ignored, and children inherit that: tests of Ctrl-C would
# wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

TEST_SECONDS = 900
"""Time limit of each test: whatever it waits for ends with an error."""


@pytest.fixture(autouse=True)
def _limited_time(request):
    """Raise TimeoutError in a test that takes too long, where the platform has timers of real time."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def end(*_):
        raise TimeoutError(f"{request.node.nodeid}: expected to end within {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


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


@pytest.fixture(scope="session")
def blender() -> str:
    """A Python that has bpy: MOTIONGEN_BLENDER, or this one."""
    named = os.environ.get("MOTIONGEN_BLENDER")
    if not named and importlib.util.find_spec("bpy") is None:
        pytest.skip("needs bpy: pip install bpy, or MOTIONGEN_BLENDER=PYTHON that has it")
    return named or sys.executable


@pytest.fixture(scope="session")
def two_nodes():
    """A Ray cluster of two nodes with a core each, on this machine, which RAY_ADDRESS names."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    # What can be imported here can be there; and with Ray's niceness workers would wait for ever on a busy machine.
    os.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RAY_worker_niceness": "0"}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = cluster.address
    yield cluster
    cluster.shutdown()
    os.environ.clear()
    os.environ |= before
