"""Kinetic and geometric features of dances, and the metrics FID_k, FID_g, Dist_k and Dist_g on them.

Kinetic features (Onuma et al., "FMDistance", Eurographics 2008) and geometric ones (Mueller et al., "Efficient
Content-Based Retrieval of Motion Capture Data", SIGGRAPH 2005), with the joints and thresholds of the fairmotion
library, as the repositories of AIST++ and Bailando have it now (Li et al., ICCV 2021; Siyao et al., CVPR 2022). The
original acceleration of fairmotion, still found in copies, divides only the earlier position by the frame time.

Computed at 60 frames a second, as there. Our body has other proportions than SMPL's and the dances differ, so that
values are comparable with each other, but with published ones only in their order of magnitude.
"""

import math

import torch
from torch import Tensor

from motiongen.evaluation.fid import frechet_distance
from motiongen.kinematic_beats import RATE, at_rate
from motiongen.skeleton import SMPL22

KINETIC_DIM, GEOMETRIC_DIM = 72, 32
HAND = 0.084
"""Distance of SMPL's hand joint from its wrist along the forearm, metres; the 24-joint body has two more joints."""
RADIUS = 2
"""Velocities and accelerations are averaged over this many frames to both sides."""

HUMERUS, SHOULDERS, HIPS = 0.25684, 0.39085, 0.11925
"""Sizes of SMPL's mean body, metres; the units of the thresholds."""
FRAME_TIME = 1 / 120
"""Seconds; fairmotion's constant for velocities, independent of the frame rate."""

_J = {name: index for index, name in enumerate((*SMPL22.names, "left_hand", "right_hand"))}
_MOVES_ALONG_NORMAL = (  # the last joint's velocity from the first, along the normal of the first three
    (("neck", "right_hip", "left_hip", "right_wrist"), 1.8 * HUMERUS),
    (("neck", "left_hip", "right_hip", "left_wrist"), 1.8 * HUMERUS),
)
_BEYOND = (  # the last joint lies so far from the third, along the line of the first two
    (("spine3", "neck", "neck", "right_wrist"), 0.2 * HUMERUS),
    (("spine3", "neck", "neck", "left_wrist"), 0.2 * HUMERUS),
    (("left_shoulder", "right_shoulder", "left_wrist", "right_wrist"), 2.5 * SHOULDERS),
    (("left_hip", "right_hip", "left_ankle", "right_ankle"), 2.1 * HIPS),
)
# fairmotion gives a fourth joint, for the first two lines the wrists, which it does not use: hence the duplicate.
_MOVES_ALONG = (  # the third joint's velocity from the first, along the line of the first two
    (("spine1", "spine3", "spine3"), 1.8 * HUMERUS),
    (("spine1", "spine3", "spine3"), 1.8 * HUMERUS),
    (("left_wrist", "right_wrist", "right_wrist"), 1.4 * HUMERUS),
    (("right_wrist", "pelvis", "left_wrist"), 1.4 * HUMERUS),
    (("left_wrist", "pelvis", "right_wrist"), 1.4 * HUMERUS),
)
_ANGLES = (  # between two lines, degrees
    (("right_elbow", "right_shoulder", "right_elbow", "right_wrist"), (0, 110)),
    (("left_elbow", "left_shoulder", "left_elbow", "left_wrist"), (0, 110)),
    (("right_knee", "right_hip", "right_knee", "right_ankle"), (0, 110)),
    (("left_knee", "left_hip", "left_knee", "left_ankle"), (0, 110)),
    (("neck", "pelvis", "right_shoulder", "right_elbow"), (25, 180)),
    (("neck", "pelvis", "left_shoulder", "left_elbow"), (25, 180)),
    (("neck", "pelvis", "right_hip", "right_knee"), (50, 180)),
    (("neck", "pelvis", "left_hip", "left_knee"), (50, 180)),
)
_OUT_OF_PLANE = (  # the last joint's distance from the plane of the first three
    (("pelvis", "left_hip", "left_foot", "right_ankle"), 0.38 * HUMERUS),
    (("pelvis", "right_hip", "right_foot", "left_ankle"), 0.38 * HUMERUS),
    (("right_ankle", "neck", "left_ankle", "pelvis"), 0.5 * HUMERUS),
)
_FAST = (
    ("right_wrist", 2.5 * HUMERUS),
    ("left_wrist", 2.5 * HUMERUS),
    ("right_ankle", 2.5 * HUMERUS),
    ("left_ankle", 2.5 * HUMERUS),
    ("pelvis", 2.3 * HUMERUS),
)
_RAISED = (("right_ankle", 1.2 * HUMERUS), ("left_ankle", 1.2 * HUMERUS))  # over the lowest joint
_LOWERED = (("right_wrist", 1.2 * HUMERUS), ("left_wrist", 1.2 * HUMERUS))  # no further over it


