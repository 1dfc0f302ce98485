"""The memory: what is found for a sentence, which clips are drawn, and a file that keeps every code."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch

from motiongen.checkpoint import read_tensors, write_tensors
from motiongen.data import memory_files
from motiongen.data.memory import SHARPNESS, Memory, Recall
from motiongen.data.opposites import contradictions, told

WALK, BOW, JUMP = torch.eye(3)


def three(levels=2):
    """A walk of three tokens, a bow of one, and a jump of two that also is a "leap"."""
    codes = [torch.full((n, levels), 100 * n, dtype=torch.int16) for n in (3, 1, 2)]
    sentences = {"walk": WALK, "bow": BOW, "jump": JUMP, "leap": JUMP + 0.5 * WALK}
    return Memory.build(
        codes,
        [["walk"], ["bow"], ["jump", "leap"]],
        lambda asked: torch.stack([sentences[sentence] for sentence in asked]),
        [{"id": f"mine/{i}", "source": "mine", "licence": "CC0"} for i in range(3)],
        "tiny",
        "0123",
    )


def test_the_nearest_clips_come_first_each_once():
    found = three().nearest((JUMP + 0.6 * WALK)[None], count=4)
    assert found.clips.tolist() == [[2, 0, -1, -1]]  # by "leap", and the walk by its own sentence
    # By hand: "leap" is (.5, 0, 1) and the prompt (.6, 0, 1): their cosine is 1.3 / sqrt(1.25 * 1.36).
    assert found.similarity[0, 0].item() == pytest.approx(1.3 / (1.25 * 1.36) ** 0.5)
    assert three().sentences[found.sentence[0, 0]] == "leap"


def test_of_clips_with_one_sentence_the_plain_one_comes_first():
    codes = [torch.full((1, 1), n, dtype=torch.int16) for n in range(3)]
    vectors = {"mummy": BOW + 0.4 * WALK, "walk": WALK}
    memory = Memory.build(
        codes,
        [["mummy", "walk"], ["walk", "mummy"], ["mummy", "walk"]],
        lambda asked: torch.stack([vectors[sentence] for sentence in asked]),
        [{}] * 3,
    )
    found = memory.nearest(WALK[None], count=3)
    assert found.clips.tolist() == [[1, 0, 2]] and found.similarity.tolist() == [[1.0, 1.0, 1.0]]


def test_of_clips_with_one_sentence_those_come_first_that_fit_it():
    codes = [torch.full((1, 1), n, dtype=torch.int16) for n in range(3)]
    memory = Memory.build(codes, [["walk"]] * 3, lambda asked: WALK[None], [{}] * 3)
    assert memory.nearest(WALK[None], count=3).clips.tolist() == [[0, 1, 2]]
    memory.fits = [[-4.0, 0.0, -1.0]]
    found = memory.nearest(WALK[None], count=3)
    assert found.clips.tolist() == [[1, 2, 0]] and found.similarity.tolist() == [[1.0, 1.0, 1.0]]
    # The odds of being drawn are e to the fit.
    assert (SHARPNESS * (found.rank[0] - found.rank[0, 0])).tolist() == pytest.approx([0, -1, -4], abs=1e-4)


def test_who_does_it_does_not_matter_unless_captions_say_so():
    vectors = {
        "a person bows": BOW,
        "a person waves": WALK,
        "a woman waves": WALK + 0.1 * BOW,
        "a woman bows": 0.8 * WALK + 0.6 * BOW,  # for an encoder she is a woman first
    }
    memory = Memory.build(
        [torch.zeros(1, 1, dtype=torch.int16)] * 2,
        [["a person bows"], ["a woman waves"]],
        lambda asked: torch.stack([vectors[one] for one in asked]),
        [{}] * 2,
    )
    text = Mock(encode=lambda asked: SimpleNamespace(pooled=torch.stack([vectors[one] for one in asked])))
    found = memory.find(text, ["a woman bows", "a woman waves"], count=1)
    assert found.clips.tolist() == [[0], [1]]


def test_a_sentence_of_the_other_side_is_far():
    vectors = {"raise the left arm": WALK, "raise the right arm": WALK, "raise an arm": WALK + 0.5 * BOW}
    codes = [torch.full((1, 1), n, dtype=torch.int16) for n in range(3)]
    memory = Memory.build(
        codes,
        [[sentence] for sentence in vectors],
        lambda asked: torch.stack([vectors[a] for a in asked]),
        [{}] * 3,
    )
    found = memory.nearest(WALK[None], count=3, prompts=["lift your right arm"])
    assert found.clips.tolist() == [[1, 2, 0]]
    assert memory.nearest(WALK[None], count=3).clips.tolist() == [[0, 1, 2]]


def test_what_contradicts_what():
    sentences = told(
        ["turn left", "turns Right", "left and right", "walks backwards", "moves forward to the left"]
    )
    assert contradictions(sentences, sentences).int().tolist() == [
        [0, 1, 0, 0, 0],
        [1, 0, 0, 0, 1],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 1, 0, 1, 0],
    ]


def test_nothing_is_found_for_what_is_far():
    assert (three().nearest(-torch.ones(1, 3)).clips == -1).all()


def test_drawn_clips_are_padded_with_none():
    memory = three()
    found = memory.nearest(torch.stack([BOW, WALK]))
    drawn = Recall(memory, 2, 2).draw(found, torch.full((2, 16), 0.5))
    clips = drawn.codes
    assert drawn.alike.tolist() == [[True, False], [True, False]]
    assert clips[0].tolist() == [[[100, 100], [-1, -1]], [[-1, -1], [-1, -1]]]
    assert clips[1, 0].tolist() == [[300, 300], [300, 300]]  # the first two of three tokens


def test_of_clips_that_are_as_near_the_draw_decides():
    memory = Memory.build(
        [torch.full((1, 1), n, dtype=torch.int16) for n in (1, 2)],
        [["walk"], ["walk"]], lambda asked: WALK[None], [{}, {}],
    )  # fmt: skip
    recall, found = Recall(memory, 1, 1), memory.nearest(WALK[None], count=2)
    assert recall.draw(found, torch.tensor([[0.9, 0.1]])).codes.item() == 1
    assert recall.draw(found, torch.tensor([[0.1, 0.9]])).codes.item() == 2


def test_a_length_is_that_of_a_clip_that_is_like_the_prompt():
    memory = three()
    memory.whole_lengths = torch.tensor([30, 10, 20])
    found = memory.nearest(torch.stack([WALK, BOW, JUMP + 0.6 * WALK, BOW + WALK - JUMP]))
    # The last one is as near to a walk as to a bow, .58: neither says how long it takes.
    assert Recall(memory, 1, 1).draw(found, torch.full((4, 16), 0.5)).lengths == [30, 10, 20, None]


def test_a_memory_comes_back_from_its_folder(tmp_path):
    memory = three(levels=3)  # 18 codes of nine bits: more than two bytes of the packed ones
    memory.fits = [[0.0], [0.0], [-1.52], [0.0]]  # kept in sixteenths
    memory_files.save(memory, tmp_path)
    again = memory_files.load(tmp_path)
    assert torch.equal(again.flat, memory.flat) and torch.equal(again.lengths, memory.lengths)
    assert torch.equal(again.whole_lengths, memory.whole_lengths)
    assert again.fits == [[0.0], [0.0], [-1.5], [0.0]]
    assert (again.sentences, again.facts, again.encoder, again.tokenizer) == (
        memory.sentences, memory.facts, "tiny", "0123",
    )  # fmt: skip
    assert [list(owners) for owners in again.owners] == [list(owners) for owners in memory.owners]
    torch.testing.assert_close(again.vectors, memory.vectors, rtol=0, atol=0.01)


def test_a_memory_is_one_file_and_those_of_older_versions_are_read(tmp_path):
    memory_files.save(three(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [memory_files.TENSORS]
    tensors = read_tensors(tmp_path / memory_files.TENSORS)
    (tmp_path / memory_files.FACTS).write_bytes(tensors.pop("facts").numpy().tobytes())
    del tensors["fits"]
    write_tensors(tmp_path / memory_files.TENSORS, tensors)
    assert memory_files.load(tmp_path).sentences == three().sentences
    memory_files.save(three(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [memory_files.TENSORS]


def test_a_memory_of_another_encoder_says_so():
    memory = three()
    with pytest.raises(ValueError, match=r"memory: expected vectors of 8 numbers, .*got \d; make it again"):
        memory.nearest(torch.ones(1, 8))


def test_a_folder_without_a_memory_says_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match="make one with motiongen remember"):
        memory_files.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("lengths", lambda lengths: lengths + 1),
        ("whole_lengths", lambda lengths: lengths - 1),
        ("first", lambda first: first + 9),
        ("high", lambda high: high[:-1]),
        ("vectors", lambda vectors: vectors[1:]),
        ("low", lambda low: low[:-1]),
        ("scale", lambda scale: scale * torch.nan),
        ("fits", lambda fits: fits[1:]),
        ("fits", lambda fits: fits.float() * torch.nan),
        ("fits", lambda fits: fits + 1),
        ("fits", lambda fits: fits - 65),
    ],
)
def test_files_of_two_memories_are_refused_by_name(tmp_path, name, change):
    memory_files.save(three(), tmp_path)
    path = tmp_path / memory_files.TENSORS
    tensors = read_tensors(path)
    write_tensors(path, tensors | {name: change(tensors[name]).contiguous()})
    with pytest.raises(ValueError, match=r"memory\.safetensors: .*expected .*, got"):
        memory_files.load(tmp_path)
