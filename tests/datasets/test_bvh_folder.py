"""A user's own BVH files: names, captions, and any humanoid."""

import logging
import pickle

import pytest
import torch

from motiongen.io import ReadOptions, bvh
from motiongen.io.options import scaled
from motiongen.rotation import quat_angle
from motiongen_datasets import bvh_folder
from motiongen_datasets.base import RawClip
from motiongen_datasets.prepare import _told, prepare
from tests.core.motions import wobble


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("walk_03", "deep/Jump High"):
        bvh.write(wobble(40, fps=60.0), tmp_path / f"{name}.bvh")
    return tmp_path


def test_without_captions_the_name_is_the_content(folder):
    clips = bvh_folder.clips(folder)
    assert {clip.id: clip.labels.content for clip in clips} == {
        "bvh_folder/walk_03": "walk",
        "bvh_folder/deep/Jump High": "jump high",
    }


def test_captions_are_matched_with_and_without_extension(folder):
    rows = "file,caption,style\nwalk_03.bvh,a person walks,angry\nwalk_03,someone strolls,\ndeep/Jump High.BVH,hop,\n"
    (folder / "captions.csv").write_text("\ufeff" + rows, encoding="utf-8")
    clips = {clip.id: clip for clip in bvh_folder.clips(folder)}
    walk = clips["bvh_folder/walk_03"]
    assert walk.labels.sentences == ("a person walks", "someone strolls")
    assert (walk.labels.content, walk.labels.style) == (None, "angry")
    assert clips["bvh_folder/deep/Jump High"].labels.sentences == ("hop",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,words\n", r"captions\.csv: expected the columns file, caption, got name, words"),
        ("file,caption\nrun.bvh,x\n", r"captions\.csv: expected files below .*, got 'run'"),
    ],
)
def test_wrong_captions_are_named(folder, text, message):
    (folder / "captions.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        bvh_folder.clips(folder)


def test_our_own_files_come_back_as_they_were(folder):
    motion = pickle.loads(pickle.dumps(bvh_folder.clips(folder)[0])).load()
    expected = wobble(40, fps=60.0)[::2]
    assert motion.fps == 30.0
    assert quat_angle(motion.rotations, expected.rotations).max() < 0.01
    torch.testing.assert_close(motion.root[:, [0, 2]], expected.root[:, [0, 2]], rtol=0, atol=1e-3)


def test_what_is_no_humanoid_is_one_clear_line(tmp_path):
    text = "HIERARCHY\nROOT Box\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n}\n"
    (tmp_path / "box.bvh").write_text(text + "MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n")
    with pytest.raises(ValueError, match="expected a humanoid"):
        bvh_folder.load(tmp_path / "box.bvh")


def test_what_was_guessed_is_counted_and_an_option_stops_the_guessing(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    (tmp_path / "clips").mkdir()
    for name in ("walk_01", "walk_02"):
        bvh.write(scaled(wobble(40), 0.9), tmp_path / "clips" / f"{name}.bvh", unit_to_metres=0.0254)
    source = [f"bvh_folder={tmp_path / 'clips'}"]
    prepare(source, tmp_path / "cache", workers=1)
    assert "2 files taken as unit inch, y up; --unit and --up say otherwise" in caplog.text
    caplog.clear()
    prepare(source, tmp_path / "cache", workers=1, options=ReadOptions(unit="inch", up="y"))
    assert "taken as" not in caplog.text


def test_published_datasets_want_no_options(tmp_path):
    clip = RawClip("a/b", "cmu", "free", load=lambda: wobble(40))
    with pytest.raises(ValueError, match="cmu: expected no options for a published dataset"):
        _told(clip, ReadOptions(unit="cm"))
