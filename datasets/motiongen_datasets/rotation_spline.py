"""Motion captured at 12 or 24 frames a second brought to 30 by splines, so that speed has no corners."""

from dataclasses import replace

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from motiongen import limits
from motiongen.motion import Motion
from motiongen.rotation import quat_normalize, quat_unroll


def resample_smooth(motion: Motion, fps: float) -> Motion:
    """Return the motion at another rate along cubic splines through its frames.

    Rotations are splined as quaternions of one sign and normalised: between two frames of a capture they turn little
    enough for that to be a rotation spline whose velocity and acceleration are continuous.
    """
    if motion.num_frames < 4 or fps == motion.fps:
        return motion.resample(fps)
    count = round((motion.num_frames - 1) * fps / motion.fps) + 1
    joints = motion.skeleton.num_joints
    limits.check_poses(count, joints, limits.GROWTH * motion.num_frames * joints)
    times = np.minimum(np.arange(count) * motion.fps / fps, motion.num_frames - 1)
    return replace(
        motion,
        rotations=quat_normalize(_spline(quat_unroll(motion.rotations), times)),
        root=_spline(motion.root, times),
        translations=None if motion.translations is None else _spline(motion.translations, times),
        fps=float(fps),
    )


def _spline(values: Tensor, times: np.ndarray) -> Tensor:
    frames = np.arange(len(values), dtype=np.float64)
    splined = CubicSpline(frames, values.double().numpy(), axis=0)(times)
    return torch.from_numpy(splined).to(values)
