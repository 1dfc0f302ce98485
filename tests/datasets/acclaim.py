"""A person in the Acclaim format, small enough to read: CMU's joints, a zero pose with legs 20 degrees apart."""

from pathlib import Path

_SPREAD = "0.34202 -0.939693 0"
_FOOT = "0.0665746 -0.182912 0.980873"
# name, parent, direction of the left side, length, axis, degrees of freedom
_MIDDLE = [
    ("lowerback", "root", "0 1 0", 2.2, "0 0 0", "rx ry rz"),
    ("upperback", "lowerback", "0 1 0", 2.2, "0 0 0", "rx ry rz"),
    ("thorax", "upperback", "0 1 0", 2.2, "0 0 0", "rx ry rz"),
    ("lowerneck", "thorax", "0 1 0", 1.5, "0 0 0", "rx ry rz"),
    ("upperneck", "lowerneck", "0 1 0", 1.5, "0 0 0", "rx ry rz"),
    ("head", "upperneck", "0 1 0", 1.5, "0 0 0", "rx ry rz"),
]
_SIDED = [
    ("hipjoint", "root", "0.68 -0.65 0.33", 2.6, "0 0 0", ""),
    ("femur", "hipjoint", _SPREAD, 7.2, "0 0 20", "rx ry rz"),
    ("tibia", "femur", _SPREAD, 7.2, "0 0 20", "rx"),
    ("foot", "tibia", _FOOT, 2.2, "-90 0 20", "rx rz"),
    ("toes", "foot", "0 0 1", 1.1, "-90 0 20", "rx"),
    ("clavicle", "thorax", "0.97 0.25 0", 3.4, "0 0 0", "ry rz"),
    ("humerus", "clavicle", "1 0 0", 5.0, "180 -30 -90", "rx ry rz"),
    ("radius", "humerus", "1 0 0", 3.4, "180 -30 -90", "rx"),
    ("wrist", "radius", "1 0 0", 1.7, "180 -30 -90", "ry"),
    ("hand", "wrist", "1 0 0", 0.7, "0 0 0", "rx rz"),
]


def asf_text() -> str:
    """Return a skeleton file."""
    bones, pairs = [], []
    for name, parent, direction, length, axis, dof in _MIDDLE:
        bones.append(_bone(name, direction, length, axis, dof))
        pairs.append(f"{parent} {name}")
    for side, sign in (("l", 1), ("r", -1)):
        for name, parent, direction, length, axis, dof in _SIDED:
            x, y, z = (float(word) for word in direction.split())
            a, b, c = (float(word) for word in axis.split())
            bones.append(_bone(side + name, f"{sign * x} {y} {z}", length, f"{a} {sign * b} {sign * c}", dof))
            pairs.append(f"{parent if parent in ('root', 'thorax') else side + parent} {side}{name}")
    root = ":root\norder TX TY TZ RX RY RZ\naxis XYZ\nposition 0 0 0\norientation 0 0 0"
    head = f":version 1.10\n:name toy\n:units\nlength 0.45\nangle deg\n{root}"
    return "\n".join([head, ":bonedata", *bones, ":hierarchy", "begin", *pairs, "end", ""])


def amc_text(frames: list[dict[str, str]]) -> str:
    """Return a motion file in which legs hang straight and arms are level; frames override single bones."""
    standing = {"root": "0 17.5 0 0 0 0", "lfemur": "0 0 -20", "rfemur": "0 0 20"}
    lines = [":FULLY-SPECIFIED", ":DEGREES"]
    for number, changes in enumerate(frames, 1):
        lines += [str(number), *(f"{bone} {values}" for bone, values in (standing | changes).items())]
    return "\n".join(lines) + "\n"


def write_clip(folder: Path, name: str, frames: list[dict[str, str]]) -> Path:
    """Write toy.asf and a clip; return the clip's path."""
    (folder / "toy.asf").write_text(asf_text())
    (folder / f"{name}.amc").write_text(amc_text(frames))
    return folder / f"{name}.amc"


def _bone(name: str, direction: str, length: float, axis: str, dof: str) -> str:
    freedom = [f"dof {dof}"] if dof else []
    return "\n".join(
        [
            "begin",
            f"name {name}",
            f"direction {direction}",
            f"length {length}",
            f"axis {axis} XYZ",
            *freedom,
            "end",
        ]
    )
