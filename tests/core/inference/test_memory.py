"""A memory from a user's clips to the motion: found by a sentence, read by both heads, switched off, refused."""

import pytest
import torch

from motiongen.data import memory_files
from motiongen.data.cache import write_cache
from motiongen.data.corpus import captioned_motions
from motiongen.inference.generate import edit, generate
from motiongen.inference.load import load_words
from motiongen.inference.remember import _plain, remember
from motiongen.streaming.stream import stream
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def memory(weights, tmp_path_factory):
    """The memory of two clips, one of which has a mirrored sentence."""
    folder = tmp_path_factory.mktemp("memory")
    facts = {"source": "mine", "licence": "CC0", "split": "train"}
    words = [(("a person walks", "someone walks"), ()), (("a person waves left",), ("a person waves right",))]
    clips = [
        (facts | {"id": f"mine/{i}", "captions": plain, "mirrored_captions": mirrored}, wobble(40 + i))
        for i, (plain, mirrored) in enumerate(words)
    ]
    model = load_words("bamm", weights, "cpu")
    memory_files.save(remember(write_cache(folder / "cache", clips), model.tokenizer, model.text), folder)
    return folder


def test_a_clip_is_remembered_with_its_sentences_and_its_mirror_image(memory):
    found = memory_files.load(memory)
    assert found.sentences == (
        "a person walks",
        "someone walks",
        "a person waves left",
        "a person waves right",
    )
    assert [fact["id"] for fact in found.facts] == ["mine/0", "mine/1", "mine/1"]
    assert found.lengths.tolist() == [10, 11, 11]


def test_the_condition_has_the_clip_that_the_sentence_finds(weights, memory):
    model = load_words("bamm", weights, "cpu", memory=memory)
    condition = model.condition(["a person walks"], [torch.Generator()])
    assert torch.equal(condition.clips[0, 0, :10], model.memory.codes(0))
    assert bool((condition.clips[0, 0, 10:] == -1).all())


def test_a_motion_is_as_long_as_the_clip_that_is_like_it(weights, memory):
    motion = generate("someone walks", weights=weights, device="cpu", memory=memory)
    assert motion.num_frames == 40


def test_both_heads_read_it_and_a_zero_switches_it_off(weights, memory):
    off = generate("walk", seconds=1, weights=weights, device="cpu", memory="0")
    assert torch.equal(off.rotations, generate("walk", seconds=1, weights=weights, device="cpu").rotations)
    for head in ("bamm", "mogo"):
        with_clips, without = (
            generate("walk", seconds=1, head=head, weights=weights, device="cpu", memory=choice).rotations
            for choice in (memory, "0")
        )
        assert not torch.equal(with_clips, without)


def test_edits_and_streams_read_it_too(weights, memory):
    edited, streamed = [], []
    for choice in (memory, "0"):
        edited.append(
            edit(wobble(60), "walk", between=(0.5, 1.5), weights=weights, device="cpu", memory=choice)
        )
        frames = stream("a person walks", seconds=3, weights=weights, device="cpu", memory=choice)
        streamed.append([frame.rotations for frame in frames])
    assert not torch.equal(edited[0].rotations, edited[1].rotations)
    assert any((a != b).any() for a, b in zip(*streamed, strict=True))


def test_the_memory_of_a_set_is_its_default(memory, tmp_path):
    own = save_tiny(tmp_path)
    memory_files.save(memory_files.load(memory), own / "memory")
    assert load_words("bamm", own, "cpu").memory is not None
    assert load_words("bamm", own, "cpu", memory="0").memory is None


def test_a_memory_of_another_tokenizer_is_refused(weights, memory, tmp_path):
    other = memory_files.load(memory)
    other.tokenizer = "another"
    memory_files.save(other, tmp_path)
    with pytest.raises(ValueError, match="made with others; make it again with motiongen remember"):
        load_words("bamm", weights, "cpu", memory=tmp_path)


def test_a_head_that_reads_none_is_refused(memory):
    with pytest.raises(ValueError, match="memory: expected a head that reads one, got bamm of full"):
        load_words("bamm", "full", "cpu", memory=memory)


def test_a_folder_that_is_not_there_is_named(weights):
    with pytest.raises(ValueError, match="got 'nowhere'; check the path"):
        load_words("bamm", weights, "cpu", memory="nowhere")


def test_a_caption_that_mostly_means_something_else_is_left_out(tmp_path):
    facts = {"source": "mine", "licence": "CC0", "split": "train"}
    words = [("walk", ("a person walks",))] * 3 + [("dribble", ("a person walks", "a person dribbles"))]
    clips = [
        (facts | {"id": f"mine/{i}", "content": content, "captions": captions}, wobble(20))
        for i, (content, captions) in enumerate(words)
    ]
    cache = write_cache(tmp_path, clips)
    assert [motion.captions for motion in _plain(cache, captioned_motions(cache, "train"))] == [
        *[("a person walks",)] * 3,
        ("a person dribbles",),
    ]
