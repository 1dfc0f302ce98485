"""Long takes cut into actions: where the body comes to rest, and where it changes between going, staying and lying.

A take's label belongs to the seconds that show it. What a piece shows is measured (does it travel, turn, leave the
ground, move at all); a piece keeps the take's label only where the two agree, else it gets that of what is measured, or
none.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from motiongen.body_floor import LOW_PELVIS
from motiongen.contacts import joint_speed
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from motiongen_datasets.captions import Labels
from motiongen_datasets.captions.travelling import TRAVELLING
from motiongen_datasets.time_check import flights

LIVELIEST = 4
"""Joints whose mean speed is the liveliness of a body: hands at work move alone."""
REST_SPEED = 0.25
"""Liveliness below which a body is at rest, m/s; in a calm take, REST_PART of the take's liveliest second."""
REST_PART = 0.25
REST_SECONDS = 0.5
"""A shorter rest is part of an action."""
MARGIN_SECONDS = 0.3
"""Rest that a piece keeps at its ends: it begins and ends at ease."""
LEAST_SECONDS = 1.2
"""Shorter pieces are no action."""
LONG_SECONDS = 8.0
"""Only takes and pieces longer than this are cut where the body goes on to something else."""
STATE_SECONDS = 1.5
"""A state that lasts shorter is passed through."""
GOING = 0.45
"""Speed of the root over the floor at which the body travels, m/s, averaged over a second."""
SLOWEST = 0.25
"""The same of a piece that keeps the label of a content that travels."""
RUNNING = 1.9
TURN = 1.2
"""Radians that a piece which stays in place must turn to be a turn."""
SHORT_SECONDS = 4.0
"""A take shorter than this is one action."""
MAIN = 0.6
"""Part of a take's actions that a piece must fill to keep what people wrote of the take."""
WEAK = 0.45
"""A piece whose liveliest second has less than this part of the take's is not what the take is named for."""

_HANDS = [SMPL22.index(f"{side}_wrist") for side in ("left", "right")]


@dataclass(frozen=True)
class Piece:
    """A part of a take: its motion, where it starts in the take (frames), and its labels."""

    motion: Motion
    start: int
    labels: Labels


def actions(motion: Motion, labels: Labels) -> list[Piece]:
    """Return the pieces of a take of SMPL-22 that show an action, without the rests before, between and after them."""
    speed = liveliness(motion)
    if labels.content in ("idle", "wait"):
        return [Piece(motion, 0, labels)]
    spans = _between_rests(speed, motion.fps)
    if motion.seconds < SHORT_SECONDS:
        spans = [(spans[0][0], spans[-1][1])] if spans else [(0, motion.num_frames)]
    spans = [part for span in spans for part in _by_state(motion, span)]
    peak = max((_liveliest(speed, span, motion.fps) for span in spans), default=0.0)
    frames = sum(end - start for start, end in spans)
    pieces = []
    for start, end in spans:
        is_weak = _liveliest(speed, (start, end), motion.fps) < WEAK * peak
        part = motion[start:end]
        named = labels if end - start >= MAIN * frames else replace(labels, sentences=())
        pieces.append(Piece(part, start, _labels_of(part, named, len(spans) > 1, is_weak)))
    return pieces


def liveliness(motion: Motion) -> Tensor:
    """Return the mean speed (T,) of the fastest joints of a motion, m/s, smoothed."""
    speed = joint_speed(motion.positions(), motion.fps)  # (T, 22)
    return _smooth(speed.topk(LIVELIEST, dim=1).values.mean(1), 0.3, motion.fps)


def measured_content(motion: Motion) -> str | None:
    """Return what a piece plainly shows ("run", "walk", "jump", "turn-left", "turn-right"); None if not clear."""
    going = _travel_speed(motion)
    if float((motion.root[:, 1] < LOW_PELVIS + 0.15).float().mean()) > 0.2:
        return None
    in_air = sum(flight.frames for flight in flights(motion)) / motion.num_frames
    hands = motion.positions()[:, _HANDS, 1].amax(dim=1)
    calm_hands = float((hands < motion.root[:, 1] + 0.35).float().mean()) > 0.9
    if going > RUNNING and in_air < 0.6:
        return "run"
    if in_air > 0.12 and going < 0.8:
        return "jump"
    if GOING < going < 1.7 and in_air < 0.02 and calm_hands:
        return "walk"
    heading = motion.heading()
    turns = heading[1:] - heading[:-1]
    turned = float(torch.atan2(turns.sin(), turns.cos()).sum())
    if going < 0.3 and abs(turned) > TURN and calm_hands and in_air == 0:
        return "turn-left" if turned > 0 else "turn-right"
    return None


