"""Limits: values that may not pass, and sizes that are not believed."""

import dataclasses
import math
import struct
import zipfile

import numpy as np
import pytest
import torch

from motiongen import limits
from motiongen.io import bvh, load
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.motions import wobble

CHAIN = ("a", "b"), (-1, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 2e7])
def test_offsets_and_tips_are_finite_and_near(bad):
    with pytest.raises(ValueError, match="skeleton: expected finite offsets up to 1e"):
        Skeleton(*CHAIN, torch.tensor([[0.0, 0, 0], [0, bad, 0]]))
    with pytest.raises(ValueError, match="skeleton: expected the tip"):
        Skeleton(*CHAIN, torch.zeros(2, 3), ends=((1, (0.0, bad, 0.0)),))


def test_rest_poses_are_unit_quaternions_and_tips_belong_to_joints():
    for rest in (torch.full((2, 4), math.nan), torch.zeros(2, 4), torch.eye(4)[:2] * 2):
        with pytest.raises(ValueError, match="skeleton: rest pose: expected unit quaternions"):
            Skeleton(*CHAIN, torch.zeros(2, 3), rest=rest)
    with pytest.raises(ValueError, match=r"skeleton: expected a rest pose \(2, 4\), got \(1, 4\)"):
        Skeleton(*CHAIN, torch.zeros(2, 3), rest=torch.eye(4)[:1])
    with pytest.raises(ValueError, match="skeleton: expected the tip of one of 2 joints"):
        Skeleton(*CHAIN, torch.zeros(2, 3), ends=((2, (0.0, 0.0, 0.0)),))


def test_skeletons_have_at_least_one_joint_and_not_millions():
    with pytest.raises(ValueError, match="expected 1 to 10000 joints, got 0"):
        Skeleton((), (), torch.zeros(0, 3))
    names = tuple(map(str, range(10_001)))
    with pytest.raises(ValueError, match="expected 1 to 10000 joints, got 10001"):
        Skeleton(names, tuple(range(-1, 10_000)), torch.zeros(10_001, 3))


@pytest.mark.parametrize("fps", [0.0, -30.0, math.nan, math.inf, 1e-4, 2e6])
def test_rates_are_in_range(fps):
    with pytest.raises(ValueError, match="fps: expected"):
        dataclasses.replace(wobble(3), fps=fps)
    with pytest.raises(ValueError, match="fps: expected"):
        wobble(3).resample(fps)


def test_places_are_on_earth():
    motion = wobble(5)
    far = motion.root.clone()
    far[3, 0] = 1.1e7
    with pytest.raises(ValueError, match=r"expected root within 1e\+07 m, got one beyond in frame 3"):
        dataclasses.replace(motion, root=far)
    moving = SMPL22.offsets.repeat(5, 1, 1)
    moving[2, 4] = -2e7
    with pytest.raises(ValueError, match=r"expected translations within 1e\+07 m, got one beyond in frame 2"):
        dataclasses.replace(motion, translations=moving)


def test_resampling_grows_a_clip_in_proportion_only():
    assert wobble(90).resample(120).num_frames == 357
    slow = dataclasses.replace(wobble(90), fps=1e-3)
    with pytest.raises(ValueError, match="expected at most 190650 frames of 22 joints, got 2670001"):
        slow.resample(30)


def test_a_bvh_of_ten_thousand_seconds_a_frame_is_refused(tmp_path):
    bvh.write(wobble(90), tmp_path / "slow.bvh")
    text = (tmp_path / "slow.bvh").read_text()
    (tmp_path / "slow.bvh").write_text(text.replace("Frame Time: 0.0333333333", "Frame Time: 10000"))
    with pytest.raises(
        ValueError, match=r"slow\.bvh: fps: expected 0\.001 to 1e\+06 frames a second, got 0\.0001"
    ):
        load(tmp_path / "slow.bvh")


def test_a_deep_chain_is_read_and_written(tmp_path):
    count = 3000
    names = tuple(f"j{n}" for n in range(count))
    skeleton = Skeleton(names, tuple(range(-1, count - 1)), torch.full((count, 3), 0.001))
    rotations = torch.eye(4)[3].expand(1, count, 4)
    Motion(skeleton, rotations, torch.zeros(1, 3), 30.0).save(tmp_path / "deep.bvh")
    again = load(tmp_path / "deep.bvh")
    assert again.skeleton.names == names and again.skeleton.parents == skeleton.parents
    again.save(tmp_path / "deep2.bvh")
    assert (tmp_path / "deep2.bvh").read_bytes() == (tmp_path / "deep.bvh").read_bytes()


def test_bones_that_never_turn_do_not_multiply_a_file(tmp_path):
    joints = "".join(f"JOINT j{n} {{ OFFSET 0 1 0 CHANNELS 0 }} " for n in range(5000))
    head = f"HIERARCHY ROOT a {{ OFFSET 0 0 0 CHANNELS 1 Xrotation {joints}}}\nMOTION\n"
    (tmp_path / "a.bvh").write_text(head + "Frames: 2000\nFrame Time: 0.01\n" + "0\n" * 2000)
    with pytest.raises(
        ValueError, match=r"a\.bvh: motion: expected at most 838 frames of 5001 joints, got 2000"
    ):
        load(tmp_path / "a.bvh")


def test_npz_members_that_nobody_needs_are_not_inflated(tmp_path):
    wobble(4).save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "b.npz", **arrays, verts=np.zeros(100_000))
    data = (tmp_path / "b.npz").read_bytes()
    at = data.index(b"verts.npy") + 500_000
    (tmp_path / "b.npz").write_bytes(data[:at] + b"\xff" + data[at + 1 :])  # its checksum is wrong now
    assert load(tmp_path / "b.npz").num_frames == 4


def test_npz_headers_that_ask_for_terabytes_are_refused(tmp_path):
    wobble(4).save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    header = (
        str({"descr": "<f4", "fortran_order": False, "shape": (10**9, 22, 4)}).encode().ljust(117) + b"\n"
    )
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, array)
        with archive.open("translations.npy", "w") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100))
    with pytest.raises(
        ValueError, match=r"b\.npz: translations: expected 352000000128 bytes for .*, got 228"
    ):
        load(tmp_path / "b.npz")


def test_expansion_is_in_proportion():
    limits.check_expanded(limits.FREE_BYTES, 10)
    limits.check_expanded(64 * limits.FREE_BYTES, limits.FREE_BYTES)
    with pytest.raises(ValueError, match="expected at most 268435456 bytes from a file of 10"):
        limits.check_expanded(limits.FREE_BYTES + 1, 10)
