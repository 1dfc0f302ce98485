"""Records the frames of a stream as a Motion; frames that were left out are interpolated."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_normalize, quat_slerp
from motiongen.skeleton import SMPL22
from motiongen_bridge.frame_rate import frame_rate
from motiongen_bridge.frames import WireFrame


class FrameRecorder:
    """Keeps the frames of one character.

    Attributes:
        fps: frames a second.
    """

    def __init__(self, hello: Mapping[str, Any]) -> None:
        """Make an empty recording.

        Args:
            hello: the server's first message.

        Raises:
            ValueError: its characters have another skeleton than SMPL-22, or its frame rate is invalid.
        """
        self.fps = frame_rate(hello)
        if not _is_smpl22(hello.get("skeleton")):
            raise ValueError(
                "hello: expected SMPL-22's skeleton, got another; watch it without recording, or update motiongen"
            )
        weights = hello.get("weights")
        self._licence = str(weights.get("licence", "")) if isinstance(weights, Mapping) else ""
        self._frames: list[WireFrame] = []

    def add(self, frame: WireFrame) -> None:
        """Keep a frame.

        Args:
            frame: its number is higher than the last one's.
        """
        self._frames.append(frame)

    @property
    def filled(self) -> int:
        """Frames of the motion that are interpolated."""
        if not self._frames:
            return 0
        return self._frames[-1].seq - self._frames[0].seq + 1 - len(self._frames)

    def motion(self) -> Motion:
        """Return the recording, from the first frame to the last.

        Raises:
            ValueError: no frame was kept, or one has invalid numbers.
        """
        if not self._frames:
            raise ValueError("recording: expected frames, got none; record for longer")
        rotations, root = fill(
            torch.tensor([frame.seq for frame in self._frames]),
            quat_normalize(torch.from_numpy(np.stack([frame.rotations for frame in self._frames]))),
            torch.from_numpy(np.stack([frame.root for frame in self._frames])),
        )
        return Motion(SMPL22, rotations, root, self.fps, licence=self._licence)


def fill(seqs: Tensor, rotations: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Return rotations (T, J, 4) and root (T, 3) of every frame from the first number to the last.

    Args:
        seqs: (N,) numbers of the frames that are there, rising; those between them are interpolated.
        rotations: (N, J, 4); interpolated by slerp.
        root: (N, 3), metres; interpolated linearly.
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
