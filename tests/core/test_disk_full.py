"""A full disk: every writer names its file, and leaves the old one as it was and nothing beside it."""

import contextlib
import errno
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motiongen import checkpoint
from motiongen.data import memory_files
from motiongen.data.cache import write_cache
from motiongen.io import FORMATS, writable
from motiongen.music.audio import Audio, write_audio
from motiongen.render import PICTURES
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training import state
from motiongen.training.progress import TrainingLog
from motiongen_datasets.lerobot import LeRobotWriter
from tests.core.data.test_memory import three
from tests.core.motions import t_pose, wobble

FULL = (errno.EFBIG, errno.ENOSPC, errno.EIO)


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def largest(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def check_full_disk(folder: Path, name: str, write: Callable[[int], Any]) -> None:
    """Check a writer of one thing or another where the disk is full at the beginning, in the middle, at the end."""
    write(1)
    size = largest(folder)
    write(0)
    before = contents(folder)
    for room in (0, size // 2, size - 1):
        with pytest.raises(OSError) as caught, room_for(room):
            write(1)
        assert caught.value.errno in FULL and Path(str(caught.value.filename)).name == name, (
            room,
            caught.value,
        )
        assert contents(folder) == before, room
    assert not [path for path in folder.rglob("*") if ".part" in path.name]


@pytest.mark.parametrize("extension", writable())
def test_motions(tmp_path, extension):
    assert extension in {known for spec in FORMATS.values() for known in spec.extensions}
    check_full_disk(
        tmp_path, f"a{extension}", lambda n: wobble(20 + 100 * n, n).save(tmp_path / f"a{extension}")
    )


@pytest.mark.slow
@pytest.mark.parametrize("extension", [known for spec in PICTURES.values() for known in spec.extensions])
def test_pictures(tmp_path, extension):
    path = tmp_path / f"a{extension}"
    check_full_disk(tmp_path, path.name, lambda n: t_pose(4 + 8 * n).render(path, size=(64, 64)))


@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3", ".m4a"])
def test_sound(tmp_path, extension):
    path = tmp_path / f"a{extension}"
    noise = np.random.default_rng(0).normal(scale=0.1, size=40_000).astype(np.float32)
    check_full_disk(
        tmp_path, path.name, lambda n: write_audio(Audio(noise[: 20_000 * (n + 1)], 16_000), path)
    )


def test_weights(tmp_path):
    config = RVQVAEConfig(feature_dim=7, width=12, frame_width=8, latent_dim=6, depth=1, codebook_size=16)
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        models.append(RVQVAE(config))
    check_full_disk(
        tmp_path, checkpoint.CARD, lambda n: checkpoint.save(models[n], config, tmp_path, f"model {n}")
    )


def test_checkpoints_of_a_training(tmp_path):
    model = torch.nn.Linear(40, 40)
    optimizer = torch.optim.SGD(model.parameters())

    def write(step: int) -> None:
        state.save(tmp_path, model, model, optimizer, torch.Generator(), {"step": step})

    check_full_disk(tmp_path, state.STATE, write)


def test_the_log_of_a_training(tmp_path):
    def write() -> None:
        with TrainingLog(tmp_path, "toy", {}) as log, room_for(200):
            for step in range(10):
                log.losses(step, 1.0, 0.5, {"loss": 0.123456})

    with pytest.raises(OSError) as caught:
        write()
    assert caught.value.errno in FULL and caught.value.filename == str(tmp_path / "log.jsonl")


def test_memories(tmp_path):
    check_full_disk(
        tmp_path, memory_files.TENSORS, lambda n: memory_files.save(three(levels=2 + n), tmp_path)
    )


def test_caches(tmp_path):
    facts = {"source": "own", "licence": "CC0", "split": "train", "captions": ("a person sways",)}

    def write(n: int) -> None:
        write_cache(
            tmp_path / "cache", [({"id": f"own/{k}", **facts}, wobble(50 + n, k)) for k in range(3)], fps=30
        )

    check_full_disk(tmp_path, "cache", write)


@pytest.mark.parametrize("has_camera", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_demonstrations_leave_no_folder(tmp_path, has_camera):
    numbers = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    pictures = np.random.default_rng(0).integers(256, size=(40, 32, 32, 3)).astype(np.uint8)

    def write(folder: Path) -> None:
        shape = pictures.shape[1:] if has_camera else None
        with LeRobotWriter(folder, 10, list("abc"), list("xyz"), "toy", shape) as writer:
            for _ in range(3):
                writer.add_episode(numbers, numbers, pictures if has_camera else None, "go")

    write(tmp_path / "whole")
    size = largest(tmp_path)
    for room in (0, size // 2, size - 1):
        with pytest.raises(OSError) as caught, room_for(room):
            write(tmp_path / "demos")
        assert caught.value.errno in FULL and caught.value.filename == str(tmp_path / "demos")
        assert [path.name for path in tmp_path.iterdir()] == ["whole"]
