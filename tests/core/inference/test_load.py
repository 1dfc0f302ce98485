"""Loading: one model for equal arguments, parts that are shared, every kind of head, and what is refused."""

import threading

import pytest
import torch

import motiongen
from motiongen import checkpoint, heads
from motiongen.heads.carp.config import CARPConfig
from motiongen.heads.carp.model import CARP
from motiongen.inference.dance_model import DanceModel
from motiongen.inference.load import load, load_dance, load_policy, load_words
from motiongen.inference.model import Model
from motiongen.inference.policy_model import PolicyModel
from motiongen.inference.weight_sets import shipped_policies, shipped_sets, weights_folder
from tests.core.inference.tiny import save_tiny

AUTO = "cuda" if torch.cuda.is_available() else "cpu"
KINDS = {"words": Model, "music": DanceModel, "policy": PolicyModel}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A set of weights, with a policy in a folder of its own beside it."""
    folder = save_tiny(tmp_path_factory.mktemp("sets") / "mine")
    config = CARPConfig(dim=16, num_layers=1, num_heads=2, cond_dim=16, codebook_size=16)
    checkpoint.save(CARP(config), config, folder.parent / "policy", "tiny")
    return folder


def test_equal_arguments_give_one_model_however_they_are_spelled(weights, monkeypatch):
    monkeypatch.chdir(weights.parent)
    model = load("bamm", weights, "auto")
    assert model is load(head="bamm", weights=str(weights), device=AUTO)
    assert model is load(weights="mine", device=torch.device(AUTO))
    assert model is load("bamm", weights.parent / "mine" / ".." / "mine", f"{AUTO}:0")
    assert model is load_words("bamm", weights=weights, edits=True)
    assert model is not load("mogo", weights, "auto")


def test_a_set_that_ships_is_one_by_name_and_by_folder():
    assert weights_folder("open") == weights_folder(shipped_sets()["open"])
    assert load("mogo", "open", "cpu") is load("mogo", shipped_sets()["open"], "cpu")


def test_the_first_space_of_a_set_is_its_default(weights):
    assert (
        load("badm", weights, "cpu")
        is load("badm", weights, "cpu", space="latent")
        is load_dance("latent", weights)
    )
    assert load("badm", weights, "cpu") is not load("badm", weights, "cpu", space="motion")


def test_a_policy_is_one_model_too(weights, monkeypatch):
    monkeypatch.chdir(weights.parent)
    assert load("carp", "policy", "cpu") is load_policy(weights.parent / "policy", device="cpu")


def test_heads_share_tokenizer_and_text_encoder_by_folder(weights, monkeypatch):
    monkeypatch.chdir(weights.parent)
    bamm, mogo, badm = load("bamm", weights, "cpu"), load("mogo", "mine", "cpu"), load("badm", "mine", "cpu")
    assert bamm.tokenizer is mogo.tokenizer is badm.space.tokenizer
    assert bamm.text is mogo.text


def test_threads_that_ask_at_once_get_one_model(weights):
    found = []
    folder = save_tiny(weights.parent / "threads")
    threads = [threading.Thread(target=lambda: found.append(load("bamm", folder, "cpu"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1


@pytest.mark.parametrize("name", heads.HEADS)
def test_every_head_loads_as_what_its_kind_says(name, weights):
    spec = heads.HEADS[name]
    folder = weights.parent / "policy" if spec.kind == "policy" else weights
    model = load(name, folder, "cpu")
    assert type(model) is KINDS[spec.kind] and model.spec is spec
    assert not any(parameter.requires_grad for parameter in model.head.parameters())


def test_only_sets_are_listed_as_sets_and_only_policies_as_policies(tmp_path):
    assert set(shipped_sets()) == {"full", "open"}
    assert all(name.startswith("carp-") for name in shipped_policies())
    with pytest.raises(ValueError, match=r"weights: expected full, open or a folder, got 'policies'; check"):
        load("bamm", "policies")
    with pytest.raises(
        ValueError, match=r"policy: expected carp-blockpush, .* or a folder, got 'open'; check"
    ):
        load("carp")
    with pytest.raises(ValueError, match=r"got 'carp-pushs'; did you mean carp-pusht\?"):
        load("carp", "carp-pushs")


def test_what_does_not_fit_is_refused(weights):
    with pytest.raises(
        ValueError, match="head: expected one of bamm, mogo, badm, carp, got 'bam'; did you mean bamm"
    ):
        load("bam", weights)
    with pytest.raises(ValueError, match="space: expected none for bamm, which has no spaces, got 'latent'"):
        load("bamm", weights, space="latent")
    with pytest.raises(ValueError, match=r"weights: expected a folder bamm in .*, got none; train one"):
        load("bamm", weights.parent / "policy")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize(
    "ask",
    [
        lambda: motiongen.generate("a person walks", device="cuda"),
        lambda: next(motiongen.stream("a person walks", device="cuda")),
        lambda: load("badm", device="cuda"),
        lambda: load("carp", "carp-pusht", "cuda"),
    ],
)
def test_cuda_that_is_not_there_is_one_line(ask):
    with pytest.raises(
        ValueError, match=r"^device: expected a CUDA device for 'cuda', found none; use cpu"
    ) as caught:
        ask()
    assert "\n" not in str(caught.value)
