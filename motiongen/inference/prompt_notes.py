"""What a prompt asks for that no model here does, told by its words: denials, and things that only a scene has."""

import re
from collections.abc import Iterable

DENIAL = re.compile(r"\b(?:not|never|without|cannot|nobody|no longer|\w+n['’]t)\b", re.IGNORECASE)
"""Words that deny what follows: a sentence vector hardly differs by them, and what is denied would be done."""
SCENERY = re.compile(
    r"\b(?:(?:up|down)stairs|stair(?:s|case|way|well)?|steps up|steps down|ladders?|escalators?|elevators?|lifts? to"
    r"|slopes?|hills?|hillside|uphill|downhill|mountains?|ramps?|fences?|walls?|trees?|ropes?|doors?|beds?"
    r"|tables?|desks?|pools?|rivers?|puddles?|trampolines?|bi(?:cycles?|kes?)"
    r"|scooters?|skate(?:s|boards?)?|ski(?:s|ing|er)?|snowboards?|surfboards?|horses?|boats?"
    r"|cano?es?|kayaks?|pianos?|guitars?|violins?|drums?|keyboards?|computers?|laptops?)\b",
    re.IGNORECASE,
)
"""Things that a body meets, mounts or plays. The floor of all motion here is flat and empty."""


def word_note(prompt: str, known: Iterable[str]) -> str:
    """Return what is doubtful about the words of a prompt, as the end of a sentence; empty where nothing is.

    Args:
        prompt: a sentence.
        known: sentences of what the model was trained on; things that are named there are not doubtful.
    """
    if denial := DENIAL.search(prompt):
        return f"says {denial.group()!r}, and this model may do what is denied; say what happens instead"
    familiar = " ".join(known).lower()
    for thing in SCENERY.finditer(prompt):
        if not re.search(rf"\b{re.escape(thing.group().lower())}\b", familiar):
            return f"names {thing.group()!r}, of which this model knows nothing"
    return ""
