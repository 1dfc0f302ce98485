"""Motion datasets: one module per dataset, a registry of them, captions, and the preparation of training caches."""

from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions.labels import Labels
from motiongen_datasets.registry import DATASETS, clips_of, find_dataset, join_names

__all__ = ["DATASETS", "DatasetSpec", "Labels", "RawClip", "clips_of", "find_dataset", "join_names"]
