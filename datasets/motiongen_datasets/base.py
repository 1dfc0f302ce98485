"""The interface of a motion dataset: `DatasetSpec`, one per module, and `RawClip`, one per clip."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from motiongen_datasets.captions.labels import Labels

if TYPE_CHECKING:  # the registry is read for help texts, which must not wait for torch
    from motiongen.motion import Motion


@dataclass(frozen=True)
class RawClip:
    """One clip of a dataset: its facts and labels, and a function that reads its motion.

    Attributes:
        id: unique and stable, "source/name".
        source: the dataset's name in the registry.
        licence: of this clip's data.
        load: reads the motion: a Motion of SMPL-22 that stands on the ground. Picklable, for parallel preparation; it
            raises ValueError with the reason for a clip that is of no use.
        labels: what the dataset says of the clip in words; captions are made of it.
        meta: other facts that the cache keeps, such as "name" or "subject". A dance has "dance_style", and where its
            music is known, "bpm", "first_beat" (seconds) and "audio" (path of the sound file).
        is_take: whether it is a take as it was captured, which may show more than its labels say, or long nothing:
            preparation cuts it into actions.
        split: "train" or "test" if the dataset is published with a split; None for a split by a hash of the id.
    """

    id: str
    source: str
    licence: str
    load: "Callable[[], Motion]"
    labels: Labels = field(default_factory=Labels)
    meta: dict[str, str] = field(default_factory=dict)
    is_take: bool = False
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A motion dataset: its facts and its reader. The module of a dataset defines one, named DATASET.

    Attributes:
        name: key in the registry, `source` of its clips and first part of their ids.
        title: the name it is published under.
        licence: of its data; a clip may have another.
        expects: the files that `clips` looks for, as a message names them ("clips.csv beside .amc files").
        clips: returns the clips in a folder without reading their motion; none where the folder has no such files.
        folder_names: names of published folders by which it is recognised, beside its own name.
        reads_zip: whether `clips` also takes the path of a zip file.
    """

    name: str
    title: str
    licence: str
    expects: str
    clips: Callable[[Path], list[RawClip]]
    folder_names: tuple[str, ...] = ()
    reads_zip: bool = False
