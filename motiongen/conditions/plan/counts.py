"""Reads from a clause how often an act is to be seen, and how many steps a person is to take."""

import re

from motiongen.conditions.plan import words
from motiongen.conditions.plan.clauses import subject_of, verb_of

MOST = 20
"""Highest number of repetitions or steps; more are said too."""

_TIMES = re.compile(
    r",?\s*\b(?:(?P<word>(?<!at )once(?! more| again| upon)|twice|thrice)"
    rf"|(?:exactly )?(?P<number>{words.NUMBER}) times)\b"
    r"(?!\s+(?:as|faster|slower|more|larger|higher|the)\b)(?: in a row)?",
    re.IGNORECASE,
)
_WORDS = {"once": 1, "twice": 2, "thrice": 3}
_DOES = r"(?:do(?:es|ing)?|makes?|making|performs?|performing|takes?|taking|throws?|gives?|lands?|executes?)"
_VERBS = "jump hop kick punch squat clap bow wave nod lunge stomp"
_FEATS = "cartwheel flip backflip somersault handstand roll"
_ACTS = {
    **{noun: words.third_person(noun) for noun in _VERBS.split()},
    **{noun: f"does a {noun}" for noun in _FEATS.split()},
    **{noun: f"does {noun}s" for noun in ("push-up", "sit-up", "jumping jack", "burpee")},
    "spin": "spins around",
    "turn": "turns around",
}
_NOUNS = "|".join(act.replace("-", "[- ]?") for act in sorted(_ACTS, key=len, reverse=True))
_COUNTED = re.compile(
    rf"\b(?P<does>{_DOES}) (?P<number>{words.NUMBER}) (?:(?P<kind>[\w-]+) )?(?P<noun>{_NOUNS})(?:es|s)?\b(?!-)",
    re.IGNORECASE,
)
_STEPS = re.compile(
    rf"\s*\b(?P<number>{words.NUMBER}|a) (?:(?:small|big|large|short|long|quick|slow|tiny) )?(?:steps?|paces)\b",
    re.IGNORECASE,
)


def repeats(clause: str) -> tuple[str, int]:
    """Return a clause without its count, and the count; 0 where it has none.

    Args:
        clause: "a person jumps twice" or "a person does three high kicks".
    """
    match = _TIMES.search(clause)
    if match:
        number = _WORDS[match["word"].lower()] if match["word"] else words.value(match["number"])
        return clause[: match.start()] + clause[match.end() :], min(number, MOST)
    match = _COUNTED.search(clause)
    if match is None:
        return clause, 0
    noun = re.sub(r"(?<=push|.sit)[- ]?(?=up)", "-", match["noun"].lower())
    act = _ACTS.get(noun) or _ACTS[noun.replace(" ", "-")]
    if match["kind"]:  # "three right kicks": the kind goes on with the noun
        act = f"does a {match['kind']} {match['noun']}"
    verb, *rest = act.split()
    act = " ".join([words.conjugated(verb, subject_of(clause)), *rest])
    return clause[: match.start()] + act + clause[match.end() :], min(words.value(match["number"]), MOST)


def steps(clause: str) -> tuple[str, int]:
    """Return a clause without its number of steps, and the number; 0 where it has none.

    Args:
        clause: "a person takes three steps back" or "a person walks a few steps".
    """
    match, verb = _STEPS.search(clause), verb_of(clause)
    if match is None or verb not in {*words.LOCOMOTION, "take", "make", "do", "back"}:
        return clause, 0
    before, after = clause[: match.start()], clause[match.end() :]
    subject = subject_of(clause)
    if verb in ("take", "make", "do"):
        before = f"{subject} {words.conjugated('walk', subject)}".strip()
    if verb == "step" and re.search(r"\bsteps?$", before):  # "steps two steps"
        before = re.sub(r"\bstep(s?)$", r"walk\1", before)
    back = re.sub(r"^ backwards?\b|^ back\b", " backward", after)
    directed = back if back.strip() or "ward" in before else " forward"
    number = 1 if match["number"].lower() == "a" else words.value(match["number"])
    return before + directed, min(number, MOST)
