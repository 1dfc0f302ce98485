"""Small samples of what is no clip: datasets as `prepare` reads them, what training makes of them, what users write."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.fuzz_sample import Sample, motion_nonsense
from motiongen.body.smpl import read_arrays
from motiongen.cli.models import describe
from motiongen.data import memory_files
from motiongen.data.caption_table import CaptionTable
from motiongen.data.dance_bank import DanceBank, PairRecord, write_index
from motiongen.data.memory import Memory
from motiongen.features import FEATURE_DIM
from motiongen.files import reading
from motiongen.io import ReadOptions, load
from motiongen.motion import Motion
from motiongen.music.audio import MAX_SECONDS, Audio, read_audio, write_audio
from motiongen.music.features import MUSIC_DIM
from motiongen.skeleton import SMPL22
from motiongen.training import state
from motiongen_datasets.registry import clips_of
from tests.core.body.synthetic_smpl import write_model
from tests.core.motions import t_pose
from tests.datasets.folders import FOLDERS


class _Words:
    """What a caption table asks of a text encoder, without one."""

    name, max_tokens = "fuzz", 8

    def embed_many(self, prompts: Sequence[str]) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield the row of each prompt, a vector for each of its words, and one for it all."""
        for row, prompt in enumerate(prompts):
            yield row, torch.full((len(prompt.split()), 6), 0.5), torch.full((6,), 0.25)


def _dataset(name: str, *suffixes: str) -> Sample:
    """Return a sample of a dataset; its files with these suffixes are changed."""

    def make(folder: Path) -> list[Path]:
        FOLDERS[name](folder)
        if name == "aistpp":
            (folder / "ignore_list.txt").write_text("gBR_sBM_cAll_d04_mBR0_ch01\n")
        return sorted(path for path in folder.rglob("*") if path.suffix in suffixes)

    def read(folder: Path) -> list[Motion]:
        motions = []
        for clip in clips_of(f"{name}={folder}"):
            with reading(folder / clip.id, "a clip that can be used"):  # as `prepare` does
                motions.append(clip.load())
        return motions

    return Sample(name, make, read, lambda motions: next(filter(None, map(motion_nonsense, motions)), ""))


def _caption_table(folder: Path) -> list[Path]:
    CaptionTable.build(_Words(), ["a person walks", "a person bows", "jump"], folder)  # type: ignore[arg-type]
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _read_caption_table(folder: Path) -> list[Any]:
    (own,) = folder.glob("captions-*")
    table = CaptionTable(own)
    condition = table.gather([table.index(caption) for caption in table.captions])
    return [table.captions, condition.tokens, condition.pooled]


def _caption_table_nonsense(found: list[Any]) -> str:
    captions, tokens, pooled = found
    if not all(type(caption) is str for caption in captions) or tokens.shape[0] != len(captions):
        return "captions that are no text"
    return "" if bool(tokens.isfinite().all() and pooled.isfinite().all()) else "NaN or infinity"


def _dance_bank(folder: Path) -> list[Path]:
    records = [
        PairRecord(f"own/{n}", "train", "disco", True, 120.0, 0.25, 0.9, 2, start=20 * n, num_frames=20)
        for n in (0, 1)
    ]
    write_index(folder, {"version": 1}, records)
    np.full((40, FEATURE_DIM), 0.5, np.float16).tofile(folder / "frames.f16")
    np.full((80, MUSIC_DIM), 0.5, np.float16).tofile(folder / "music.f16")
    return sorted(folder.iterdir())


def _dance_bank_nonsense(bank: DanceBank | None) -> str:
    if bank is None:
        return ""  # of other options: it is made again
    for index, record in enumerate(bank.records):
        values = [bank.frames(index), bank.beats(index)]
        values += [bank.music(index, song) for song in range(record.songs)]
        if any(len(value) != record.num_frames for value in values):
            return "other frames"
        if not all(bool(value.isfinite().all()) for value in values):
            return "NaN or infinity"
    return ""


def _memory(folder: Path) -> list[Path]:
    codes = [torch.full((n, 2), 100 * n, dtype=torch.int16) for n in (3, 1, 2)]
    facts = [{"id": f"mine/{n}", "source": "mine", "licence": "CC0"} for n in range(3)]
    sentences = [["walk"], ["bow"], ["jump", "leap"]]
    memory = Memory.build(codes, sentences, lambda asked: torch.eye(4)[: len(asked)], facts, "tiny", "0123")
    memory_files.save(memory, folder)
    return sorted(folder.iterdir())


