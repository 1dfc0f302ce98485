"""Frames of a stream into a Motion: those that were left out on the way are filled in between their neighbours."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_normalize, quat_slerp
from motiongen.skeleton import SMPL22
from motiongen_bridge.frames import WireFrame
from motiongen_bridge.stream_stats import frame_rate


class FrameRecorder:
    """Keeps the frames of one character, in the order in which they come.

    Attributes:
        fps: frames a second.
    """

    def __init__(self, hello: Mapping[str, Any]) -> None:
        """Take a server's hello.

        Raises:
            ValueError: its characters have another skeleton than SMPL-22, or its rate makes no sense.
        """
        self.fps = frame_rate(hello)
        if not _is_smpl22(hello.get("skeleton")):
            raise ValueError(
                "hello: expected SMPL-22's skeleton, got another; watch it without recording, or update motiongen"
            )
        self._frames: list[WireFrame] = []

    def add(self, frame: WireFrame) -> None:
        """Keep a frame; its number is higher than the last one's."""
        self._frames.append(frame)

    @property
    def filled(self) -> int:
        """Frames of the motion that never came."""
        if not self._frames:
            return 0
        return self._frames[-1].seq - self._frames[0].seq + 1 - len(self._frames)

    def motion(self) -> Motion:
        """Return what was kept, from the first frame to the last.

        Raises:
            ValueError: no frame was kept, or one has numbers that no pose has.
        """
        if not self._frames:
            raise ValueError("recording: expected frames, got none; record for longer")
        rotations, root = fill(
            torch.tensor([frame.seq for frame in self._frames]),
            quat_normalize(torch.from_numpy(np.stack([frame.rotations for frame in self._frames]))),
            torch.from_numpy(np.stack([frame.root for frame in self._frames])),
        )
        return Motion(SMPL22, rotations, root, self.fps)


def fill(seqs: Tensor, rotations: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Return rotations (T, J, 4) and root (T, 3) of every frame from the first number to the last.

    Args:
        seqs: numbers (N,) of the frames that are there, rising; those between them are missing.
        rotations: (N, J, 4); missing ones are turned the shorter way between their neighbours.
        root: (N, 3), metres; missing ones lie on a straight line between their neighbours.
    """
    wanted = torch.arange(int(seqs[0]), int(seqs[-1]) + 1)  # (T,)
    after = torch.searchsorted(seqs, wanted)
    before = after - (seqs[after] != wanted).long()
    part = (wanted - seqs[before]) / (seqs[after] - seqs[before]).clamp(min=1)  # (T,)
    filled = quat_slerp(rotations[before], rotations[after], part[:, None])
    return filled, root[before] + (root[after] - root[before]) * part.to(root)[:, None]


def _is_smpl22(skeleton: Any) -> bool:
    try:
        names, parents = list(skeleton["names"]), list(skeleton["parents"])
        offsets = torch.tensor(skeleton["offsets"], dtype=torch.float32)
    except (KeyError, TypeError, ValueError):
        return False
    is_named = names == list(SMPL22.names) and parents == list(SMPL22.parents)
    return (
        is_named
        and offsets.shape == SMPL22.offsets.shape
        and torch.allclose(offsets, SMPL22.offsets, rtol=0, atol=1e-4)
    )
