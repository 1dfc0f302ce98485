"""The text of BVH files, parsed and written unchanged: in their own units, degrees and channel order."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen import limits
from motiongen.atomic import atomic_path
from motiongen.io.options import note

POSITION = ("Xposition", "Yposition", "Zposition")
ROTATION = ("Xrotation", "Yrotation", "Zrotation")
_MAX_TABS = 64
"""Deepest indentation that is written: that of a chain of thousands would fill the file."""
_CHANNELS = {name.lower(): name for name in POSITION + ROTATION}


@dataclass(frozen=True, eq=False)
class Bvh:
    """The contents of a BVH file, in its own units and degrees.

    Attributes:
        names: J joint names in the order of the file.
        parents: index of each joint's parent, -1 for the root.
        offsets: (J, 3) in file units.
        channels: for each joint its channel names in order, "Xposition" to "Zrotation".
        end_sites: (joint, offset) of every End Site.
        values: (T, C) float64, a row a frame, channels of all joints in order.
        frame_time: seconds.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: NDArray[np.float64]
    channels: tuple[tuple[str, ...], ...]
    end_sites: tuple[tuple[int, tuple[float, float, float]], ...]
    values: NDArray[np.float64]
    frame_time: float


def parse(path: str | Path) -> Bvh:
    """Return the contents of a BVH file, unchanged.

    Raises:
        ValueError: the text is not BVH, or holds NaN or infinity; one line that names path, line and what was expected.
    """
    limits.check_file_size(Path(path))
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    motion = re.search(r"^[ \t]*MOTION[ \t\r]*$", text, re.MULTILINE | re.IGNORECASE)
    end = motion.start() if motion else len(text)
    hierarchy = _Hierarchy(path, text[:end])
    if motion is None:
        raise _error(path, text.count("\n") + 1, "MOTION", "the end of the file")
    values, frame_time = _parse_motion(path, text, motion.end(), sum(map(len, hierarchy.channels)))
    return Bvh(
        names=tuple(hierarchy.names),
        parents=tuple(hierarchy.parents),
        offsets=np.array(hierarchy.offsets),
        channels=tuple(hierarchy.channels),
        end_sites=tuple(hierarchy.end_sites),
        values=values,
        frame_time=frame_time,
    )