def kinetic_features(positions: Tensor, fps: float) -> Tensor:
    """Return kinetic features (72,) of a clip: three for each of SMPL's 24 joints.

    They are the mean squares of the horizontal and of the vertical velocity (m²/s²), and the mean magnitude of the
    acceleration (m/s²). Velocities and accelerations are averaged over five frames.

    Args:
        positions: (T, 22, 3) joint positions, metres, Y up.
        fps: frames a second.

    Raises:
        ValueError: fewer than three frames at 60 fps.
    """
    joints = _resampled_with_hands(positions, fps)  # (T, 24, 3)
    steps = (joints[1:] - joints[:-1]) * RATE
    velocity = _averaged(steps, len(joints), RADIUS, first=-1)[1:]  # (T - 1, 24, 3)
    change = (steps[1:] - steps[:-1]) * RATE
    acceleration = _averaged(change, len(joints), RADIUS, first=-1, last=1)[1:]
    features = torch.stack(
        [
            velocity[..., [0, 2]].square().sum(-1).mean(0),
            velocity[..., 1].square().mean(0),
            acceleration.norm(dim=-1).mean(0),
        ],
        dim=-1,
    )  # (24, 3)
    return features.flatten().float()


def geometric_features(positions: Tensor, fps: float) -> Tensor:
    """Return geometric features (32,) of a clip: the share of frames in which each of 32 relations holds.

    Their order differs from fairmotion's, which does not affect distances between features.

    Args:
        positions: (T, 22, 3) joint positions, metres, Y up.
        fps: frames a second.

    Raises:
        ValueError: fewer than three frames at 60 fps.
    """
    joints = _resampled_with_hands(positions, fps)
    before, now = joints[:-1], joints[1:]  # (T - 1, 24, 3)
    lowest = now[..., 1].amin(-1)  # (T - 1,)
    holds = [_along_normal(now, before, names) > limit for names, limit in _MOVES_ALONG_NORMAL]
    holds += [_beyond(now, names) > limit for names, limit in _BEYOND]
    holds += [_along(now, before, names) > limit for names, limit in _MOVES_ALONG]
    holds += [(_angle(now, names) > low) & (_angle(now, names) < high) for names, (low, high) in _ANGLES]
    holds += [_out_of_plane(now, names) > limit for names, limit in _OUT_OF_PLANE]
    holds += [
        (now[:, _J[name]] - before[:, _J[name]]).norm(dim=-1) / FRAME_TIME > limit for name, limit in _FAST
    ]
    holds += [now[:, _J[name], 1] - lowest > limit for name, limit in _RAISED]
    holds += [now[:, _J[name], 1] - lowest < limit for name, limit in _LOWERED]
    spine = now[:, _J["pelvis"]] - now[:, _J["neck"]]
    lean = torch.rad2deg(torch.acos((spine[:, 1] / spine.norm(dim=-1)).clamp(-1, 1)))
    holds.append((lean > 70) & (lean < 110))  # the trunk lies level
    return torch.stack(holds, dim=-1).float().mean(0)


def dance_fid(generated: Tensor, real: Tensor) -> float:
    """Return the Frechet distance of features to real ones, standardised by the real ones.

    With fewer samples than D the covariances are singular. Published values (40 dances, D = 72) are computed in spite
    of it, with a matrix root that may be complex. `frechet_distance` is exact in this case, but far above the value for
    many samples: compare only values from equal numbers of samples.

    Args:
        generated: (N, D) features.
        real: (M, D) features.

    Raises:
        ValueError: fewer than two samples, different D, or real features without variance.
    """
    return frechet_distance(*_standardised(generated, real))


def distance_diversity(generated: Tensor, real: Tensor) -> float:
    """Return Dist, the mean pairwise distance of features, standardised by the real ones.

    Args:
        generated: (N, D) features.
        real: (M, D) features.

    Raises:
        ValueError: fewer than two samples, different D, or real features without variance.
    """
    return float(torch.pdist(_standardised(generated, real)[0]).mean())


