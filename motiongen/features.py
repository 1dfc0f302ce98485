"""Motion features: 140 numbers a frame for a pose of SMPL-22 and the step that led to it, at 30 fps.

Rotations are features themselves, so that decoding needs no inverse kinematics. The root's path is given as turn and
velocity in the heading frame, so that features do not depend on where a motion starts, and may run without end.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from motiongen.feature_layout import FEATURE_DIM, FPS, LAYOUT
from motiongen.motion import Motion
from motiongen.rotation import (
    quat_from_6d,
    quat_multiply,
    quat_normalize,
    quat_rotate,
    quat_yaw,
    sixd_from_quat,
)
from motiongen.skeleton import SMPL22

__all__ = [
    "FEATURE_DIM",
    "FPS",
    "LAYOUT",
    "Frames",
    "RootState",
    "decode",
    "encode",
    "end_of",
    "init_state",
    "mirror",
    "start_of",
    "step",
]


@dataclass
class RootState:
    """The root after B streams' last frames: heading (B,), radians, and position (B, 2) on x and z, metres."""

    heading: Tensor
    position: Tensor


@dataclass(frozen=True)
class Frames:
    """Decoded poses: rotations (B, T, 22, 4), root (B, T, 3) metres, contacts (B, T, 4) bool."""

    rotations: Tensor
    root: Tensor
    contacts: Tensor

    def motion(self, index: int = 0) -> Motion:
        """Return one batch item as a Motion."""
        return Motion(SMPL22, self.rotations[index].cpu(), self.root[index].cpu(), FPS)


def encode(motion: Motion) -> Tensor:
    """Return features (T, 140) of a motion of SMPL-22 at 30 fps that stands on y = 0.

    Raises:
        ValueError: the motion has another skeleton or rate.
    """
    if motion.skeleton.names != SMPL22.names:
        raise ValueError(
            f"motion: expected the 22 joints of SMPL, got {motion.skeleton.num_joints} joints beginning with "
            f"{motion.skeleton.names[0]!r}; use motion.retarget(SMPL22)"
        )
    if abs(motion.fps - FPS) > 0.01:
        raise ValueError(f"fps: expected {FPS:g}, got {motion.fps:g}; use motion.resample({FPS:g})")
    heading = motion.heading()  # (T,)
    tilt = quat_multiply(quat_yaw(-heading), motion.rotations[:, 0])
    turn = _wrap(heading[1:] - heading[:-1]) * FPS
    step = quat_rotate(quat_yaw(-heading[1:]), motion.root[1:] - motion.root[:-1]) * FPS  # (T - 1, 3)
    velocity = step[:, [0, 2]]
    if motion.num_frames == 1:
        turn, velocity = heading.new_zeros(1), heading.new_zeros(1, 2)
    else:  # nothing led to the first frame: it takes the second's step
        turn, velocity = torch.cat([turn[:1], turn]), torch.cat([velocity[:1], velocity])
    return torch.cat(
        [
            turn[:, None],
            velocity,
            motion.root[:, 1:2],
            sixd_from_quat(tilt),
            sixd_from_quat(motion.rotations[:, 1:]).flatten(1),
            motion.contacts().to(heading),
        ],
        dim=-1,
    )  # (T, 140)


def start_of(motion: Motion) -> RootState:
    """Return the state before the first frame: decoding encode(motion) from it gives the motion at its position."""
    features = encode(motion[:2])
    heading = motion.heading()[:1]
    step = torch.zeros_like(motion.root[:1])
    step[:, [0, 2]] = features[:1, LAYOUT["velocity"]] / FPS
    position = motion.root[:1] - quat_rotate(quat_yaw(heading), step)
    return RootState(heading=heading - features[:1, 0] / FPS, position=position[:, [0, 2]])


def end_of(motion: Motion) -> RootState:
    """Return the state after the last frame: the next decoded frame continues the motion."""
    return RootState(heading=motion.heading()[-1:], position=motion.root[-1:, [0, 2]])


def init_state(batch_size: int) -> RootState:
    """Return the state of streams at the origin, facing +Z."""
    return RootState(heading=torch.zeros(batch_size), position=torch.zeros(batch_size, 2))


def step(features: Tensor, state: RootState) -> Frames:
    """Return the poses of the next features (B, T, 140); updates the state in place."""
    features = features.float()
    heading = state.heading[:, None] + (features[..., 0] / FPS).cumsum(dim=1)  # (B, T)
    yaw = quat_yaw(heading)
    velocity = torch.zeros_like(features[..., :3])
    velocity[..., [0, 2]] = features[..., LAYOUT["velocity"]]
    path = state.position[:, None] + (quat_rotate(yaw, velocity)[..., [0, 2]] / FPS).cumsum(
        dim=1
    )  # (B, T, 2)
    state.heading, state.position = heading[:, -1], path[:, -1]
    root = torch.stack([path[..., 0], features[..., 3], path[..., 1]], dim=-1)
    pelvis = quat_multiply(yaw, quat_from_6d(features[..., LAYOUT["tilt"]]))
    joints = quat_from_6d(features[..., LAYOUT["joints"]].unflatten(-1, (21, 6)))  # (B, T, 21, 4)
    rotations = quat_normalize(torch.cat([pelvis[..., None, :], joints], dim=-2))
    return Frames(rotations=rotations, root=root, contacts=features[..., LAYOUT["contacts"]] > 0.5)


def decode(features: Tensor, start: RootState | None = None) -> Motion:
    """Return the motion of features (T, 140), from the origin facing +Z unless a start is given."""
    state = init_state(1) if start is None else RootState(start.heading.clone(), start.position.clone())
    return step(features[None].cpu(), state).motion()


def mirror(features: Tensor) -> Tensor:
    """Return features (..., 140) of the mirrored motion, those of encode(motion.mirror())."""
    permutation, signs = _mirror_map()
    return features[..., permutation.to(features.device)] * signs.to(features)


@lru_cache(maxsize=1)
def _mirror_map() -> tuple[Tensor, Tensor]:
    """Channel order and signs: mirrored matrices are S R S with S = diag(-1, 1, 1)."""
    sixd_signs = torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, 1.0])
    joints = torch.tensor(SMPL22.mirror_index[1:]) - 1  # the pelvis has its slice of its own
    order = [torch.arange(10), (10 + joints[:, None] * 6 + torch.arange(6)).flatten()]
    order.append(LAYOUT["contacts"].start + torch.tensor([2, 3, 0, 1]))
    signs = [torch.tensor([-1.0, -1.0, 1.0, 1.0]), sixd_signs.repeat(22), torch.ones(4)]
    return torch.cat(order), torch.cat(signs)


def _wrap(angle: Tensor) -> Tensor:
    """Return the angle within (-pi, pi]."""
    return torch.atan2(torch.sin(angle), torch.cos(angle))
