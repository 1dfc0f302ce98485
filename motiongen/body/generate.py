"""Generator of motiongen's own body: `python -m motiongen.body.generate [OUT.glb]`, the same bytes each time."""

import itertools
import logging
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import motiongen_assets
from motiongen.atomic import atomic_path
from motiongen.body.implicit import Array, Distance, gradient, surface_nets
from motiongen.body.mannequin import SOLE, mannequin
from motiongen.body.weights import colours, neighbour_mean, skin_weights
from motiongen.io.gltf_write import rigged
from motiongen.skeleton import SMPL22
from motiongen.skinned_mesh import SkinnedMesh

log = logging.getLogger(__name__)

# Grid lines as (start, spacing), metres, the last entry being the end: finer at the hands, the feet and the face.
_OUTWARD = (
    (0.0, 0.0205),
    (0.26, 0.0240),
    (0.41, 0.0150),
    (0.48, 0.0240),
    (0.64, 0.0125),
    (0.73, 0.0101),
    (0.90, 0.0),
)
_UPWARD = (
    (-1.0, 0.0150),
    (-0.86, 0.0260),
    (-0.56, 0.0180),
    (-0.40, 0.0260),
    (0.38, 0.0150),
    (0.53, 0.0125),
    (0.79, 0.0),
)
_FORWARD = ((-0.17, 0.0180), (-0.08, 0.0140), (0.14, 0.0125), (0.27, 0.0))


def generate() -> SkinnedMesh:
    """Return the mannequin as a skinned mesh."""
    positions = SMPL22.rest_positions.double().numpy()
    joints = {name: positions[joint] for joint, name in enumerate(SMPL22.names)}
    shape = mannequin(joints)
    outward = _lines(_OUTWARD)
    axes = (np.concatenate([-outward[:0:-1], outward]), _lines(_UPWARD), _lines(_FORWARD))
    vertices, faces = surface_nets(shape, axes)
    vertices = relax(shape, vertices, faces)
    indices, weights = skin_weights(vertices, faces, joints)
    lift = np.array([0.0, -SOLE, 0.0])
    return SkinnedMesh(
        vertices=torch.from_numpy(vertices + lift).float(),
        normals=torch.from_numpy(gradient(shape, vertices)).float(),
        faces=torch.from_numpy(faces),
        joint_indices=torch.from_numpy(indices),
        joint_weights=torch.from_numpy(weights).float(),
        colours=torch.from_numpy(colours(vertices, joints)).float(),
        joints=torch.from_numpy(positions + lift).float(),
        names=SMPL22.names,
    )


def relax(shape: Distance, vertices: Array, faces: NDArray[np.int64], rounds: int = 8) -> Array:
    """Return vertices moved onto the surface and spread evenly on it."""
    for _ in range(rounds):
        normals = gradient(shape, vertices)
        pull = neighbour_mean(vertices, faces) - vertices
        vertices = vertices + 0.5 * (pull - (pull * normals).sum(-1, keepdims=True) * normals)
        # A Newton step back to the surface, bounded: the distance is not exact inside fillets.
        vertices = vertices - shape(vertices).clip(-0.01, 0.01)[:, None] * gradient(shape, vertices)
    return vertices


def _lines(stops: tuple[tuple[float, float], ...]) -> Array:
    lines = [np.array([stops[0][0]])]
    for (start, step), (end, _) in itertools.pairwise(stops):
        count = max(1, round((end - start) / step))
        lines.append(start + (end - start) * np.arange(1, count + 1) / count)
    return np.concatenate(lines)


def main(argv: list[str]) -> None:
    """Write the body to the path in argv, or into the shipped assets."""
    path = Path(argv[0]) if argv else motiongen_assets.ROOT / "body" / "mannequin.glb"
    mesh = generate()
    data = rigged(SMPL22, mesh).to_bytes()
    with atomic_path(path) as aside:
        aside.write_bytes(data)
    log.info("%s: %d vertices, %d triangles, %d bytes", path, len(mesh.vertices), len(mesh.faces), len(data))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(sys.argv[1:])