def _standardised(generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Return both sets of features, standardised by mean and deviation of the real ones.

    Features without variance in the real set are left out; the published code divides by 1e-10 instead, so that a
    single sample can determine the distance.
    """
    is_shaped = generated.dim() == 2 and real.dim() == 2 and generated.shape[1] == real.shape[1]
    if not is_shaped or min(len(generated), len(real)) < 2:
        raise ValueError(
            f"features: expected (N >= 2, D) and (M >= 2, D), got {tuple(generated.shape)} and {tuple(real.shape)}; "
            "take the same features of more dances"
        )
    mean, std = real.double().mean(0), real.double().std(0, correction=0)
    varies = std > 1e-8
    if not varies.any():
        raise ValueError("real: expected features that differ, got the same ones; take more dances")
    mean, std = mean[varies], std[varies]
    return (generated.double()[:, varies] - mean) / std, (real.double()[:, varies] - mean) / std


def _resampled_with_hands(positions: Tensor, fps: float) -> Tensor:
    """Return joint positions (T', 24, 3) at RATE frames a second."""
    resampled = at_rate(positions.double(), fps)
    if len(resampled) < 3:
        raise ValueError(
            f"positions: expected at least 3 frames at {RATE:g} fps, got {len(positions)} at {fps:g}; "
            "give more of the clip"
        )
    return _with_hands(resampled)


def _with_hands(joints: Tensor) -> Tensor:
    """Return joint positions (T, 24, 3) with hands, extrapolated from the forearms."""
    hands = []
    for side in ("left", "right"):
        wrist, elbow = joints[:, _J[f"{side}_wrist"]], joints[:, _J[f"{side}_elbow"]]
        hands.append(wrist + HAND * torch.nn.functional.normalize(wrist - elbow, dim=-1))
    return torch.cat([joints, torch.stack(hands, dim=1)], dim=1)


def _averaged(values: Tensor, frames: int, radius: int, first: int, last: int = 0) -> Tensor:
    """Return moving averages (frames, ...) of values over `radius` frames to both sides, as far as they exist.

    The value of frame i is values[i + first]; the first frame and the last `last` frames have none.
    """
    padded = values.new_zeros(frames + 2 * radius, *values.shape[1:])
    there = values.new_zeros(frames + 2 * radius)
    own = slice(radius - first, radius - first + frames + first - last)
    padded[own], there[own] = values, 1.0
    sums = padded.unfold(0, 2 * radius + 1, 1).sum(-1)
    count = there.unfold(0, 2 * radius + 1, 1).sum(-1)
    return sums / count.clamp_min(1).view(-1, *[1] * (values.dim() - 1))


def _joints(joints: Tensor, names: tuple[str, ...]) -> tuple[Tensor, ...]:
    return tuple(joints[:, _J[name]] for name in names)


def _projected(vector: Tensor, direction: Tensor) -> Tensor:
    """Return the component (T,) of a vector (T, 3) along a direction (T, 3); 0 for a zero direction."""
    length = direction.norm(dim=-1)
    return torch.where(length > 1e-8, (vector * direction).sum(-1) / length.clamp_min(1e-8), 0.0)


def _along_normal(now: Tensor, before: Tensor, names: tuple[str, ...]) -> Tensor:
    a, b, c, p = _joints(now, names)
    moved = (p - a) - (before[:, _J[names[3]]] - before[:, _J[names[0]]])
    return _projected(moved, torch.cross(c - a, b - a, dim=-1)) / FRAME_TIME


def _along(now: Tensor, before: Tensor, names: tuple[str, ...]) -> Tensor:
    a, b, p = _joints(now, names)
    moved = (p - a) - (before[:, _J[names[2]]] - before[:, _J[names[0]]])
    return _projected(moved, b - a) / FRAME_TIME


def _beyond(now: Tensor, names: tuple[str, ...]) -> Tensor:
    a, b, c, p = _joints(now, names)
    return _projected(p - c, b - a)


def _out_of_plane(now: Tensor, names: tuple[str, ...]) -> Tensor:
    a, b, c, p = _joints(now, names)
    return _projected(p - a, torch.cross(c - a, b - a, dim=-1))


def _angle(now: Tensor, names: tuple[str, ...]) -> Tensor:
    a, b, c, d = _joints(now, names)
    cosine = torch.nn.functional.cosine_similarity(b - a, d - c, dim=-1, eps=1e-8)
    return torch.acos(cosine.clamp(-1, 1)) * (180 / math.pi)
