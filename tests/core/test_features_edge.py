import math

import pytest
import torch

from motiongen import features_edge
from motiongen.rotation import quat_yaw
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose, wobble


def test_a_frame_of_the_rest_pose_by_hand():
    frame = features_edge.encode(t_pose(3))[1]
    assert frame.shape == (151,)
    torch.testing.assert_close(frame[4:7], torch.tensor([0.0, 0.0, 0.97]), atol=1e-6, rtol=0)  # Z is up
    rows = frame[7:].view(24, 6)
    torch.testing.assert_close(rows[0], torch.tensor([1.0, 0, 0, 0, 0, -1]), atol=1e-6, rtol=0)
    torch.testing.assert_close(rows[1:], torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(23, 6), atol=1e-6, rtol=0)


def test_the_six_numbers_are_rows():
    motion = t_pose(2)
    turned = motion.rotations.clone()
    turned[:, 15] = quat_yaw(torch.tensor(math.pi / 6))  # the head
    frame = features_edge.encode(type(motion)(motion.skeleton, turned, motion.root, 30.0))[0]
    expected = torch.tensor([math.cos(math.pi / 6), 0, 0.5, 0, 1, 0])
    torch.testing.assert_close(frame[7:].view(24, 6)[15], expected, atol=1e-6, rtol=0)


def test_a_motion_comes_back():
    motion = wobble(40)
    back = features_edge.decode(features_edge.encode(motion))
    torch.testing.assert_close(back.positions(), motion.positions(), atol=1e-5, rtol=0)
    torch.testing.assert_close(back.rotations.abs(), motion.rotations.abs(), atol=1e-5, rtol=0)


def test_contacts_are_in_edges_order():
    motion = t_pose(4)
    frames = features_edge.encode(motion)
    assert torch.equal(frames[:, features_edge.LAYOUT["contacts"]], torch.ones(4, 4))
    lifted = motion.rotations.clone()
    lifted[:, 1] = torch.tensor([-math.sqrt(0.5), 0, 0, math.sqrt(0.5)])  # the left leg, forward and up
    frames = features_edge.encode(type(motion)(motion.skeleton, lifted, motion.root, 30.0))
    assert frames[2, :4].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_contact_joints_are_named_in_the_order_of_the_contacts():
    index = features_edge.CONTACT_INDEX
    assert [SMPL22.names[i] for i in index] == list(features_edge.CONTACT_JOINTS)
    assert index == [7, 8, 10, 11]  # SMPL's, as in the released code
    assert features_edge.LAYOUT["rotations"].stop == features_edge.FEATURE_DIM == 151


def test_the_mirror_is_that_of_the_motion():
    stand = t_pose(20)
    turns = wobble(20).rotations
    turns[:, [2, 5, 8, 11]] = stand.rotations[:, [2, 5, 8, 11]]  # the right leg stands, the left one swings
    turns[:, 0] = stand.rotations[:, 0]
    motion = type(stand)(stand.skeleton, turns, stand.root + torch.tensor([0.3, 0, 0]), 30.0)
    mirrored = features_edge.mirror(features_edge.encode(motion))
    assert not torch.equal(mirrored[:, :4], features_edge.encode(motion)[:, :4])
    torch.testing.assert_close(mirrored, features_edge.encode(motion.mirror()), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        features_edge.mirror(mirrored), features_edge.encode(motion), atol=1e-6, rtol=0
    )


def test_numbers_that_are_no_rotation_become_one():
    frames = features_edge.encode(wobble(6))
    frames = frames + 0.1 * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))
    x, y, z = features_edge.decode(frames).positions().unbind(-1)
    torch.testing.assert_close(
        features_edge.positions(frames), torch.stack([x, -z, y], dim=-1), atol=1e-5, rtol=0
    )


def test_positions_are_those_of_the_motion_and_have_gradients():
    motion = wobble(12)
    frames = features_edge.encode(motion).requires_grad_()
    joints = features_edge.positions(frames[None])
    x, y, z = motion.positions().unbind(-1)
    torch.testing.assert_close(joints[0], torch.stack([x, -z, y], dim=-1), atol=1e-5, rtol=0)
    joints.square().sum().backward()
    assert torch.isfinite(frames.grad).all()


def test_other_bodies_are_refused():
    with pytest.raises(ValueError, match="expected SMPL's 22 joints at 30 fps, got 22 joints at 60"):
        features_edge.encode(wobble(8, fps=60.0))
