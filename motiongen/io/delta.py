"""Compressed motion: quantized quaternions, second differences, LZMA; a tenth of float32, within a stated error.

A joint stores three components of its quaternion where the fourth is large enough all through the clip to be computed
from them, else all four. Bytes are stored plane by plane, lowest first, which compresses better.
"""

import lzma
import math

import numpy as np
import torch
from torch import Tensor

from motiongen.rotation import quat_normalize, quat_unroll

ROTATION_STEP = math.radians(0.035)
"""Quantization step of quaternion components; rotations err by at most 0.035 degrees about an axis."""
ROOT_STEP = 0.0005
"""Quantization step of root positions, metres."""
_SAFE = 0.4
"""Least size of a component that is computed from the three others; its error is at most 2.5 times theirs."""
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 0, "pb": 0}]


def pack(rotations: Tensor, root: Tensor) -> bytes:
    """Return bytes for rotations (T, J, 4) and root (T, 3)."""
    quats = quat_unroll(rotations.float()).numpy()  # (T, J, 4)
    smallest = np.abs(quats).min(axis=0)  # (J, 4)
    dropped = np.where(smallest.max(axis=1) > _SAFE, smallest.argmax(axis=1), 4)  # (J,), 4 = keep all
    columns = [np.round(root.numpy() / ROOT_STEP)]
    for joint, drop in enumerate(dropped):
        joint_quats = quats[:, joint]
        if drop < 4:
            joint_quats = np.delete(joint_quats * np.sign(joint_quats[:1, drop]), drop, axis=1)
        columns.append(np.round(joint_quats / ROTATION_STEP))
    steps = np.concatenate(columns, axis=1).astype(np.int64)  # (T, C)
    for _ in range(2):
        steps = np.diff(steps, axis=0, prepend=np.zeros((1, steps.shape[1]), np.int64))
    zigzag = ((steps << 1) ^ (steps >> 63)).astype("<u4").T  # small numbers of either sign become small ones
    digits = np.ascontiguousarray(zigzag).view(np.uint8).reshape(*zigzag.shape, 4)
    body = b"".join(np.ascontiguousarray(digits[..., d]).tobytes() for d in range(4))
    return bytes(dropped.astype(np.uint8)) + lzma.compress(body, format=lzma.FORMAT_RAW, filters=_FILTERS)


def unpack(data: bytes, num_frames: int, num_joints: int) -> tuple[Tensor, Tensor]:
    """Return rotations (T, J, 4) and root (T, 3) of packed bytes.

    Raises:
        ValueError: damaged bytes.
    """
    dropped = np.frombuffer(data[:num_joints], np.uint8)
    if len(dropped) != num_joints or dropped.max() > 4:
        raise ValueError(
            f"cache: expected packed motion of {num_joints} joints, got damaged bytes; prepare it again"
        )
    most = 4 * (3 + 4 * num_joints) * num_frames  # and no more is decompressed
    try:
        body = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS).decompress(
            data[num_joints:], most + 1
        )
    except lzma.LZMAError as error:
        raise ValueError(
            f"cache: expected packed motion, got damaged bytes ({error}); prepare it again"
        ) from error
    widths = [3] + [3 if drop < 4 else 4 for drop in dropped]
    count = sum(widths)
    if len(body) != 4 * count * num_frames:
        raise ValueError(
            f"cache: expected {4 * count * num_frames} bytes of motion, got {len(body)}; prepare it again"
        )
    digits = np.frombuffer(body, np.uint8).reshape(4, count, num_frames)
    zigzag = np.ascontiguousarray(np.moveaxis(digits, 0, -1)).view("<u4")[..., 0].T.astype(np.int64)  # (T, C)
    steps = (zigzag >> 1) ^ -(zigzag & 1)
    values = steps.cumsum(axis=0).cumsum(axis=0).astype(np.float64)
    root, *joints = np.split(values, np.cumsum(widths)[:-1], axis=1)
    rotations = np.stack(
        [_restore(q * ROTATION_STEP, d) for q, d in zip(joints, dropped, strict=True)], axis=1
    )
    return quat_normalize(torch.from_numpy(rotations)).float(), torch.from_numpy(root * ROOT_STEP).float()


def _restore(quats: np.ndarray, dropped: int) -> np.ndarray:
    """(T, 3 or 4) -> (T, 4)."""
    if dropped == 4:
        return quats
    missing = np.sqrt(np.clip(1 - (quats**2).sum(axis=1), 0, 1))
    return np.insert(quats, dropped, missing, axis=1)
