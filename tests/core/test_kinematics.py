"""Positions and velocities of features, against forward kinematics and by hand."""

import torch

from motiongen.features import LAYOUT, encode
from motiongen.kinematics import local_positions, world_velocities
from motiongen.rotation import quat_rotate, quat_yaw
from motiongen.skeleton import SMPL22
from tests.core.motions import wobble


def rest(frames):
    """Features of the T-pose, standing still."""
    features = torch.zeros(1, frames, 140)
    features[..., 4:136] = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(22)
    return features


def test_positions_are_the_bodys_without_heading():
    motion = wobble()
    expected = quat_rotate(quat_yaw(-motion.heading())[:, None], motion.positions() - motion.root[:, None])
    torch.testing.assert_close(local_positions(encode(motion)), expected, atol=1e-5, rtol=0)


def test_the_gradient_is_finite_for_a_pose_of_zeros():
    features = torch.zeros(1, 2, 140, requires_grad=True)
    local_positions(features).sum().backward()
    assert torch.isfinite(features.grad).all()


def test_a_walking_statue_moves_every_joint_at_the_roots_velocity():
    features = rest(3)
    features[..., LAYOUT["velocity"]] = torch.tensor([0.5, 1.5])
    features[0, :, 3] = torch.tensor([1.0, 1.01, 1.02])  # rises 1 cm a frame: 0.3 m/s
    velocities = world_velocities(features, local_positions(features))
    expected = torch.tensor([0.5, 0.3, 1.5]).expand(1, 2, 22, 3)
    torch.testing.assert_close(velocities, expected, rtol=0, atol=1e-5)


def test_a_turning_statue_sweeps_its_left_hand_backwards():
    # The left hand is at +x; turning left about +Y at 2 rad/s moves it towards -z at 2 x its distance.
    features = rest(2)
    features[..., LAYOUT["turn"]] = 2.0
    positions = local_positions(features)
    hand = SMPL22.index("left_wrist")
    velocity, position = world_velocities(features, positions)[0, 0, hand], positions[0, 0, hand]
    torch.testing.assert_close(velocity, torch.stack([2 * position[2], torch.tensor(0.0), -2 * position[0]]))
    assert position[0] > 0 and velocity[2] < 0
