"""Notes about prompts that a model will hardly do: far from what it knows, denials, things that only a scene has."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import normalize

SHOWN_LETTERS = 60
"""Letters of a prompt that a note repeats."""
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
    things = SCENERY.findall(prompt)
    familiar = " ".join(known).lower() if things else ""
    for thing in things:
        if not re.search(rf"\b{re.escape(thing.lower())}\b", familiar):
            return f"names {thing!r}, of which this model knows nothing"
    return ""


@dataclass(frozen=True)
class KnownSentences:
    """Sentences of what a model was trained on.

    Attributes:
        sentences: K sentences.
        vectors: (K, C) their sentence vectors at unit length, on the CPU.
        far: cosine similarity to the nearest of them below which a prompt is far from what the model knows.
    """

    sentences: Sequence[str]
    vectors: Tensor
    far: float

    def nearest(self, vectors: Tensor) -> tuple[str, float]:
        """Return the sentence nearest to one, and the cosine similarity to it.

        Args:
            vectors: (V, C) its sentence vector, and those of its other wordings, of which the nearest counts.
        """
        if not self.sentences:
            return "", 1.0
        cosines = (normalize(vectors.float().cpu(), dim=-1) @ self.vectors.T).amax(dim=0)
        best = int(cosines.argmax())
        return self.sentences[best], float(cosines[best])

    def note(self, prompt: str, vectors: Tensor) -> str:
        """Return a sentence about a prompt that the model will hardly do; empty for all others.

        Args:
            prompt: a sentence.
            vectors: as of `nearest`.
        """
        sentence, cosine = self.nearest(vectors)
        doubt = word_note(prompt, self.sentences) if sentence else ""
        if cosine < self.far:
            doubt = doubt or "is far from what this model knows"
        shown = prompt if len(prompt) < SHOWN_LETTERS else prompt[: SHOWN_LETTERS - 3] + "…"
        return f"{shown!r} {doubt}; the nearest that it knows is {sentence!r}" if doubt else ""
