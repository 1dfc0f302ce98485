"""Files of constraints: JSON of our own, and what Kimodo's demo saves. docs/constraints.md describes both."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from motiongen.atomic import atomic_path
from motiongen.constraints.avoid import Avoid
from motiongen.constraints.joint_key import JointKey
from motiongen.constraints.kimodo import from_kimodo
from motiongen.constraints.look_at import LookAt
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.root_path import RootPath
from motiongen.constraints.waypoint import Waypoint
from motiongen.files import reading
from motiongen.registry import lookup, suggest

Constraint = RootPath | Waypoint | PoseKey | JointKey | LookAt | Avoid

KINDS: dict[str, type[Constraint]] = {
    kind.kind: kind for kind in (RootPath, Waypoint, PoseKey, JointKey, LookAt, Avoid)
}
"""Name in files -> class."""
VERSION = 1
"""Version of the format."""
MOST = 10_000
"""Largest number of constraints in a file."""
_CLIP = {"clip", "clip_time"}  # fields of a pose that stand for its rotations and root


def read(path: str | Path) -> list[Constraint]:
    """Return the constraints in a file.

    Args:
        path: JSON of version 1, or a list that Kimodo's demo saved. Clips that it names lie relative to its folder.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no JSON, another version, an unknown key, or a number that cannot be; the message names the entry.
    """
    path = Path(path)
    with reading(path, "a JSON file of constraints"):
        try:
            record = json.loads(path.read_text(encoding="utf-8-sig"))
        except RecursionError as error:
            raise ValueError(
                "expected constraints, got JSON that is nested too deeply; write a plain list"
            ) from error
        if isinstance(record, list):
            _check_count(record)
            return from_kimodo(record)
        if not isinstance(record, dict):
            raise ValueError(f"expected a JSON object, got {type(record).__name__}; see docs/constraints.md")
        _check_keys("file", record, ("version", "constraints"), ("version", "constraints"))
        if record["version"] != VERSION:
            raise ValueError(f"version: expected {VERSION}, got {record['version']!r}; update motiongen")
        if not isinstance(record["constraints"], list):
            raise ValueError("constraints: expected a list, got something else; see docs/constraints.md")
        _check_count(record["constraints"])
        return [_entry(i, each, path.parent) for i, each in enumerate(record["constraints"])]


def write(constraints: Iterable[Constraint], path: str | Path) -> None:
    """Write constraints to a JSON file of version 1.

    Args:
        constraints: in any order.
        path: a file to make or replace.
    """
    entries = [
        {"type": each.kind}
        | {field.name: getattr(each, field.name) for field in fields(each) if _said(each, field)}
        for each in constraints
    ]
    lines = ",\n".join(f"  {json.dumps(entry, allow_nan=False)}" for entry in entries)
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(f'{{"version": {VERSION}, "constraints": [\n{lines}\n]}}\n', encoding="utf-8")


def _said(constraint: Constraint, field: Any) -> bool:
    return field.default is MISSING or getattr(constraint, field.name) != field.default


def _check_count(entries: Sequence[Any]) -> None:
    if len(entries) > MOST:
        raise ValueError(f"constraints: expected at most {MOST}, got {len(entries)}; leave some out")


def _entry(number: int, record: Any, folder: Path) -> Constraint:
    """Return the constraint of an entry; errors begin with its number."""
    try:
        if not isinstance(record, dict):
            raise ValueError(f"expected an object, got {record!r:.60}; see docs/constraints.md")
        kind = lookup("type", KINDS, str(record.get("type", "")))
        values = {key: _frozen(value) for key, value in record.items() if key != "type"}
        names = [field.name for field in fields(kind)]
        needed = [field.name for field in fields(kind) if field.default is MISSING]
        if kind is PoseKey and _CLIP & set(values):
            _check_keys("pose", values, ("time", "in_place", *sorted(_CLIP)), ("time", *sorted(_CLIP)))
            return _pose_of_clip(values, folder)
        _check_keys(kind.kind, values, names, needed)
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"constraints[{number}]: {error}") from error


def _pose_of_clip(values: Mapping[str, Any], folder: Path) -> PoseKey:
    """Return the pose of a frame of a clip that an entry names."""
    from motiongen.motion import Motion

    motion = Motion.load(folder / str(values["clip"]))
    return PoseKey.from_motion(
        motion, values["clip_time"], time=values["time"], in_place=values.get("in_place", True)
    )


def _check_keys(kind: str, record: Mapping[str, Any], known: Sequence[str], needed: Sequence[str]) -> None:
    for key in record:
        if key not in known:
            nearest = suggest(key, known)
            hint = f"did you mean {nearest}?" if nearest else "leave it out"
            raise ValueError(f"{kind}: expected {', '.join(known)}, got {key!r}; {hint}")
    for key in needed:
        if key not in record:
            raise ValueError(f"{kind}: expected {key}, got none; add it")


def _frozen(value: Any) -> Any:
    """Return a value of JSON with tuples for its lists."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
