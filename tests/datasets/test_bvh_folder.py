"""A user's own BVH files: names, captions, and any humanoid."""

import pickle

import pytest
import torch

from motiongen.io import bvh
from motiongen.rotation import quat_angle
from motiongen_datasets import bvh_folder
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
