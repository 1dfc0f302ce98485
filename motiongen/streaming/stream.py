"""One text character, frame by frame, in a plain loop: no threads, no sockets."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from motiongen.features import FPS
from motiongen.inference.load import load_words
from motiongen.motion import Motion
from motiongen.reward import CANDIDATES, Reward, RewardError
from motiongen.skeleton import SMPL22
from motiongen.streaming.character import Character
from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.scheduler import StreamScheduler


def stream(
    prompt: str,
    *,
    then: str | Sequence[str] = (),
    seconds: float | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    head: str = "mogo",
    weights: str | Path = "open",
    device: str = "auto",
    memory: str | Path | None = None,
    reward: Reward | None = None,
    candidates: int = CANDIDATES,
) -> Iterator[StreamFrame]:
    """Yield frames at 30 to the second, as fast as they are asked for, and without end.

    Args:
        prompt: the first prompt.
        then: prompts that follow, each when the motion before it has ended.
        seconds: length of the stream; endless when left out.
        seed: the same seed gives the same frames on the same device.
        guidance_scale: how strictly to follow the prompts, 1 to 10.
        head: name of a model that streams.
        weights: "open" (free sources), "full" (non-commercial) or a folder.
        device: "auto", "cpu" or "cuda".
        memory: a folder that `motiongen remember` wrote; "0" for none; None for that of the weights.
        reward: a function that scores candidates of each next half second, of which the best goes on. It takes joints
            (N, T, 22, 3) of N candidates: in the world, metres, Y up, of the 22 joints of `motiongen.SMPL22`
            (`SMPL22.index("head")`), T frames of 1/30 s, of which the first is the last one decided where there is
            one. It returns N numbers, higher is better. They are poses as the model writes them, before a seam to
            another prompt is blended. None for none.
        candidates: how many are drawn at once, 1 to 32: the more, the surer, and the slower; see docs/constraints.md.

    Raises:
        ValueError: an empty prompt, a number out of range, a head that does not stream, or, while frames are taken,
            a reward that fails (`motiongen.reward.RewardError`).
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"seconds: expected a positive length, got {seconds}; or leave it out")
    model = load_words(head, weights, device, memory=memory)
    model.note_far([prompt, *([then] if isinstance(then, str) else then)])
    scheduler = StreamScheduler(model, max_characters=1)
    character = scheduler.open(
        prompt=prompt, seed=seed, guidance_scale=guidance_scale, reward=reward, candidates=candidates
    )
    for text in [then] if isinstance(then, str) else then:
        character.submit("then", text=text)
    return _frames(scheduler, character, seconds)


def _frames(scheduler: StreamScheduler, character: Character, seconds: float | None) -> Iterator[StreamFrame]:
    count = None if seconds is None else round(seconds * scheduler.fps)
    while count is None or character.taken < count:
        try:
            yield from play(scheduler, character, 1)
        except RuntimeError as error:
            if isinstance(error.__cause__, RewardError):  # the caller's own, and no character's
                raise error.__cause__ from error.__cause__.__cause__
            raise


def play(scheduler: StreamScheduler, character: Character, count: int) -> list[StreamFrame]:
    """Return the next frames of a character, ticking its scheduler for those that are not made yet.

    Args:
        scheduler: the character's, not started.
        character: the character.
        count: frames to return.
    """
    frames: list[StreamFrame] = []
    while len(frames) < count:
        frame = character.take()
        if frame is None:
            scheduler.tick()
        else:
            frames.append(frame)
    return frames


def to_motion(frames: Sequence[StreamFrame]) -> Motion:
    """Return frames of a stream as a motion of SMPL-22.

    Args:
        frames: at least one.
    """
    rotations = torch.from_numpy(np.stack([frame.rotations for frame in frames]))
    return Motion(SMPL22, rotations, torch.from_numpy(np.stack([frame.root for frame in frames])), FPS)