class _Hierarchy:
    """Parser of the part of a file before MOTION, word by word: braces and keywords may share lines."""

    def __init__(self, path: str | Path, text: str) -> None:
        self.path = path
        self.words = [
            (word, n)
            for n, line in enumerate(text.split("\n"), 1)
            for word in re.findall(r"[{}]|[^\s{}]+", line)
        ]
        self.last_line, self.at = text.count("\n") + 1, 0
        self.names: list[str] = []
        self.taken: set[str] = set()
        self.parents: list[int] = []
        self.offsets: list[tuple[float, float, float]] = []
        self.channels: list[tuple[str, ...]] = []
        self.end_sites: list[tuple[int, tuple[float, float, float]]] = []
        self._expect("HIERARCHY")
        self._expect("ROOT")
        self._open_joint(-1)
        self._read_tree()

    def _read_tree(self) -> None:
        open_joints = [0]
        while open_joints:
            word, line = self._next("JOINT, End Site, OFFSET, CHANNELS or }")
            match word.upper():
                case "JOINT":
                    self._open_joint(open_joints[-1])
                    open_joints.append(len(self.names) - 1)
                case "OFFSET":
                    self.offsets[open_joints[-1]] = self._vector()
                case "CHANNELS":
                    self.channels[open_joints[-1]] = self._channels()
                case "END":
                    self._end_site(open_joints[-1])
                case "}":
                    open_joints.pop()
                case _:
                    raise _error(self.path, line, "JOINT, End Site, OFFSET, CHANNELS or }", repr(word))
        if self.at < len(self.words):
            word, line = self.words[self.at]
            raise _error(self.path, line, "MOTION after one ROOT", repr(word))

    def _open_joint(self, parent: int) -> None:
        words = []  # a name may hold spaces: "Bip01 L Thigh"
        while (token := self._next("a joint's name and {"))[0] != "{":
            words.append(token[0])
        name = " ".join(words)
        if not name or name in self.taken:
            raise _error(self.path, token[1], "a joint name, each once", repr(name))
        self.names.append(name)
        self.taken.add(name)
        self.parents.append(parent)
        self.offsets.append((0.0, 0.0, 0.0))
        self.channels.append(())

    def _end_site(self, joint: int) -> None:
        while self._next("End Site {")[0] != "{":
            pass
        self._expect("OFFSET")
        self.end_sites.append((joint, self._vector()))
        self._expect("}")

    def _channels(self) -> tuple[str, ...]:
        word, line = self._next("the number of channels")
        if not word.isdigit() or int(word) > 6:
            raise _error(self.path, line, "CHANNELS and a number from 0 to 6", repr(word))
        names = []
        for _ in range(int(word)):
            word, line = self._next("a channel")
            if word.lower() not in _CHANNELS or _CHANNELS[word.lower()] in names:
                raise _error(self.path, line, f"{', '.join(_CHANNELS.values())}, each once", repr(word))
            names.append(_CHANNELS[word.lower()])
        return tuple(names)

    def _vector(self) -> tuple[float, float, float]:
        numbers = []
        for _ in range(3):
            word, line = self._next("three numbers")
            number = _number(word)
            if number is None or not np.isfinite(number):
                raise _error(self.path, line, "OFFSET and three finite numbers", repr(word))
            numbers.append(number)
        return numbers[0], numbers[1], numbers[2]

    def _next(self, expected: str) -> tuple[str, int]:
        if self.at == len(self.words):
            raise _error(self.path, self.last_line, expected, "the end of the hierarchy")
        self.at += 1
        return self.words[self.at - 1]

    def _expect(self, keyword: str) -> None:
        word, line = self._next(keyword)
        if word.upper() != keyword:
            raise _error(self.path, line, keyword, repr(word[:40]))


def _parse_motion(path: str | Path, text: str, start: int, width: int) -> tuple[NDArray[np.float64], float]:
    """Return values (T, C) and the frame time of the text after MOTION."""
    line = text.count("\n", 0, start) + 1
    header = []
    for pattern, form in (
        (r"Frames:\s*(\d+)\s*$", "Frames: COUNT"),
        (r"Frame\s+Time:\s*(\S+)\s*$", "Frame Time: SECONDS"),
    ):
        row = ""
        while not row and start < len(text):
            end = text.find("\n", start + 1)
            end = len(text) if end < 0 else end
            row, start, line = text[start:end].strip(), end, line + 1
        found = re.match(pattern, row, re.IGNORECASE)
        if not found:
            raise _error(path, line - 1 + bool(row), form, repr(row[:40]) if row else "the end of the file")
        header.append(found[1])
    frame_time = _number(header[1]) or 0.0
    if not 0.0 < frame_time < np.inf:
        raise _error(path, line, "Frame Time: a number over 0", repr(header[1]))
    return _parse_values(path, text[start:], line, int(header[0]), width), frame_time


def _parse_values(path: str | Path, text: str, line: int, frames: int, width: int) -> NDArray[np.float64]:
    try:
        values = np.fromstring(text, sep=" ")  # ten times as fast as a loop over lines
    except ValueError:
        values = np.empty(0)
    whole = values.size // width if width else 0
    if frames > 0 and whole > 0 and abs(values.size - frames * width) == width and text[-1:].isspace():
        # Some writers count one more or less; a file that is cut short ends inside of a row.
        note(
            path, f"{whole} whole rows are read, where Frames says one {'more' if whole < frames else 'less'}"
        )
        frames = whole
    if frames < 1 or width < 1 or values.size != frames * width:
        raise _motion_fault(path, text, line, frames, width)
    values = values.reshape(frames, width)
    if not np.isfinite(values).all():
        frame, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        rows = [n for n, row in enumerate(text.split("\n"), line) if row.strip()]
        at = rows[min(frame, len(rows) - 1)]
        raise ValueError(
            f"{path}: line {at}: expected finite numbers, got {values[frame, column]} in frame {frame}, "
            f"channel {column + 1}; repair or cut that frame"
        )
    return values


