"""Write a small file in the format of SMPL, SMPL-H or SMPL-X, made of nothing but numbers of our own.

An octahedron around each joint: the mean of its six corners is the joint, in every shape.

    python -m tests.core.body.synthetic_smpl model.npz smplx
"""

import sys
from pathlib import Path

import numpy as np

from motiongen.skeleton import SMPL22

_CORNERS = np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], dtype=np.float64)
_FACES = np.array([(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)])
_HAND = [parent + 3 * finger for finger in range(5) for parent in (-1, 0, 1)]  # -1: the wrist
HANDS = {"smpl": [[-1], [-1]], "smplh": [_HAND, _HAND], "smplx": [_HAND, _HAND]}


def parents_of(kind: str) -> list[int]:
    parents = list(SMPL22.parents)
    if kind == "smplx":
        parents += [15, 15, 15]  # jaw and eyes on the head
    for wrist, fingers in zip((20, 21), HANDS[kind], strict=True):
        first = len(parents)
        parents += [wrist if i % 3 == 0 else first + i - 1 for i in range(len(fingers))]
    return parents


def model_arrays(kind: str = "smpl", shapes: int = 10, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the arrays of a model of a kind: smpl, smplh or smplx."""
    generator = np.random.default_rng(seed)
    parents = parents_of(kind)
    joints = np.zeros((len(parents), 3))
    joints[:22] = SMPL22.rest_positions.numpy()
    for joint in range(22, len(parents)):
        joints[joint] = joints[parents[joint]] + generator.normal(scale=0.02, size=3)
    count = 6 * len(parents)
    weights = np.zeros((count, len(parents)))
    for joint, parent in enumerate(parents):
        weights[6 * joint : 6 * joint + 6, joint] = 0.8
        weights[6 * joint : 6 * joint + 6, max(parent, 0)] += 0.2
    if kind == "smplx":
        shapes = 2 * shapes  # as many expressions behind
    arrays = {
        "v_template": (joints[:, None] + 0.05 * _CORNERS).reshape(-1, 3),
        "shapedirs": generator.normal(scale=0.01, size=(count, 3, shapes)),
        "posedirs": generator.normal(scale=0.002, size=(count, 3, 9 * (len(parents) - 1))),
        "J_regressor": np.kron(np.eye(len(parents)), np.full((1, 6), 1 / 6)),
        "kintree_table": np.array([[2**32 - 1, *parents[1:]], range(len(parents))]),
        "weights": weights,
        "f": (6 * np.arange(len(parents))[:, None, None] + _FACES).reshape(-1, 3),
    }
    if kind != "smpl":
        for side in "lr":
            arrays[f"hands_mean{side}"] = generator.normal(scale=0.2, size=45)
            arrays[f"hands_components{side}"] = np.eye(45)
    return arrays


def write_model(path: str | Path, kind: str = "smpl", **options: int) -> None:
    """Write such a model to an .npz file."""
    np.savez(path, **model_arrays(kind, **options))


if __name__ == "__main__":
    write_model(*sys.argv[1:3])
