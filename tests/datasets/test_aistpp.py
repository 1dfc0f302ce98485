"""AIST++ as published: its body, its beat, its split, and pickles that are not to be trusted."""

import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from motiongen.rotation import axis_angle_from_quat
from motiongen.skeleton import SMPL22
from motiongen_datasets import aistpp, clips_of, join_names
from motiongen_datasets.aistpp_pickle import read_arrays
from motiongen_datasets.prepare import prepare, prepare_clip
from tests.datasets.folders import aist_sequence

TRAIN, TEST = "gHO_sBM_cAll_d20_mHO3_ch05", "gBR_sBM_cAll_d04_mBR0_ch02"
NEITHER, IGNORED = "gBR_sFM_cAll_d04_mBR0_ch01", "gWA_sBM_cAll_d27_mWA4_ch08"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "aist_plusplus_final"
    for part in ("motions", "keypoints3d", "wav"):
        (root / part).mkdir(parents=True)
    for name in (TRAIN, TEST, NEITHER, IGNORED):
        (root / "motions" / f"{name}.pkl").write_bytes(pickle.dumps(aist_sequence(), protocol=4))
    (root / "keypoints3d" / f"{TRAIN}.pkl").write_bytes(b"not this one")
    (root / "ignore_list.txt").write_text(f"{IGNORED} \n\n")
    (root / "wav" / "mHO3.wav").write_bytes(b"RIFF")
    return root


def by_name(found):
    return {clip.meta["name"]: clip for clip in found}


def reread(tmp_path, data):
    path = tmp_path / f"{TRAIN}.pkl"
    path.write_bytes(data if isinstance(data, bytes) else pickle.dumps(data))
    return aistpp.load(path, None)


def test_a_sequence_stands_on_the_ground_at_30_fps(folder):
    motion = by_name(aistpp.clips(folder))[TRAIN].load()
    assert (motion.num_frames, motion.fps, motion.skeleton.names) == (61, 30.0, SMPL22.names)
    positions = motion.positions()
    assert positions[:, SMPL22.index("right_foot"), 1].amax() == pytest.approx(0.025, abs=1e-4)
    assert positions[0, SMPL22.index("head"), 1] > 1.4
    torch.testing.assert_close(motion.heading(), torch.full((61,), np.pi / 2).float(), rtol=0, atol=1e-5)


def test_rotations_carry_over_and_the_path_is_scaled_by_the_legs(folder):
    motion = by_name(aistpp.clips(folder))[TRAIN].load()
    knee = axis_angle_from_quat(motion.rotations)[:, SMPL22.index("left_knee")]
    torch.testing.assert_close(knee, torch.tensor([0.5, 0, 0]).expand(61, 3), rtol=0, atol=1e-5)
    moved = (motion.root[-1] - motion.root[0]).tolist()
    assert moved == pytest.approx([0.8058 / 0.818, 0, 0], abs=2e-3)  # 93 units are a metre of SMPL's body


def test_the_beat_follows_from_the_music(folder):
    clip = by_name(aistpp.clips(folder))[TRAIN]
    assert {key: clip.meta[key] for key in ("bpm", "first_beat", "music", "dance_style")} == {
        "bpm": "125", "first_beat": "0", "music": "mHO3", "dance_style": "house",
    }  # fmt: skip
    assert clip.meta["audio"] == str(folder / "wav" / "mHO3.wav")
    assert "audio" not in by_name(aistpp.clips(folder))[TEST].meta
    assert [aistpp.tempo(m) for m in ("mBR0", "mJB5", "mHO0", "mHO5")] == [80, 130, 110, 135]


def test_the_published_split_is_read(folder):
    (folder / "splits").mkdir()
    for part, names in (("train", [TEST, IGNORED]), ("val", [TRAIN]), ("test", [])):
        (folder / "splits" / f"crossmodal_{part}.txt").write_text("\n".join(names))
    found = by_name(aistpp.clips(folder))
    assert {name: clip.split for name, clip in found.items()} == {
        TEST: "train", IGNORED: "train", TRAIN: "test", NEITHER: None,
    }  # fmt: skip
    assert prepare_clip(found[TRAIN], held_out=0).record["split"] == "test"


@pytest.mark.parametrize(
    ("music", "situation", "choreography", "split"),
    [
        ("mBR0", "BM", "ch02", "test"),
        ("mBR1", "BM", "ch03", "train"),
        ("mBR1", "FM", "ch02", "train"),  # advanced choreographies are each danced once
        ("mBR0", "BM", "ch03", None),  # the test's music
        ("mBR1", "BM", "ch01", None),  # the test's choreography
    ],
)
def test_without_lists_no_music_or_choreography_is_shared(music, situation, choreography, split):
    assert aistpp.held_out_split(music, situation, choreography) == split


