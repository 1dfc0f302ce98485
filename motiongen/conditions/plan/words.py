"""Words that a plan is read by: subjects, verbs with their forms, numbers, and what is no act of the whole body."""

import re
from functools import lru_cache

_PEOPLE = (
    "person|people|man|men|woman|women|boy|girl|child|kid|guy|lady|gentleman|human|figure|character|dancer|"
    "soldier|zombie|robot|athlete|fighter|player|warrior|knight|ninja|giant|thug|teenager|actor|runner|worker"
)
SUBJECT = re.compile(
    rf"(?:(?:a|an|the|this|that|one|some|two|three|my|our)\s+(?:[\w-]+,?\s+){{0,3}}?(?:{_PEOPLE})|someone|somebody|"
    r"he|she|they|it|i|you|we)(?=\s|$|')",
    re.IGNORECASE,
)
"""The doer at the start of a clause."""
ANAPHOR = re.compile(rf"(?:the (?:same )?(?:{_PEOPLE})|he|she|they|it)$", re.IGNORECASE)
"""A doer that was named before."""
_PLURAL = re.compile(r"(?:i|you|we|they)$|\b(?:people|men|women|two|three)\b", re.IGNORECASE)

_BASES = (
    "act aim applaud approach back balance bend block bounce bow box call carry cartwheel cast catch "
    "celebrate charge cheer chop circle clap clean climb close come continue crawl creep crouch cry dab "
    "dance dash die dig do dodge drag draw dribble drink drive drop duck eat escape face faint fall fence "
    "fight flee flex flip fly follow freeze get give go grab greet guide gesture halt hang hide hit hold "
    "hop hug jog jump keep kick kneel land laugh lead lean leap lie lift limp look lower lunge make march "
    "meditate move nod open paint pat pause perform pick pivot play point pose pray pretend pull punch "
    "push put raise reach relax rest retreat return ride rise roll rotate row rub run salute scratch "
    "shake shoot shout shrug shuffle sing sit skate ski skip slash slide sneak speak spin sprint squat "
    "stab stagger stamp stand start stay step stomp stop stretch stride strike stroll struggle stumble "
    "surrender sweep swim swing swivel take talk tap taunt threaten throw tiptoe toss touch trip trot "
    "tumble turn twirl twist use veer wait wake walk wander wash wave whirl wipe yawn"
)
_GAITS = (
    "approach crawl creep dash go hop jog limp march move retreat return run "
    "shuffle skip sneak sprint stagger step stride stroll stumble tiptoe travel trot walk wander"
)
LOCOMOTION = frozenset(_GAITS.split())
"""Verbs, in their base form, that carry a person over the ground."""
OTHER_THAN_BODY = re.compile(
    r"\b(?:arms?|hands?|fists?|fingers?|wrists?|elbows?|shoulders?|head|neck|legs?|foot|feet|knees?|ankles?|hips?|waist|"
    r"torso|thumbs?|eyes?|ball|sword|weapon|wheel|page|knob|handle|key|light|lights)\b"
)
"""What may turn or circle in place of the whole body."""

_UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBERS = {word: n for n, word in enumerate(_UNITS, start=1)} | {
    "a couple of": 2, "a few": 3, "some": 3, "several": 3, "a dozen": 12, "twenty": 20,
}  # fmt: skip
"""Number words; those without an exact value have a usual one."""
NUMBER = rf"(?:\d{{1,2}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
"""Pattern of a number."""


def value(number: str) -> int:
    """Return the value of a number that `NUMBER` matched."""
    return int(number) if number.isdigit() else NUMBERS[number.lower()]


def third_person(base: str) -> str:
    """Return the third person of a verb: "wave" -> "waves"."""
    if base.endswith(("s", "sh", "ch", "x", "z", "o")):
        return f"{base}es"
    return f"{base[:-1]}ies" if base.endswith("y") and base[-2] not in "aeiou" else f"{base}s"


def gerund(base: str) -> str:
    """Return the gerund of a verb: "run" -> "running"."""
    if base.endswith("ie"):
        return f"{base[:-2]}ying"
    if base.endswith("e") and base not in ("flee",):
        return f"{base[:-1]}ing"
    doubles = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", base) is not None
    return f"{base}{base[-1] if doubles else ''}ing"


@lru_cache(maxsize=1)
def _forms() -> dict[str, str]:
    forms = {form(base): base for base in _BASES.split() for form in (third_person, gerund)}
    return forms | {base: base for base in _BASES.split()} | {"swiveling": "swivel", "is": "be", "are": "be"}


def base_of(word: str) -> str | None:
    """Return the base form of a verb in the present, or None for any other word."""
    return _forms().get(word.lower().strip(",.;!"))


def is_gerund(word: str) -> bool:
    """Return whether a word is the gerund of a known verb."""
    base = base_of(word)
    return base is not None and word.lower().strip(",.;!").endswith("ing") and word != base


def conjugated(word: str, subject: str) -> str:
    """Return a verb in the form that a subject needs, the base form for none; other words stay.

    Args:
        word: a word.
        subject: "a person"; empty for an imperative.
    """
    base = base_of(word)
    if base in (None, "be"):
        return word
    return base if not subject or _PLURAL.search(subject) else third_person(base)
