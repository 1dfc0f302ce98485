"""Small samples of every format of clips and models that is read, and what their contents must be to make sense."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import fuzz_data
from benchmarks.fuzz_sample import Sample, motion_nonsense
from motiongen import checkpoint
from motiongen.data.cache import ClipCache, write_cache
from motiongen.data.demonstrations import Demonstrations
from motiongen.io import gltf_character, load
from motiongen.motion import Motion
from motiongen.retargeting import retarget
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen_datasets import bvh_folder
from motiongen_datasets.lerobot import read as read_lerobot
from tests.core.motions import t_pose, wobble
from tests.datasets.acclaim import write_clip
from tests.datasets.lerobot_folders import write_v21, write_v30


def _model_nonsense(model: torch.nn.Module) -> str:
    return (
        "" if all(bool(torch.isfinite(p).all()) for p in model.state_dict().values()) else "NaN or infinity"
    )


def _cache_nonsense(cache: ClipCache) -> str:
    for index, record in enumerate(cache.records):
        motion = cache.motion(index)
        if wrong := motion_nonsense(motion) or (
            "" if motion.num_frames == record.num_frames else "other frames"
        ):
            return wrong
        if not all(isinstance(sentence, str) for sentence in (*record.captions, record.id, record.split)):
            return "captions that are no text"
    return ""


def _demonstrations_nonsense(found: Demonstrations) -> str:
    arrays = [found.state, found.action] + ([] if found.scene is None else [found.scene])
    if not all(np.isfinite(values).all() for values in arrays):
        return "NaN or infinity"
    if not 0 < found.fps <= 1e6 or (found.lengths < 1).any() or found.lengths.sum() != len(found.state):
        return "rates or lengths that cannot be"
    return (
        "" if all(isinstance(text, str) for text in found.instructions) else "instructions that are no text"
    )


def _captions_nonsense(clips: list[Any]) -> str:
    sentences = [sentence for clip in clips for sentence in clip.labels.sentences]
    return (
        "" if all(isinstance(sentence, str) and "\0" not in sentence for sentence in sentences) else "no text"
    )


def _clip(extension: str) -> Sample:
    def make(folder: Path) -> list[Path]:
        wobble(12).save(folder / f"clip{extension}")
        return [folder / f"clip{extension}"]

    return Sample(extension[1:], make, lambda folder: load(folder / f"clip{extension}"), motion_nonsense)


def _character(folder: Path) -> list[Path]:
    t_pose(2).save(folder / "character.glb")
    return [folder / "character.glb"]


def _read_character(folder: Path) -> Motion:
    path = folder / "character.glb"
    moved = retarget(t_pose(4), path)
    gltf_character.with_motion(moved, path)
    return moved


def _amc(folder: Path) -> list[Path]:
    frames = [
        {"root": f"0 17.5 {number} 0 {10 * number} 0", "lfemur": f"{number} 0 -20"} for number in range(8)
    ]
    return [write_clip(folder, "clip", frames), folder / "toy.asf"]


def _smpl(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    np.savez(
        folder / "clip.npz", poses=0.3 * rng.standard_normal((10, 156)), trans=rng.standard_normal((10, 3)),
        mocap_framerate=np.array(60.0), gender=np.array("neutral"), betas=np.zeros(16),
    )  # fmt: skip
    return [folder / "clip.npz"]


def _weights(folder: Path) -> list[Path]:
    config = RVQVAEConfig(feature_dim=7, width=12, frame_width=8, latent_dim=6, depth=1, codebook_size=16)
    checkpoint.save(RVQVAE(config), config, folder)
    return [folder / checkpoint.CONFIG, folder / checkpoint.WEIGHTS]


def _cache(folder: Path) -> list[Path]:
    facts = {"source": "own", "licence": "CC0", "split": "train", "captions": ("a person sways",)}
    write_cache(folder, [({"id": f"own/{n}", **facts}, wobble(12 + n, n)) for n in range(3)], fps=30)
    return sorted(path for path in folder.iterdir() if path.is_file())


def _lerobot(write: Callable[[Path], Path]) -> Callable[[Path], list[Path]]:
    def make(folder: Path) -> list[Path]:
        write(folder / "set")
        unread = ("stats.json", "tasks.parquet")
        return sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in unread)

    return make


def _captions(folder: Path) -> list[Path]:
    wobble(4).save(folder / "walk.bvh")
    (folder / "captions.csv").write_text('file,caption,content\nwalk.bvh,"a person walks, then stops",walk\n')
    return [folder / "captions.csv"]


def _samples() -> Iterator[Sample]:
    yield from map(_clip, (".bvh", ".npz", ".glb", ".gltf", ".fbx", ".vrma"))
    yield Sample("character", _character, _read_character, motion_nonsense)
    yield Sample("smpl npz", _smpl, lambda folder: load(folder / "clip.npz"), motion_nonsense)
    yield Sample("asf/amc", _amc, lambda folder: load(folder / "clip.amc"), motion_nonsense)
    yield Sample("weights", _weights, lambda folder: checkpoint.load(folder, RVQVAE), _model_nonsense)
    yield Sample("cache", _cache, ClipCache.open, _cache_nonsense)
    for name, write in (("lerobot v3.0", write_v30), ("lerobot v2.1", write_v21)):
        yield Sample(
            name, _lerobot(write), lambda folder: read_lerobot(folder / "set"), _demonstrations_nonsense
        )
    yield Sample("captions", _captions, bvh_folder.clips, _captions_nonsense)
    yield from fuzz_data.SAMPLES


SAMPLES: dict[str, Sample] = {sample.name: sample for sample in _samples()}
"""Name -> sample, of every format that is read."""
