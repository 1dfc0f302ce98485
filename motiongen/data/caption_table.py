"""Caption table: text vectors of all captions of a corpus, encoded once and stored on disk."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from motiongen.atomic import atomic_path
from motiongen.conditions.text import TextCondition, TextEncoder

logger = logging.getLogger(__name__)


class CaptionTable:
    """Text vectors of M captions: fp16, packed without padding, memory-mapped; create one with `CaptionTable.build`.

    Attributes:
        captions: M strings, in the order of the rows.
    """

    def __init__(self, folder: Path) -> None:
        self.captions: list[str] = json.loads((folder / "captions.json").read_text())
        self._index = {caption: row for row, caption in enumerate(self.captions)}
        self._tokens = np.load(folder / "tokens.npy", mmap_mode="r")  # (sum of L_i, C)
        self._starts = np.load(folder / "starts.npy")  # (M + 1,)
        self._pooled = np.load(folder / "pooled.npy", mmap_mode="r")  # (M, C)

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
        if not (table_folder / "captions.json").exists():  # written last
            logger.info("encoding %d captions with %s", len(captions), encoder.name)
            table_folder.mkdir(parents=True, exist_ok=True)
            _write_table(encoder, captions, table_folder)
        return cls(table_folder)

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
    with atomic_path(table_folder / "captions.json") as path:
        path.write_text(json.dumps(captions))