def _motion_fault(path: str | Path, text: str, line: int, frames: int, width: int) -> ValueError:
    """Return the error for motion rows that did not parse; slow, since it runs on broken files only."""
    rows = 0
    for n, row in enumerate(text.split("\n"), line):
        words = row.split()
        for word in words:
            if _number(word) is None:
                return _error(path, n, "a number", repr(word[:40]))
        if words and len(words) != width:
            return _error(path, n, f"{width} numbers, one for each channel", str(len(words)))
        rows += bool(words)
    expected = f"{frames} rows as Frames says" if frames and width else "at least one frame and one channel"
    return _error(path, line + text.rstrip().count("\n"), expected, f"{rows} rows of {width} numbers")


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _error(path: str | Path, line: int, expected: str, got: str) -> ValueError:
    return ValueError(f"{path}: line {line}: expected {expected}, got {got}; is this a whole BVH file?")


def write_bvh(bvh: Bvh, path: str | Path, decimals: int = 6) -> None:
    """Write a Bvh unchanged; joints without children get an End Site, which many readers require."""
    lines = ["HIERARCHY", *_emit_hierarchy(bvh)]
    lines += ["MOTION", f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time:.9g}"]
    order = np.array(_emission_columns(bvh), dtype=int)
    form = " ".join([f"%.{decimals}f"] * len(order))
    lines += [form % tuple(row) for row in bvh.values[:, order].tolist()]
    with atomic_path(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _emission_columns(bvh: Bvh) -> list[int]:
    columns = columns_of(bvh.channels)
    return [column for joint in depth_first(bvh.parents) for column in columns[joint]]


def _emit_hierarchy(bvh: Bvh) -> list[str]:
    """Return the lines of all joints, each with its children inside; not recursive, since chains may be long."""
    ends, form = dict(bvh.end_sites), "{:.9g} {:.9g} {:.9g}"
    children = _children(bvh.parents)
    lines: list[str] = []
    waiting = [(0, 0, False)]  # joint, depth, whether its children are done
    while waiting:
        joint, depth, is_done = waiting.pop()
        tab = "\t" * min(depth, _MAX_TABS)
        if is_done:
            if joint in ends or not children[joint]:
                tip = form.format(*ends.get(joint, (0.0, 0.0, 0.0)))
                lines += [f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {tip}", f"{tab}\t}}"]
            lines.append(tab + "}")
            continue
        channels = bvh.channels[joint]
        lines += [f"{tab}{'JOINT' if joint else 'ROOT'} {bvh.names[joint]}", tab + "{"]
        lines.append(f"{tab}\tOFFSET {form.format(*bvh.offsets[joint])}")
        lines.append(" ".join([f"{tab}\tCHANNELS {len(channels)}", *channels]))
        waiting.append((joint, depth, True))
        waiting += [(child, depth + 1, False) for child in reversed(children[joint])]
    return lines


def _children(parents: tuple[int, ...]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in parents]
    for joint, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(joint)
    return children


def columns_of(channels: tuple[tuple[str, ...], ...]) -> list[list[int]]:
    """Return for each joint the columns of its channels."""
    columns, start = [], 0
    for names in channels:
        columns.append(list(range(start, start + len(names))))
        start += len(names)
    return columns


def depth_first(parents: tuple[int, ...]) -> list[int]:
    """Return joint indices in the order in which a BVH hierarchy nests them."""
    children = _children(parents)
    order, stack = [], [0]
    while stack:
        joint = stack.pop()
        order.append(joint)
        stack += reversed(children[joint])
    return order
