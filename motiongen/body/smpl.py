"""SMPL, SMPL-H and SMPL-X bodies from the user's own model files, computed by smplx.

The models (Loper et al. 2015, Romero et al. 2017, Pavlakos et al. 2019) and smplx have research licences: neither is
part of motiongen. Model files are read as plain arrays from .npz, never unpickled: a pickle can run any code. SMPL is
distributed as .pkl; convert a file that you trust once, where it loads (its own format needs chumpy):

    import pickle, numpy as np
    model = pickle.load(open("SMPL_NEUTRAL.pkl", "rb"), encoding="latin1")
    dense = lambda x: np.asarray(x.todense() if hasattr(x, "todense") else x)
    names = "v_template shapedirs posedirs J_regressor kintree_table weights f".split()
    np.savez("SMPL_NEUTRAL.npz", **{name: dense(model[name]) for name in names})
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.files import reading
from motiongen.rotation import matrix_from_quat, quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22, Skeleton
from motiongen.skinned_mesh import SkinnedMesh

KINDS = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"}
"""Number of joints -> family; the first 22 are the body's in all of them."""
_HANDS = {"SMPL": (), "SMPL-H": (22, 37), "SMPL-X": (25, 40)}  # first joint of the left and of the right hand
_HAND_JOINTS = 15
_SHAPES = 300  # SMPL-X stores expressions after its shapes; its small files have 10 of each
_EXPECTED = "an SMPL model of plain arrays (.npz)"
_TONE = (0.80, 0.80, 0.78)


