"""Poses of SMPL's family in the shapes that tools write: axis-angle, quaternions, matrices or 6-D, told by shape."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.io.options import note
from motiongen.rotation import quat_from_axis_angle, quat_from_matrix, quat_normalize

_KINDS = {3: "axis-angle", 4: "quaternions", 6: "6-D", 9: "matrices"}
_LEFT_KNEE, _RIGHT_KNEE = 4, 5
_TOLERANCE = 0.05
"""Largest difference of a column's length from 1, and of two columns' product from 0, in rotations."""


def rotations_of(path: Path, name: str, array: NDArray[np.generic], joints: tuple[int, ...]) -> Tensor:
    """Return quats (T, J, 4), xyzw, of an array of rotations.

    Args:
        path: file of the array, for messages.
        name: of the array.
        array: (T, J * k), (T, J, k) or (T, J, 3, 3), k one of 3, 4, 6, 9.
        joints: the numbers J of joints that it may have.

    Raises:
        ValueError: another shape, or numbers that are no rotations.
    """
    frames = len(array) if array.ndim else 0
    flat = np.asarray(array, dtype=np.float64).reshape(frames, -1) if frames else np.zeros((0, 0))
    width = next((k for k in _KINDS if flat.shape[1] % k == 0 and flat.shape[1] // k in joints), 0)
    if not width or (array.ndim > 2 and array.shape[-1] not in (width, 3)):
        wanted = ", ".join(str(k * j) for j in joints for k in _KINDS)
        raise ValueError(
            f"{path}: expected {name} of {' or '.join(map(str, joints))} joints as axis-angle, quaternions, 6-D or "
            f"matrices, {wanted} numbers a frame, got {array.shape}; is this a SMPL, SMPL-H or SMPL-X motion?"
        )
    values = torch.from_numpy(flat).view(frames, -1, width)  # (T, J, k)
    if width == 3:
        return quat_from_axis_angle(values)
    if width == 4:
        return _quaternions(path, name, values)
    matrices = values.view(frames, -1, 3, 3) if width == 9 else _matrices(path, name, values)
    return quats_of(path, name, matrices)


def quats_of(path: Path, name: str, matrices: Tensor) -> Tensor:
    """Return quats (T, J, 4), xyzw, of matrices (T, J, 3, 3), T > 0. Raises ValueError where they are no rotations."""
    error = (matrices.mT @ matrices - torch.eye(3, dtype=matrices.dtype)).abs().amax()
    if not (float(error) < _TOLERANCE and bool((torch.linalg.det(matrices) > 0).all())):
        raise ValueError(
            f"{path}: expected {name} that are rotations, got matrices that are none; check the layout"
        )
    return quat_from_matrix(matrices)


def _quaternions(path: Path, name: str, values: Tensor) -> Tensor:
    """Return quats, xyzw, of quaternions whose real part is first or last: in most joints it is the largest number."""
    sizes = values[:, 1:].abs().mean(dim=(0, 1)) if values.shape[1] > 1 else values.abs().mean(dim=(0, 1))
    first = bool(sizes[0] > sizes[3])
    note(path, f"{name} taken as quaternions with the real part {'first' if first else 'last'}")
    return quat_normalize(values.roll(-1, dims=-1) if first else values)


def _matrices(path: Path, name: str, values: Tensor) -> Tensor:
    """Return matrices (T, J, 3, 3) of their first two columns or rows, whichever bends the knees forwards.

    Two columns after each other (Zhou et al. 2019), two rows after each other (PyTorch3D), or row by row the first two
    numbers: the last is told by the lengths. Rows and columns are each other's inverse, and knees bend one way.
    """
    pairs = values.view(*values.shape[:2], 2, 3)
    if float((pairs.norm(dim=-1) - 1).abs().max()) > _TOLERANCE:
        pairs = values.view(*values.shape[:2], 3, 2).mT
        columns, layout = True, "6-D, row by row"
    else:
        knees = pairs[:, [_LEFT_KNEE, _RIGHT_KNEE]] if pairs.shape[1] > _RIGHT_KNEE else pairs[:, :0]
        # About x, the second column is (0, cos, sin) and the second row (0, cos, -sin): bent knees have sin > 0.
        columns = float(knees[..., 1, 2].sum()) >= 0
        layout = f"6-D, two {'columns' if columns else 'rows'}"
    note(path, f"{name} taken as {layout}")
    one, two = pairs.unbind(dim=-2)
    matrices = torch.stack([one, two, torch.linalg.cross(one, two)], dim=-1)  # as columns
    return matrices if columns else matrices.mT
