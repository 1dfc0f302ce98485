"""CMU: its T-pose, its units and rates, and what is left out."""

import pickle
from pathlib import Path

import pytest
import torch

from motiongen.io import asf
from motiongen.rotation import axis_angle_from_quat, quat_angle
from motiongen.skeleton import SMPL22
from motiongen_datasets import cmu
from tests.datasets.acclaim import write_clip
from tests.datasets.folders import CMU_COLUMNS


@pytest.fixture
def folder(tmp_path) -> Path:
    bent = {"lradius": "90", "rradius": "90", "lfemur": "-30 0 -20"}
    write_clip(tmp_path, "07_01", [bent | {"root": f"0 17.5 {n} 0 0 0"} for n in range(80)])
    rows = ["07_01,07_01.amc,toy.asf,120,1.3,0.056444,walk,A person walks.|Someone walks.,0,,60"]
    rows += [
        "09_10,07_01.amc,toy.asf,120,1.3,0.056444,run,,6,,60",
        "135_08,07_01.amc,toy.asf,120,1,0.056444,x,,0,,60",
    ]
    (tmp_path / "clips.csv").write_text("\n".join([CMU_COLUMNS, *rows]))
    return tmp_path


def test_clips_carry_the_words_of_the_table(folder):
    clip = cmu.clips(folder)[0]
    assert (clip.id, clip.labels.content, clip.meta["subject"]) == ("cmu/07_01", "walk", "07")
    assert clip.labels.sentences == ("A person walks.", "Someone walks.")
    assert "free" in clip.licence


def test_the_rate_is_that_of_the_file_and_the_unit_metres(folder):
    motion = cmu.clips(folder)[0].load()
    assert (motion.num_frames, motion.fps) == (40, 30.0)
    scale = 0.805 / (14.4 * 0.056444)  # SMPL-22's legs over the toy's
    moved = motion.root[-1, 2] - motion.root[0, 2]
    torch.testing.assert_close(moved, torch.tensor(78 * 0.056444 * scale), rtol=0.01, atol=0)


def test_joints_move_in_their_own_planes_after_retargeting(folder):
    turns = axis_angle_from_quat(cmu.clips(folder)[0].load().rotations)[0].rad2deg()  # (22, 3)

    expected = {
        "left_elbow": (0, -90, 0),  # a hinge about y, to the front
        "right_elbow": (0, 90, 0),
        "left_hip": (-30, 0, 0),  # forward
        "right_hip": (0, 0, 0),
        "left_ankle": (0, 0, 0),  # flat, though the zero pose rolls the feet
        "right_ankle": (0, 0, 0),
    }
    for name, turn in expected.items():
        found = turns[SMPL22.index(name)]
        # SMPL-22's own legs are up to 3 degrees off the vertical.
        torch.testing.assert_close(
            found, torch.tensor(turn, dtype=torch.float32), rtol=0, atol=3.0, msg=f"{name} {found}"
        )


def test_hands_are_palm_down_in_the_t_pose(folder):
    skeleton = asf.asf_skeleton(asf.parse_asf(folder / "toy.asf"), 1.0)
    turns, _ = skeleton.fk(cmu.t_pose(skeleton, cmu.ASF_MAPPING), torch.zeros(3))
    hand = turns[skeleton.index("lhand")]
    assert quat_angle(hand, torch.tensor([0.0, 0.0, 0.0, 1.0])) < 1e-4


@pytest.mark.parametrize(("index", "reason"), [(1, "more than 5 frames jump"), (2, "hardly moves")])
def test_clips_of_no_use_say_why(folder, index, reason):
    with pytest.raises(ValueError, match=reason):
        cmu.clips(folder)[index].load()


def test_loading_is_picklable(folder):
    again = pickle.loads(pickle.dumps(cmu.clips(folder)[0]))
    assert again.load().num_frames == 40


@pytest.mark.shared_data
@pytest.mark.slow
def test_a_real_clip_jumps_forward_facing_where_it_goes(real_dataset):
    folder = real_dataset("cmu", "asfamc/01/01.asf", "asfamc/01/01_01.amc")
    clip = folder / "asfamc" / "01"
    motion = cmu.load(clip / "01_01.amc", clip / "01.asf", 60.0, 0.056444)
    velocity = (motion.root[1:] - motion.root[:-1])[:, [0, 2]] * motion.fps
    moving = velocity.norm(dim=-1) > 0.5
    velocity = velocity[moving]
    ahead = torch.stack([motion.heading().sin(), motion.heading().cos()], dim=-1)[1:][moving]
    assert (velocity * ahead).sum() > 0.9 * velocity.norm(dim=-1).sum()
    assert motion.positions()[:, SMPL22.index("head"), 1].median() > 1.3