class SmplBody:
    """A body of the SMPL family with one shape.

    Args:
        path: model file, .npz.
        betas: up to `num_betas` shape coefficients; the average shape unless given.

    Raises:
        ImportError: smplx is not installed.
        ValueError: the file is not such a model, or there are more betas than it has.
    """

    kind: str
    """SMPL, SMPL-H or SMPL-X."""
    faces: NDArray[np.int64]
    """(F, 3) vertex indices."""

    def __init__(self, path: str | Path, betas: Sequence[float] | Tensor | None = None) -> None:
        try:
            from smplx.lbs import lbs
        except ImportError as error:
            raise ImportError(
                "body: SMPL-family models need smplx; run pip install 'motiongen[smpl]'"
            ) from error
        self._lbs: Any = lbs
        arrays = read_arrays(Path(path))
        self.kind = KINDS[len(arrays["J_regressor"])]
        self.faces = arrays["f"].astype(np.int64)
        self._weights, self._regressor = _tensor(arrays["weights"]), _tensor(arrays["J_regressor"])
        self._parents = torch.from_numpy(arrays["kintree_table"][0].astype(np.int64))
        self._parents[0] = -1  # kept as 2^32 - 1 in the files
        directions = arrays["posedirs"]
        self._pose_directions = _tensor(directions.reshape(-1, directions.shape[-1]).T)  # (P, V * 3)
        self._template, self._directions = (
            _tensor(arrays["v_template"]),
            _tensor(_shape_directions(arrays, self.kind)),
        )
        self._hands = _hands(arrays, self.kind)
        self._shaped = self._template + self._directions @ self._padded(betas)  # (V, 3)

    @property
    def num_vertices(self) -> int:
        """Number of vertices V."""
        return len(self._template)

    @property
    def num_betas(self) -> int:
        """Number of shape coefficients in the file."""
        return self._directions.shape[-1]

    @cached_property
    def rest_joints(self) -> Tensor:
        """Positions (J, 3) of all the model's joints in the T-pose, metres."""
        return self._regressor @ self._shaped

    @cached_property
    def skeleton(self) -> Skeleton:
        """SMPL-22 with this shape's proportions."""
        rest = self.rest_joints
        offsets = rest[: SMPL22.num_joints] - rest[[max(parent, 0) for parent in SMPL22.parents]]
        return Skeleton(names=SMPL22.names, parents=SMPL22.parents, offsets=offsets)

    def vertices(self, rotations: Tensor, root: Tensor) -> Tensor:
        """Return vertices (T, V, 3), metres, pose-dependent shape included.

        Args:
            rotations: (T, 22, 4) local rotations of SMPL-22.
            root: (T, 3) position of the pelvis, metres.
        """
        return self._pose(rotations, root)[0]

    def joints(self, rotations: Tensor, root: Tensor) -> Tensor:
        """Return all joints (T, J, 3) of the model, metres; arguments as for `vertices`."""
        return self._pose(rotations, root)[1]

    def mesh(self) -> SkinnedMesh:
        """Return the body as a skinned mesh on SMPL-22, with the four largest weights a vertex, for files such as glTF.

        Hands, eyes and jaw move with the wrists and the head; the pose-dependent shape is lost.
        """
        near = torch.arange(len(self._parents))
        for joint in range(SMPL22.num_joints, len(near)):
            near[joint] = near[self._parents[joint]]
        weights = torch.zeros(self.num_vertices, SMPL22.num_joints).index_add_(1, near, self._weights)
        shares, index = weights.topk(4, dim=1)
        floor = self._shaped.new_tensor([0.0, float(self._shaped[:, 1].min()), 0.0])
        vertices = self._shaped - floor
        return SkinnedMesh(
            vertices=vertices,
            normals=torch.from_numpy(vertex_normals(vertices.numpy(), self.faces)),
            faces=torch.from_numpy(self.faces),
            joint_indices=index,
            joint_weights=shares / shares.sum(1, keepdim=True),
            colours=vertices.new_tensor(_TONE).repeat(self.num_vertices, 1),
            joints=self.rest_joints[: SMPL22.num_joints] - floor,
            names=SMPL22.names,
        )

    def _pose(self, rotations: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
        frames = len(rotations)
        hands = self._hands.to(rotations).expand(frames, -1, 4)
        matrices = matrix_from_quat(torch.cat([rotations, hands], dim=1)).float()  # (T, J, 3, 3)
        # The shape is in the template already: smplx is given none of its own.
        betas, directions = matrices.new_zeros(frames, 1), matrices.new_zeros(self.num_vertices, 3, 1)
        vertices, joints = self._lbs(
            betas,
            matrices,
            self._shaped,
            directions,
            self._pose_directions,
            self._regressor,
            self._parents,
            self._weights,
            pose2rot=False,
        )
        shift = (root.float() - self.rest_joints[0])[:, None]
        return vertices + shift, joints + shift

    def _padded(self, betas: Sequence[float] | Tensor | None) -> Tensor:
        given = torch.as_tensor([] if betas is None else betas, dtype=torch.float32).flatten()
        if len(given) > self.num_betas or not torch.isfinite(given).all():
            raise ValueError(
                f"betas: expected at most {self.num_betas} finite numbers, got {len(given)}; leave the last ones out"
            )
        return torch.nn.functional.pad(given, (0, self.num_betas - len(given)))


def vertex_normals(vertices: NDArray[np.float32], faces: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return unit vertex normals (V, 3): the sum of the neighbouring faces' normals, by area."""
    corners = vertices[faces]  # (F, 3, 3)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # (F, 3)
    index = faces.T.ravel()
    sums = [np.bincount(index, np.tile(across[:, i], 3), len(vertices)) for i in range(3)]
    normals = np.stack(sums, axis=1).astype(np.float64)
    return np.asarray(normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20), dtype=np.float32)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a model file, checked against each other.

    Raises:
        ValueError: the file is no model, or its arrays are not of one body.
    """
    if path.suffix.lower() == ".pkl":
        raise ValueError(
            f"{path}: expected .npz, got a pickle, which can run any code; convert it once as motiongen.body.smpl says"
        )
    needed = ("v_template", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights", "f")
    optional = ("hands_meanl", "hands_meanr")
    with reading(path, _EXPECTED, ValueError), np.load(path, allow_pickle=False) as file:
        missing = [name for name in needed if name not in file]
        arrays = {} if missing else {name: file[name] for name in (*needed, *optional) if name in file}
    if missing:
        raise ValueError(f"{path}: expected an SMPL, SMPL-H or SMPL-X model, got no {', '.join(missing)}")
    with reading(path, _EXPECTED):
        _check(path, arrays)
    return arrays


def _check(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Raise ValueError for arrays that are not of one body."""
    if wrong := [name for name, array in arrays.items() if array.dtype.kind not in "biuf" or not array.size]:
        raise ValueError(f"{path}: expected numbers in {wrong[0]}, got {arrays[wrong[0]].dtype}")
    if wrong := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
        raise ValueError(f"{path}: expected finite numbers in {wrong[0]}, got NaN or infinity")
    vertices, joints = len(arrays["v_template"]), len(arrays["J_regressor"])
    if joints not in KINDS:
        raise ValueError(
            f"{path}: expected {', '.join(map(str, KINDS))} joints, got {joints}; only bodies are known"
        )
    expected: dict[str, tuple[int, ...]] = {
        "v_template": (vertices, 3),
        "J_regressor": (joints, vertices),
        "weights": (vertices, joints),
        "kintree_table": (2, joints),
        "posedirs": (vertices, 3, 9 * (joints - 1)),
        "f": (len(arrays["f"]), 3),
        **{name: (3 * _HAND_JOINTS,) for name in ("hands_meanl", "hands_meanr") if name in arrays},
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{path}: expected {name} {shape}, got {arrays[name].shape}")
    if (
        arrays["shapedirs"].shape[:2] != (vertices, 3)
        or not 0 <= arrays["f"].min() <= arrays["f"].max() < vertices
    ):
        raise ValueError(
            f"{path}: expected shapes and faces of {vertices} vertices, got others; the file is broken"
        )
    parents = arrays["kintree_table"][0, 1:]
    if not all(0 <= parent < joint for joint, parent in enumerate(parents.tolist(), 1)):
        raise ValueError(f"{path}: expected parents before their joints, got others; the file is broken")


def _shape_directions(arrays: dict[str, NDArray[Any]], kind: str) -> NDArray[Any]:
    """Return the shape directions (V, 3, S), without SMPL-X's expressions."""
    directions = arrays["shapedirs"]
    if kind != "SMPL-X":
        return directions
    return directions[..., :_SHAPES] if directions.shape[-1] > _SHAPES else directions[..., :10]


def _hands(arrays: dict[str, NDArray[Any]], kind: str) -> Tensor:
    """Return local rotations (J - 22, 4) of the joints that SMPL-22 lacks: relaxed hands where the file has them."""
    rotations = quat_identity(len(arrays["J_regressor"]) - SMPL22.num_joints)
    for first, name in zip(_HANDS[kind], ("hands_meanl", "hands_meanr"), strict=False):
        if name in arrays:
            at_ease = quat_from_axis_angle(_tensor(arrays[name]).reshape(_HAND_JOINTS, 3))
            rotations[first - SMPL22.num_joints :][:_HAND_JOINTS] = at_ease
    return rotations


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