def test_what_is_left_out_is_counted_and_the_rest_reaches_the_cache(folder, tmp_path):
    cache = prepare(join_names(["aistpp", str(folder)]), tmp_path / "cache", workers=1)
    assert {r.id: (r.split, r.content) for r in cache.records} == {
        f"aistpp/{TRAIN}": ("train", "house-dance"),
        f"aistpp/{TEST}": ("test", "break-dance"),
    }
    assert "a person dances house" in by_name(cache.records)[TRAIN].captions
    assert by_name(cache.records)[TRAIN].meta["bpm"] == "125"
    assert sorted(reason.split(",")[0] for reason in cache.info["skipped"]) == [
        "clip: in neither split",
        "clip: on AIST++'s ignore list",
    ]


@pytest.mark.parametrize("inside", ["motions/", "aist_plusplus_final/motions/", ""])
def test_a_zip_reads_the_same_as_the_folder(folder, tmp_path, inside):
    path = tmp_path / "given" / "motions.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((folder / "motions").iterdir()):
            archive.write(file, f"{inside}{file.name}")
        archive.write(folder / "ignore_list.txt", "ignore_list.txt")
    expected = by_name(clips_of(str(folder)))  # the published folder's name tells the dataset
    for source in (f"aistpp={path}", f"aistpp={path.parent}"):
        found = by_name(clips_of(source))
        assert {n: c.split for n, c in found.items()} == {n: c.split for n, c in expected.items()}
        assert torch.equal(found[TEST].load().rotations, expected[TEST].load().rotations)
        with pytest.raises(ValueError, match="ignore list"):
            found[IGNORED].load()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_gives_the_same_numbers(protocol):
    data = {
        "a": np.arange(6.0).reshape(2, 3),
        "f": np.asfortranarray(np.eye(2, 3)),
        "s": np.float32(2),
        "x": 1,
    }
    found = read_arrays(pickle.dumps(data, protocol), "x.pkl")
    assert all(np.array_equal(found[key], data[key]) for key in data)


def test_arrays_written_by_numpy_1_are_read():
    data = pickle.dumps({"a": np.arange(3)}, 2).replace(b"cnumpy._core.", b"cnumpy.core.")
    assert read_arrays(data, "x.pkl")["a"].tolist() == [0, 1, 2]


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_an_evil_pickle_is_refused_in_one_line_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for data in (aist_sequence(smpl_loss=Evil()), Evil(), [Evil()]):
        with pytest.raises(ValueError, match=rf"^{TRAIN}\.pkl: expected .* a call of \w+\.system; [^\n]*$"):
            reread(tmp_path, data)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (aist_sequence(smpl_scaling=None), "got no smpl_scaling"),
        (aist_sequence(smpl_poses=np.zeros((121, 66))), r"got \(121, 66\), \(121, 3\) and \(1,\)"),
        (aist_sequence(smpl_trans=np.full((121, 3), np.nan)), "got NaN, infinity or zero"),
        (aist_sequence(smpl_scaling=np.zeros(1)), "got NaN, infinity or zero"),
        (aist_sequence(0), "expected smpl_poses"),
        (aist_sequence(smpl_poses=np.array([object()])), "expected a pickled dict of arrays"),
        (aist_sequence(smpl_poses="text"), "got a str"),
        ([1], "got a list"),
        (b"", "expected a pickled dict of arrays"),
        (pickle.dumps(aist_sequence())[:-40], "expected a pickled dict of arrays"),
    ],
)
def test_broken_files_are_one_clear_line(tmp_path, data, message):
    with pytest.raises(ValueError, match=message) as caught:
        reread(tmp_path, data)
    assert str(caught.value).startswith(f"{TRAIN}.pkl: ") and "\n" not in str(caught.value)


def test_a_clip_ends_where_its_joints_jump_and_keeps_its_beginning(tmp_path):
    trans = aist_sequence(481)["smpl_trans"]
    trans[400:] += 500
    assert reread(tmp_path, aist_sequence(481, smpl_trans=trans)).num_frames == 200
    with pytest.raises(ValueError, match="joints jump within the first 4 s"):
        reread(tmp_path, aist_sequence(281, smpl_trans=trans[200:]))


def test_two_words_name_a_source_only_where_that_is_clear(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert join_names(["aistpp", "data", "mine"]) == ["aistpp=data", "mine"]
    assert join_names(["cmu", "hdm05", "x"]) == ["cmu", "hdm05=x"]
    (tmp_path / "aistpp").mkdir()
    assert join_names(["aistpp", "data"]) == ["aistpp", "data"]


def test_a_file_that_is_no_zip_is_one_clear_line(tmp_path):
    (tmp_path / "motions.zip").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"motions\.zip: expected a zip"):
        clips_of(f"aistpp={tmp_path / 'motions.zip'}")
