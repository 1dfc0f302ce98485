import re
from pathlib import Path

import pytest

from motiongen import load
from motiongen.cli import COMMANDS
from tests.bridge.serving import serving

README = Path(__file__).resolve().parents[2] / "README.md"


def test_readme_shows_every_command():
    shown = set(re.findall(r"motiongen ([\w-]+)", README.read_text(encoding="utf-8")))
    assert set(COMMANDS) <= shown


@pytest.mark.slow
def test_python_examples_of_the_readme_run(tmp_path, monkeypatch):
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with serving(load("mogo", "open", "cpu")) as server:
        for example in examples:
            here = example.replace("ws://127.0.0.1:8787", server.url)
            exec(compile(here, "README.md", "exec"), {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dance.glb",
        "take.bvh",
        "take.glb",
        "take.mp4",
    ]
    assert len(examples) == 4
