"""Whether a clip runs at its true speed, told by physics: what is in the air falls, and legs swing like pendulums.

A take whose rate was written down wrongly looks like any other, only hectic or slow. A body in the air falls at
9.8 m/s² whatever it does, so half the rate shows 2.5 and double the rate 39; and nobody strides faster than twice
a second.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.body_floor import lowest_gap
from motiongen.contacts import CONTACT_INDEX, joint_speed
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22

GRAVITY = 9.81
SLOW_FALL = (1.7, 3.3)
"""Fall, m/s², of a take that runs at half its speed: a quarter of what it is, as well as flights tell."""
FAST_FALL = 22.0
"""Fall, m/s², of one that runs at double its speed, at least: four times of what it is."""
TRUE_STRIDE = 0.7
"""Strides a second of a take that cannot run at half its speed: nobody strides so fast that half of it is this."""
FASTEST_STRIDE = 2.2
"""Strides (two steps) a second that nobody exceeds."""
AIRBORNE = 0.05
"""Gap under the lowest part of the body that counts as being in the air, metres."""
SHORTEST_FLIGHT = 5
"""Frames that a flight must last to be measured."""
RESIDUAL = 0.01
"""Distance from a parabola that a free flight keeps within, metres; climbing and hanging do not."""
SLOWEST_FOOT = 0.5
"""Mean speed of the slower foot in a flight, m/s, below which it stands on something that is not there."""
SAGITTA = 0.04
"""Rise of that parabola below which its curvature is noise, metres."""

_MASS = {  # parts of a body's mass (Winter 2009, table 4.1), at the joints that lie nearest
    "pelvis": 0.14, "spine1": 0.14, "spine3": 0.22, "head": 0.08,
    "left_elbow": 0.03, "right_elbow": 0.03, "left_wrist": 0.02, "right_wrist": 0.02,
    "left_hip": 0.05, "right_hip": 0.05, "left_knee": 0.08, "right_knee": 0.08,
    "left_ankle": 0.03, "right_ankle": 0.03,
}  # fmt: skip


@dataclass(frozen=True)
class Flight:
    """A stretch in the air: first frame and number of frames, and the acceleration downward, m/s²."""

    start: int
    frames: int
    gravity: float


def flights(motion: Motion) -> list[Flight]:
    """Return the flights of a motion of SMPL-22 over y = 0 whose centre of mass follows a parabola."""
    positions = motion.positions()
    in_air = (lowest_gap(positions) > AIRBORNE).tolist()
    height = _centre_height(positions)
    feet = joint_speed(positions[:, CONTACT_INDEX], motion.fps).amin(dim=1)  # (T,)
    found = []
    start = 0
    for frame in range(len(in_air) + 1):
        if frame < len(in_air) and in_air[frame]:
            continue
        # From the ground to the ground: what begins or ends the clip may be hanging or lying on something.
        if start > 0 and frame < len(in_air) and frame - start >= SHORTEST_FLIGHT:
            gravity = _parabola(height[start:frame], motion.fps)
            if gravity is not None and float(feet[start:frame].mean()) > SLOWEST_FOOT:
                found.append(Flight(start, frame - start, gravity))
        start = frame + 1
    return found


def stride_rate(motion: Motion) -> float | None:
    """Return the strides a second of a motion of SMPL-22 while it travels, or None where it hardly does."""
    positions = motion.positions()
    speed = (motion.root[1:, [0, 2]] - motion.root[:-1, [0, 2]]).norm(dim=-1) * motion.fps
    if motion.num_frames < 30 or float((speed > 0.5).float().mean()) < 0.6:
        return None
    left, right = (positions[:, SMPL22.index(f"{side}_ankle")] for side in ("left", "right"))
    heading = motion.heading()
    ahead = (left - right)[:, 0] * heading.sin() + (left - right)[:, 2] * heading.cos()  # (T,)
    ahead = ahead - ahead.mean()
    if float(ahead.std()) < 0.08:
        return None
    spectrum = torch.fft.rfft(ahead * torch.hann_window(len(ahead)), n=4096).abs()
    return float(spectrum.argmax()) * motion.fps / 4096


def wrong_time(motion: Motion) -> str | None:
    """Return why a motion of SMPL-22 cannot run at its true speed, or None."""
    rate = stride_rate(motion)
    if rate is not None and rate > FASTEST_STRIDE:
        return f"wrong in time: more than {FASTEST_STRIDE} strides a second"
    falls = flights(motion)
    frames = sum(flight.frames for flight in falls)
    if frames < 2 * SHORTEST_FLIGHT:
        return None
    gravity = sum(flight.gravity * flight.frames for flight in falls) / frames
    is_slow = SLOW_FALL[0] < gravity < SLOW_FALL[1] and (rate is None or rate < TRUE_STRIDE)
    if is_slow or gravity > FAST_FALL:
        return "wrong in time: what is in the air does not fall at 9.8 m/s²"
    return None


def _centre_height(positions: Tensor) -> Tensor:
    joints = torch.tensor([SMPL22.index(name) for name in _MASS])
    mass = positions.new_tensor(list(_MASS.values()))
    return (positions[:, joints, 1] * mass).sum(-1) / mass.sum()  # (T,)


def _parabola(height: Tensor, fps: float) -> float | None:
    """Return the fall in m/s² of heights (T,) that follow a parabola, or None where they do not."""
    times = torch.arange(len(height), dtype=torch.float64) / fps
    design = torch.stack([torch.ones_like(times), times, -0.5 * times**2], dim=1)  # (T, 3)
    solution = torch.linalg.lstsq(design, height.double()[:, None]).solution[:, 0]
    residual = float((design @ solution - height.double()).square().mean().sqrt())
    gravity = float(solution[2])
    rise = gravity * float(times[-1]) ** 2 / 8
    return gravity if residual < RESIDUAL and rise > SAGITTA else None
