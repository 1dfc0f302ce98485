"""from_pretrained, save_pretrained, push_to_hub: exact, strict, and from the user's cache alone."""

import shutil

import huggingface_hub.constants
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from motiongen import checkpoint, generate
from motiongen.heads.carp.config import CARPConfig
from motiongen.heads.carp.model import CARP
from motiongen.inference.dance_model import DanceModel
from motiongen.inference.load import load
from motiongen.inference.model import Model
from motiongen.inference.policy_model import PolicyModel
from tests.core.inference.hub_server import hub
from tests.core.inference.tiny import save_tiny

COMMITS = ("a" * 40, "b" * 40)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A set of weights, with a policy in a folder of its own beside it."""
    folder = save_tiny(tmp_path_factory.mktemp("sets") / "mine")
    config = CARPConfig(dim=16, num_layers=1, num_heads=2, cond_dim=16, codebook_size=16)
    checkpoint.save(CARP(config), config, folder.parent / "policy", "# Mine\n\n- licence of the data: MIT\n")
    return folder


@pytest.fixture
def cache(weights, tmp_path, monkeypatch):
    """A Hugging Face cache with me/walker in it, at two commits: main has the set, v0 the policy."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--me--walker"
    (repository / "refs").mkdir(parents=True)
    for commit, name, folder in zip(
        COMMITS, ("main", "v0"), (weights, weights.parent / "policy"), strict=True
    ):
        shutil.copytree(folder, repository / "snapshots" / commit)
        (repository / "refs" / name).write_text(commit)
    return repository


def same(one, other):
    tensors = (one.state_dict(), other.state_dict())
    assert tensors[0].keys() == tensors[1].keys()
    return all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])


def test_a_saved_model_is_a_set_that_loads_to_the_same_bits(weights, tmp_path):
    model = load("bamm", weights, "cpu")
    model.save_pretrained(tmp_path / "saved")
    again = Model.from_pretrained(tmp_path / "saved", device="cpu")
    assert again is load("bamm", tmp_path / "saved", "cpu") is not model
    assert same(again.head, model.head) and same(again.tokenizer, model.tokenizer)
    assert {**again.about, "name": "mine"} == model.about
    first, second = (
        generate("walk", seconds=1, weights=w, device="cpu") for w in (weights, tmp_path / "saved")
    )
    assert torch.equal(first.rotations, second.rotations)


def test_what_was_stored_in_fp16_is_stored_in_fp16_again(tmp_path):
    model = load("mogo", "open", "cpu")
    model.save_pretrained(tmp_path)
    for part in ("mogo", "tokenizer"):
        saved, shipped = (
            load_file(folder / part / checkpoint.WEIGHTS) for folder in (tmp_path, model.folder)
        )
        assert saved.keys() == shipped.keys() and {t.dtype for t in saved.values()} >= {torch.float16}
        assert all(saved[key].dtype == t.dtype and torch.equal(saved[key], t) for key, t in shipped.items())
        card = (tmp_path / part / checkpoint.CARD).read_bytes()
        assert card == (model.folder / part / checkpoint.CARD).read_bytes()


@pytest.mark.parametrize("space", ["latent", "motion"])
def test_a_dance_model_keeps_its_space_and_needs_its_tokenizer_only_for_latents(weights, tmp_path, space):
    model = load("badm", weights, "cpu", space=space)
    model.save_pretrained(tmp_path)
    again = DanceModel.from_pretrained(tmp_path, device="cpu")
    assert again.space.name == space and same(again.head, model.head)
    assert (tmp_path / "tokenizer").is_dir() == (space == "latent")


def test_a_policy_keeps_its_own_card(weights, tmp_path):
    model = load("carp", weights.parent / "policy", "cpu")
    model.save_pretrained(tmp_path)
    assert same(PolicyModel.from_pretrained(tmp_path, device="cpu").head, model.head)
    card = ModelCard.load(tmp_path / "README.md")
    assert "# Mine" in card.text and (card.data.license, card.data.pipeline_tag) == ("mit", "robotics")


def test_the_card_of_a_set_says_licence_data_and_how_to_use_it(weights, tmp_path):
    load("bamm", weights, "cpu").save_pretrained(tmp_path, model_card_kwargs={"repo_id": "me/walker"})
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.license == "cc0-1.0" and card.data.library_name == "motiongen"
    assert card.data.to_dict()["training_data"] == ["none"] and "text-to-motion" in card.data.tags
    assert "hf download me/walker" in card.text and 'weights="me/walker"' in card.text


def test_the_cache_is_read_by_name_and_revision(cache):
    model = Model.from_pretrained("me/walker", device="cpu")
    assert model is load("bamm", "me/walker", "cpu") is load("bamm", "me/walker@main", "cpu")
    assert model is Model.from_pretrained(
        "me/walker", revision=COMMITS[0], device="cpu", local_files_only=True
    )
    assert model.about["name"] == "me/walker" and model.folder == cache / "snapshots" / COMMITS[0]
    policy = PolicyModel.from_pretrained("me/walker", revision="v0", device="cpu")
    assert policy is load("carp", "me/walker@v0", "cpu")


def test_heads_of_one_repository_share_its_tokenizer(cache):
    assert load("bamm", "me/walker", "cpu").tokenizer is load("mogo", "me/walker@main", "cpu").tokenizer


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("me/runner", "hf download me/runner"),
        ("me/walker@v9", "hf download me/walker --revision v9"),
    ],
)
def test_what_is_not_in_the_cache_is_one_line_that_says_how_to_download_it(cache, name, command):
    with pytest.raises(ValueError, match=r"weights: expected full, open or a folder, got") as caught:
        load("bamm", name)
    assert f"`{command}`" in str(caught.value) and "\n" not in str(caught.value)


def test_a_snapshot_without_all_files_is_refused(cache):
    (cache / "snapshots" / COMMITS[0] / "bamm" / checkpoint.WEIGHTS).unlink()
    with pytest.raises(ValueError, match=r"model.safetensors: expected a safetensors file, got none"):
        load("bamm", "me/walker", "cpu")


def test_orders_to_download_and_heads_of_another_kind_are_refused(weights):
    for order in ({"force_download": True}, {"local_files_only": False}):
        with pytest.raises(
            ValueError, match=r"expected weights on this machine, .*; run `hf download me/walker`"
        ):
            Model.from_pretrained("me/walker", **order)
    with pytest.raises(ValueError, match="head: expected one of bamm, mogo, got 'badm'"):
        Model.from_pretrained(weights, head="badm")
    with pytest.raises(ValueError, match=r"weights: expected bamm or mogo in .*, got none"):
        Model.from_pretrained(weights.parent / "policy")


def test_what_is_pushed_is_what_is_saved_and_nothing_else(weights, tmp_path, monkeypatch):
    model = load("bamm", weights, "cpu")
    model.save_pretrained(tmp_path / "saved", model_card_kwargs={"repo_id": "me/walker"})
    saved = {
        path.relative_to(tmp_path / "saved").as_posix(): path.read_bytes()
        for path in (tmp_path / "saved").rglob("*")
        if path.is_file()
    }
    with hub() as server:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.url)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        url = model.push_to_hub("me/walker", token="hf_none")
    assert url.endswith(f"/me/walker/commit/{'0' * 40}")
    assert server.files == saved
    parts = [
        f"{part}/{file}" for part in ("bamm", "tokenizer") for file in ("config.json", "model.safetensors")
    ]
    assert set(saved) == {"README.md", "about.json", "bamm/README.md", "tokenizer/README.md", *parts}
    assert b'weights="me/walker"' in saved["README.md"]
