"""Records the frames of a stream as a Motion; frames that were left out are interpolated."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_normalize, quat_slerp
from motiongen.skeleton import SMPL22, Skeleton
from motiongen_bridge.frame_rate import frame_rate
from motiongen_bridge.frames import WireFrame


class FrameRecorder:
    """Keeps the frames of one character.

    Attributes:
        fps: frames a second.
        skeleton: of the frames.
    """

    def __init__(self, hello: Mapping[str, Any], avatar: Mapping[str, Any] | None = None) -> None:
        """Make an empty recording.

        Args:
            hello: the server's first message.
            avatar: that of the character, where its frames are put on one.

        Raises:
            ValueError: its characters have another skeleton than SMPL-22, the avatar's is none, or the frame rate is
                invalid.
        """
        self.fps = frame_rate(hello)
        self.skeleton = SMPL22 if avatar is None else _skeleton(avatar)
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
        return Motion(self.skeleton, rotations, root, self.fps, licence=self._licence)


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


def _skeleton(avatar: Mapping[str, Any]) -> Skeleton:
    """Return the skeleton of an avatar. Raises ValueError where it is none."""
    try:
        told, parts = avatar["skeleton"], avatar["parts"]
        return Skeleton(
            tuple(str(name) for name in told["names"]),
            tuple(int(parent) for parent in told["parents"]),
            torch.tensor(told["offsets"], dtype=torch.float32),
            quat_normalize(torch.tensor(told["rest"], dtype=torch.float32)),
            roles=tuple((str(part), str(joint)) for part, joint in parts.items()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"avatar: expected a skeleton as of PROTOCOL.md, got {error}; update motiongen"
        ) from None


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
