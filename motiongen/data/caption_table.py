"""Caption table: text vectors of all captions of a corpus, encoded once and stored on disk."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motiongen.atomic import atomic_path
from motiongen.conditions.text import TextCondition, TextEncoder
from motiongen.files import reading

logger = logging.getLogger(__name__)

CAPTIONS = "captions.json"
_AGAIN = "remove the folder, it is made again"


class CaptionTable:
    """Text vectors of M captions: fp16, packed without padding, memory-mapped; create one with `CaptionTable.build`.

    Attributes:
        captions: M strings, in the order of the rows.
    """

    def __init__(self, folder: Path) -> None:
        self.captions = _read_captions(folder / CAPTIONS)
        self._index = {caption: row for row, caption in enumerate(self.captions)}
        self._tokens = _read_array(folder / "tokens.npy")  # (sum of L_i, C)
        self._starts = _read_array(folder / "starts.npy")  # (M + 1,)
        self._pooled = _read_array(folder / "pooled.npy")  # (M, C)
        rows, channels = len(self.captions), self._pooled.shape[-1:]
        shapes = (self._tokens.shape[1:], self._starts.shape, self._pooled.shape)
        if shapes != (channels, (rows + 1,), (rows, *channels)) or not self._has_spans():
            raise ValueError(f"{folder}: expected vectors of {rows} captions, got others; {_AGAIN}")

    @classmethod
    def build(cls, encoder: TextEncoder, captions: Sequence[str], folder: str | Path) -> "CaptionTable":
        """Return the table of captions stored under `folder`; it is created if missing.

        Args:
            encoder: text encoder.
            captions: strings; repeated ones are stored once.
            folder: parent of the folder of the table, whose name is a hash of encoder and captions.
        """
        captions = sorted(set(captions))
        digest = hashlib.sha256(
            json.dumps([encoder.name, encoder.max_tokens, captions]).encode()
        ).hexdigest()[:16]
        table_folder = Path(folder) / f"captions-{digest}"
        if not (table_folder / CAPTIONS).exists():  # written last
            logger.info("encoding %d captions with %s", len(captions), encoder.name)
            table_folder.mkdir(parents=True, exist_ok=True)
            _write_table(encoder, captions, table_folder)
        return cls(table_folder)

    def _has_spans(self) -> bool:
        """Return whether the tokens of the captions lie one behind the other."""
        starts = self._starts
        if starts.dtype.kind != "i" or starts[0] != 0 or starts[-1] != len(self._tokens):
            return False
        return bool((starts[1:] > starts[:-1]).all())

    def __len__(self) -> int:
        return len(self.captions)

    def index(self, caption: str) -> int:
        """Return the row index of a caption."""
        return self._index[caption]

    def gather(self, rows: Sequence[int]) -> TextCondition:
        """Return the text condition of some rows, on the CPU, in fp32."""
        spans = [slice(self._starts[row], self._starts[row + 1]) for row in rows]
        tokens = [torch.from_numpy(self._tokens[span].astype(np.float32)) for span in spans]
        return TextCondition.stack(tokens, torch.from_numpy(self._pooled[list(rows)].astype(np.float32)))


def _read_captions(path: Path) -> list[str]:
    with reading(path, "a list of captions"):
        captions = json.loads(path.read_text())
        if {*map(type, captions)} != {str} or len({*captions}) != len(captions):
            raise ValueError(f"captions: expected a list of different sentences, got others; {_AGAIN}")
        return list(captions)


def _read_array(path: Path) -> NDArray[Any]:
    """Return the finite numbers of a file, memory-mapped. Raises ValueError for a file of something else."""
    with reading(path, "an array of numbers"):
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        if values.dtype.kind not in "if" or not values.ndim or not np.isfinite(values).all():
            raise ValueError(f"array: expected finite numbers, got others; {_AGAIN}")
        return values


def _write_table(encoder: TextEncoder, captions: Sequence[str], table_folder: Path) -> None:
    rows = {row: (tokens.half(), pooled.half()) for row, tokens, pooled in encoder.embed_many(captions)}
    tokens = [rows[row][0] for row in range(len(captions))]
    arrays = {
        "tokens": torch.cat(tokens).numpy(),
        "starts": np.cumsum([0] + [len(row) for row in tokens]),
        "pooled": torch.stack([rows[row][1] for row in range(len(captions))]).numpy(),
    }
    for name, array in arrays.items():
        with atomic_path(table_folder / f"{name}.npy") as path:
            np.save(path, array)
    with atomic_path(table_folder / CAPTIONS) as path:
        path.write_text(json.dumps(captions))
