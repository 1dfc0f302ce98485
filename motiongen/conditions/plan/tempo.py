"""Reads from a clause how fast it is to be done."""

import re

TEMPO_RANGE = (0.5, 1.8)
"""Slowest and fastest tempo: beyond, weight is no longer believed."""

_MORE = r"(?:(?P<more>very|really|extremely|incredibly)\s+|(?:quite|rather|more|fairly)\s+)?"
_WORDS = {
    0.5: r"in (?:very |extreme )?slow[- ]motion",
    0.7: r"slowly|at a slow (?:pace|speed)|sluggishly",
    0.8: r"leisurely|unhurriedly",
    1.35: (
        r"quickly|rapidly|swiftly|hurriedly|speedily|at (?:a )?(?:fast|quick|high) (?:pace|speed)|"
        r"(?<!so )(?<!as )(?<!a )fast(?=\s*$|,| to\b| forward| backward| around| in\b| and\b| through\b| across\b)"
    ),
}
_TEMPI = {
    tempo: re.compile(rf",?\s*\b{_MORE}(?:{pattern})(?:\s*$|\b,?)", re.IGNORECASE)
    for tempo, pattern in _WORDS.items()
}


def tempo(clause: str) -> tuple[str, float]:
    """Return a clause without the word for its speed, and the factor of its speed; 1 where it has none.

    Args:
        clause: "a person walks very slowly".
    """
    for factor, pattern in _TEMPI.items():
        match = pattern.search(clause)
        if match and match.start():
            power = 1.5 if match["more"] else 1.0
            factor = min(max(factor**power, TEMPO_RANGE[0]), TEMPO_RANGE[1])
            return clause[: match.start()] + clause[match.end() :], factor
    return clause, 1.0
