"""Clip cache: motion of SMPL-22 at 30 fps with captions, packed in shards and read by memory map.

`index.json` describes the cache, `clips.jsonl.xz` has one line for each clip, `shard-*.bin` contain the packed motion.
Feature frames are computed once and written to `features.f16`, which is memory-mapped. A cache that replaces another is
written beside it, under names with a digest, until its index replaces the other's.
"""

import contextlib
import hashlib
import json
import lzma
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.atomic import AtomicFolder, atomic_path, flush, naming
from motiongen.checks import fits
from motiongen.files import read_json, read_xz, reading
from motiongen.io.delta import pack, unpack
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22

FORMAT_VERSION = 1
SHARD_BYTES = 64 * 2**20
_OWN = ("shard-*.bin", "clips*.jsonl.xz")
"""Files of a cache beside its index."""
_DERIVED = ("features*.f16", "codes-*.safetensors", "badm")
"""What training makes of a cache, and keeps in its folder."""


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
        self._mark = str(info.get("files", ""))
        self.records = tuple(records)
        self._shards: dict[int, np.memmap[Any, np.dtype[np.uint8]]] = {}
        starts = np.concatenate([[0], np.cumsum([record.num_frames for record in self.records])])
        self._spans, self._total = np.stack([starts[:-1], starts[1:]], axis=1), int(starts[-1])

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
        info = read_json(folder / "index.json")
        if info.get("version") != FORMAT_VERSION:
            raise ValueError(
                f"{folder}: expected cache version {FORMAT_VERSION}, got {info.get('version')}; prepare it again"
            )
        with reading(folder / "index.json", "the index of a cache"):
            if re.fullmatch(r"(-[0-9a-f]{16})?", mark := info.get("files", "")) is None:
                raise ValueError(f"files: expected a digest, got {mark!r}; prepare it again")
        return cls(folder, info, _read_records(folder / f"clips{mark}.jsonl.xz"))

    def __len__(self) -> int:
        return len(self.records)

    def without(self, sources: Sequence[str]) -> "ClipCache":
        """Return the cache without the clips of some sources, for whoever doubts a licence; the files stay.

        Args:
            sources: their names, as `motiongen prepare` was told.

        Raises:
            ValueError: a name that no clip has, or no clip that is left.
        """
        known = list(dict.fromkeys(record.source for record in self.records))
        for name in sources:
            if name not in known:
                raise ValueError(
                    f"without: expected one of {', '.join(known)}, got {name!r}; they are the sources"
                )
        kept = [index for index, record in enumerate(self.records) if record.source not in sources]
        if not kept:
            raise ValueError(
                f"without: expected a source that is left, got all of {', '.join(known)}; name fewer"
            )
        part = ClipCache(self.folder, self.info, [self.records[index] for index in kept])
        part.__dict__["_frames"] = self._frames  # of all clips
        part._spans, part._total = self._spans[kept], self._total
        return part

    def split(self, name: str) -> list[int]:
        """Return the indices of the clips of a split, "train" or "test"."""
        return [i for i, record in enumerate(self.records) if record.split == name]

    def motion(self, index: int) -> Motion:
        """Return the motion of a clip."""
        record = self.records[index]
        path = self.folder / _shard_name(record.shard, self._mark)
        with reading(path, f"the motion of {record.id}"):
            if record.shard not in self._shards:
                self._shards[record.shard] = np.memmap(path, dtype=np.uint8, mode="r")
            data = self._shards[record.shard][record.offset : record.offset + record.size].tobytes()
            rotations, root = unpack(data, record.num_frames, SMPL22.num_joints)
            return Motion(SMPL22, rotations, root, features.FPS)

    def features(self, index: int, mirrored: bool = False) -> Tensor:
        """Return the feature frames (T, 140) of a clip, or of its mirror image, float32."""
        start, end = self._spans[index].tolist()
        frames = torch.from_numpy(self._frames[start:end].astype(np.float32))
        return features.mirror(frames) if mirrored else frames

    @cached_property
    def _frames(self) -> np.ndarray:
        """Feature frames (sum of T, 140) of all clips, float16, memory-mapped."""
        path = self.folder / f"features{self._mark}.f16"
        shape = (self._total, features.FEATURE_DIM)
        if not path.is_file() or path.stat().st_size != 2 * shape[0] * shape[1]:
            with atomic_path(path) as aside, open(aside, "wb") as file:
                for index in range(len(self)):
                    file.write(features.encode(self.motion(index)).numpy().astype(np.float16).tobytes())
        return np.memmap(path, dtype=np.float16, mode="r", shape=shape)


