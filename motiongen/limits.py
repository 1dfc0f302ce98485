"""Limits of what is read from files: how long, how large, how far. Every reader and `Motion.resample` use these.

They lie far over what people record, and far under what fills a machine. A size that a file states is checked against
them, or against the file's own bytes, before memory is taken for it.
"""

import math
from pathlib import Path

MIN_FPS, MAX_FPS = 1e-3, 1e6
"""Range of frame rates, frames a second."""
MAX_DISTANCE = 1e7
"""Largest coordinate of a joint, metres: 10,000 km."""
MAX_JOINTS = 10_000
"""Largest number of joints of a skeleton."""
FREE_POSES = 2**22
"""Frames times joints that any file may ask for: an hour and three quarters of SMPL-22 at 30 fps."""
GROWTH = 64
"""How many times larger than its source a result over the free sizes may be."""
POSES_PER_NUMBER = 4
"""Frames times joints, over the free ones, that each number of a file may stand for: still bones cost none."""
FREE_BYTES = 2**28
"""Bytes that any file may expand to when it is decompressed."""
MAX_TEXT_BYTES = 2**31
"""Largest file of motion, or table of text, that is read into memory whole."""
MAX_JSON_BYTES = 2**26
"""Largest JSON file that describes something."""
MAX_START = 1e6
"""Latest place in a sound file from which a piece is read, seconds: eleven days."""
MAX_LIST = 4096
"""Longest list in a model's config, and largest width of a robot's state or action."""
MAX_BATCH = 2**16
"""Most examples of a batch."""
MAX_SIDE = 16_384
"""Largest side of a picture, pixels."""
MAX_PICTURE_BYTES = 2**28
"""Largest file of a picture on a character."""
MAX_PIXELS = 2**26
"""Most pixels of a picture that is decoded: 8192 times 8192."""


def check_fps(fps: float) -> None:
    """Raise ValueError for a frame rate that is not a number from MIN_FPS to MAX_FPS."""
    if not 0 < fps < math.inf:
        raise ValueError(f"fps: expected a positive rate, got {fps}; say how many frames make a second")
    if not MIN_FPS <= fps <= MAX_FPS:
        raise ValueError(
            f"fps: expected {MIN_FPS:g} to {MAX_FPS:g} frames a second, got {fps:g}; check its unit"
        )


def check_joints(count: int) -> None:
    """Raise ValueError for no joint, or for more than MAX_JOINTS."""
    if not 1 <= count <= MAX_JOINTS:
        raise ValueError(
            f"skeleton: expected 1 to {MAX_JOINTS} joints, got {count}; leave out what is no bone"
        )


def check_poses(frames: int, joints: int, most: int = 0) -> None:
    """Raise ValueError for a motion that is out of all proportion to what it is made from.

    Args:
        frames: T.
        joints: J.
        most: frames times joints that its source allows; FREE_POSES are allowed to any.
    """
    most = max(FREE_POSES, most)
    if frames * joints > most:
        raise ValueError(
            f"motion: expected at most {most // joints} frames of {joints} joints, got {frames}; "
            "check the frame rate and the times"
        )


def check_expanded(size: int, stored: int) -> None:
    """Raise ValueError for `size` bytes that come out of `stored` ones, where that is out of all proportion."""
    most = max(FREE_BYTES, GROWTH * stored)
    if size > most:
        raise ValueError(
            f"data: expected at most {most} bytes from a file of {stored}, got {size}; is it damaged?"
        )


def check_file_size(path: Path, most: int = MAX_TEXT_BYTES) -> None:
    """Raise ValueError for a file that is larger than is read into memory."""
    if (size := path.stat().st_size) > most:
        raise ValueError(
            f"{path}: expected at most {most} bytes, got {size}; split it, or is it another file?"
        )
