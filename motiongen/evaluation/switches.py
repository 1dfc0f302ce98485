"""Prompt switches of a stream: recognised content after a switch, and peak acceleration at the seam."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.data.cache import ClipCache
from motiongen.evaluation.classifier import MotionClassifier
from motiongen.evaluation.foot_skate import foot_skate_speed, toes_over_floor
from motiongen.evaluation.prompts import EvaluationPrompt
from motiongen.features import FPS
from motiongen.motion import Motion
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import play, to_motion

SHOWN = 60
"""Frames after a switch that are evaluated."""
SEAM = (3, 12)
"""Frames before and after a switch that are searched for the peak acceleration."""


@dataclass(frozen=True)
class Switch:
    """Frames of a stream around a prompt switch.

    Attributes:
        prompt: the new prompt.
        motion: starts SEAM[0] frames before the switch, or at the start of the stream.
    """

    prompt: EvaluationPrompt
    motion: Motion


def peak_acceleration(positions: Tensor) -> float:
    """Return the largest acceleration of any joint in positions (T, J, 3) at 30 fps, m/s^2."""
    second = positions[2:] - 2 * positions[1:-1] + positions[:-2]
    return float((second * FPS**2).norm(dim=-1).max())


def real_peaks(cache: ClipCache, clips: Sequence[int], generator: torch.Generator) -> list[float]:
    """Return the peak acceleration of a random window, as long as a seam, of each real clip that is long enough.

    Args:
        cache: the clips.
        clips: their indices.
        generator: draws the windows.
    """
    peaks, length = [], sum(SEAM)
    for clip in clips:
        motion = features.decode(cache.features(clip))
        if motion.num_frames > length:
            start = int(torch.randint(motion.num_frames - length, (), generator=generator))
            peaks.append(peak_acceleration(motion[start : start + length].positions()))
    return peaks


def switches(
    make: Callable[[], StreamScheduler], prompts: Sequence[EvaluationPrompt], seed: int = 0
) -> tuple[list[Switch], list[Switch]]:
    """Return streams from their start, and streams after a switch from another prompt, one for each prompt.

    Args:
        make: returns the scheduler of the streams.
        prompts: the prompts; the switch is after 2 to 4 seconds, at a random frame.
        seed: draws first prompts and times of the switches.
    """
    draw = np.random.default_rng(seed)
    scheduler = make()
    from_rest, switched = [], []
    for n, prompt in enumerate(prompts):
        other = prompts[(n + 1 + int(draw.integers(len(prompts) - 1))) % len(prompts)]
        character = scheduler.open(prompt=other.text, seed=n)
        before = play(scheduler, character, int(draw.integers(int(2 * FPS), int(4 * FPS))))
        from_rest.append(Switch(other, to_motion(before[:SHOWN])))
        character.submit("prompt", text=prompt.text)
        scheduler.tick()
        after = play(scheduler, character, SHOWN)
        switched.append(Switch(prompt, to_motion(before[-SEAM[0] :] + after)))
        character.close()
    return from_rest, switched


def recognised(classifier: MotionClassifier, shown: Sequence[tuple[str | None, Tensor]]) -> float:
    """Return the accuracy of the classifier on clips with contents that it knows.

    Args:
        classifier: of contents.
        shown: (content, features (T_i, 140)) of each clip.
    """
    known = [(content, clip) for content, clip in shown if content in classifier.config.contents]
    contents, _ = classifier.recognise([clip for _, clip in known])
    return float(np.mean([found == content for found, (content, _) in zip(contents, known, strict=True)]))


def summarise(switched: Sequence[Switch], classifier: MotionClassifier, skip: int = 0) -> dict[str, float]:
    """Return the metrics of switches.

    Args:
        switched: the switches.
        classifier: of contents.
        skip: frames before the switch, which are not classified.
    """
    shown = [(switch.prompt.content, features.encode(switch.motion)[skip:]) for switch in switched]
    peaks = [peak_acceleration(switch.motion.positions()[: sum(SEAM)]) for switch in switched]
    skates = [float(foot_skate_speed(toes_over_floor(switch.motion), FPS)) for switch in switched]
    return {
        "content": recognised(classifier, shown),
        "peak": float(np.median(peaks)),
        "peak_95": float(np.quantile(peaks, 0.95)),
        "skate": float(np.mean(skates)),
    }
