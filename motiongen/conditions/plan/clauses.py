"""Splits a sentence into the clauses of acts that follow each other, each a sentence with its own subject."""

import re

from motiongen.conditions.plan import words
from motiongen.conditions.prompt import plain_words

_NOW_AND_THEN = re.compile(r"\bnow and then\b", re.IGNORECASE)
_BREAK = re.compile(
    r"\s*(?:[,;.!]\s*)?(?:\b(?:and|but)\s+)?\b(?:then|after (?:that|this|which)|afterwards?|subsequently|followed by)\b"
    r"(?:\s+after (?:a|one) (?:moment|while|second))?,?\s+"
    r"|\s*[,;.!]\s*(?:and\s+)?(?:next|finally|lastly)\b(?!\s+to\b),?\s+"
    r"|\s*[;.!]\s+",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^(?:first(?:ly)?|at first|to begin with|next|then)\b,?\s+", re.IGNORECASE)
_SUBORDINATE = re.compile(r",?\s+\b(before|after)\s+(?=(\S+))", re.IGNORECASE)
_FRONTED = re.compile(r"^(before|after)\s+((\S+)[^,]*),\s*(.+)$", re.IGNORECASE)
_LIST = re.compile(r"\s*,\s*(?:and\s+)?(?=(\S+))", re.IGNORECASE)
_STOP = re.compile(
    r"(?:stops?|stopping|halts?|comes? to a (?:stop|halt)|coming to a (?:stop|halt)|freezes?|"
    r"stands? (?:still|idle|there)|stays? still)(?: (?:moving|walking|running|there|still|completely|for a moment))?",
    re.IGNORECASE,
)
_AND_STOP = re.compile(rf",?\s+and\s+(?={_STOP.pattern}[.!]?$)", re.IGNORECASE)
_WHILE = re.compile(r",?\s+while\s+(?:also\s+)?(?=(\S+))", re.IGNORECASE)
_ADVERB = re.compile(r"^(?:\w+ly|again|also|just|immediately|fast|straight)$", re.IGNORECASE)
_NOT_VERB = re.compile(
    r"^(?:back|backwards?|forwards?|left|right|up|down|to|towards?|in|into|around|away|out|over|under|across|along|off|on|"
    r"onto|through|home|straight|with|from|at|sideways)$",
    re.IGNORECASE,
)
_OWN_LIMB = re.compile(
    r"^(?:with )?(?:his|her|their|its|your|my|the (?:left|right|other)|both)\b", re.IGNORECASE
)
_NOUN_PHRASE = re.compile(rf"^(?:an?|the|one|{words.NUMBER})\s+(?:[\w-]+\s+)?([\w-]+)", re.IGNORECASE)


def split(sentence: str) -> list[str]:
    """Return the clauses of a sentence in the order of time, one where nothing follows.

    A clause without a subject takes that of the first, and a clause without a verb that of the one before: "a person
    walks there, then back" gives "a person walks there" and "a person walks back". "and" alone joins one act.

    Args:
        sentence: words, with any punctuation.
    """
    hidden = _NOW_AND_THEN.sub("now\x00and\x00then", _LEAD.sub("", " ".join(plain_words(sentence))))
    pieces = [piece for piece in _BREAK.split(hidden) if piece.strip(" ,.!;")]
    clauses = [clause.replace("\x00", " ").strip(" ,.!;") for piece in pieces for clause in _in_order(piece)]
    subject = next(
        (found for clause in clauses if (found := subject_of(clause)) and not words.ANAPHOR.match(found)),
        next((found for clause in clauses if (found := subject_of(clause))), ""),
    )
    whole: list[str] = []
    for clause in clauses:
        whole.append(_whole(clause, subject, whole[-1] if whole else ""))
    return whole


def subject_of(clause: str) -> str:
    """Return the doer that a clause begins with, or an empty string."""
    match = words.SUBJECT.match(clause)
    return match[0] if match else ""


def verb_of(clause: str) -> str | None:
    """Return the base form of a clause's first verb after its subject, "is" left out, or None."""
    found = (words.base_of(word) for word in clause[len(subject_of(clause)) :].split())
    return next((base for base in found if base not in (None, "be")), None)


def meanwhile(clause: str) -> tuple[str, str]:
    """Return the two acts of "X while Y", each a sentence; the second is empty where there is one act.

    Args:
        clause: a clause with its subject.
    """
    match = _WHILE.search(clause)
    if match is None or not _is_act(match[1], clause[match.end() :]):
        return clause, ""
    return clause[: match.start()], _whole(clause[match.end() :], subject_of(clause), clause)


def is_stop(clause: str) -> bool:
    """Return whether a clause says only that the person stops or stands."""
    return _STOP.fullmatch(clause[len(subject_of(clause)) :].strip()) is not None


def _in_order(piece: str) -> list[str]:
    """Return the clauses of a piece that "before", "after", commas and "and stops" part."""
    fronted = _FRONTED.match(piece)
    if fronted and _is_act(fronted[3], fronted[2]):
        acts = [fronted[2], fronted[4]]
        return [
            clause
            for act in (acts if fronted[1].lower() == "after" else acts[::-1])
            for clause in _in_order(act)
        ]
    match = _SUBORDINATE.search(piece)
    if match and match.start() and _is_act(match[2], piece[match.end() :]):
        acts = [piece[: match.start()], piece[match.end() :]]
        return [
            clause
            for act in (acts if match[1].lower() == "before" else acts[::-1])
            for clause in _in_order(act)
        ]
    stopping = _AND_STOP.search(piece)
    if stopping and stopping.start():
        return [*_in_order(piece[: stopping.start()]), piece[stopping.end() :]]
    return _listed(piece)


def _listed(piece: str) -> list[str]:
    """Return the acts of "walks, turns left, and waves": a comma before a verb in the first verb's form parts them."""
    subject, first = subject_of(piece), verb_of(piece)
    clauses, start = [], 0
    for match in _LIST.finditer(piece):
        follows = piece[match.end() :]
        base = words.base_of(match[1])
        progressive = re.search(r"\b(?:is|are)\b", piece[: match.start()]) is not None
        same_form = base is not None and (
            match[1].lower().strip(",") == words.conjugated(base, subject)
            or (progressive and words.is_gerund(match[1]))
        )
        own = subject_of(follows) and verb_of(follows)
        if first is not None and match.start() > len(subject) and (same_form or own):
            clauses.append(piece[start : match.start()])
            start = match.end()
    return [*clauses, piece[start:]]


def _is_act(first_word: str, rest: str) -> bool:
    return words.is_gerund(first_word) or bool(subject_of(rest) and verb_of(rest))


def _whole(clause: str, subject: str, before: str) -> str:
    """Return a clause with a subject and a verb that fits it.

    Args:
        clause: as it was said.
        subject: the first clause's doer.
        before: the clause before, whole; empty for none.
    """
    clause = re.sub(r"^(?:and|but)\s+", "", clause, flags=re.IGNORECASE)
    own = subject_of(clause)
    if own and not words.ANAPHOR.match(own):
        return clause
    if own:
        rest = clause[len(own) :].strip()
        return clause if not before else f"{subject} {_fitted(rest, subject)}".strip()
    if not before and verb_of(clause) and not words.is_gerund(clause.split()[0]):
        return clause if not subject else f"{subject} {_fitted(clause, subject)}"
    if _NOUN_PHRASE.match(clause) and not _OWN_LIMB.match(clause):
        does = words.conjugated("do", subject)
        alone = re.fullmatch(r"an?\s+([\w-]+)", clause, re.IGNORECASE)
        base = words.base_of(alone[1]) if alone else None
        return f"{subject} {words.conjugated(base, subject) if base else f'{does} {clause}'}".strip()
    if (_NOT_VERB.match(clause.split()[0]) or _OWN_LIMB.match(clause)) and (verb := verb_of(before)):
        return f"{subject} {words.conjugated(verb, subject)} {clause}".strip()
    return f"{subject} {_fitted(clause, subject)}".strip()


def _fitted(clause: str, subject: str) -> str:
    """Return a clause without a subject whose first verb has the form that the subject needs."""
    parts = clause.split()
    for i, word in enumerate(parts):
        if not _ADVERB.match(word):
            bare = word.strip(",.;!")
            parts[i] = word.replace(bare, words.conjugated(bare, subject))
            break
    return " ".join(parts)
