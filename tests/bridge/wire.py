"""A hello and frames as a server sends them."""

import numpy as np

from motiongen.skeleton import SMPL22
from motiongen_bridge.frames import WireFrame

HELLO = {
    "fps": 30.0,
    "skeleton": {
        "names": list(SMPL22.names),
        "parents": list(SMPL22.parents),
        "offsets": SMPL22.offsets.tolist(),
    },
}


def frame(seq, *, obeys=1, x=0.0, z=0.0):
    root = np.array([x, 0.9, z], dtype=np.float32)
    return WireFrame(1, seq, 0, 0, obeys, root, np.tile(np.float32([0, 0, 0, 1]), (22, 1)))
