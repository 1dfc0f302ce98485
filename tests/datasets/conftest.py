"""Real datasets for the tests that are marked shared_data."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def real_dataset(shared_data, tmp_path) -> Callable[..., Path]:
    """Return a function that gives a real dataset's folder, unpacked from its archive where there is no folder."""

    def folder(name: str, *members: str) -> Path:
        """Return the folder of a dataset; from an archive, only the members below it are unpacked if some are given."""
        if (shared_data / name).is_dir():
            return shared_data / name
        wanted = {f"{name}/{member}" for member in members}
        with tarfile.open(shared_data / f"{name}.tar.xz") as archive:
            chosen = (member for member in archive if not wanted or member.name in wanted)
            archive.extractall(tmp_path, chosen, filter="data")
        return tmp_path / name

    return folder
