"""The unit of a file that names none, by the size of the body in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.humanoid import HumanoidMatch, match
from motiongen.io.options import note
from motiongen.skeleton import Skeleton

# (stature up to which the unit is taken, metres, name), by the length of legs and trunk of a body in the file's units,
# which is 1.42 m of SMPL-22 and 1.2 to 1.7 m of an adult. The borders are half-way between adults, by ratio; but
# centimetres go down to a small child or a cartoon figure, for they are what most files are in, and no adult has 75
# inches there.
_STATURES = (
    (4.5, 1.0, "m"),
    (18.8, 0.1, "dm"),
    (37.0, 0.0254 / 0.45, "inch/0.45"),
    (75.0, 0.0254, "inch"),
    (446.0, 0.01, "cm"),
    (np.inf, 0.001, "mm"),
)
_SMALLEST = 0.2
"""Stature under which a body in metres is told of."""
_CENTIMETRES_OVER = 10.0
"""Length of the longest chain of bones over which what is no humanoid is in centimetres."""
_STATURE_OF_LEGS = 1.76
"""Stature of a body of which the legs alone are known, in lengths of a leg: SMPL-22's."""


def guess_unit(
    names: tuple[str, ...],
    parents: tuple[int, ...],
    offsets: NDArray[np.float64],
    ends: Sequence[tuple[int, tuple[float, float, float]]] = (),
) -> tuple[float, str]:
    """Return the likely length of a file's unit in metres, and its name.

    Args:
        names: of the joints.
        parents: index of each joint's parent, -1 for the root.
        offsets: (J, 3) in the file's unit.
        ends: (joint, tip) of leaves, in the file's unit.
    """
    lengths = np.linalg.norm(offsets, axis=1)
    size = _stature(match(names, parents), names, parents, lengths)
    if size > 0:
        return next((metres, name) for most, metres, name in _STATURES if size <= most)
    reach = np.zeros(len(names))
    for joint, parent in enumerate(parents):
        if parent >= 0:
            reach[joint] = reach[parent] + lengths[joint]
    tips = [reach[joint] + np.linalg.norm(tip) for joint, tip in ends]
    return (0.01, "cm") if max([*reach, *tips]) > _CENTIMETRES_OVER else (1.0, "m")


def note_size(path: str | Path, skeleton: Skeleton) -> None:
    """Say how long a body is in a file whose unit is metres by its format, where that is nobody's length."""
    lengths = skeleton.offsets.double().norm(dim=1).numpy()
    size = _stature(match(skeleton.names, skeleton.parents), skeleton.names, skeleton.parents, lengths)
    if size and not _SMALLEST <= size <= _STATURES[0][0]:
        note(path, f"a body of {1.2 * size:.3g} m, for the format is in metres; --unit says otherwise")


def _stature(
    found: HumanoidMatch, names: tuple[str, ...], parents: tuple[int, ...], lengths: NDArray[np.float64]
) -> float:
    """Return the length of a leg and of the way from pelvis to head along the bones; 0 for what is no humanoid."""
    if not found.is_humanoid:
        return 0.0
    at = {role: names.index(joint) for role, joint in found.roles.items()}
    leg = 0.0
    for side in ("left", "right"):
        end = at.get(f"{side}_ankle")
        knee = _way(at[f"{side}_hip"], at[f"{side}_knee"], parents, lengths)
        leg += knee + (knee if end is None else _way(at[f"{side}_knee"], end, parents, lengths) or knee)
    leg /= 2
    trunk = _way(at["pelvis"], at["head"], parents, lengths) if "head" in at else 0.0
    return leg + trunk if trunk > 0.3 * leg else _STATURE_OF_LEGS * leg


def _way(start: int, end: int, parents: tuple[int, ...], lengths: NDArray[np.float64]) -> float:
    """Return the length of the bones from a joint to one below it; 0 where it is not below."""
    total = 0.0
    while end >= 0 and end != start:
        total += float(lengths[end])
        end = parents[end]
    return total if end == start else 0.0
