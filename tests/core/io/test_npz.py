"""NPZ: round trips to the bit, SMPL-family files in, and no pickles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongen.io import npz
from motiongen.motion import Motion
from motiongen.rotation import quat_normalize
from motiongen.skeleton import SMPL22, Skeleton


def random_motion(skeleton: Skeleton = SMPL22, frames: int = 5) -> Motion:
    generator = torch.Generator().manual_seed(1)
    rotations = quat_normalize(torch.randn(frames, skeleton.num_joints, 4, generator=generator))
    return Motion(
        skeleton=skeleton, rotations=rotations, root=torch.randn(frames, 3, generator=generator), fps=24.5
    )


def smpl_arrays(joints: int = 52, rate: str = "mocap_framerate") -> dict[str, np.ndarray]:
    poses = np.zeros((3, joints * 3))
    poses[:, 0] = np.pi / 2  # AMASS: a person who stands in a z-up world is turned 90 degrees about x
    poses[:, 12] = 0.3  # left knee
    return {
        "poses": poses,
        "trans": np.tile([1.0, 2.0, 0.9], (3, 1)),
        rate: np.array(120.0),
        "gender": np.array("x"),
    }


def test_round_trip_to_the_bit(tmp_path):
    motion = random_motion()
    npz.write(motion, tmp_path / "a.npz")
    again = npz.read(tmp_path / "a.npz")
    assert torch.equal(again.rotations, motion.rotations)
    assert torch.equal(again.root, motion.root)
    assert again.skeleton is SMPL22
    assert again.fps == 24.5


def test_round_trip_keeps_rest_ends_and_translations(tmp_path):
    offsets = torch.tensor([[0.0, 0, 0], [0.0, 0.5, 0]])
    rest = quat_normalize(torch.tensor([[0.0, 0, 0, 1], [1.0, 0, 0, 1]]))
    skeleton = Skeleton(("a", "b"), (-1, 0), offsets, rest=rest, ends=((1, (0.1, 0.2, 0.3)),))
    motion = replace(random_motion(skeleton), translations=torch.arange(30.0).reshape(5, 2, 3))
    npz.write(motion, tmp_path / "a.npz")
    again = npz.read(tmp_path / "a.npz")
    assert again.skeleton.ends == skeleton.ends
    assert torch.equal(again.skeleton.rest, rest)
    assert torch.equal(again.translations, motion.translations)


def test_the_same_motion_gives_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        npz.write(random_motion(), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("joints", "rate"),
    [(24, "fps"), (52, "mocap_framerate"), (55, "mocap_frame_rate")],
    ids=["smpl", "smplh", "smplx"],
)
def test_smpl_family_files_stand_upright(tmp_path, joints, rate):
    np.savez(tmp_path / "a.npz", **smpl_arrays(joints, rate))
    motion = npz.read(tmp_path / "a.npz")
    torch.testing.assert_close(motion.root[0], torch.tensor([1.0, 0.9, -2.0]))  # z up becomes y up
    head = motion.positions()[0, SMPL22.index("head")] - motion.root[0]
    assert head[1] > 0.5
    torch.testing.assert_close(motion.rotations[0, 4, 0], torch.tensor(0.15).sin())
    assert motion.fps == 120.0


def test_separate_root_and_body_poses_read_the_same(tmp_path):
    arrays = smpl_arrays(55)
    np.savez(tmp_path / "a.npz", **arrays)
    poses = arrays.pop("poses")
    np.savez(tmp_path / "b.npz", root_orient=poses[:, :3], pose_body=poses[:, 3:66], **arrays)
    assert torch.equal(npz.read(tmp_path / "a.npz").rotations, npz.read(tmp_path / "b.npz").rotations)


def test_y_up_files_are_left_as_they_stand(tmp_path):
    np.savez(tmp_path / "a.npz", **smpl_arrays())
    torch.testing.assert_close(npz.read(tmp_path / "a.npz", up="y").root[0], torch.tensor([1.0, 2.0, 0.9]))


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        poses=np.array([{"evil": 1}], dtype=object),
        trans=np.zeros((1, 3)),
        fps=np.array(30),
    )
    with pytest.raises(ValueError, match=r"a\.npz: expected the arrays format.*got fps, trans"):
        npz.read(tmp_path / "a.npz")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_cut_file_is_one_clear_line(tmp_path, keep):
    npz.write(random_motion(), tmp_path / "a.npz")
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(ValueError, match=r"a\.npz: expected an \.npz archive") as caught:
        npz.read(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"format": np.array("motiongen/motion-v9")},
            "expected format motiongen/motion-v1, got motiongen/motion-v9",
        ),
        ({"rotations": np.zeros((5, 21, 4))}, r"expected rotations \(T, 22, 4\)"),
        ({"root": np.full((5, 3), np.nan)}, "expected finite numbers"),
        ({"fps": np.array(0.0)}, "fps: expected a positive rate"),
        ({"root": None}, "got no root"),
        ({"names": np.array(["x"] * 22)}, "expected distinct joint names"),
    ],
)
def test_wrong_arrays_are_named(tmp_path, change, message):
    npz.write(random_motion(), tmp_path / "a.npz")
    arrays = {**np.load(tmp_path / "a.npz"), **change}
    np.savez(tmp_path / "a.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match=message):
        npz.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mocap_framerate": None}, "expected one of mocap_frame_rate"),
        ({"poses": np.zeros((3, 60))}, r"expected poses of 22 or 24 or 52 or 55 joints.*got \(3, 60\)"),
        ({"trans": np.zeros((1, 3))}, r"3 poses and \(1, 3\)"),
        ({"poses": np.full((3, 66), np.nan)}, "expected finite numbers"),
    ],
)
def test_wrong_smpl_arrays_are_named(tmp_path, change, message):
    arrays = {**smpl_arrays(), **change}
    np.savez(tmp_path / "a.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match=message):
        npz.read(tmp_path / "a.npz")


def test_quaternions_of_other_lengths_are_scaled_and_zeros_are_named(tmp_path):
    motion = random_motion()
    npz.write(motion, tmp_path / "a.npz")
    arrays = dict(np.load(tmp_path / "a.npz"))
    arrays["rotations"] = arrays["rotations"].copy()
    arrays["rotations"][2, 3] *= 3
    np.savez(tmp_path / "b.npz", **arrays)
    again = npz.read(tmp_path / "b.npz")
    torch.testing.assert_close(again.rotations, motion.rotations)
    assert torch.equal(again.rotations[:2], motion.rotations[:2]), "the others stay to the bit"
    arrays["rotations"][2, 3] = 0
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(
        ValueError, match=r"c.npz: motion: expected unit quaternions, got one of length 0 in frame 2"
    ):
        npz.read(tmp_path / "c.npz")
