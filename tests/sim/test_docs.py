"""What the documents list is what the registries have."""

import re
from pathlib import Path

import pytest

from motiongen import cli
from motiongen_sim import shipped
from motiongen_sim.robots.catalog import ROBOTS
from motiongen_sim.scripted_policies import SCRIPTED_POLICIES
from motiongen_sim.tasks import TASKS

ROOT = Path(__file__).parents[2]


def test_readme_lists_the_environments_that_there_are():
    named = set(re.findall(r"(\w+)-v0", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named == set(TASKS)


def test_documents_name_only_policies_that_ship():
    for path in (ROOT / "README.md", ROOT / "docs" / "design.md"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"carp-[a-z]+(?:-image)?", text)) <= set(shipped.policies()), path


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("demos", TASKS),
        ("rollout", TASKS),
        ("rollout", SCRIPTED_POLICIES),
        ("drive", ROBOTS),
    ],
)
def test_help_lists_what_the_registry_has(command, names, capsys):
    assert cli.main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in names if name not in text] == []
