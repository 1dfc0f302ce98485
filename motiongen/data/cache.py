"""Clip cache: motion of SMPL-22 at 30 fps with captions, packed in shards and read by memory map.

`index.json` describes the cache, `clips.jsonl.xz` has one line for each clip, `shard-*.bin` contain the packed motion.
Feature frames are computed once and written to `features.f16`, which is memory-mapped.
"""

import json
import lzma
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.atomic import atomic_path
from motiongen.io.delta import pack, unpack
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22

FORMAT_VERSION = 1
SHARD_BYTES = 64 * 2**20


@dataclass(frozen=True)
class ClipRecord:
    """Metadata of a clip.

    Attributes:
        id: unique, "source/name".
        source: name of the dataset.
        licence: of the data.
        split: "train" or "test", for the clip and its mirrored copy.
        num_frames: T at 30 fps.
        captions: sentences for training.
        held_out_captions: paraphrases for evaluation only.
        mirrored_captions: sentences for the mirrored motion.
        mirrored_held_out_captions: paraphrases for it, for evaluation only.
        content: label of the action; None if unlabelled.
        style: label of the style; None if unlabelled.
        shard: number of the shard file.
        offset: first byte in the shard.
        size: bytes.
        meta: further facts, such as `dance_style`, `bpm`, `first_beat` (seconds) and `audio` (path).
    """

    id: str
    source: str
    licence: str
    split: str
    num_frames: int
    captions: tuple[str, ...] = ()
    held_out_captions: tuple[str, ...] = ()
    mirrored_captions: tuple[str, ...] = ()
    mirrored_held_out_captions: tuple[str, ...] = ()
    content: str | None = None
    style: str | None = None
    shard: int = 0
    offset: int = 0
    size: int = 0
    meta: dict[str, str] = field(default_factory=dict)


class ClipCache:
    """A prepared cache, opened for reading; create one with `ClipCache.open`.

    Attributes:
        folder: of the cache.
        info: contents of `index.json`.
        records: metadata of all clips.
    """

    def __init__(self, folder: Path, info: dict[str, Any], records: Sequence[ClipRecord]) -> None:
        self.folder = folder
        self.info = info
        self.records = tuple(records)
        self._shards: dict[int, np.memmap[Any, np.dtype[np.uint8]]] = {}
        self._starts = np.concatenate([[0], np.cumsum([record.num_frames for record in self.records])])

    @classmethod
    def open(cls, folder: str | Path) -> "ClipCache":
        """Open the cache in a folder.

        Raises:
            FileNotFoundError: no cache in the folder.
            ValueError: a cache of another version.
        """
        folder = Path(folder)
        if not (folder / "index.json").is_file():
            raise FileNotFoundError(
                f"{folder}: expected a prepared cache, found no index.json; run motiongen prepare"
            )
        info = json.loads((folder / "index.json").read_text())
        if info.get("version") != FORMAT_VERSION:
            raise ValueError(
                f"{folder}: expected cache version {FORMAT_VERSION}, got {info.get('version')}; prepare it again"
            )
        with lzma.open(folder / "clips.jsonl.xz", "rt", encoding="utf-8") as lines:
            records = [_record(json.loads(line)) for line in lines]
        return cls(folder, info, records)

    def __len__(self) -> int:
        return len(self.records)

    def split(self, name: str) -> list[int]:
        """Return the indices of the clips of a split, "train" or "test"."""
        return [i for i, record in enumerate(self.records) if record.split == name]

    def motion(self, index: int) -> Motion:
        """Return the motion of a clip."""
        record = self.records[index]
        if record.shard not in self._shards:
            path = self.folder / _shard_name(record.shard)
            self._shards[record.shard] = np.memmap(path, dtype=np.uint8, mode="r")
        data = self._shards[record.shard][record.offset : record.offset + record.size].tobytes()
        rotations, root = unpack(data, record.num_frames, SMPL22.num_joints)
        return Motion(SMPL22, rotations, root, features.FPS)

    def features(self, index: int, mirrored: bool = False) -> Tensor:
        """Return the feature frames (T, 140) of a clip, or of its mirror image, float32."""
        start, end = int(self._starts[index]), int(self._starts[index + 1])
        frames = torch.from_numpy(self._frames[start:end].astype(np.float32))
        return features.mirror(frames) if mirrored else frames

    @cached_property
    def _frames(self) -> np.ndarray:
        """Feature frames (sum of T, 140) of all clips, float16, memory-mapped."""
        path = self.folder / "features.f16"
        shape = (int(self._starts[-1]), features.FEATURE_DIM)
        if not path.is_file() or path.stat().st_size != 2 * shape[0] * shape[1]:
            with atomic_path(path) as aside, open(aside, "wb") as file:
                for index in range(len(self)):
                    file.write(features.encode(self.motion(index)).numpy().astype(np.float16).tobytes())
        return np.memmap(path, dtype=np.float16, mode="r", shape=shape)


class CacheWriter:
    """Writes a cache clip by clip; the cache is complete when `close` has written the index.

    Args:
        folder: created if missing; the index of a cache in it is deleted.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.json").unlink(missing_ok=True)
        (self.folder / "features.f16").unlink(missing_ok=True)
        self._lines: list[str] = []
        self._shard, self._offset = 0, 0
        self._file = open(self.folder / _shard_name(0), "wb")  # noqa: SIM115 - closed in close()

    def add(self, record: dict[str, Any], packed: bytes) -> None:
        """Append a clip.

        Args:
            record: fields of ClipRecord except shard, offset and size.
            packed: motion, from `motiongen.io.delta.pack`.
        """
        if self._offset + len(packed) > SHARD_BYTES:
            self._file.close()
            self._shard, self._offset = self._shard + 1, 0
            self._file = open(self.folder / _shard_name(self._shard), "wb")  # noqa: SIM115
        self._file.write(packed)
        whole = asdict(_record(record | {"shard": self._shard, "offset": self._offset, "size": len(packed)}))
        self._lines.append(json.dumps(whole, ensure_ascii=False))
        self._offset += len(packed)

    def close(self, **info: Any) -> None:
        """Write the index, with further JSON-serialisable facts about the cache."""
        self._file.close()
        with atomic_path(self.folder / "clips.jsonl.xz") as aside:
            aside.write_bytes(lzma.compress("".join(line + "\n" for line in self._lines).encode()))
        with atomic_path(self.folder / "index.json") as aside:
            aside.write_text(
                json.dumps({"version": FORMAT_VERSION, "clips": len(self._lines), **info}, indent=1)
            )


def write_cache(folder: str | Path, clips: Iterable[tuple[dict[str, Any], Motion]], **info: Any) -> ClipCache:
    """Write a cache of small data in one process, and open it.

    Args:
        folder: of the cache.
        clips: (fields of ClipRecord, motion) of each clip.
        info: further JSON-serialisable facts about the cache.
    """
    writer = CacheWriter(folder)
    for record, motion in clips:
        writer.add({"num_frames": motion.num_frames} | record, pack(motion.rotations, motion.root))
    writer.close(**info)
    return ClipCache.open(folder)


def _record(fields: dict[str, Any]) -> ClipRecord:
    captions = ("captions", "held_out_captions", "mirrored_captions", "mirrored_held_out_captions")
    return ClipRecord(**fields | {name: tuple(fields.get(name, ())) for name in captions})


def _shard_name(number: int) -> str:
    return f"shard-{number:04d}.bin"
