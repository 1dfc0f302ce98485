"""Model cards: front matter that the Hub reads, and a revision that is motiongen's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from torch import nn

import motiongen
import motiongen_assets
from motiongen.training.model_card import licence_id, model_card, with_front_matter

CARDS = sorted((motiongen_assets.ROOT / "weights").rglob("README.md"))


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ("CC BY-NC 4.0, for it was trained on data under that licence", "cc-by-nc-4.0"),
        ("Apache-2.0: demonstrations by scripted experts", "apache-2.0"),
        ("MIT (whole repo; jumping_jacks is CMU)", "mit"),
        ("CC0", "cc0-1.0"),
        ("MIT and CC BY 4.0", None),
        ("MITigated", None),
        ("", None),
    ],
)
def test_a_licence_is_known_by_the_name_that_its_terms_begin_with(terms, name):
    assert licence_id(terms) == name


def test_a_card_carries_licence_data_library_and_tags():
    facts = {"licence": "CC0-1.0: ours", "data": ["mine: CC0", "yours: MIT"], "clips": 3}
    text = model_card("A thing", facts, nn.Linear(2, 2), {"loss": 0.5}, "words")
    card = ModelCard(text)
    assert card.data.license == "cc0-1.0" and card.data.library_name == "motiongen"
    assert card.data.tags[:2] == ["motiongen", "text-to-motion"] and card.data.pipeline_tag is None
    assert card.data.to_dict()["training_data"] == ["mine: CC0", "yours: MIT"]
    assert card.text.lstrip().startswith(
        "# A thing\n\n- parameters: 6\n- licence: CC0-1.0: ours\n- data:\n  - mine"
    )


def test_terms_without_an_identifier_are_given_in_words():
    data = ModelCard(with_front_matter("# A\n\n- licence: mine, ask me\n", "music")).data
    assert (data.license, data.license_name) == ("other", "mine, ask me")


def test_a_card_that_says_nothing_of_its_licence_claims_none():
    assert ModelCard(with_front_matter("# A\n", "words")).data.license is None
    data = ModelCard(with_front_matter("# A\n\n- data:\n  - a: MIT\n  - b: CC0\n", "words")).data
    assert (data.license, data.license_name) == ("other", "those of the data")


def test_front_matter_is_replaced_and_not_repeated():
    once = with_front_matter("# A\n\n- licence: MIT\n", "policy")
    assert with_front_matter(once, "policy") == once
    assert ModelCard(once).data.pipeline_tag == "robotics"


@pytest.mark.parametrize(
    "path", CARDS, ids=lambda path: path.parent.relative_to(CARDS[0].parents[3]).as_posix()
)
def test_every_card_that_ships_is_as_the_script_makes_it(path, monkeypatch):
    monkeypatch.syspath_prepend(str(motiongen_assets.ROOT / "weights"))
    import make_front_matter

    assert path.read_text(encoding="utf-8") == make_front_matter.made(path)
    card = ModelCard.load(path)
    expected = {"full": "cc-by-nc-4.0", "open": "cc-by-4.0", "policies": "apache-2.0"}
    assert card.data.license == expected[path.relative_to(motiongen_assets.ROOT / "weights").parts[0]]
    assert card.data.library_name == "motiongen" and card.data.to_dict()["training_data"]


def revision_of(folder: Path) -> str:
    """Return the revision that the package in a folder names, in a process of its own."""
    code = "from motiongen.training import model_card; print(model_card.revision(), model_card.__file__)"
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=folder)
    said, _, file = done.stdout.strip().rpartition(" ")
    assert Path(file).is_relative_to(folder)
    return said


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Somebody's git repository with a copy of the package in it, at the top and in an environment."""
    package = Path(motiongen.__file__).parent
    for folder in (tmp_path / "work", tmp_path / "work" / "venv" / "site-packages"):
        shutil.copytree(
            package, folder / "motiongen", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors")
        )
    git(tmp_path / "work", "init", "-q")
    git(tmp_path / "work", "add", ".")
    git(tmp_path / "work", "commit", "-q", "-m", "Mine")
    return tmp_path / "work"


@pytest.mark.slow
def test_inside_a_foreign_repository_a_card_names_the_version(repository):
    version = f"motiongen {motiongen.__version__}"
    assert revision_of(repository / "venv" / "site-packages") == version
    assert revision_of(repository) == version
    (repository / "pyproject.toml").write_text('[project]\nname = "theirs"\n')
    assert revision_of(repository) == version


@pytest.mark.slow
def test_in_motiongens_own_checkout_a_card_names_the_commit(repository):
    (repository / "pyproject.toml").write_text('[project]\nname = "motiongen"\n')
    git(repository, "add", "pyproject.toml")
    git(repository, "commit", "-q", "-m", "Ours")
    (repository / ".git" / "info" / "exclude").write_text("__pycache__\n")
    assert revision_of(repository) == git(repository, "rev-parse", "--short=12", "HEAD")
