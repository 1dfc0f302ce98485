"""Executes the verbs that need no model, at once, as they are said: the next frame that is taken is bent to them."""

import math
from typing import TYPE_CHECKING

from motiongen.streaming.barrier import outside
from motiongen.streaming.control_verbs import Look, Obstacles, Reach, Steer
from motiongen.streaming.drive import Wish, rotate_floor
from motiongen.streaming.gaits import MAX_SPEED
from motiongen.streaming.looking import Looking
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.reaching import Reaching
from motiongen.streaming.upper_body import UpperBody

if TYPE_CHECKING:
    from motiongen.streaming.text_character import TextCharacter


def obey_at_once(character: "TextCharacter", command: PendingCommand) -> bool:
    """Execute and answer a command, where the model has no part in it; return whether that is so.

    Args:
        character: the character.
        command: what it is told.
    """
    match command.verb:
        case Reach() | Look():
            command.remark = _lead(character, command.verb)
        case Obstacles():
            command.remark = _avoid(character, command.verb)
        case Steer() if character.is_steered:
            command.remark = wish(character, command.verb)
        case _:
            return False
    command.answer(character.taken)
    return True


def wish(character: "TextCharacter", verb: Steer) -> str:
    """Let a character follow the newest wish; return what of it cannot be met, empty where all can.

    Args:
        character: the character.
        verb: what it says.
    """
    drive = character.bend.drive
    x, z = verb.velocity.tolist()
    facing = verb.facing
    if verb.frame == "character":
        x, z = rotate_floor(x, z, drive.heading)
        facing = None if facing is None else facing + drive.heading
    speed = math.hypot(x, z)
    fits = min(1.0, MAX_SPEED / max(speed, 1e-9))
    drive.way, drive.wish = None, Wish(x * fits, z * fits, facing)
    return "" if fits == 1 else f"steer: asked for {speed:.3g} m/s; the fastest that it runs is {MAX_SPEED:g}"


def _avoid(character: "TextCharacter", verb: Obstacles) -> str:
    """Go around other obstacles from now on; a way that is followed goes round them, too."""
    drive, obstacles = character.bend.drive, verb.shapes
    drive.obstacles = obstacles
    if drive.way is not None:
        drive.way = drive.way.around(obstacles, (drive.x, drive.z))
    inside = [one for one in obstacles if outside(one, drive.x, drive.z)[0] < 0]
    return (
        f"avoid: the character stands in the {inside[0].label}; it steps out when it is driven"
        if inside
        else ""
    )


def _lead(character: "TextCharacter", verb: Reach | Look) -> str:
    """Lead a hand or the head to a point, or let go of it."""
    bend = character.bend
    led: Reaching | Looking = bend.gaze if isinstance(verb, Look) else bend.hands[verb.hand]
    bend.points.pop(led, None)
    if verb.point is None:
        led.goal = None
        return ""
    x, y, z = verb.point.tolist()
    if verb.frame == "character":
        bend.points[led] = x, y, z
    led.goal = bend.world((x, y, z)) if verb.frame == "character" else (x, y, z)
    beyond = (
        0.0
        if bend.newest is None
        else led.beyond(UpperBody(bend.newest.rotations, bend.newest.root), led.goal)
    )
    if beyond < 0.01:
        return ""
    if isinstance(verb, Reach):
        return f"reach: the point is {beyond:.2g} m out of reach; the hand comes as near as it can"
    return f"look: the point is {math.degrees(beyond):.0f} degrees beyond what a neck turns; turn, too"
