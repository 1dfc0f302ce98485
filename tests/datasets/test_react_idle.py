"""ReActIdle: elbows that are hinges, and people who stand."""

from dataclasses import replace

import pytest
import torch

from motiongen.rotation import axis_angle_from_quat, quat_from_axis_angle
from motiongen.skeleton import SMPL22
from motiongen_datasets import react_idle
from tests.core.motions import t_pose


def test_elbows_become_hinges_and_nothing_moves():
    motion = t_pose(4)
    rotations = motion.rotations.clone()
    rotations[:, SMPL22.index("left_elbow")] = quat_from_axis_angle(torch.tensor([0.0, -1.2, -0.7]))
    rotations[:, SMPL22.index("right_elbow")] = quat_from_axis_angle(torch.tensor([0.0, 1.2, -0.3]))
    motion = replace(motion, rotations=rotations)
    hinged = react_idle.with_elbow_hinges(motion)
    torch.testing.assert_close(hinged.positions(), motion.positions())
    torch.testing.assert_close(hinged.global_rotations()[:, 20:], motion.global_rotations()[:, 20:])
    bend = axis_angle_from_quat(hinged.rotations)[
        0, [SMPL22.index("left_elbow"), SMPL22.index("right_elbow")]
    ]
    torch.testing.assert_close(bend[:, [0, 2]], torch.zeros(2, 2), rtol=0, atol=1e-5)
    assert bend[0, 1] < -1
    assert bend[1, 1] > 1


@pytest.mark.shared_data
@pytest.mark.slow
def test_real_people_stand_on_both_feet(real_dataset):
    clips = react_idle.clips(real_dataset("react_idle"))
    assert len(clips) == 6
    motion = min(clips, key=lambda clip: clip.load.args[0].stat().st_size).load()
    assert motion.contacts().float().mean() > 0.9
    assert motion.positions()[:, SMPL22.index("head"), 1].mean() == pytest.approx(1.5, abs=0.1)
