"""Reads from a clause how far the whole body turns, and to which side."""

import math
import re
from dataclasses import dataclass

from motiongen.conditions.plan import words
from motiongen.conditions.plan.clauses import verb_of

_TURN = r"(?:turn|rotate|pivot|swivel|veer|swerve|curve)(?:s|ing)?"
_SPIN = r"(?:spin|twirl|whirl)(?:s|ning|ing)?"
_ADVERBS = r"(?:(?:\w+ly|all the way|right|half|halfway) )*"
_AROUND = re.compile(
    rf"\b{_TURN} {_ADVERBS}(?:around|round|back|about)\b(?! (?:and (?:over|round)|to face))", re.IGNORECASE
)
_SPINS = re.compile(
    rf"\b{_SPIN}\b(?! (?:(?:around |round )?(?:with|the|his|her|their)|attack))"
    rf"|\b{_SPIN} (?:around|round) (?:with (?:joy|arms|the arms))\b",
    re.IGNORECASE,
)
_SIDE = r"(?:(?:to|towards?|off to) )?(?:(?:the|his|her|their|its|your|my) )?(?P<side>left|right)\b(?! (?:and|side))"
_NOUN = r"(?! (?:hand|arm|leg|foot|knee|shoulder|wrist|elbow|thigh|hip|ankle|fist|palm)s?\b)"
_TO_SIDE = re.compile(
    rf"\b{_TURN} (?:\w+ly |around |\d+ degrees? )?{_SIDE}{_NOUN}(?! away\b| now\b)", re.IGNORECASE
)
_SIDE_TURN = re.compile(
    r"\b(?:makes?|making|takes?|taking|does?|doing) an? (?:\w+ )?(?P<side>left|right)(?:[- ]hand)? turn\b",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"\b(?P<degrees>\d{2,3})[- ]?(?:degrees?\b|°)", re.IGNORECASE)
_SHARE = re.compile(
    r"\b(?P<share>quarter|half|three[- ]quarter|full|complete|u)[- ]?(?:turn|circle)s?\b", re.IGNORECASE
)
_SHARES = {"quarter": 0.25, "half": 0.5, "three-quarter": 0.75, "full": 1.0, "complete": 1.0, "u": 0.5}
_CIRCLE = re.compile(
    rf"\b(?:in|makes?|does?|completes?) (?:(?P<number>{words.NUMBER}) |an? )?"
    r"(?:[\w-]+ ){0,2}?(?P<what>circles?|loops?)\b",
    re.IGNORECASE,
)
_CLOCKWISE = re.compile(r"\b(?P<counter>counter|anti)?[- ]?clockwise\b", re.IGNORECASE)
_ANY_SIDE = re.compile(
    rf"\bto (?:the|his|her|their|its|your) (?P<side>left|right)\b{_NOUN}(?! side)", re.IGNORECASE
)
_UNSURE = re.compile(rf"\b{_TURN} (?:on|off|up|down|into|the|a|an|to face|to look)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """A turn of the whole body.

    Attributes:
        angle: net turn, radians, to the left where positive; 0 for none.
        travels: whether it turns while it goes, in a curve.
        sideways: whether going sideways is as good.
    """

    angle: float = 0.0
    travels: bool = False
    sideways: bool = False


def turn(clause: str) -> Turn:
    """Return the turn that a clause asks for.

    Args:
        clause: "a person walks in a circle clockwise". Its words stay: a head may know them.
    """
    verb = verb_of(clause)
    goes, whole = verb in words.LOCOMOTION, words.OTHER_THAN_BODY.search(clause.lower()) is None
    side = _side(clause)
    circle = _CIRCLE.search(clause) if whole else None
    share = _share(clause) if whole else None
    if circle and (goes or verb in ("turn", "spin", "circle", "make", "do", "dance")):
        rounds = (
            words.value(circle["number"]) if circle["number"] else 2 if circle["what"].endswith("s") else 1
        )
        travels = verb not in ("turn", "spin", "dance")
        return Turn(side * (share or math.tau) * min(rounds, 4), travels=travels)
    if share and (_UNSURE.search(clause) is None):
        return Turn(side * share, travels=goes)
    sided = _TO_SIDE.search(clause) or _SIDE_TURN.search(clause)
    if _SPINS.search(clause) and whole:
        return Turn(side * math.tau, travels=goes)
    if _AROUND.search(clause) and whole and not _UNSURE.search(clause):
        return Turn(side * math.pi, travels=goes)
    if sided:
        return Turn(math.copysign(math.pi / 2, 1 if sided["side"].lower() == "left" else -1), travels=goes)
    if (goes or verb in ("turn", "rotate", "pivot")) and _CLOCKWISE.search(clause) and whole:
        return Turn(side * math.tau, travels=goes)
    aside = _ANY_SIDE.search(clause)
    if aside and goes and whole:
        return Turn(side * math.pi / 2, travels=True, sideways=True)
    return Turn()


def _side(clause: str) -> float:
    """Return 1 for the left, which is also the side where nobody says, and -1 for the right."""
    clockwise = _CLOCKWISE.search(clause)
    if clockwise:
        return 1.0 if clockwise["counter"] else -1.0
    sided = _TO_SIDE.search(clause) or _SIDE_TURN.search(clause) or _ANY_SIDE.search(clause)
    return -1.0 if sided and sided["side"].lower() == "right" else 1.0


def _share(clause: str) -> float | None:
    """Return the angle that a clause names, radians: "90 degrees", "a half turn"."""
    degrees = _DEGREES.search(clause)
    if degrees and re.search(rf"\b(?:{_TURN}|{_SPIN}|turns?)\b", clause, re.IGNORECASE):
        return math.radians(min(int(degrees["degrees"]), 720))
    part = _SHARE.search(clause)
    return None if part is None else math.tau * _SHARES[part["share"].lower().replace(" ", "-")]
