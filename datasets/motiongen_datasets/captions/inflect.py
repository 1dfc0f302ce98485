"""Inflection of English verb phrases for the caption grammar: third person, -ing form, imperative."""

import re
from collections.abc import Callable

THIRD_PERSON = {"be": "is", "do": "does", "go": "goes", "have": "has"}
ING_FORM = {"be": "being", "die": "dying", "lie": "lying", "tie": "tying"}
# One-syllable verbs that end in one vowel and one consonant double it; longer ones and -w, -x, -y do not.
DOUBLED = {
    "bat", "bob", "chop", "clap", "cut", "dab", "dig", "dip", "drag", "drop", "drum", "flap", "flip", "get", "grab",
    "hit", "hop", "hug", "jab", "jog", "nod", "pat", "put", "rub", "run", "set", "shrug", "sit", "skip",
    "slam", "slap", "slip", "snap", "sob", "spin", "squat", "stab", "step", "stir", "stop", "strut", "swat",
    "swim", "swap", "tap", "tip", "trip", "trot", "tug",
}  # fmt: skip


def third_person(phrase: str) -> str:
    """Return the phrase in the third person, as after "a person": "*walk on and *wave" -> "walks on and waves"."""
    return _map_verbs(phrase, _third_person_verb)


def ing_form(phrase: str) -> str:
    """Return the phrase in the -ing form, as after "a person is": "*walk on and *wave" -> "walking on and waving"."""
    return _map_verbs(phrase, _ing_verb)


def base_form(phrase: str) -> str:
    """Return the phrase in the imperative: "*walk on and *wave" -> "walk on and wave"."""
    return phrase.replace("*", "")


def _map_verbs(phrase: str, inflect: Callable[[str], str]) -> str:
    """Return the phrase with its first word inflected, and every later word that a star marks as a verb."""
    first, _, rest = phrase.removeprefix("*").partition(" ")
    rest = re.sub(r"\*(\w+)", lambda match: inflect(match.group(1)), rest)
    return f"{inflect(first)} {rest}".rstrip()


def _third_person_verb(verb: str) -> str:
    if verb in THIRD_PERSON:
        return THIRD_PERSON[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def _ing_verb(verb: str) -> str:
    if verb in ING_FORM:
        return ING_FORM[verb]
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + "ing"
