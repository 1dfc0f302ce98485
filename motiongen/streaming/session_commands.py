"""Executes commands: the effect of each verb on a session of a text character."""

import logging

import numpy as np
import torch

from motiongen import features
from motiongen.features import FPS
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from motiongen.streaming.control_commands import pose_ahead, steer, travel
from motiongen.streaming.control_verbs import Goto, Path, Steer
from motiongen.streaming.cycle import Cycle
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.prompt_plan import IDLE, MAX_QUEUED, PlannedPrompt, planned
from motiongen.streaming.stream_session import StreamSession
from motiongen.streaming.verbs import (
    Finish,
    Hold,
    Loop,
    Pose,
    Prompt,
    Seed,
    Strength,
    Then,
    Turn,
    VerbError,
    internal_error,
)

log = logging.getLogger(__name__)


def drain_commands(session: StreamSession) -> None:
    """Execute all commands that wait, and start deferred prompts whose time has come.

    A command that fails is answered with its error; the session and all others go on.

    Args:
        session: the session.
    """
    while (command := session.character.next_command()) is not None:
        try:
            _execute(session, command)
        except VerbError as error:
            command.fail(error)
        except Exception as error:
            _fail(session, command, error)
    next_frame = session.next_seq + session.frames_per_token // 2
    while session.deferred and session.deferred[0].start_frame <= next_frame:
        command = session.deferred.pop(0)
        try:
            _start_deferred(session, command)
        except Exception as error:
            _fail(session, command, error)


def _fail(session: StreamSession, command: PendingCommand, error: Exception) -> None:
    log.exception(
        "event=command_failed character=%d verb=%s", session.character.number, type(command.verb).__name__
    )
    command.fail(internal_error(error))


def _start_deferred(session: StreamSession, command: PendingCommand) -> None:
    assert isinstance(command.verb, Prompt)
    _start(session, command, command.verb.text, now=False)


def _start(session: StreamSession, command: PendingCommand, sentence: str, *, now: bool) -> None:
    """Start the first part of a sentence's plan in place of all that was planned, and queue the others."""
    first, *others = planned(sentence, command.number)
    if len(others) > MAX_QUEUED:
        raise VerbError(
            "not_now", f"prompt: expected at most {MAX_QUEUED + 1} acts, got {len(others) + 1}; say less"
        )
    session.cancel_plans()
    session.start_prompt(first, command, now=now)
    session.plan.queue.extend(others)


def _execute(session: StreamSession, command: PendingCommand) -> None:
    """Apply one verb. The command is answered when its first frames are made."""
    plan, verb = session.plan, command.verb
    match verb:
        case Prompt() if verb.at > 0:
            _defer(session, command, verb)
            return
        case Prompt():
            _start(session, command, verb.text, now=True)
            return
        case Then():
            _queue(session, command, verb)
            return
        case Hold():
            session.cancel_plans()
            session.start_prompt(PlannedPrompt(IDLE, command.number, is_idle=True), command, now=True)
            plan.steering.angle = 0.0
            return
        case Goto():
            travel(session, command, [(verb.x, verb.z)], verb)
            command.answer(session.character.taken)
            return
        case Path():
            travel(session, command, [(float(x), float(z)) for x, z in verb.points], verb)
            command.answer(session.character.taken)
            return
        case Steer():
            steer(session, command, verb)
            return
        case Loop():
            _loop(session, command)
        case Pose() if verb.at > 0:
            pose_ahead(session, command, verb, _posed(verb))
            return
        case Pose():
            _pose(session, verb)
        case Finish() if plan.is_idle or plan.loop or plan.gait is not None:
            raise VerbError("not_now", "finish: nothing is going on; say a prompt first")
        case Finish():
            tokens = round(verb.seconds * FPS / session.frames_per_token)
            plan.finish(tokens - session.character.ready // session.frames_per_token)
        case Turn() if plan.gait is not None:
            raise VerbError(
                "not_now", "turn: the character is driven; give its verb a facing or a heading, or say hold"
            )
        case Turn():
            plan.steering.angle += verb.angle
        case Seed():
            session.batch.seed[session.slot] = verb.seed
        case Strength():
            session.batch.guidance_scale[session.slot] = verb.scale
    session.unanswered.append(command)


def _defer(session: StreamSession, command: PendingCommand, verb: Prompt) -> None:
    if len(session.deferred) >= MAX_QUEUED:
        raise VerbError("not_now", f"prompt: expected at most {MAX_QUEUED} prompts for later; wait")
    command.start_frame = session.character.taken + round(verb.at * FPS)
    session.deferred.append(command)
    session.deferred.sort(key=lambda other: other.start_frame)


def _queue(session: StreamSession, command: PendingCommand, verb: Then) -> None:
    plan, prompts = session.plan, planned(verb.text, command.number)
    if len(plan.queue) + len(prompts) > MAX_QUEUED:
        raise VerbError("not_now", f"then: expected at most {MAX_QUEUED} prompts in the queue; wait")
    if (plan.is_idle or plan.gait is not None) and not plan.queue:
        session.start_prompt(prompts[0], command, now=True)
        plan.queue.extend(prompts[1:])
        return
    plan.queue.extend(prompts)
    session.queued[command.number] = command


def _loop(session: StreamSession, command: PendingCommand) -> None:
    plan = session.plan
    if plan.is_idle or not plan.history:
        raise VerbError("not_now", "loop: there is nothing to repeat; say a prompt first")
    try:
        plan.loop = Cycle.find(torch.cat(list(plan.history)))
    except ValueError as error:
        raise VerbError("not_now", str(error)) from None
    plan.number = command.number
    plan.gait = None
    session.character.bend.drive.release()
    session.replaces_waiting = session.realigns = True


def _pose(session: StreamSession, verb: Pose) -> None:
    """Encode the pose, held for two tokens, and continue from there."""
    still = _posed(verb, 2 * session.frames_per_token)
    tokenizer = session.model.tokenizer
    with torch.inference_mode():
        codes = tokenizer.encode(features.encode(still).to(tokenizer.mean.device)[None])[0]
    session.jump_to(still, codes)


def _posed(verb: Pose, count: int = 1) -> Motion:
    """Return the pose of a verb, held for some frames."""
    rest = np.tile(np.array([0, 0, 0, 1], dtype=np.float32), (22, 1))
    rotations = torch.from_numpy(rest if verb.rotations is None else verb.rotations)
    root = torch.zeros(3) if verb.root is None else torch.from_numpy(verb.root)
    still = Motion(SMPL22, rotations.expand(count, -1, -1), root.expand(count, -1), FPS)
    return still.grounded() if verb.root is None else still
