"""Who does it: a prompt about any person, as captions say it."""

import re

_ARTICLE, _AGE = r"(?:a|an|the|one|some)\s+", r"(?:young\s+|adult\s+)?"
_WHO = (
    rf"(?:{_ARTICLE})?{_AGE}(?:man|woman|guy|girl|boy)"
    # Without an article these mostly say of what kind something else is: "figure skates", "human legs kick".
    rf"|{_ARTICLE}{_AGE}(?:lady|gentleman|human being|human|figure|character|player|individual|subject|actor)"
    r"|someone|somebody|he|she"
)
_SUBJECT = re.compile(rf"^\s*(?:{_WHO})(?=\s+\w+(?:s|ly)\b)", re.IGNORECASE)


def about_a_person(prompt: str) -> str:
    """Return a prompt with "a person" in place of a subject that says nothing of the motion; others stay as they are.

    "a woman tiptoes" is nearer to what women do otherwise than to a person who tiptoes, for a sentence encoder.
    """
    return _SUBJECT.sub("a person", prompt, count=1)