def _memory_nonsense(memory: Memory) -> str:
    found = memory.nearest(memory.vectors, prompts=memory.sentences)
    if not bool(memory.vectors.isfinite().all() and found.rank.isfinite().all()):
        return "NaN or infinity"
    words = [*memory.sentences, *(value for fact in memory.facts for value in fact.values())]
    if not all(type(word) is str for word in words):
        return "sentences or facts that are no text"
    codes = [memory.codes(clip) for clip in range(len(memory))]
    return "" if all(len(part) and int(part.min()) >= 0 for part in codes) else "codes that cannot be"


def _mapping(folder: Path) -> list[Path]:
    t_pose(2).save(folder / "clip.bvh")
    (folder / "mapping.json").write_text('{"left_hip": "left_hip", "spine3": null, "head": "neck"}')
    return [folder / "mapping.json"]


def _roles_nonsense(motion: Motion) -> str:
    roles = motion.skeleton.roles or ()
    known = all(
        role in SMPL22.names and (not joint or joint in motion.skeleton.names) for role, joint in roles
    )
    return motion_nonsense(motion) if known else "joints that are not there"


def _smpl_body(folder: Path) -> list[Path]:
    write_model(folder / "model.npz")
    return [folder / "model.npz"]


def _arrays_nonsense(arrays: dict[str, Any]) -> str:
    return "" if all(np.isfinite(array).all() for array in arrays.values()) else "NaN or infinity"


def _about(folder: Path) -> list[Path]:
    (folder / "about.json").write_text(
        '{"licence": "CC0", "data": ["own"], "contents": {"walk": "a person walks"}, "styles": {"sad": "sadly"}}'
    )
    (folder / "badm" / "root").mkdir(parents=True)
    (folder / "badm" / "root" / "config.json").write_text('{"model": "badm", "styles": ["disco", "house"]}')
    return [folder / "about.json", folder / "badm" / "root" / "config.json"]


def _training_state(folder: Path) -> list[Path]:
    model = _model()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state.save(folder, model, model, optimizer, torch.Generator(), {"step": 3, "model": "toy"})
    return [folder / state.STATE]


def _read_training_state(folder: Path) -> list[Any]:
    model = _model()
    optimizer = torch.optim.Adam(model.parameters())
    record = state.load(folder, model, model, optimizer, torch.Generator())
    moments = [value for values in optimizer.state.values() for value in values.values()]
    return [record["step"], *model.state_dict().values(), *moments]


def _state_nonsense(found: list[Any]) -> str:
    step, *tensors = found
    if not 0 <= step < 2**62:
        return f"step {step}"
    return "" if all(bool(value.isfinite().all()) for value in tensors) else "NaN or infinity"


def _model() -> nn.Module:
    return nn.Linear(3, 2)


def _sound(extension: str) -> Sample:
    def make(folder: Path) -> list[Path]:
        times = np.arange(6000) / 16_000
        write_audio(Audio(np.sin(2765.0 * times).astype(np.float32), 16_000), folder / f"song{extension}")
        return [folder / f"song{extension}"]

    return Sample(
        extension[1:], make, lambda folder: read_audio(folder / f"song{extension}"), _sound_nonsense
    )


def _sound_nonsense(audio: Audio) -> str:
    if not np.isfinite(audio.samples).all() or not (np.abs(audio.samples) <= 1).all():
        return "NaN, or louder than 1"
    return "" if 0 < audio.seconds <= MAX_SECONDS else f"{audio.seconds} seconds"


def _facts_nonsense(facts: dict[str, Any]) -> str:
    words = [facts["licence"], *facts.get("data", ()), *facts.get("contents", ()), *facts.get("styles", ())]
    return "" if all(type(word) is str for word in [*words, *facts.get("dances", ())]) else "no text"


SAMPLES: tuple[Sample, ...] = (
    _dataset("aistpp", ".pkl", ".txt"),
    *(_dataset(name, ".csv") for name in ("cmu", "hdm05", "cmu_fbx", "rocketbox", "g1_moves")),
    _dataset("cc0", ".json"),
    Sample("caption table", _caption_table, _read_caption_table, _caption_table_nonsense),
    Sample("dance bank", _dance_bank, lambda folder: DanceBank.read(folder, {"version": 1}), _dance_bank_nonsense),
    Sample("memory", _memory, memory_files.load, _memory_nonsense),
    Sample(
        "mapping", _mapping, lambda folder: load(folder / "clip.bvh", ReadOptions(mapping=folder / "mapping.json")),
        _roles_nonsense,
    ),
    Sample("smpl body", _smpl_body, lambda folder: read_arrays(folder / "model.npz"), _arrays_nonsense),
    Sample("about.json", _about, describe, _facts_nonsense),
    Sample("training state", _training_state, _read_training_state, _state_nonsense),
    *map(_sound, (".wav", ".flac", ".ogg", ".mp3", ".m4a")),
)  # fmt: skip
