"""One step of the sessions of a batch: those that loop repeat a cycle, the others generate a token together."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.features import Frames, RootState
from motiongen.reward import RewardError
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.stream_session import StreamSession


def step_sessions(batch: StreamBatch, sessions: Sequence[StreamSession]) -> None:
    """Advance sessions of one batch by a token.

    A session whose frames cannot be made, or whose reward fails, fails alone; an error of the batched step is the
    caller's.

    Args:
        batch: the batch.
        sessions: sessions of it that are due.
    """
    generating = [session for session in sessions if session.plan.loop is None]
    ended = np.zeros(batch.size, dtype=bool)
    generated = torch.zeros(0)
    if generating:
        for session in generating:
            session.prepare_step()
        try:
            codes, ended, generated = batch.step([session.slot for session in generating])
        except RewardError as error:
            (guided,) = generating  # it has a batch of its own
            guided.character.fail(error)
            return
        for session in generating:
            session.history.add_codes(codes[session.slot])
    tokens = torch.stack([_token(session, generated) for session in sessions])  # (n, T, D)
    mirrored = [
        n for n, one in enumerate(sessions) if one.plan.gait is not None and one.plan.gait.is_mirrored
    ]
    if mirrored:
        tokens[mirrored] = features.mirror(tokens[mirrored])
    speeds = tokens[..., features.LAYOUT["velocity"]].norm(dim=-1).mean(dim=1).tolist()
    for session in sessions:
        if session.replaces_waiting:
            session.delivery.replace_waiting(realign=session.realigns)
            session.replaces_waiting = session.realigns = False
    roots = RootState(
        torch.cat([session.delivery.root.heading for session in sessions]),
        torch.cat([session.delivery.root.position for session in sessions]),
    )
    frames = features.step(tokens, roots)  # all at once: one by one takes twice the time of the head's step
    for n, session in enumerate(sessions):
        one = slice(n, n + 1)
        own = Frames(frames.rotations[one], frames.root[one], frames.contacts[one])
        try:
            _finish_step(
                session, own, RootState(roots.heading[one], roots.position[one]), tokens[n], speeds[n], ended
            )
        except Exception as error:
            session.fail(error)


def _finish_step(
    session: StreamSession, frames: Frames, root: RootState, token: Tensor, speed: float, ended: np.ndarray
) -> None:
    is_looping = session.plan.loop is not None
    start, session.delivery.root = session.delivery.root, root
    session.deliver(frames, start)
    if not is_looping:
        session.advance(token, speed, bool(ended[session.slot]))


def _token(session: StreamSession, generated: Tensor) -> Tensor:
    loop = session.plan.loop
    return generated[session.slot] if loop is None else loop.next(session.frames_per_token)
