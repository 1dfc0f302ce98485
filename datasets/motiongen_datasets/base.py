"""What every dataset gives: clips that know where they come from and load as a Motion of SMPL-22."""

from collections.abc import Callable
from dataclasses import dataclass, field

from motiongen.motion import Motion


@dataclass(frozen=True)
class RawClip:
    """One clip of a dataset, not yet read.

    Attributes:
        id: unique and stable, "source/name".
        source: the dataset's name in the registry.
        licence: of this clip's data.
        load: reads it; returns a Motion of SMPL-22 on the ground. Picklable, for parallel preparation.
        content: what is done, by the dataset's label ("walk"), if it has one.
        style: how it is done ("angry"), if labelled.
        sentences: real captions that people wrote, if any.
        meta: whatever else the caption grammar or a recipe may use.
        split: "train" or "test" if the dataset's publishers say; else a hash of the id decides.
    """

    id: str
    source: str
    licence: str
    load: Callable[[], Motion]
    content: str | None = None
    style: str | None = None
    sentences: tuple[str, ...] = ()
    meta: dict[str, str] = field(default_factory=dict)
    split: str | None = None
