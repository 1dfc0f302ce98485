"""The text of ASF and AMC files: bones with their degrees of freedom, and the numbers of each frame."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from motiongen import limits
from motiongen.files import reading

INCH = 0.0254
TURNS = ("rx", "ry", "rz")
MOVES = ("tx", "ty", "tz")


@dataclass(frozen=True)
class Bone:
    """One bone of an ASF file; angles in radians, lengths in file units.

    Attributes:
        name: the bone's name.
        parent: name of the parent bone; empty for the root.
        direction: unit vector along the bone in the zero pose.
        length: length of the bone.
        axis: angles of the frame in which its degrees of freedom rotate.
        axis_order: the letters of `axis`, first applied first.
        dof: "rx", "ry", "rz" (and "tx" to "tz" for the root) in the order of the AMC's numbers.
        limits: (lowest, highest) of each degree of freedom, degrees as written; empty when not given.
    """

    name: str
    parent: str
    direction: tuple[float, float, float]
    length: float
    axis: tuple[float, float, float]
    axis_order: str
    dof: tuple[str, ...]
    limits: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Asf:
    """The contents of an ASF file: bones from the root down, and the unit of length.

    Attributes:
        bones: the root first, parents before children.
        length: the `length` of :units; one unit is an inch divided by it.
        degrees: whether its angles (and, unless it says otherwise, an AMC's) are degrees.
    """

    bones: tuple[Bone, ...]
    length: float
    degrees: bool

    @property
    def unit_to_metres(self) -> float:
        """Length of a unit in metres, as CMU defines it: (1 / length) inches; 0.056444 for 0.45."""
        return INCH / self.length


def parse_asf(path: str | Path) -> Asf:
    """Return the skeleton in an ASF file.

    Raises:
        ValueError: the file is broken; one line with path and line number.
    """
    with reading(path, "a whole ASF file"):
        return _AsfReader(Path(path)).asf()


class _AsfReader:
    """Reader of an ASF file: sections start with a colon; bones and the hierarchy lie between begin and end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = 0
        self.length, self.degrees = 1.0, True
        self.root: dict[str, list[str]] = {}
        self.bones: dict[str, dict[str, list[str]]] = {}
        self.parent: dict[str, str] = {}
        section, last = "", ""
        limits.check_file_size(path)
        bone: dict[str, list[str]] = {}
        for self.line, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            words = line.partition("#")[0].replace("(", " ").replace(")", " ").split()
            if not words:
                continue
            word = words[0].lower()
            if word.startswith(":"):
                section = word
            elif section == ":units":
                self._unit(words)
            elif section == ":root":
                self.root[word] = words[1:]
            elif section == ":bonedata":
                if word == "begin":
                    bone = {}
                elif word == "end":
                    self.bones[self._one(bone, "name")] = bone
                elif word[0].isalpha():
                    bone[word], last = words[1:], word
                elif last == "limits":
                    bone[last] += words  # one pair a line
            elif section == ":hierarchy" and word not in ("begin", "end"):
                self.parent.update(dict.fromkeys(words[1:], words[0]))

    def asf(self) -> Asf:
        """Return the contents of the file, bones sorted from the root down."""
        if not self.root or not self.bones or not self.parent:
            self._fail(":root, :bonedata and :hierarchy", "a file without one of them")
        if "root" in self.parent:
            self._fail("a hierarchy from the root down", f"root below {self.parent['root']!r}")
        children: dict[str, list[str]] = {}
        for child, parent in self.parent.items():
            children.setdefault(parent, []).append(child)
        order = ["root"]
        for name in order:  # grows while it runs: breadth first
            order += children.get(name, [])
        if lost := sorted(set(self.bones) - set(order)) or sorted(set(order[1:]) - set(self.bones)):
            self._fail("every bone once in :bonedata and in :hierarchy", ", ".join(lost))
        bones = [self._root(), *(self._bone(name) for name in order[1:])]
        return Asf(bones=tuple(bones), length=self.length, degrees=self.degrees)

    def _root(self) -> Bone:
        dof = tuple(dof.lower() for dof in self.root.get("order", [*MOVES, *TURNS]))
        if not set(dof) <= {*MOVES, *TURNS} or len(set(dof)) != len(dof):
            self._fail("order of the root to be of tx, ty, tz, rx, ry, rz, each once", " ".join(dof))
        return Bone(
            name="root",
            parent="",
            direction=self._three(self.root.get("position", ["0", "0", "0"])),  # added to TX TY TZ
            length=1.0,
            axis=self._angles(self.root.get("orientation", ["0", "0", "0"])),
            axis_order=self._order(self.root.get("axis", ["XYZ"])[0]),
            dof=dof,
        )

    def _bone(self, name: str) -> Bone:
        bone = self.bones[name]
        axis = bone.get("axis", ["0", "0", "0", "XYZ"])
        dof = tuple(word.lower() for word in bone.get("dof", []))
        if not set(dof) <= set(TURNS) or len(set(dof)) != len(dof):
            self._fail(f"dof of {name!r} to be rx, ry or rz", " ".join(dof))
        limits = [self._number(word) for word in bone.get("limits", [])]
        return Bone(
            name=name,
            parent=self.parent[name],
            direction=self._three(bone.get("direction", [])),
            length=self._number(self._one(bone, "length")),
            axis=self._angles(axis[:3]),
            axis_order=self._order(axis[3] if len(axis) > 3 else "XYZ"),
            dof=dof,
            limits=tuple(zip(limits[::2], limits[1::2], strict=False)),
        )

    def _unit(self, words: list[str]) -> None:
        if words[0].lower() == "length":
            self.length = self._number(words[-1])
            if not self.length > 0:
                self._fail("a length over 0", words[-1])
        elif words[0].lower() == "angle":
            self.degrees = words[-1].lower().startswith("deg")

    def _one(self, bone: dict[str, list[str]], key: str) -> str:
        if len(bone.get(key, [])) != 1:
            self._fail(f"a bone with one {key}", str(bone.get(key)))
        return bone[key][0]

    def _number(self, word: str) -> float:
        try:
            number = float(word)
        except ValueError:
            self._fail("a number", repr(word))
        if not np.isfinite(number) and "inf" not in word.lower():  # limits may be infinite
            self._fail("a finite number", word)
        return number

    def _three(self, words: list[str]) -> tuple[float, float, float]:
        if len(words) != 3:
            self._fail("three numbers", " ".join(words) or "none")
        x, y, z = (self._number(word) for word in words)
        return x, y, z

    def _angles(self, words: list[str]) -> tuple[float, float, float]:
        x, y, z = self._three(words)
        return (
            (float(np.deg2rad(x)), float(np.deg2rad(y)), float(np.deg2rad(z))) if self.degrees else (x, y, z)
        )

    def _order(self, letters: str) -> str:
        if sorted(letters.upper()) != ["X", "Y", "Z"]:
            self._fail("an axis order such as XYZ", repr(letters))
        return letters.upper()

    def _fail(self, expected: str, got: str) -> NoReturn:
        raise ValueError(
            f"{self.path}: line {self.line}: expected {expected}, got {got}; is this a whole ASF file?"
        )


def parse_amc(path: str | Path, asf: Asf) -> dict[str, NDArray[np.float64]]:
    """Return for each bone its degrees of freedom (T, n) in the order of the ASF, angles in radians.

    Bones that an AMC leaves out stay at zero.

    Raises:
        ValueError: the file is broken or does not belong to the ASF; one line with path and line number.
    """
    path = Path(path)
    limits.check_file_size(path)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    start = next(
        (n for n, line in enumerate(lines) if line.strip() and line.strip()[0] not in "#:"), len(lines)
    )
    degrees = asf.degrees
    for line in lines[:start]:
        if line.strip().upper() in (":DEGREES", ":RADIANS"):
            degrees = line.strip().upper() == ":DEGREES"
    dofs = {bone.name: bone.dof for bone in asf.bones}
    layout = _amc_layout(path, lines, start, dofs)
    tokens = np.array(" ".join(lines[start:]).split(), dtype=object)
    width = 1 + sum(1 + len(dofs[name]) for name in layout)
    if not layout or tokens.size == 0 or tokens.size % width:
        raise _amc_fault(path, lines, start, dofs)
    rows, frames, column = tokens.reshape(-1, width), tokens.size // width, 1
    limits.check_poses(frames, len(asf.bones), limits.POSES_PER_NUMBER * tokens.size)
    if not all(number.isdigit() for number in rows[:, 0]):
        raise _amc_fault(path, lines, start, dofs)
    values = {bone.name: np.zeros((frames, len(bone.dof))) for bone in asf.bones}
    for name in layout:
        count = len(dofs[name])
        if (rows[:, column] != name).any():
            raise _amc_fault(path, lines, start, dofs)
        try:
            values[name] = rows[:, column + 1 : column + 1 + count].astype(np.float64)
        except ValueError as error:
            raise _amc_fault(path, lines, start, dofs) from error
        if not np.isfinite(values[name]).all():
            raise _amc_fault(path, lines, start, dofs)
        turns = [i for i, dof in enumerate(dofs[name]) if dof in TURNS]
        if degrees:
            values[name][:, turns] = np.deg2rad(values[name][:, turns])
        column += 1 + count
    return values


def _amc_layout(path: Path, lines: list[str], start: int, dofs: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the bones of the first frame in order; later frames must repeat them."""
    layout: list[str] = []
    for line in lines[start + 1 :]:
        words = line.split()
        if words and words[0].isdigit():
            break
        if words:
            layout.append(words[0])
            if words[0] not in dofs:
                raise _amc_fault(path, lines, start, dofs)
    return layout


def _amc_fault(path: Path, lines: list[str], start: int, dofs: dict[str, tuple[str, ...]]) -> ValueError:
    """Return the error of the first unexpected line; slow, since it runs on broken files only."""
    frame, expected, got = "0", "frames", "none"
    seen: list[str] = []
    first: list[str] = []
    for n, line in enumerate([*lines[start:], "0"], start + 1):  # "0": the last frame ends, too
        words = line.split()
        if not words:
            continue
        if words[0].isdigit() and len(words) == 1:
            if seen and first and seen != first:
                return ValueError(
                    f"{path}: line {n}: expected the bones of the first frame in frame {frame}, got others"
                )
            first, seen, frame = first or seen, [], words[0]
            continue
        seen.append(words[0])
        if words[0] not in dofs:
            expected, got = "a bone of the ASF file", repr(words[0][:40])
        elif len(words) - 1 != len(dofs[words[0]]):
            expected, got = f"{len(dofs[words[0]])} numbers for {words[0]}", str(len(words) - 1)
        elif bad := [word for word in words[1:] if not _finite(word)]:
            expected, got = f"finite numbers for {words[0]}", repr(bad[0])
        else:
            continue
        return ValueError(
            f"{path}: line {n}: expected {expected}, got {got} in frame {frame}; repair or cut it"
        )
    return ValueError(f"{path}: line {len(lines)}: expected {expected}, got {got}; is this a whole AMC file?")


def _finite(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False
