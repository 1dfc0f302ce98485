"""The constraints files pin, with a hash, a version that every requirement of the project allows."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "constraints"))
from make import FILES, plain  # noqa: E402


@pytest.mark.parametrize("name", FILES)
def test_pins_fit_the_projects_requirements(name):
    lines = (ROOT / "constraints" / name).read_text().splitlines()
    pins = [line for line in lines if not line.startswith(("#", "--"))]
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in pins)
    versions = {plain(line.partition("==")[0]): line.split()[0].partition("==")[2] for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [*project["dependencies"]]
    for extra in FILES[name]:
        required += project["optional-dependencies"][extra]
    environment = default_environment() | {"python_version": "3.11", "python_full_version": "3.11.7"}
    for requirement in map(Requirement, required):
        if requirement.marker is None or requirement.marker.evaluate(environment | {"extra": ""}):
            version = versions[plain(requirement.name)]
            assert requirement.specifier.contains(version, prereleases=True), requirement
