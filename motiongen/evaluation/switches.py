"""How well a stream changes its mind: what it shows in the two seconds after a prompt, and how hard the seam jerks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.data.cache import ClipCache
from motiongen.evaluation.classifier import MotionClassifier
from motiongen.evaluation.foot_skate import foot_skate_speed, toes_over_floor
from motiongen.evaluation.questions import Question
from motiongen.features import FPS
from motiongen.motion import Motion
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import play, to_motion

SHOWN = 60
"""Frames after a switch that are judged."""
SEAM = (3, 12)
"""Frames before and after a switch among which the peak acceleration is looked for."""


@dataclass(frozen=True)
class Switch:
    """A stream's frames around a switch: `motion` begins SEAM[0] frames before it."""

    question: Question
    motion: Motion


def peak_acceleration(positions: Tensor) -> float:
    """Return the largest acceleration of any joint in positions (T, J, 3) at 30 fps, m/s^2."""
    second = positions[2:] - 2 * positions[1:-1] + positions[:-2]
    return float((second * FPS**2).norm(dim=-1).max())


def real_peaks(cache: ClipCache, clips: Sequence[int], generator: torch.Generator) -> list[float]:
    """Return the peak acceleration of a random stretch of each real clip, as long as what is judged of a seam."""
    peaks, length = [], sum(SEAM)
    for clip in clips:
        motion = features.decode(cache.features(clip))
        if motion.num_frames > length:
            start = int(torch.randint(motion.num_frames - length, (), generator=generator))
            peaks.append(peak_acceleration(motion[start : start + length].positions()))
    return peaks


def switches(
    make: Callable[[], StreamScheduler], questions: Sequence[Question], seed: int = 0
) -> tuple[list[Switch], list[Switch]]:
    """Return what streams show from rest, and after a switch from another question's prompt, one a question.

    Each stream is told one prompt, and after 2 to 4 seconds, at any frame, the next.
    """
    draw = np.random.default_rng(seed)
    scheduler = make()
    from_rest, switched = [], []
    for n, question in enumerate(questions):
        other = questions[(n + 1 + int(draw.integers(len(questions) - 1))) % len(questions)]
        character = scheduler.open(prompt=other.prompt, seed=n)
        before = play(scheduler, character, int(draw.integers(int(2 * FPS), int(4 * FPS))))
        from_rest.append(Switch(other, to_motion(before[:SHOWN])))
        character.submit("prompt", text=question.prompt)
        scheduler.tick()
        after = play(scheduler, character, SHOWN)
        switched.append(Switch(question, to_motion(before[-SEAM[0] :] + after)))
        character.close()
    return from_rest, switched


def recognised(classifier: MotionClassifier, shown: Sequence[tuple[str | None, Tensor]]) -> float:
    """Return the share of (content, features (T, 140)) whose content the classifier tells, of those it knows."""
    known = [(content, clip) for content, clip in shown if content in classifier.config.contents]
    contents, _ = classifier.recognise([clip for _, clip in known])
    return float(np.mean([found == content for found, (content, _) in zip(contents, known, strict=True)]))


def summarise(made: Sequence[Switch], classifier: MotionClassifier, skip: int = 0) -> dict[str, float]:
    """Return what is measured of switches, of which the first `skip` frames are those before the prompt."""
    shown = [(switch.question.content, features.encode(switch.motion)[skip:]) for switch in made]
    peaks = [peak_acceleration(switch.motion.positions()[: sum(SEAM)]) for switch in made]
    skates = [float(foot_skate_speed(toes_over_floor(switch.motion), FPS)) for switch in made]
    return {
        "content": recognised(classifier, shown),
        "peak": float(np.median(peaks)),
        "peak_95": float(np.quantile(peaks, 0.95)),
        "skate": float(np.mean(skates)),
    }
