"""What is missing for the viewer's tests skips them on a user's machine, and fails them in CI."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from motiongen_bridge import pages
from tests.bridge import viewer_requirements as requirements

ROOT = Path(__file__).parents[2]
CHECKS = [
    (requirements.require_viewer, "viewer: it was not built"),
    (requirements.require_browser, "browser: there is no Chromium"),
    (requirements.require_npm, "Node: there is none"),
]


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with neither Node nor a browser nor a built viewer, and no CI."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pages, "VIEWER", tmp_path / "viewer")
    for name in ("CI", "MOTIONGEN_VIEWER", "MOTIONGEN_CHROMIUM"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(("check", "reason"), CHECKS)
@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("MOTIONGEN_VIEWER", "require")])
def test_in_ci_what_is_missing_is_a_failure_in_one_line(bare, check, reason, name, value):
    bare.setenv(name, value)
    with pytest.raises(pytest.fail.Exception, match=f"^{reason}") as failed:
        check()
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(("check", "reason"), CHECKS)
@pytest.mark.parametrize("wish", ["", "skip"])
def test_elsewhere_it_skips_with_the_reason(bare, check, reason, wish):
    bare.setenv("MOTIONGEN_VIEWER", wish)
    if wish == "skip":
        bare.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception, match=f"^{reason}"):
        check()


@pytest.mark.parametrize("missing", ["node", "npm", "chromium"])
def test_the_ci_script_stops_at_once_in_one_line(tmp_path, missing):
    for tool in ("dirname", "mktemp", "rm"):
        os.symlink(shutil.which(tool), tmp_path / tool)
    for tool in {"node", "npm", "chromium"} - {missing}:
        os.symlink(shutil.which("true"), tmp_path / tool)
    command = [shutil.which("bash"), ROOT / ".ci" / "run"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    name = {"chromium": "Chromium"}.get(missing, missing)
    assert done.returncode == 1
    assert done.stderr.startswith(f"missing: {name}") and done.stderr.count("\n") == 1
