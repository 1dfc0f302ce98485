"""Registries: literal dicts from name to entry, their one lookup, and the one "did you mean"."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")


class HasExtensions(Protocol):
    """A registry's entry that is found by the extension of a file."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """Lower-case file extensions, each with its dot."""
        ...


FileT = TypeVar("FileT", bound=HasExtensions)


def lookup(kind: str, registry: Mapping[str, T], name: str) -> T:
    """Return a registry's entry by name.

    Args:
        kind: name of the kind of entry, such as "head", with which the error begins.
        registry: the entries by name.
        name: the name that is asked for.

    Raises:
        ValueError: an unknown name; the message lists the known ones and suggests one that is spelled alike.
    """
    if name not in registry:
        nearest = suggest(name, registry)
        hint = f"did you mean {nearest}?" if nearest else "pick one"
        raise ValueError(f"{kind}: expected one of {', '.join(registry)}, got {name!r}; {hint}")
    return registry[name]


def lookup_extension(registry: Mapping[str, FileT], path: str | Path) -> FileT:
    """Return a registry's entry by the extension of a path, upper and lower case being the same.

    Args:
        registry: the entries by name.
        path: the file.

    Raises:
        ValueError: no entry has that extension; the message lists the known ones and suggests one spelled alike.
    """
    known = {extension: entry for entry in registry.values() for extension in entry.extensions}
    extension = Path(path).suffix.lower()
    if extension not in known:
        nearest = suggest(extension, known)
        hint = f"did you mean {nearest}?" if nearest else "choose one of these"
        raise ValueError(
            f"{path}: expected one of {', '.join(known)}, got {extension or 'no extension'}; {hint}"
        )
    return known[extension]


def suggest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was most likely meant to be, or None when none is close.

    Close is a slip of the keyboard: at most one edit for every four letters (one for shorter names), upper and lower
    case being the same. Of equally close names the first is returned.

    Args:
        name: a name that is not known.
        known: names of the same kind.
    """
    limit = max(1, len(name) // 4)
    distances = [
        (edit_distance(name.lower(), other.lower()), other)
        for other in known
        if abs(len(name) - len(other)) <= limit
    ]
    distance, nearest = min(distances, key=lambda pair: pair[0], default=(limit + 1, ""))
    # A name of which half would have to change is another name, not a slip.
    return nearest if distance <= limit and 2 * distance < len(name) else None


def edit_distance(a: str, b: str) -> int:
    """Return how many letters must be inserted, deleted, replaced or swapped with their neighbour to turn a into b.

    Optimal string alignment (the restricted form of Damerau, 1964).
    """
    rows = [list(range(len(b) + 1))]
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (letter != other))
            if min(i, j) > 1 and letter == b[j - 2] and a[i - 2] == other:
                best = min(best, rows[i - 2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
