"""replay: asks a policy about recorded observations, and measures how far its actions are from those recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.data.demonstrations import Demonstrations
from motiongen_sim.policy import Observations, Policy


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """How a policy answers a recording. Tuples have one entry for each of the A numbers of an action.

    Attributes:
        policy: name of the policy.
        episodes: number of episodes.
        frames: number of their frames.
        names: of the numbers.
        errors: mean |policy's - recorded|, in the number's own unit.
        errors_of_mean: the same of an answer that is always the recording's mean action.
        ranges: largest less smallest recorded one.
    """

    policy: str
    episodes: int
    frames: int
    names: tuple[str, ...]
    errors: tuple[float, ...]
    errors_of_mean: tuple[float, ...]
    ranges: tuple[float, ...]


def replay(
    policy: str | Path,
    recording: Demonstrations,
    episodes: Sequence[int] | None = None,
    device: str = "cpu",
    on_progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Return how far a policy's actions are from those of a recording, whose observations it is shown one by one.

    The policy acts as it would on the robot, chunk by chunk, but what it does has no effect: the next observation is
    the recorded one.

    Args:
        policy: the name of one that ships, or a folder.
        recording: with the state and, for a policy that sees, the one camera that it was trained on.
        episodes: numbers of the recording's episodes; None for all.
        device: of the policy.
        on_progress: called with (episodes done, of all).

    Raises:
        ValueError: there is no such policy or episode, the policy does not know the episodes' instruction, or its
            observations or actions have other sizes than the recording's.
    """
    chosen = range(len(recording.lengths)) if episodes is None else episodes
    known = range(len(recording.lengths))
    if not len(chosen) or any(one not in known for one in chosen):
        raise ValueError(f"episodes: expected some of 0 to {known[-1]}, got {list(chosen)}")
    name, answers, recorded = "", [], []
    for done, episode in enumerate(chosen, start=1):
        first = int(recording.starts[episode])
        frames = range(first, first + int(recording.lengths[episode]))
        actor = Policy.load(policy, device, task=recording.instructions[episode])
        _check_actions(actor, recording)
        answers.append(np.stack([actor.act(_observation(actor, recording, frame)) for frame in frames]))
        recorded.append(recording.action[frames.start : frames.stop])
        name = actor.name
        if on_progress is not None:
            on_progress(done, len(chosen))
    truth: NDArray[np.float64] = np.concatenate(recorded).astype(np.float64)  # (T, A)
    return ReplayReport(
        policy=name,
        episodes=len(chosen),
        frames=len(truth),
        names=recording.action_names or tuple(f"action {number}" for number in range(truth.shape[1])),
        errors=_each(np.abs(np.concatenate(answers) - truth).mean(0)),
        errors_of_mean=_each(np.abs(truth.mean(0) - truth).mean(0)),
        ranges=_each(np.ptp(truth, axis=0)),
    )


def _observation(policy: Policy, recording: Demonstrations, frame: int) -> Observations:
    state = recording.state[frame]
    if policy.observations == "state":
        return state
    if len(recording.images) != 1:
        cameras = ", ".join(recording.images) or "none"
        raise ValueError(
            f"camera: expected the one that {policy.name} was trained on, got {cameras}; name it with --camera"
        )
    (images,) = recording.images.values()
    return {"state": state, "image": images[frame]}


def _check_actions(policy: Policy, recording: Demonstrations) -> None:
    width = recording.action.shape[1]
    if policy.action_dim != width:
        raise ValueError(
            f"action: expected {policy.action_dim} numbers, as {policy.name} has, got {width} in the recording; "
            "name the columns of its training with --columns"
        )


def _each(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
