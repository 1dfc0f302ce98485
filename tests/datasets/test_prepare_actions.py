"""Preparation cuts takes, keeps their pieces on one side, and lets no content go to the tests alone."""

import json
from functools import partial

import pytest

from motiongen_datasets.base import RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.prepare import keep_in_training, prepare_actions, prepare_clip, take_of
from tests.datasets.test_actions import going_on, stamping
from tests.datasets.test_tidying import arms_down


def take(is_take=True):
    return going_on(stamping(), arms_down(90), stamping()) if is_take else stamping()


@pytest.fixture
def clip():
    return RawClip("cmu/1", "cmu", "free", partial(take), labels=Labels(content="squat"), is_take=True)


def test_a_take_comes_in_pieces_that_know_where_they_are_from(clip):
    first, second = prepare_actions(clip)
    assert [take_of(part.id) for part in (first, second)] == ["cmu/1", "cmu/1"]
    assert first.record["split"] == second.record["split"] == prepare_clip(clip).record["split"]
    assert float(second.record["meta"]["start"]) > 4.0
    assert first.record["content"] == "squat"


def test_a_clip_that_is_no_take_stays_whole(clip):
    whole = RawClip("cmu/2", "cmu", "free", clip.load, labels=clip.labels)
    (part,) = prepare_actions(whole)
    assert part.record["num_frames"] == take().num_frames


def test_what_is_left_out_of_a_take_is_counted():
    idle = RawClip("cmu/3", "cmu", "free", partial(going_on, stamping(), arms_down(600)), is_take=True)
    assert "over 25% of a take at rest: that part of it" in [part.reason for part in prepare_actions(idle)]


def test_every_content_keeps_a_take_in_training():
    rows = [("a#0", "bow", "test"), ("a#90", "walk", "test"), ("b", "bow", "test"), ("c", "walk", "train")]
    records = [{"id": i, "content": content, "split": split} for i, content, split in rows]
    keep_in_training(records)
    splits = {record["id"]: record["split"] for record in json.loads(json.dumps(records))}
    assert splits == {"a#0": "train", "a#90": "train", "b": "test", "c": "train"}
