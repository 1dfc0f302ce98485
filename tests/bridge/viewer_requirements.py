"""What the viewer's tests require: the built viewer, a browser, Node. Without it they skip; in CI they fail."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from motiongen_bridge import pages
from tests.bridge import chromium

WEB = Path(__file__).parents[2] / "bridge" / "web"


def is_required() -> bool:
    """Return whether no test of the viewer may be skipped: in CI, unless MOTIONGEN_VIEWER=skip, and with =require."""
    wish = os.environ.get("MOTIONGEN_VIEWER", "")
    return wish == "require" or (wish != "skip" and os.environ.get("CI", "") in ("true", "1"))


def require_viewer() -> None:
    """Skip or fail the test unless the viewer was built."""
    if not (pages.VIEWER / "index.html").is_file():
        _stop("viewer: it was not built; run python bridge/web/build_viewer.py (needs Node)")


def require_browser() -> None:
    """Skip or fail the test unless a Chromium can run."""
    if not chromium.find_chromium():
        _stop("browser: there is no Chromium; apt-get install chromium, or set MOTIONGEN_CHROMIUM")
    if chromium.free_cores() < 2:
        _stop("browser: Chromium's software renderer needs two cores")


def require_npm() -> str:
    """Return the path of npm; skip or fail the test unless it and the packages of bridge/web are installed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        _stop("Node: there is none; install 20.19 or newer (nodejs.org)")
    if not (WEB / "node_modules").is_dir():
        _stop("Node: its packages are not installed; run npm ci in bridge/web")
    return npm


def _stop(reason: str) -> NoReturn:
    if is_required():
        pytest.fail(f"{reason}. In CI, or with MOTIONGEN_VIEWER=require, it must be there", pytrace=False)
    pytest.skip(reason)
