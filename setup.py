"""Build the web viewer when a wheel, an sdist or an editable install is made; all else is in pyproject.toml."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

WEB = Path(__file__).parent / "bridge" / "web"


def _builder() -> ModuleType:
    """Return bridge/web/build_viewer.py; an isolated build has no other way to import from the tree."""
    spec = importlib.util.spec_from_file_location("build_viewer", WEB / "build_viewer.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BuildPy(build_py):
    """Collects the packages, the viewer among them."""

    def run(self) -> None:
        """Build the viewer first, and in an empty folder: what a stopped build left is newer than its source."""
        _builder().build_viewer()
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
            for wheel in Path(self.get_finalized_command("build").build_base).glob("bdist.*"):
                shutil.rmtree(wheel, ignore_errors=True)
        super().run()


class SDist(sdist):
    """Packs the sources and the viewer that was built from them, so that those without Node have it too."""

    def run(self) -> None:
        """Build the viewer first."""
        _builder().build_viewer()
        super().run()


setup(cmdclass={"build_py": BuildPy, "sdist": SDist})
