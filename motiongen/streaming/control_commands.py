"""Executes the verbs that drive a character: what each asks of its path, and what of that cannot be met."""

import math
from collections.abc import Sequence

from motiongen.features import FPS
from motiongen.motion import Motion
from motiongen.streaming.barrier import KEEPS_AWAY, outside
from motiongen.streaming.bend_commands import wish
from motiongen.streaming.control_verbs import Goto, Path, Steer
from motiongen.streaming.gaits import MAX_SPEED, STAND, Gait, gait_for
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.pose_ahead import PoseAhead
from motiongen.streaming.stream_session import BRAKING, StreamSession
from motiongen.streaming.verbs import Pose
from motiongen.streaming.way import LAST_SECONDS, USUAL_SPEED, Point, Way, around_obstacles


def steer(session: StreamSession, command: PendingCommand, verb: Steer) -> None:
    """Begin to drive by a wish; the wishes that follow are obeyed without the session.

    Args:
        session: the session.
        command: the command, which is answered.
        verb: what it says.
    """
    character = session.character
    command.remark = wish(character, verb)
    if session.plan.gait is None or session.own_gait is not None:
        _begin(session)
        session.start_gait(gait_for(*character.bend.drive.demand(BRAKING), STAND), command.number)
    command.answer(character.taken)


def travel(
    session: StreamSession, command: PendingCommand, points: Sequence[Point], verb: Goto | Path
) -> None:
    """Drive along a way, around obstacles; one that travels already goes on as it goes.

    Args:
        session: the session.
        command: the command, which is answered.
        points: where to go, in order, metres.
        verb: what it says.
    """
    plan, drive = session.plan, session.character.bend.drive
    own = session.own_gait
    if plan.gait is None and plan.is_travelling:
        own = Gait(plan.text, plan.speed)
    usual = USUAL_SPEED if own is None else max(own.speed, 0.5)
    speed = verb.speed if isinstance(verb, Path) and verb.speed is not None else usual
    here = drive.x, drive.z
    way = Way(
        around_obstacles([here, *points], drive.obstacles), verb.heading, verb.seconds, min(speed, MAX_SPEED)
    )
    command.remark = _unmet(session, points[-1], verb, way.length, speed)
    begins = plan.gait is None
    if begins:
        _begin(session)
    drive.wish, drive.way = None, way
    if begins and own is not None:
        session.keep_own_gait(own)
    elif begins:
        angle = math.remainder(
            math.atan2(points[0][0] - here[0], points[0][1] - here[1]) - drive.heading, math.tau
        )
        session.start_gait(
            gait_for(speed if way.length > 0.3 else 0.0, 0.0 if way.length > 1.0 else angle, STAND),
            command.number,
        )


def pose_ahead(session: StreamSession, command: PendingCommand, verb: Pose, still: Motion) -> None:
    """Come to a pose at its time; where it has a place, go there.

    Args:
        session: the session.
        command: the command, which is answered.
        verb: what it says.
        still: one frame of the pose.
    """
    taken = session.character.taken
    if verb.root is not None:
        place = float(verb.root[0]), float(verb.root[2])
        travel(session, command, [place], Goto(*place, float(still.heading()[0]), max(verb.at, 0.1)))
        command.remark = command.remark.replace("goto:", "pose:")
    session.character.bend.pose = PoseAhead.of(still.rotations[0].numpy(), float(still.root[0, 1]), verb.at)
    command.answer(taken + round(verb.at * FPS))


def _begin(session: StreamSession) -> None:
    """End what was planned before somebody drives."""
    session.cancel_plans()
    session.plan.steering.angle = 0.0
    session.own_gait = None


def _unmet(session: StreamSession, end: Point, verb: Goto | Path, length: float, speed: float) -> str:
    """Return what of a way cannot be met, in a sentence; empty where all can."""
    name = type(verb).__name__.lower()
    for obstacle in session.character.bend.drive.obstacles:
        missing = KEEPS_AWAY - outside(obstacle, *end)[0]
        if missing > 0:
            return f"{name}: the end is {missing:.2g} m too near to the {obstacle.label}; it goes beside it"
    if verb.seconds is not None:
        soonest = length / MAX_SPEED + LAST_SECONDS
        if soonest > verb.seconds:
            return (
                f"{name}: {length:.3g} m in {verb.seconds:.3g} s; the fastest that it runs is {MAX_SPEED:g} m/s, "
                f"and it comes about {soonest - verb.seconds:.2g} s late"
            )
    elif speed > MAX_SPEED:
        return f"{name}: asked for {speed:.3g} m/s; the fastest that it runs is {MAX_SPEED:g}"
    return ""
