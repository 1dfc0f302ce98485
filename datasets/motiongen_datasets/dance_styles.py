"""Dance styles: one small vocabulary for all datasets, and the style that a label in plain words names."""

import re

STYLES = (
    *("break", "pop", "lock", "middle hip-hop", "la hip-hop", "house", "waack", "krump"),
    *("street jazz", "ballet jazz", "ballet", "disco", "freestyle", "indian", "jazz", "lambada"),
    *("modern", "salsa", "shuffle", "street"),
)
"""Every style; the first ten are AIST++'s genres."""

# Labels that name a dance without saying so, or with words around it.
_LABELS = (
    (r"^salsa( dance)?$", "salsa"),
    (r"^lambada( dance)?$", "lambada"),
    (r"^indian[ -]dance\b", "indian"),
    (r"^ballet$", "ballet"),
)


def label_dance_style(label: str | None) -> str | None:
    """Return the style, one of STYLES, that a label names together with a word for dance; None if it is no dance.

    Args:
        label: such as "salsa", "house dance" or "dancing", which is freestyle.
    """
    label = (label or "").lower()
    if style := first_match(_LABELS, label):
        return style
    words = re.sub(r"[-_]", " ", label)
    if not re.search(r"\bdanc(e|es|ing)\b", words):
        return None
    longest_first = sorted(STYLES, key=len, reverse=True)
    return next((s for s in longest_first if re.search(rf"\b{s.replace('-', ' ')}\b", words)), "freestyle")


def first_match(patterns: tuple[tuple[str, str], ...], text: str) -> str | None:
    """Return the style of the first pattern that is found in a text."""
    return next((style for pattern, style in patterns if re.search(pattern, text)), None)


def dance_meta(style: str | None) -> dict[str, str]:
    """Return a clip's meta facts of a dance style: none for None."""
    return {} if style is None else {"dance_style": style}
