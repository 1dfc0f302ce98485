"""The contract of a dataset, over the whole registry: its facts, its clips, their motion, and wrong folders."""

import pickle

import pytest

from motiongen.skeleton import SMPL22
from motiongen_datasets import DATASETS, clips_of, find_dataset
from motiongen_datasets.captions import captions_for
from motiongen_datasets.dance_styles import STYLES
from tests.datasets.folders import FOLDERS


@pytest.fixture(params=DATASETS)
def name(request):
    assert request.param in FOLDERS, f"write a tiny folder of {request.param} in tests/datasets/folders.py"
    return request.param


@pytest.fixture
def folder(name, tmp_path):
    FOLDERS[name](tmp_path)
    return tmp_path


def test_its_facts_are_given(name):
    spec = find_dataset(name)
    for fact in (spec.title, spec.licence, spec.expects):
        assert fact == fact.strip() != "" and "\n" not in fact


def test_its_clips_have_ids_licences_and_captions(name, folder):
    clips = clips_of(f"{name}={folder}")
    assert len({clip.id for clip in clips}) == len(clips) > 0
    for clip in clips:
        assert clip.source == name and clip.id.startswith(f"{name}/")
        assert clip.licence and clip.split in ("train", "test", None)
        assert all(isinstance(text, str) for fact in clip.meta.items() for text in fact)
        assert clip.meta.get("dance_style") in (*STYLES, None)
        assert captions_for(clip.labels).train


def test_its_clips_load_in_another_process_as_a_person_on_the_ground(name, folder):
    for clip in clips_of(f"{name}={folder}"):
        motion = pickle.loads(pickle.dumps(clip)).load()
        assert motion.skeleton is SMPL22 and motion.seconds > 0.4
        heights = motion.positions()[..., 1]
        assert 0 <= heights.amin() < 0.06  # the ball of a foot is 25 mm over its sole
        assert 1.3 < heights[:, SMPL22.index("head")].amin() < 1.7


def test_a_wrong_folder_is_one_line_that_names_what_was_expected(name, tmp_path):
    (tmp_path / "clips.csv").write_text("column,other\n1,2\n")
    (tmp_path / "notes.txt").write_text("not motion")
    with pytest.raises(ValueError, match="found none; give the folder that holds them") as caught:
        clips_of(f"{name}={tmp_path}")
    assert f"expected {find_dataset(name).expects} of {find_dataset(name).title}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_one_line(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing: expected a folder of motion data"):
        clips_of(f"{name}={tmp_path / 'missing'}")


def test_a_folder_of_its_name_is_recognised(name, tmp_path):
    for folder in (name, *find_dataset(name).folder_names):
        (tmp_path / folder).mkdir()
        FOLDERS[name](tmp_path / folder)
        assert {clip.source for clip in clips_of(str(tmp_path / folder))} == {name}


def test_an_unknown_dataset_gets_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="got 'aistp'; did you mean aistpp"):
        clips_of(f"aistp={tmp_path}")