class CacheWriter:
    """Writes a cache clip by clip; the cache is complete when `close` has written the index.

    A cache in the folder stays whole, and is the one that is read, until then. Use it in a `with` block, which removes
    what was written when an error leaves it.

    Args:
        folder: created if missing.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._work = AtomicFolder(self.folder / "new")
        self._lines: list[str] = []
        self._digest = hashlib.sha256()
        self._shard, self._offset = 0, 0
        self._file = self._open()

    def __enter__(self) -> "CacheWriter":
        return self

    def __exit__(self, *_: object) -> None:
        with naming(self.folder, self._work.part):
            try:
                self._file.close()
            finally:
                self._work.discard()
        with contextlib.suppress(OSError):
            self.folder.rmdir()  # where nothing was written, and nothing else is there

    def add(self, record: dict[str, Any], packed: bytes) -> None:
        """Append a clip.

        Args:
            record: fields of ClipRecord except shard, offset and size.
            packed: motion, from `motiongen.io.delta.pack`.
        """
        if self._offset + len(packed) > SHARD_BYTES:
            self._file.close()
            self._shard, self._offset = self._shard + 1, 0
            self._file = self._open()
        with naming(self.folder, self._work.part):
            self._file.write(packed)
        whole = asdict(_record(record | {"shard": self._shard, "offset": self._offset, "size": len(packed)}))
        self._lines.append(json.dumps(whole, ensure_ascii=False) + "\n")
        self._digest.update(packed + self._lines[-1].encode())
        self._offset += len(packed)

    def close(self, **info: Any) -> None:
        """Write the index, with further JSON-serialisable facts, and remove the cache that it replaces."""
        with naming(self.folder, self._work.part):
            self._finish(info)

    def _finish(self, info: dict[str, Any]) -> None:
        self._file.close()
        is_first = not (self.folder / "index.json").is_file()
        mark = "" if is_first else f"-{self._digest.hexdigest()[:16]}"
        moves = {_shard_name(n): _shard_name(n, mark) for n in range(self._shard + 1)}
        moves["clips"] = f"clips{mark}.jsonl.xz"
        (self._work.part / "clips").write_bytes(lzma.compress("".join(self._lines).encode()))
        for written, name in moves.items():
            flush(self._work.part / written)
            os.replace(self._work.part / written, self.folder / name)
        self._remove(_DERIVED)  # the old cache can make it again, the new one must not take it for its own
        with atomic_path(self.folder / "index.json") as part:
            facts = {"version": FORMAT_VERSION, "clips": len(self._lines), "files": mark} | info
            part.write_text(json.dumps(facts, indent=1))
        self._remove(_OWN, list(moves.values()))
        self._work.discard()

    def _open(self) -> BinaryIO:
        return open(self._work.part / _shard_name(self._shard), "wb")

    def _remove(self, patterns: Sequence[str], but: Sequence[str] = ()) -> None:
        for pattern in patterns:
            for path in self.folder.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in but:
                    path.unlink()


def write_cache(folder: str | Path, clips: Iterable[tuple[dict[str, Any], Motion]], **info: Any) -> ClipCache:
    """Write a cache of small data in one process, and open it.

    Args:
        folder: of the cache.
        clips: (fields of ClipRecord, motion) of each clip.
        info: further JSON-serialisable facts about the cache.
    """
    with CacheWriter(folder) as writer:
        for record, motion in clips:
            writer.add({"num_frames": motion.num_frames} | record, pack(motion.rotations, motion.root))
        writer.close(**info)
    return ClipCache.open(folder)


def _read_records(path: Path) -> list[ClipRecord]:
    """Return the records of the clips, a line each; no more is decompressed than their file can honestly hold."""
    with reading(path, "a whole list of clips"):
        text = read_xz(path, "clips", "prepare it again")
        return [_record(json.loads(line)) for line in text.splitlines()]


def _record(fields: dict[str, Any]) -> ClipRecord:
    for name, value in fields.items():
        hint = _TYPES.get(name)
        if hint is None or not (type(value) is str if hint is str else fits(value, hint)):
            raise ValueError(f"{name}: expected a field of a clip, got {str(value)[:80]!r}; prepare it again")
    if fields["num_frames"] < 1 or min(fields.get(name, 0) for name in ("shard", "offset", "size")) < 0:
        raise ValueError(
            f"{fields['id']}: expected one frame or more, and places from 0 on; prepare it again"
        )
    captions = ("captions", "held_out_captions", "mirrored_captions", "mirrored_held_out_captions")
    return ClipRecord(**fields | {name: tuple(fields.get(name, ())) for name in captions})


def _shard_name(number: int, mark: str = "") -> str:
    return f"shard{mark}-{number:04d}.bin"


_TYPES = get_type_hints(ClipRecord)