def _labels_of(part: Motion, labels: Labels, is_cut: bool, is_weak: bool) -> Labels:
    """Return the labels of a piece: the take's where it shows them, else what is measured."""
    if not is_cut:
        return labels
    shown = measured_content(part)
    if labels.content is None:
        return Labels(content=shown)
    if labels.content in TRAVELLING:
        agrees = _travel_speed(part) > SLOWEST
    else:
        agrees = shown not in ("walk", "run")
    return labels if agrees and not is_weak else Labels(content=shown)


def _travel_speed(motion: Motion) -> float:
    """Return the mean speed of the root over the floor, m/s."""
    step = motion.root[1:] - motion.root[:-1]
    return float(step[:, [0, 2]].norm(dim=-1).mean()) * motion.fps


def _between_rests(speed: Tensor, fps: float) -> list[tuple[int, int]]:
    """Return the spans between rests, each with a little of them."""
    least, margin = round(REST_SECONDS * fps), round(MARGIN_SECONDS * fps)
    rest = min(REST_SPEED, REST_PART * float(_smooth(speed, 1.0, fps).max()))
    moving = _without_short(speed >= rest, least, value=False)
    spans = []
    for start, end in _runs(moving, value=True):
        first, last = max(0, start - margin), min(len(speed), end + margin)
        if last - first >= LEAST_SECONDS * fps:
            spans.append((first, last))
    return spans


def _by_state(motion: Motion, span: tuple[int, int]) -> list[tuple[int, int]]:
    """Return a span cut where the body changes between going, staying and being low, if the span is long."""
    start, end = span
    fps = motion.fps
    if end - start < LONG_SECONDS * fps:
        return [span]
    root = motion.root[start:end]
    step = torch.cat([root[1:2] - root[:1], root[1:] - root[:-1]])[:, [0, 2]].norm(dim=-1) * fps
    going = _smooth(step, 1.0, fps) > GOING
    low = _smooth(root[:, 1], 0.5, fps) < LOW_PELVIS
    state = torch.where(low, 2, going.long())
    cuts, current = [start], int(state[0])
    for first, last, value in _states(state):
        if value != current and last - first >= STATE_SECONDS * fps:
            if start + first - cuts[-1] >= STATE_SECONDS * fps:
                cuts.append(start + first)
            current = value
    return [(a, b) for a, b in zip(cuts, [*cuts[1:], end], strict=True) if b - a >= LEAST_SECONDS * fps]


def _liveliest(speed: Tensor, span: tuple[int, int], fps: float) -> float:
    return float(_smooth(speed[span[0] : span[1]], 1.0, fps).max())


def _smooth(values: Tensor, seconds: float, fps: float) -> Tensor:
    """Return a running mean (T,) over some seconds."""
    half = max(1, min(round(seconds * fps / 2), len(values) - 1))
    padded = functional.pad(values[None, None], (half, half), mode="replicate")
    return functional.avg_pool1d(padded, 2 * half + 1, stride=1)[0, 0]


def _states(state: Tensor) -> list[tuple[int, int, int]]:
    """Return (start, end, value) of the runs of equal values."""
    edges = [0, *((state[1:] != state[:-1]).nonzero().flatten() + 1).tolist(), len(state)]
    return [(a, b, int(state[a])) for a, b in pairwise(edges)]


def _runs(mask: Tensor, value: bool) -> list[tuple[int, int]]:
    return [(a, b) for a, b, found in _states(mask.long()) if bool(found) == value]


def _without_short(mask: Tensor, least: int, value: bool) -> Tensor:
    """Return a mask whose runs of a value shorter than `least` are turned over."""
    mask = mask.clone()
    for start, end in _runs(mask, value):
        if end - start < least and start > 0 and end < len(mask):
            mask[start:end] = not value
    return mask
