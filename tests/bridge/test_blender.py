"""The add-on in Blender (bpy): connect, pose, follow, record, against a real server. Skipped where there is no bpy."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.bridge.serving import serving
from tests.bridge.test_blender_core import addon  # noqa: F401


@pytest.mark.slow
def test_the_addon_poses_follows_and_records(blender, addon, model):  # noqa: F811
    script = Path(__file__).parent / "blender_script.py"
    with serving(model) as server:
        ran = subprocess.run(
            [blender, str(script), str(addon), server.url],
            capture_output=True, text=True, timeout=300, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    assert said["connect"] == said["prompt"] == ["FINISHED"] and not said["connected"]
    for limbs in (said["limbs"], said["keyed"]):
        assert all(degrees < 0.1 for degrees in limbs.values()), limbs
    assert said["goal"][0] * said["scale"] == pytest.approx(0.5, abs=1e-4)
    assert said["goal"][1] * said["scale"] == pytest.approx(2.0, abs=1e-4)
    assert said["went"]
    assert said["frames"] > 20 and said["range"] == [10, 10 + said["frames"] - 1]
