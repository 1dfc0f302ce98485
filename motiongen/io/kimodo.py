"""NPZ files of Kimodo: joints in the world, whose names and parents are told by how many they are.

After the project's documentation ("Output Formats", "Skeleton"): metres, Y up, +Z forward, as here. The files state
neither names nor a rate. `kimodo_skeletons.json` holds the joints of SOMA-77, SOMA-30, G1-34 (there each name ends in
`_skel`) and SMPL-X-22 in the files' order; the models write 30 frames a second. Bones are as long as joints are apart.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motiongen.files import read_json
from motiongen.io.options import note
from motiongen.io.smpl_poses import quats_of
from motiongen.motion import Motion
from motiongen.rotation import quat_normalize
from motiongen.skeleton import Skeleton, local_rotations

PLACES, TURNS = "posed_joints", "global_rot_mats"
"""Arrays that are read: (T, J, 3) metres, (T, J, 3, 3)."""
FPS = 30.0
MOST_STRETCH = 0.01
"""Change of a bone's length from frame to frame, metres, from which the arrays are no skeleton's."""


def read(path: Path, arrays: dict[str, NDArray[np.generic]], fps: float | None) -> Motion:
    """Return the motion in the arrays of a file.

    Args:
        path: of the file, for messages.
        arrays: `posed_joints` and `global_rot_mats`.
        fps: frames a second; 30 if None.

    Raises:
        ValueError: other shapes, an unknown number of joints, matrices that are no rotations, or bones that
            change their lengths.
    """
    shape, turns_shape = arrays[PLACES].shape, arrays[TURNS].shape
    known = skeletons()
    if (
        len(shape) != 3
        or not shape[0]
        or shape[2] != 3
        or turns_shape != (*shape, 3)
        or str(shape[1]) not in known
    ):
        raise ValueError(
            f"{path}: expected {PLACES} (T, J, 3) and {TURNS} (T, J, 3, 3) of {', '.join(known)} joints, "
            f"T at least 1, got {shape} and {turns_shape}; one clip a file"
        )
    kind = known[str(shape[1])]
    places = torch.from_numpy(arrays[PLACES].astype(np.float64))
    axes = torch.from_numpy(arrays[TURNS].astype(np.float64))
    turns = quats_of(path, TURNS, axes)
    parents = tuple(kind["parents"])
    above = [max(parent, 0) for parent in parents]
    offsets = (axes[:, above].mT @ (places - places[:, above])[..., None])[..., 0]  # (T, J, 3)
    stretch = float((offsets - offsets[:1]).norm(dim=-1).max())
    if not stretch <= MOST_STRETCH:  # NaN is in no order
        raise ValueError(
            f"{path}: expected bones of one length under {TURNS}, got changes of {stretch * 100:.1f} cm; "
            "is this a file of Kimodo's?"
        )
    skeleton = Skeleton(tuple(kind["names"]), parents, offsets.mean(dim=0).float())
    rate = FPS if fps is None else fps
    if fps is None:
        note(path, f"taken as {FPS:g} frames a second, as Kimodo writes; --fps says otherwise")
    rotations = quat_normalize(local_rotations(turns, skeleton))
    return Motion(skeleton, rotations.float(), places[:, 0].float(), rate)


@lru_cache(maxsize=1)
def skeletons() -> dict[str, Any]:
    """Return number of joints -> their names and parents, in the order of Kimodo's files."""
    return read_json(Path(__file__).with_name("kimodo_skeletons.json"), "skeletons by number of joints")
