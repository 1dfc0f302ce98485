"""Unitree's demonstration dance of the G1, "Take 102": joint angles at 60 fps in G1 Moves' layout, Apache-2.0."""

from functools import partial
from pathlib import Path

from motiongen.files import visible
from motiongen_datasets import g1_moves
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.dance_styles import dance_meta

LICENCE = "Apache-2.0"


def clips(root: Path) -> list[RawClip]:
    """Return every take of joint angles in a folder."""
    return [
        RawClip(
            id=f"unitree/{path.stem}",
            source="unitree",
            licence=LICENCE,
            load=partial(g1_moves.load, path),
            labels=Labels(content="dance"),
            meta=dance_meta("freestyle") | {"name": path.stem},
        )
        for path in visible(root.rglob("G1_Take*.csv"), root)
    ]


DATASET = DatasetSpec(
    name="unitree",
    title="Unitree's demonstration dance",
    licence=LICENCE,
    expects="G1_Take*.csv",
    clips=clips,
    folder_names=("unitree_take102",),
)
