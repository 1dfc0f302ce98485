"""BVH files that a clips.csv lists, of a body whose rest pose is a T-pose facing +Z: what their readers share."""

from pathlib import Path

from motiongen.body_floor import LOW_PELVIS, body_floor, standing_floor
from motiongen.humanoid import humanoid_map
from motiongen.io import bvh
from motiongen.motion import Motion
from motiongen.retargeting import retarget
from motiongen.skeleton import SMPL22
from motiongen_datasets.cleaning import FPS, clean_span, resampled
from motiongen_datasets.flat_feet import with_flat_feet
from motiongen_datasets.head_level import with_raised_head
from motiongen_datasets.rotation_spline import resample_smooth

MAX_REACH = 0.15
"""How far hands may reach below the floor that feet stand on, metres, for that to be their proportions' fault."""


def load(
    path: Path,
    unit_to_metres: float,
    fps: float | None = None,
    tile: float = 0.0,
    head_degrees: float = 0.0,
) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, its body on the floor y = 0.

    Args:
        path: the BVH file.
        unit_to_metres: metres of one unit of the file.
        fps: the true rate, where the file's own is not.
        head_degrees: how far the source's heads look down by mistake.
        tile: repeat a loop of one cycle until it lasts this long, seconds.
    """
    source = bvh.read(path, unit_to_metres)
    mapping = humanoid_map(source.skeleton)
    if fps is not None:
        source = Motion(source.skeleton, source.rotations, source.root, fps, source.translations)
    source = clean_span(source, mapping)
    whole = source.fps / FPS
    even = resampled(source) if whole == int(whole) else resample_smooth(source, FPS)
    motion = retarget(even, SMPL22, mapping=mapping, plant_feet=False)
    if tile > motion.seconds:
        motion = tiled(motion, tile)
    motion = with_flat_feet(motion)
    return on_floor(with_raised_head(motion, head_degrees) if head_degrees else motion)


def on_floor(motion: Motion) -> Motion:
    """Return a motion of SMPL-22 lifted or lowered so that it stands, or else its body rests, on y = 0.

    Where feet stand a little above what else touches the floor, they are right: arms of other proportions reach
    below it in a cartwheel.
    """
    positions = motion.positions()
    floor = body_floor(positions)
    standing = standing_floor(positions, motion.fps)
    is_upright = (
        float(motion.root[:, 1].median()) - floor > LOW_PELVIS
    )  # who crawls rests on knees and elbows
    if standing is not None and is_upright and floor < standing < floor + MAX_REACH:
        floor = standing
    return motion.moved(motion.root.new_tensor([0.0, -floor, 0.0]))


def tiled(motion: Motion, seconds: float) -> Motion:
    """Return a loop of one cycle repeated until it lasts `seconds`, going on from where each cycle ended."""
    whole = motion
    while whole.seconds < seconds:
        whole = whole.concatenate(motion, blend=min(0.1, motion.seconds / 4))
    return whole
