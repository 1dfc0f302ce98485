"""Which dance a clip shows, in one small set of styles over all datasets; what is no dance has none."""

import re

from motiongen_datasets.captions.sources import animation_content

AIST_GENRES = {
    "BR": "break",
    "PO": "pop",
    "LO": "lock",
    "MH": "middle hip-hop",
    "LH": "la hip-hop",
    "HO": "house",
    "WA": "waack",
    "KR": "krump",
    "JS": "street jazz",
    "JB": "ballet jazz",
}
"""AIST++'s codes of genre -> style."""
STYLES = (
    *AIST_GENRES.values(),
    *("ballet", "disco", "freestyle", "indian", "jazz", "lambada", "modern", "salsa", "shuffle", "street"),
)
"""Every style there is."""

# Labels and descriptions of the datasets, and the grammar's contents, that name a dance.
_CONTENTS = (
    (r"^salsa( dance)?$", "salsa"),
    (r"^lambada( dance)?$", "lambada"),
    (r"^indian[ -]dance\b", "indian"),
    (r"^ballet$", "ballet"),
)
# G1 Moves names its dances by the style or by the song: the songs' choreographies are street dance, those of its
# second performer (B_) improvised.
_G1_NAMES = (
    (r"Salsa", "salsa"),
    (r"Broadway|Jazz", "jazz"),
    (r"Disco", "disco"),
    (r"Shuffle", "shuffle"),
    (r"Modern", "modern"),
    (r"^B_.*Dance", "freestyle"),
    (r"Dance", "street"),
)
_AIST_NAME = re.compile(r"^g([A-Z]{2})_")


def dance_style(source: str, clip_id: str, content: str | None) -> str | None:
    """Return the style of a clip, one of STYLES, or None if it is no dance.

    Args:
        source: the dataset's name.
        clip_id: "source/name".
        content: the dataset's label or description, or the grammar's content that a cache keeps.
    """
    name, label = clip_id.rpartition("/")[2], (content or "").lower()
    if source == "aistpp":
        genre = _AIST_NAME.match(name)
        return AIST_GENRES.get(genre[1]) if genre else None
    if source == "g1_moves":
        return _first(_G1_NAMES, name)
    if source == "bandai_namco":
        return "street" if label.startswith("dance") else None
    if source == "cc0":
        label = label or animation_content(name)[0] or ""
        return "freestyle" if label in ("dance", "dab") else None
    if source == "cmu" and label.startswith("dance - "):
        return "ballet"  # a list of its steps: arabesque, jete, pirouette
    return _first(_CONTENTS, label) or _own_label(label)


def _own_label(label: str) -> str | None:
    """Return the style that anyone's own label names together with a word for dance: "house dance", "dancing"."""
    words = re.sub(r"[-_]", " ", label)
    if not re.search(r"\bdanc(e|es|ing)\b", words):
        return None
    longest_first = sorted(STYLES, key=len, reverse=True)
    return next((s for s in longest_first if re.search(rf"\b{s.replace('-', ' ')}\b", words)), "freestyle")


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((style for pattern, style in patterns if re.search(pattern, text)), None)
