"""The training cache: what is written is what is read."""

import pytest
import torch
from torch.testing import assert_close

from motiongen import features
from motiongen.data.cache import ClipCache, write_cache
from tests.core.motions import wobble


@pytest.fixture
def cache(tmp_path):
    clips = [
        (
            {
                "id": f"own/{i}",
                "source": "own",
                "licence": "CC0",
                "split": split,
                "captions": ("a person sways",),
            },
            wobble(30 + i, i),
        )
        for i, split in enumerate(["train", "test", "train"])
    ]
    return write_cache(tmp_path / "cache", clips, fps=30)


def test_records_and_motions_come_back(cache):
    assert [record.id for record in cache.records] == ["own/0", "own/1", "own/2"]
    assert cache.split("test") == [1]
    assert cache.records[2].captions == ("a person sways",)
    assert_close(cache.motion(2).positions(), wobble(32, 2).positions(), atol=3e-3, rtol=0)


def test_features_are_mapped_and_mirrored(cache):
    expected = features.encode(cache.motion(1))
    assert_close(cache.features(1), expected, atol=2e-3, rtol=1e-3)
    assert_close(cache.features(1, mirrored=True), features.mirror(cache.features(1)))
    assert (cache.folder / "features.f16").stat().st_size == 2 * 140 * (30 + 31 + 32)


def test_sources_are_left_out_by_name(tmp_path):
    facts = {"licence": "CC0", "split": "train", "captions": ("a person sways",)}
    clips = [
        ({"id": f"{source}/0", "source": source, **facts}, wobble(20 + number, number))
        for number, source in enumerate(["first", "doubtful", "last"])
    ]
    cache = write_cache(tmp_path / "cache", clips, fps=30)
    part = cache.without(["doubtful"])
    assert [record.id for record in part.records] == ["first/0", "last/0"]
    assert_close(part.features(1), cache.features(2))
    assert_close(part.motion(1).positions(), cache.motion(2).positions())
    assert ClipCache.open(cache.folder).without(["first", "last"]).features(0).shape == (21, 140)
    with pytest.raises(ValueError, match="without: expected one of first, doubtful, last, got 'laast'"):
        cache.without(["laast"])
    with pytest.raises(ValueError, match="expected a source that is left"):
        cache.without(["first", "doubtful", "last"])


def test_a_folder_that_is_no_cache_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="run motiongen prepare"):
        ClipCache.open(tmp_path)


def test_clips_are_independent_of_order(cache):
    again = ClipCache.open(cache.folder)
    assert torch.equal(again.motion(2).rotations, cache.motion(2).rotations)
