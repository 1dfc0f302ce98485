"""A head from outside the package: registered, it does all that the shipped ones do, without touching a file."""

import pytest

import motiongen
from motiongen import cli
from motiongen.heads import HEADS
from motiongen.inference.load import load_words
from motiongen.motion import Motion
from motiongen_bridge import connect
from tests.bridge.serving import play
from tests.core.heads import test_contract as contract
from tests.core.heads import toy_head
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble
from tests.core.training.tiny import captioned_cache


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = save_tiny(tmp_path_factory.mktemp("weights"))
    toy_head.save_tiny_toy(folder)
    return folder


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(HEADS, "toy", toy_head.SPEC)


def test_it_keeps_the_contract(tmp_path):
    contract.test_a_spec_names_its_parts(toy_head.SPEC)
    contract.test_a_saved_model_samples_the_same_bits(toy_head.SPEC, tmp_path)
    contract.test_the_same_seed_gives_the_same_bits_and_another_seed_others(toy_head.SPEC)
    contract.test_a_stream_writes_the_same_alone_as_in_a_batch("toy")
    contract.test_tokens_that_are_taken_back_are_written_again_alike("toy")
    contract.test_an_edit_keeps_what_is_kept_and_writes_the_rest("toy")


def test_it_generates_edits_and_streams(weights):
    motion = motiongen.generate("walk", head="toy", weights=weights, seconds=1, device="cpu")
    assert motion.num_frames == 30
    edited = motiongen.edit(wobble(90), "bow", between=(1.0, 2.0), head="toy", weights=weights, device="cpu")
    assert edited.num_frames == 90 and not (edited.rotations[30:60] == wobble(90).rotations[30:60]).all()
    frames = list(motiongen.stream("walk", then="bow", seconds=1, head="toy", weights=weights, device="cpu"))
    assert len(frames) == 30


def test_it_is_served(weights):
    async def scenario(server):
        async with connect(server.url) as character:
            await character.prompt("bow")
            async for frame in character:
                if frame.seq >= 10:
                    break

    play(scenario, load_words("toy", weights, "cpu", streams=True))


def test_the_command_line_knows_it(weights, tmp_path, capsys):
    clip = tmp_path / "walk.npz"
    words = ["--head", "toy", "--weights", str(weights), "-o", str(clip)]
    assert cli.main(["generate", "walk", "--seconds", "1", *words]) == 0
    assert Motion.load(clip).num_frames == 30
    assert cli.main(["generate", "--help"]) == 0
    assert "toy" in capsys.readouterr().out
    new = tmp_path / "edited.npz"
    words[-1] = str(new)
    assert cli.main(["edit", str(clip), "bow", "--between", "0.3:0.8", *words]) == 0
    assert Motion.load(new).num_frames == 30


@pytest.mark.slow
def test_it_is_trained_by_the_same_command(weights, tmp_path):
    captioned_cache(tmp_path / "cache")
    run = ["--data", tmp_path / "cache", "-o", tmp_path / "mine", "--tokenizer", weights / "tokenizer"]
    assert cli.main(["train", "toy", *map(str, run), "--steps", "5", "--batch-size", "2"]) == 0
    assert (tmp_path / "mine" / "toy" / "model.safetensors").is_file()
    assert (tmp_path / "mine" / "about.json").is_file()
