"""The back, the arms and the head of one frame in the world, and how they are turned."""

import numpy as np

from motiongen.skeleton import SMPL22
from motiongen.streaming.single_pose import Quat, Vector, add, inverse, multiply, rotate

BACK = tuple(SMPL22.index(name) for name in ("spine1", "spine2", "spine3"))
CHEST = BACK[-1]
NECK, HEAD = SMPL22.index("neck"), SMPL22.index("head")
ARMS = {
    side: tuple(SMPL22.index(f"{side}_{part}") for part in ("collar", "shoulder", "elbow", "wrist"))
    for side in ("left", "right")
}
OFFSETS: list[Vector] = [(x, y, z) for x, y, z in SMPL22.offsets.double().tolist()]


class UpperBody:
    """Rotations and places in the world, made as they are asked for; new local rotations are written to the frame."""

    def __init__(self, rotations: np.ndarray, root: np.ndarray) -> None:
        """Look at a frame.

        Args:
            rotations: local rotations (22, 4), which `turn` changes in place.
            root: (3,) metres.
        """
        self._rotations = rotations
        self._root: Vector = (float(root[0]), float(root[1]), float(root[2]))
        self._turns: dict[int, Quat] = {}
        self._places: dict[int, Vector] = {}

    def rotation(self, joint: int) -> Quat:
        """Return a joint's rotation in the world.

        Args:
            joint: index in SMPL-22.
        """
        if joint not in self._turns:
            x, y, z, w = self._rotations[joint].tolist()
            parent = SMPL22.parents[joint]
            own: Quat = (x, y, z, w)
            self._turns[joint] = own if parent < 0 else multiply(self.rotation(parent), own)
        return self._turns[joint]

    def place(self, joint: int) -> Vector:
        """Return where a joint is, metres.

        Args:
            joint: index in SMPL-22.
        """
        if joint not in self._places:
            parent = SMPL22.parents[joint]
            way = OFFSETS[joint] if parent < 0 else rotate(self.rotation(parent), OFFSETS[joint])
            self._places[joint] = self._root if parent < 0 else add(self.place(parent), way)
        return self._places[joint]

    def turn(self, joint: int, turn: Quat) -> None:
        """Turn a joint, and all that hangs on it, in the world.

        Args:
            joint: index in SMPL-22.
            turn: the turn.
        """
        turned = multiply(turn, self.rotation(joint))
        parent = SMPL22.parents[joint]
        self._rotations[joint] = turned if parent < 0 else multiply(inverse(self.rotation(parent)), turned)
        self._turns.clear()
        self._places.clear()
