"""Build the viewer into bridge/motiongen_bridge/viewer/, unless the one there was built from the same sources.

Runs when motiongen is packaged or installed, and by hand: ``python bridge/web/build_viewer.py``. Where Node or the
network is missing the installation goes on without a viewer, and says so; MOTIONGEN_VIEWER=require makes that an
error, MOTIONGEN_VIEWER=skip leaves the viewer out. The standard library is all that is needed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WEB = Path(__file__).resolve().parent
VIEWER = WEB.parent / "motiongen_bridge" / "viewer"
STAMP = "sources.sha256"
"""File in the viewer with the digest of the sources that it was built from."""
MANNEQUIN = WEB.parents[1] / "assets" / "motiongen_assets" / "body" / "mannequin.glb"
RIGS = WEB.parents[1] / "motiongen" / "rigs.json"
NODE = (20, 19)
"""Oldest version that Vite runs on."""


def build_viewer(viewer: Path = VIEWER) -> bool:
    """Return whether there is a viewer of the present sources, after building one where there is none.

    Args:
        viewer: folder of the viewer.

    Raises:
        RuntimeError: the viewer could not be built, and MOTIONGEN_VIEWER=require.
    """
    wish = os.environ.get("MOTIONGEN_VIEWER", "")
    if wish == "skip":
        return False
    now = digest()
    stamp = viewer / STAMP
    if stamp.is_file() and stamp.read_text() == now:
        return True
    problem = _missing() or _run(viewer)
    if not problem:
        stamp.write_text(now)
        return True
    if wish == "require":
        raise RuntimeError(f"viewer: {problem}")
    print(
        f"motiongen: the web viewer was not built: {problem}. All else is installed; "
        "motiongen serve streams without it, and its page says how to build it.",
        file=sys.stderr,
    )
    return False


def digest() -> str:
    """Return the SHA-256 of the names and contents of the sources, in order."""
    total = hashlib.sha256()
    for path in _sources():
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _sources() -> Iterator[Path]:
    yield from sorted(path for path in WEB.iterdir() if path.suffix in (".html", ".json", ".ts"))
    yield from sorted(path for path in (WEB / "src").rglob("*") if path.is_file())
    yield from sorted(path for path in (WEB / "public").iterdir() if path.is_file())
    yield MANNEQUIN
    yield RIGS


def _missing() -> str:
    """Return what is missing to build with; empty where nothing is."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "Node is not there (nodejs.org, 20.19 or newer)"
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", answer)[:2])
    if version < NODE:
        return f"Node {answer.strip()} is too old; 20.19 or newer is needed"
    return ""


def _run(viewer: Path) -> str:
    """Build the viewer; return what went wrong, empty where nothing did."""
    npm = shutil.which("npm")
    assert npm is not None
    steps = [["run", "build", "--", "--outDir", str(viewer)]]
    if not _has_packages():
        steps.insert(0, ["ci", "--no-audit", "--no-fund"])
    # Without a network npm would try for minutes.
    quiet = {"npm_config_update_notifier": "false", "npm_config_fetch_retries": "1"}
    for step in steps:
        print(f"motiongen: npm {step[0]} in {WEB}", file=sys.stderr)
        done = subprocess.run(
            [npm, *step], cwd=WEB, env=os.environ | quiet, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print((done.stdout + done.stderr)[-4000:], file=sys.stderr)
            return f"npm {step[0]} failed, see above"
    return ""


def _has_packages() -> bool:
    """Return whether the packages were installed after package-lock.json was last changed."""
    installed = WEB / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (WEB / "package-lock.json").stat().st_mtime


if __name__ == "__main__":
    sys.exit(0 if build_viewer() else 1)
