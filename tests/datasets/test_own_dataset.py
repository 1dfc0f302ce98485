"""A dataset from outside the package: a module of its own and one entry of the registry."""

import sys

import pytest

from motiongen.cli import main
from motiongen.data.cache import ClipCache
from motiongen_datasets import DATASETS, find_dataset
from tests.core.motions import standing

MODULE = '''
"""Steps: motion in .npz files, whose names are their labels."""

from functools import partial
from pathlib import Path

from motiongen import Motion
from motiongen_datasets import DatasetSpec, Labels, RawClip


def clips(root: Path) -> list[RawClip]:
    return [
        RawClip(
            id=f"steps/{path.stem}",
            source="steps",
            licence="CC BY 4.0",
            load=partial(Motion.load, path),
            labels=Labels(content=path.stem, style="angry", phrases=("take a step",)),
        )
        for path in sorted(root.glob("*.npz"))
    ]


DATASET = DatasetSpec(name="steps", title="Steps", licence="CC BY 4.0", expects=".npz files", clips=clips)
'''


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """Write the module where Python finds it, and register it."""
    (tmp_path / "steps_dataset.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(DATASETS, "steps", "steps_dataset")
    (tmp_path / "data").mkdir()
    for name in ("walk", "run", "jump"):
        standing(30).save(tmp_path / "data" / f"{name}.npz")
    return tmp_path / "data"


@pytest.mark.slow
def test_it_is_prepared_like_any_other(registered, tmp_path, capsys):
    assert main(["prepare", "steps", str(registered), "-o", str(tmp_path / "cache"), "--workers", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:3] == ["steps", "3", "clips"]
    cache = ClipCache.open(tmp_path / "cache")
    assert {(record.id, record.content, record.style, record.licence) for record in cache.records} == {
        ("steps/walk", "walk", "angry", "CC BY 4.0"),
        ("steps/run", "run", "angry", "CC BY 4.0"),
        ("steps/jump", "jump", "angry", "CC BY 4.0"),
    }
    assert all("a person takes a step angrily" in record.captions for record in cache.records)
    assert cache.motion(0).num_frames == 30


def test_the_help_names_it(registered, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "motiongen.cli.prepare", raising=False)  # it reads the registry once
    assert main(["prepare", "--help"]) == 0
    assert {*DATASETS} <= set(capsys.readouterr().out.replace(",", " ").replace(".", " ").split())


@pytest.mark.parametrize(
    "definition", ["", "DATASET = 'steps'", MODULE.replace('name="steps"', 'name="step"')]
)
def test_a_module_without_its_dataset_is_one_line(registered, definition):
    (registered.parent / "broken_dataset.py").write_text(definition)
    DATASETS["steps"] = "broken_dataset"
    with pytest.raises(
        ValueError, match="broken_dataset: expected DATASET, a DatasetSpec of the name 'steps'"
    ):
        find_dataset("steps")
