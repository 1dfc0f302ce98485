"""The Godot add-on, which no engine runs here: its scripts parse and lint, and its tables agree with ours."""

import configparser
import re
from pathlib import Path

import pytest

from motiongen.skeleton import SMPL22
from motiongen_bridge.vmc import BONES

ADDON = Path(__file__).parents[2] / "bridge" / "godot" / "addons" / "motiongen"
SCRIPTS = sorted(ADDON.glob("*.gd"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_and_lints(path):
    parser = pytest.importorskip("gdtoolkit.parser", reason="needs gdtoolkit").parser
    from gdtoolkit.linter import lint_code

    code = path.read_text(encoding="utf-8")
    parser.parse(code, gather_metadata=True)
    assert [f"{problem.line}: {problem.description}" for problem in lint_code(code)] == []


def test_the_plugin_names_its_script():
    config = configparser.ConfigParser()
    config.read(ADDON / "plugin.cfg", encoding="utf-8")
    assert (ADDON / config["plugin"]["script"].strip('"')).is_file()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_loads_is_there(path):
    for name in re.findall(r'preload\("([^"]+)"\)', path.read_text(encoding="utf-8")):
        assert (ADDON / name).is_file(), name


def test_godots_profile_has_the_humanoid_bones_of_vmc():
    code = (ADDON / "rig.gd").read_text(encoding="utf-8")
    table = dict(re.findall(r'^\t"(\w+)": "(\w+)",$', code, re.MULTILINE))
    assert table == BONES and set(table) == set(SMPL22.names)
