import re
from pathlib import Path

import pytest

from motiongen.cli import COMMANDS

README = Path(__file__).resolve().parents[2] / "README.md"


def test_readme_shows_every_command():
    shown = set(re.findall(r"motiongen (\w+)", README.read_text(encoding="utf-8")))
    assert set(COMMANDS) <= shown


@pytest.mark.slow
def test_python_example_of_the_readme_runs(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.bvh", "take.glb", "take.mp4"]
