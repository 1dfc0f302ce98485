"""A memory in a folder: `memory.safetensors`, with codes and vectors, and sentences and sources as packed JSON.

All is in one file, which is replaced in one step. Older versions kept the JSON beside it, in `memory.json.xz`.
"""

import json
import lzma
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen.checkpoint import read_tensors, write_tensors
from motiongen.data.memory import Memory
from motiongen.data.typicality import WORST
from motiongen.files import read_xz, reading, unpack_xz

TENSORS, FACTS = "memory.safetensors", "memory.json.xz"
FORMAT_VERSION = 1
_KINDS = {
    "low": torch.uint8,
    "high": torch.uint8,
    "lengths": torch.int32,
    "whole_lengths": torch.int32,
    "first": torch.int32,
    "vectors": torch.int8,
    "scale": torch.float16,
}
_FITS, _FIT_STEP = "fits", 1 / 16
"""Name of the tensor of bytes that holds how well clips fit their sentences, sentence by sentence; and their unit."""
_PACKED = "facts"
"""Name of the tensor of bytes that holds the JSON, as xz."""


def is_memory(folder: Path) -> bool:
    """Return whether a folder has a memory in it."""
    return (folder / TENSORS).is_file()


def save(memory: Memory, folder: str | Path) -> None:
    """Write a memory to a folder, which is created if missing.

    Codes are stored as bytes with their ninth bits packed, sentence vectors as bytes with a scale each.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scale = memory.vectors.abs().amax(dim=1, keepdim=True).clamp_min(1e-9) / 127
    tensors = {
        "low": memory.flat % 256,
        "high": _packed(memory.flat // 256),
        "lengths": memory.lengths,
        "whole_lengths": memory.whole_lengths,
        "first": memory.first,
        "vectors": (memory.vectors / scale).round(),
        "scale": scale,
    }
    tensors = {name: tensor.to(_KINDS[name]) for name, tensor in tensors.items()}
    flat_fits = torch.tensor([fit for fits in memory.fits for fit in fits])
    tensors[_FITS] = (flat_fits / _FIT_STEP).round().to(torch.int8)
    licences = {fact["source"]: fact["licence"] for fact in memory.facts}
    facts = {
        "format": FORMAT_VERSION,
        "encoder": memory.encoder,
        "tokenizer": memory.tokenizer,
        "sentences": memory.sentences,
        "owners": memory.owners,
        "clips": [[fact["id"], fact["source"]] for fact in memory.facts],
        "licences": licences,
    }
    tensors[_PACKED] = torch.frombuffer(
        bytearray(lzma.compress(json.dumps(facts).encode())), dtype=torch.uint8
    )
    write_tensors(folder / TENSORS, tensors)
    (folder / FACTS).unlink(missing_ok=True)  # of an older version, of another memory


def load(folder: str | Path) -> Memory:
    """Return the memory in a folder.

    Raises:
        ValueError: there is none, or its files are damaged or not of one memory.
    """
    folder = Path(folder)
    if not is_memory(folder):
        raise ValueError(
            f"{folder}: expected a memory, got no {TENSORS}; make one with motiongen remember FOLDER -o MEMORY"
        )
    tensors = read_tensors(folder / TENSORS)
    with reading(folder / TENSORS, "a whole memory"):
        facts = _facts(tensors, folder / FACTS)
        for name, kind in _KINDS.items():
            if tensors[name].dtype != kind:
                raise ValueError(f"{name}: expected {kind}, got {tensors[name].dtype}; copy it again")
        low = tensors["low"].long()
        codes = (low + 256 * _unpacked(tensors["high"], low.shape)).to(torch.int16)
        lengths = tensors["lengths"].long()
        whole_lengths = tensors["whole_lengths"].long()
        if len(whole_lengths) != len(lengths) or bool((whole_lengths < lengths).any()):
            raise ValueError(
                "whole_lengths: expected one a clip, not below its own, got others; copy it again"
            )
        if int(lengths.sum()) != len(codes) or bool((lengths < 1).any()):
            raise ValueError(
                f"lengths: expected {len(codes)} tokens, got {int(lengths.sum())}; copy it again"
            )
        vectors = tensors["vectors"].float() * tensors["scale"].float()
        if codes.ndim != 2 or vectors.ndim != 2 or not bool(vectors.isfinite().all()):
            raise ValueError("vectors: expected finite numbers (S, D), got others; copy it again")
        if not len(vectors) == len(facts["sentences"]) == len(facts["owners"]):
            raise ValueError(
                "sentences: expected one for each vector, got another number; copy both files again"
            )
        if len(facts["clips"]) != len(lengths):
            raise ValueError("clips: expected as many as codes, got another number; copy both files again")
        for owners in facts["owners"]:
            if not owners or not all(type(clip) is int and 0 <= clip < len(lengths) for clip in owners):
                raise ValueError("owners: expected clips of this memory, got others; copy both files again")
        licences = facts["licences"]
        clips = [{"id": id, "source": source, "licence": licences[source]} for id, source in facts["clips"]]
        first = tensors["first"].long()
        if len(first) != len(lengths) or not bool(((first >= 0) & (first < len(vectors))).all()):
            raise ValueError("first: expected a sentence of each clip, got others; copy both files again")
        words = facts["sentences"], vectors, facts["owners"]
        names = facts["encoder"], facts["tokenizer"]
        fits = _fits(tensors.get(_FITS), [len(owners) for owners in facts["owners"]])
        return Memory(codes, lengths, *words, clips, *names, whole_lengths, first, fits)


def _fits(stored: Tensor | None, counts: list[int]) -> list[list[float]] | None:
    """Return how well clips fit their sentences, so many each; None for a memory of an older version, without."""
    if stored is None:
        return None
    if stored.dtype != torch.int8 or stored.shape != (sum(counts),):
        raise ValueError(
            f"fits: expected {sum(counts)} of int8, got {tuple(stored.shape)} of {stored.dtype}; copy it again"
        )
    unpacked = stored.float() * _FIT_STEP
    if not bool(((unpacked >= WORST) & (unpacked <= 0)).all()):
        raise ValueError(f"fits: expected {WORST:g} to 0, got others; copy it again")
    return [part.tolist() for part in unpacked.split(counts)]


def _facts(tensors: dict[str, Tensor], beside: Path) -> dict[str, Any]:
    """Return the sentences and sources of a memory, of the types that they must have."""
    if _PACKED in tensors:
        text = unpack_xz(tensors[_PACKED].numpy().tobytes(), "sentences", "copy it again")
    else:
        with reading(beside, "the sentences of a memory"):
            text = read_xz(beside, "sentences", "copy both files again")
    facts: dict[str, Any] = json.loads(text)
    if facts.get("format") != FORMAT_VERSION:
        raise ValueError(f"format: expected {FORMAT_VERSION}, got {facts.get('format')!r}; update motiongen")
    words = [facts["encoder"], facts["tokenizer"], *facts["sentences"], *facts["licences"].values()]
    if not all(type(word) is str for word in [*words, *(name for clip in facts["clips"] for name in clip)]):
        raise ValueError("sentences: expected text, got other values; copy it again")
    return facts


def _packed(bits: Tensor) -> Tensor:
    """Return values 0 and 1 of any shape as bytes, eight a byte."""
    flat = torch.nn.functional.pad(bits.flatten(), (0, -bits.numel() % 8)).view(-1, 8).to(torch.uint8)
    return (flat << torch.arange(8, dtype=torch.uint8)).sum(dim=1).to(torch.uint8)


def _unpacked(packed: Tensor, shape: torch.Size) -> Tensor:
    """Return the values 0 and 1, of a shape, that `_packed` packed. Raises ValueError for another number of bytes."""
    count = shape.numel()
    if len(packed) != -(-count // 8):
        raise ValueError(f"high: expected {-(-count // 8)} bytes, got {len(packed)}; copy it again")
    return ((packed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1).flatten()[:count].view(shape).long()
