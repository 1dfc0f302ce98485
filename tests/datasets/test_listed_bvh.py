"""BVH files in a clips.csv: which are read, and how their bodies come to stand."""

import math

import pytest
import torch

from motiongen.body_floor import body_floor, standing_floor
from motiongen.contacts import CONTACT_INDEX
from motiongen.io import bvh
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_rotate
from motiongen.skeleton import SMPL22
from motiongen_datasets import accad, cmu_alt, cmu_fbx, rocketbox
from motiongen_datasets.flat_feet import with_flat_feet
from motiongen_datasets.head_level import with_raised_head
from motiongen_datasets.listed_bvh import load, on_floor, tiled
from motiongen_datasets.registry import clips_of
from tests.core.motions import t_pose
from tests.datasets.test_time_check import stride

TABLES = {
    "cmu_fbx": "clip,file,subject,description,subject_title,sentences,fps,unit_to_metres,ankle_p5_cm,note\n"
    '07_01,bvh/a.bvh,07,"walk, veer left",walk,A human walks. | Someone strolls.,24,1,8,\n'
    "49_08,bvh/a.bvh,49,cartwheels,acrobatics,,24,1,8,\n",
    "cmu_alt": "clip,file,description,sentences,fps,unit_to_metres,same_trial_in\n"
    "49_08,bvh/a.bvh,cartwheels,,60,1,cmu_fbx_41_94\n",
    "rocketbox": "file,clip,label,description,performer,fps,unit_to_metres,one_cycle_loop\n"
    "bvh/a.bvh,m_walk,walk_cool,a man walks in a cool way,male,30,1,1\n",
    "accad": "file,clip,description,fps,unit_to_metres,lowest_joint_cm\n"
    "bvh/a.bvh,A11_CrawlForward,a woman crawls forward,30,1,5\n",
}


@pytest.fixture
def folders(tmp_path):
    """A folder a dataset, each with a table and one file."""
    for name, table in TABLES.items():
        (tmp_path / name / "bvh").mkdir(parents=True)
        (tmp_path / name / "clips.csv").write_text(table)
        bvh.write(stride(0.9, 2.0), tmp_path / name / "bvh" / "a.bvh")
    return tmp_path


def test_each_dataset_reads_its_own_table(folders):
    for module, name in (
        (cmu_fbx, "cmu_fbx"),
        (cmu_alt, "cmu_alt"),
        (rocketbox, "rocketbox"),
        (accad, "accad"),
    ):
        found = [clip.id for clip in module.clips(folders / name)]
        assert len(found) == 1 and found[0].startswith(f"{name}/")
        others = [other for other in TABLES if other != name]
        assert all(not module.clips(folders / other) for other in others)


def test_a_folder_of_folders_is_read_too(folders):
    (clip,) = clips_of(f"cmu_fbx={folders}")
    assert clip.labels.content == "walk-turn-left"
    assert clip.labels.sentences == ("A human walks.", "Someone strolls.")
    assert clip.is_take


def test_a_trial_of_which_there_is_a_better_version_is_left_out(folders):
    assert [clip.id for clip in cmu_fbx.clips(folders / "cmu_fbx")] == ["cmu_fbx/07_01"]


def test_the_rate_of_the_table_counts(folders):
    (clip,) = cmu_fbx.clips(folders / "cmu_fbx")
    assert clip.load().seconds == pytest.approx(2.0 * 30 / 24, abs=0.1)


def test_a_loop_of_one_cycle_goes_on(folders):
    (clip,) = rocketbox.clips(folders / "rocketbox")
    motion = clip.load()
    assert 4.0 <= motion.seconds < 6.1
    assert float(motion.root[-1, 2]) == pytest.approx(1.3 * motion.seconds, rel=0.1)


def test_tiles_follow_each_other_without_a_jump():
    whole = tiled(stride(1.0, 1.0), 3.5)
    step = (whole.root[1:] - whole.root[:-1]).norm(dim=-1)
    assert step.max() < 0.06


def test_a_standing_body_is_put_on_its_feet(tmp_path):
    bvh.write(stride(0.9, 2.0).moved(torch.tensor([0.0, 0.7, 0.0])), tmp_path / "a.bvh")
    motion = load(tmp_path / "a.bvh", 1.0)
    feet = motion.positions()[:, CONTACT_INDEX, 1]
    assert float(feet.min()) == pytest.approx(0.03, abs=0.02)


def test_hands_that_reach_below_the_floor_do_not_lift_the_feet():
    motion = t_pose(100)
    rotations = motion.rotations.clone()
    for side, sign in (("left", -1.0), ("right", 1.0)):  # arms down and the body low: hands below the soles
        rotations[60:90, SMPL22.index(f"{side}_shoulder")] = quat_from_axis_angle(
            torch.tensor([0.0, 0.0, sign * math.pi / 2])
        )
        bent = quat_from_axis_angle(torch.tensor([-1.9, 0.0, 0.0]))
        rotations[60:90, SMPL22.index(f"{side}_hip")] = bent
    root = motion.root.clone()
    root[60:90, 1] -= 0.38
    put = on_floor(Motion(SMPL22, rotations, root, 30.0))
    assert standing_floor(put.positions(), 30.0) == pytest.approx(0.0, abs=1e-5)


def test_toes_that_point_up_while_standing_are_laid_down():
    motion = t_pose(60)
    rotations = motion.rotations.clone()
    for side, angle in (("left", -0.4), ("right", 0.5)):  # toes up; on tiptoe
        rotations[:, SMPL22.index(f"{side}_ankle")] = quat_from_axis_angle(torch.tensor([angle, 0.0, 0.0]))
    flat = with_flat_feet(Motion(SMPL22, rotations, motion.root, 30.0))
    positions, rest = flat.positions(), motion.positions()
    left, right = SMPL22.index("left_foot"), SMPL22.index("right_foot")
    torch.testing.assert_close(positions[:, left], rest[:, left], rtol=0, atol=1e-3)
    assert (positions[:, right, 1] < rest[:, right, 1] - 0.03).all()


def test_a_head_is_raised_by_its_degrees():
    raised = with_raised_head(t_pose(3), 12.0)
    ahead = quat_rotate(
        raised.global_rotations()[:, SMPL22.index("head")], torch.tensor([0.0, 0.0, 1.0]).expand(3, 3)
    )
    assert math.degrees(math.asin(float(ahead[0, 1]))) == pytest.approx(12.0, abs=0.01)


def test_a_body_that_lies_rests_on_what_is_lowest_not_on_its_feet():
    motion = t_pose(60)
    rotations = motion.rotations.clone()
    rotations[:, 0] = quat_from_axis_angle(
        torch.tensor([-math.pi / 2, 0.0, 0.0])
    )  # on the back, feet up front
    lying = on_floor(Motion(SMPL22, rotations, motion.root, 30.0))
    assert body_floor(lying.positions()) == pytest.approx(0.0, abs=1e-5)
