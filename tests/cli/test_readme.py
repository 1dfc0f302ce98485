import re
from pathlib import Path

from motiongen.cli import COMMANDS

README = Path(__file__).resolve().parents[2] / "README.md"


def test_readme_shows_every_command():
    shown = set(re.findall(r"motiongen ([\w-]+)", README.read_text(encoding="utf-8")))
    assert set(COMMANDS) <= shown
