"""G1 Moves: dance and karate retargeted to a Unitree G1, joint angles at 60 fps, CC BY 4.0.

A row of a file has the root's x y z, its quaternion x y z w, then 29 joint angles, within the robot's limits.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np
import torch

from motiongen.files import visible
from motiongen.motion import Motion
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.cleaning import canonical, clean_span
from motiongen_datasets.dance_styles import dance_meta, first_match
from motiongen_datasets.g1_robot import ANGLES, motion_from_angles

LICENCE = "CC BY 4.0"
FPS = 60.0
PHRASES: dict[str, tuple[str, ...]] = {
    "StepTouch": ("do the step touch dance",), "Modern": ("dance a modern dance",), "Salsa": ("dance salsa",),
    "Broadway": ("dance like on broadway",), "Hype": ("dance to hip hop",), "Sassy": ("dance in a sassy way",),
    "Party": ("dance at a party",), "WestCoast": ("dance a west coast swing",), "Shuffle": ("dance the shuffle",),
    "Disco": ("dance disco",), "JazzWalk": ("do a jazz walk",), "Nineties": ("dance like in the nineties",),
    "DadDance": ("dance like a dad",), "Wiggle": ("wiggle and *dance",), "Spiral": ("dance in a spiral",),
    "StretchDance": ("stretch and *dance",), "ChopsKarate": ("do karate chops", "chop with the hands"),
    "SpinKarate": ("do a karate spin",), "BowKarate": ("bow before karate", "do a karate bow"),
    "ForwardKarate": ("advance with karate moves",), "AttackKarate": ("attack with karate moves",),
    "M_Move1": ("do a guard combo",), "M_Move2": ("throw a low punch",), "M_Move3": ("take a horse stance",),
    "M_Move4": ("throw a spinning punch",), "M_Move5": ("throw a twisting punch",),
    "M_Move6": ("do a spinning strike",),
    "M_Move7": ("throw rapid punches",), "M_Move8": ("drop and *spin",), "M_Move9": ("change levels while fighting",),
    "M_Move10": ("do a side kick",), "M_Move11": ("attack in a blitz",), "M_Move17": ("do a double strike",),
    "M_Move18": ("do a karate front kick",), "M_Move19": ("do a slow kata",), "M_Move20": ("do an open-hand strike",),
    "M_ShortMove12": ("throw a quick jab",), "M_ShortMove13": ("do a snap kick",),
    "M_ShortMove14": ("throw a light punch",),
    "M_ShortMove15": ("do a dropping strike",), "M_ShortMove16": ("do a burst of power strikes",),
    "HandsUp": ("put the hands up",), "HandsChop": ("chop with both hands",),
}  # fmt: skip
"""Part of a clip's name -> verb phrases that say more than dance or karate; the longest part decides."""
CONTENTS = ((r"dance", "dance"), (r"fence", "fence"), (r"handsup", "raise-up-both-hands"), (r"", "karate"))
# Dances are named by the style or by the song: the songs' choreographies are street dance, those of the second
# performer (B_) improvised.
_DANCE_STYLES = (
    (r"Salsa", "salsa"),
    (r"Broadway|Jazz", "jazz"),
    (r"Disco", "disco"),
    (r"Shuffle", "shuffle"),
    (r"Modern", "modern"),
    (r"^B_.*Dance", "freestyle"),
    (r"Dance", "street"),
)
_FOLDERS = ("dance", "karate", "bonus")


def clips(root: Path) -> list[RawClip]:
    """Return every clip in the folders dance, karate and bonus below a folder."""
    return [
        RawClip(
            id=f"g1_moves/{path.stem}",
            source="g1_moves",
            licence=LICENCE,
            load=partial(load, path),
            labels=labels(path.parent.name, path.stem),
            meta=dance_meta(dance_style(path.stem)) | {"name": path.stem},
        )
        for path in visible(root.rglob("*.csv"), root)
        if path.parent.name in _FOLDERS
    ]


def labels(folder: str, name: str) -> Labels:
    """Return the labels of a clip by its folder and its file's name."""
    path = f"{folder}/{name}"
    content = next(content for pattern, content in CONTENTS if re.search(pattern, path.lower()))
    longest_first = sorted(PHRASES, key=len, reverse=True)
    return Labels(
        content=content, phrases=next((PHRASES[part] for part in longest_first if part in path), ())
    )


def dance_style(name: str) -> str | None:
    """Return the dance style in a clip's name, one of `dance_styles.STYLES`; None for karate."""
    return first_match(_DANCE_STYLES, name)


def load(path: Path) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, on the ground."""
    return canonical(*read_source(path))


def read_source(path: Path) -> tuple[Motion, dict[str, str]]:
    """Return one clip on the robot's skeleton, without jumps, and its joint mapping.

    Raises:
        ValueError: the rows are not 36 finite numbers each.
    """
    try:
        rows = np.loadtxt(path, delimiter=",", dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise ValueError(
            f"{path}: expected rows of numbers, got {error}; is this a clip of G1 Moves?"
        ) from error
    if rows.shape[1] != 7 + len(ANGLES) or not np.isfinite(rows).all():
        raise ValueError(
            f"{path}: expected rows of {7 + len(ANGLES)} finite numbers, got {rows.shape[1]} or NaN"
        )
    values = torch.from_numpy(rows)
    rotation = values[:, 3:7] / values[:, 3:7].norm(dim=-1, keepdim=True)
    motion = motion_from_angles(values[:, :3], rotation, values[:, 7:], FPS)
    mapping = {name: name for name in motion.skeleton.names}
    return clean_span(motion, mapping), mapping


DATASET = DatasetSpec(
    name="g1_moves",
    title="G1 Moves",
    licence=LICENCE,
    expects="CSV files in folders named dance, karate or bonus",
    clips=clips,
)
