"""Caches are replaced in one step, and what a damaged one states is not believed."""

import json
import lzma
import os
import subprocess
import sys

import pytest
import torch

from motiongen.data.cache import CacheWriter, ClipCache, write_cache
from motiongen.io.delta import pack
from tests.core.motions import wobble

FACTS = {"source": "own", "licence": "CC0", "split": "train"}


def clips(*names, frames=30):
    return [({"id": f"own/{name}", **FACTS}, wobble(frames, n)) for n, name in enumerate(names)]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_cache_stays_whole_until_the_new_one_is(tmp_path):
    old = write_cache(tmp_path, clips("a", "b"))
    old.features(0)
    with CacheWriter(tmp_path) as writer:
        for record, motion in clips("c", frames=60):
            writer.add({"num_frames": 60} | record, pack(motion.rotations, motion.root))
        assert [record.id for record in ClipCache.open(tmp_path).records] == ["own/a", "own/b"]
        assert ClipCache.open(tmp_path).motion(1).num_frames == 30
        writer.close()
    new = ClipCache.open(tmp_path)
    assert [record.id for record in new.records] == ["own/c"] and new.features(0).shape == (60, 140)
    assert old.motion(1).num_frames == 30  # still open, and its file is mapped
    mark = new.info["files"]
    assert names_in(tmp_path) == [
        f"clips{mark}.jsonl.xz", f"features{mark}.f16", "index.json", f"shard{mark}-0000.bin",
    ]  # fmt: skip


def test_what_training_made_of_the_old_cache_goes_with_it_and_nothing_else(tmp_path):
    write_cache(tmp_path, clips("a"))
    for name in ("features.f16", "codes-12.safetensors", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "badm").mkdir()
    new = write_cache(tmp_path, clips("b"))
    mark = new.info["files"]
    expected = ["index.json", "notes.txt", f"clips{mark}.jsonl.xz", f"shard{mark}-0000.bin"]
    assert names_in(tmp_path) == sorted(expected)
    assert write_cache(tmp_path, clips("b")).motion(0).num_frames == 30  # the same names again
    assert names_in(tmp_path) == sorted(expected)


def write_and_fail(folder, error):
    with CacheWriter(folder) as writer:
        record, motion = clips("c")[0]
        writer.add({"num_frames": 30} | record, pack(motion.rotations, motion.root))
        raise error


def test_an_error_leaves_the_old_cache_and_no_folder_that_was_not_there(tmp_path):
    write_cache(tmp_path / "old", clips("a"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    for error in (KeyboardInterrupt, OSError):
        with pytest.raises(error):
            write_and_fail(tmp_path / "old", error)
        with pytest.raises(error):
            write_and_fail(tmp_path / "new", error)
    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before
    assert names_in(tmp_path) == ["old"]


KILLED = """
import os, signal, sys
from motiongen.data import cache
from tests.core.data.test_cache_faults import clips
steps = int(sys.argv[2])
replace = os.replace
def counted(*paths):
    global steps
    if steps == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    steps -= 1
    replace(*paths)
os.replace = counted
cache.write_cache(sys.argv[1], clips("c", "d"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(5))
def test_a_kill_before_any_rename_leaves_the_old_or_the_new(tmp_path, steps):
    write_cache(tmp_path, clips("a", "b")).features(0)
    arguments = [sys.executable, "-c", KILLED, str(tmp_path), str(steps)]
    code = subprocess.run(arguments, check=False, timeout=120, cwd=os.getcwd()).returncode
    cache = ClipCache.open(tmp_path)
    expected = ["own/a", "own/b"] if code else ["own/c", "own/d"]
    assert [record.id for record in cache.records] == expected and code in (0, -9)
    assert torch.isfinite(cache.features(1)).all()
    write_cache(tmp_path, clips("e"))
    assert not [name for name in names_in(tmp_path) if name.startswith(".")] and len(names_in(tmp_path)) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": 10**9}, "expected [0-9]* bytes of motion"),
        ({"num_frames": 10**12}, "num_frames: expected a field of a clip"),
        ({"num_frames": "30"}, "num_frames: expected a field of a clip, got '30'"),
        ({"num_frames": 0}, "own/a: expected one frame or more"),
        ({"offset": -5}, "own/a: expected one frame or more, and places from 0 on"),
        ({"offset": 10**9}, "expected packed motion of 22 joints"),
        ({"captions": "abc"}, "captions: expected a field of a clip"),
        ({"meta": {"bpm": 1.0}}, "meta: expected a field of a clip"),
        ({"colour": 1}, "colour: expected a field of a clip"),
    ],
)
def test_records_are_checked(tmp_path, change, message):
    write_cache(tmp_path, clips("a"))
    path = tmp_path / "clips.jsonl.xz"
    record = json.loads(lzma.decompress(path.read_bytes()))
    path.write_bytes(lzma.compress(json.dumps(record | change).encode()))
    with pytest.raises(ValueError, match=message) as caught:
        ClipCache.open(tmp_path).motion(0)
    assert "shard-0000.bin" in str(caught.value) or "clips.jsonl.xz" in str(caught.value)


def test_an_index_may_not_name_files_elsewhere(tmp_path):
    write_cache(tmp_path, clips("a"))
    index = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps(index | {"files": "/../../a"}))
    with pytest.raises(ValueError, match=r"index\.json: files: expected a digest"):
        ClipCache.open(tmp_path)
