"""What FID_k, FID_g, Dist_k and Dist_g are measured on: how a body spends energy, and which shapes it takes.

Kinetic features (Onuma et al., "FMDistance", Eurographics 2008) and geometric ones (Mueller et al., "Efficient
Content-Based Retrieval of Motion Capture Data", SIGGRAPH 2005), with the joints and thresholds of the fairmotion
library, as the repositories of AIST++ and Bailando have it now (Li et al., ICCV 2021; Siyao et al., CVPR 2022).
fairmotion's own acceleration, copies of which are still about, divides only the earlier place by the time of a frame.

At 60 frames a second, as there. Our body differs from SMPL's in its proportions and, of course, in its dances, so that
numbers compare with each other, and with published ones only in their order of size.
"""

import math

import torch
from torch import Tensor

from motiongen.evaluation.fid import frechet_distance
from motiongen.kinematic_beats import RATE, at_rate
from motiongen.skeleton import SMPL22

KINETIC_DIM, GEOMETRIC_DIM = 72, 32
HAND = 0.084
"""From SMPL's wrist on to its hand, metres, along the forearm: the 24-joint body has two joints more than ours."""
REACH = 2
"""Frames to both sides over which velocities and accelerations are averaged."""

HUMERUS, SHOULDERS, HIPS = 0.25684, 0.39085, 0.11925
"""Sizes of SMPL's mean body, metres, in which thresholds are given."""
FRAME_TIME = 1 / 120
"""Seconds: fairmotion's, for its velocities, whatever the rate."""

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
# fairmotion names a fourth joint, for the first two the wrists, and never looks at it: hence one line twice.
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
    """Return (72,) of a clip (T, 22, 3), metres, Y up: how much each of SMPL's 24 joints moves.

    Of each joint three numbers: mean square of its horizontal and of its vertical velocity (m²/s²), and mean size of
    its acceleration (m/s²). Velocities and accelerations are means over five frames.

    Raises:
        ValueError: fewer than three frames at 60 fps.
    """
    places = _places(positions, fps)  # (T, 24, 3)
    steps = (places[1:] - places[:-1]) * RATE
    velocity = _averaged(steps, len(places), REACH, first=-1)[1:]  # (T - 1, 24, 3)
    change = (steps[1:] - steps[:-1]) * RATE
    acceleration = _averaged(change, len(places), REACH, first=-1, last=1)[1:]
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
    """Return (32,) of a clip (T, 22, 3), metres, Y up: the share of frames in which each of 32 relations holds.

    Their order is by kind, not fairmotion's; distances between features do not depend on it.

    Raises:
        ValueError: fewer than three frames at 60 fps.
    """
    places = _places(positions, fps)
    before, now = places[:-1], places[1:]  # (T - 1, 24, 3)
    lowest = now[..., 1].amin(-1)  # (T - 1,)
    holds = [_along_normal(now, before, joints) > limit for joints, limit in _MOVES_ALONG_NORMAL]
    holds += [_beyond(now, joints) > limit for joints, limit in _BEYOND]
    holds += [_along(now, before, joints) > limit for joints, limit in _MOVES_ALONG]
    holds += [(_angle(now, joints) > low) & (_angle(now, joints) < high) for joints, (low, high) in _ANGLES]
    holds += [_out_of_plane(now, joints) > limit for joints, limit in _OUT_OF_PLANE]
    holds += [
        (now[:, _J[name]] - before[:, _J[name]]).norm(dim=-1) / FRAME_TIME > limit for name, limit in _FAST
    ]
    holds += [now[:, _J[name], 1] - lowest > limit for name, limit in _RAISED]
    holds += [now[:, _J[name], 1] - lowest < limit for name, limit in _LOWERED]
    spine = now[:, _J["pelvis"]] - now[:, _J["neck"]]
    lean = torch.rad2deg(torch.acos((spine[:, 1] / spine.norm(dim=-1)).clamp(-1, 1)))
    holds.append((lean > 70) & (lean < 110))  # the trunk lies level
    return torch.stack(holds, dim=-1).float().mean(0)


def dance_fid(made: Tensor, real: Tensor) -> float:
    """Return the Frechet distance of features (N, D) to real ones (M, D), each number in the real ones' deviations.

    With fewer samples than D the covariances are singular. Published numbers (40 dances, D = 72) go ahead all the same,
    by a root that may turn complex; frechet_distance is exact there, but still far above what many samples would give:
    compare only numbers from as many.

    Raises:
        ValueError: fewer than two samples, other sizes, or real ones that are all the same.
    """
    return frechet_distance(*_standardised(made, real))


def distance_diversity(made: Tensor, real: Tensor) -> float:
    """Return Dist: the mean distance between two of features (N, D), each number in the real ones' deviations.

    Raises:
        ValueError: fewer than two samples, other sizes, or real ones that are all the same.
    """
    return float(torch.pdist(_standardised(made, real)[0]).mean())


def _standardised(made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the real ones' deviations.

    A number that all real ones share has no deviation and stays out; the published code divides by 1e-10 instead, so
    that a single other sample decides the distance.
    """
    if made.dim() != 2 or real.dim() != 2 or made.shape[1] != real.shape[1] or min(len(made), len(real)) < 2:
        raise ValueError(
            f"features: expected (N >= 2, D) and (M >= 2, D), got {tuple(made.shape)} and {tuple(real.shape)}; "
            "take the same features of more dances"
        )
    mean, std = real.double().mean(0), real.double().std(0, correction=0)
    told = std > 1e-8
    if not told.any():
        raise ValueError("real: expected features that differ, got the same ones; take more dances")
    mean, std = mean[told], std[told]
    return (made.double()[:, told] - mean) / std, (real.double()[:, told] - mean) / std


def _places(positions: Tensor, fps: float) -> Tensor:
    """Joints (T, 24, 3) at RATE."""
    places = at_rate(positions.double(), fps)
    if len(places) < 3:
        raise ValueError(
            f"positions: expected at least 3 frames at {RATE:g} fps, got {len(positions)} at {fps:g}; "
            "give more of the clip"
        )
    return _with_hands(places)


def _with_hands(places: Tensor) -> Tensor:
    """Joints (T, 24, 3): the hands lie on from the wrists, as the forearms point."""
    hands = []
    for side in ("left", "right"):
        wrist, elbow = places[:, _J[f"{side}_wrist"]], places[:, _J[f"{side}_elbow"]]
        hands.append(wrist + HAND * torch.nn.functional.normalize(wrist - elbow, dim=-1))
    return torch.cat([places, torch.stack(hands, dim=1)], dim=1)


def _averaged(values: Tensor, frames: int, reach: int, first: int, last: int = 0) -> Tensor:
    """Means (frames, ...) of values over the frames up to `reach` away that have one.

    The value of frame i is values[i + first]; there is none for the first frame, nor for the last `last`.
    """
    padded = values.new_zeros(frames + 2 * reach, *values.shape[1:])
    there = values.new_zeros(frames + 2 * reach)
    own = slice(reach - first, reach - first + frames + first - last)
    padded[own], there[own] = values, 1.0
    sums = padded.unfold(0, 2 * reach + 1, 1).sum(-1)
    count = there.unfold(0, 2 * reach + 1, 1).sum(-1)
    return sums / count.clamp_min(1).view(-1, *[1] * (values.dim() - 1))


def _joints(places: Tensor, names: tuple[str, ...]) -> tuple[Tensor, ...]:
    return tuple(places[:, _J[name]] for name in names)


def _projected(vector: Tensor, direction: Tensor) -> Tensor:
    """Length of a vector (T, 3) along a direction (T, 3); 0 where that has none."""
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
