"""Make the pieces that ship with motiongen, and the table of their beats; run it from the repository's root."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from motiongen.music.synthesis import synthesise

SECONDS = 20.0
FADE = 1.0  # seconds
FOLDER = Path(__file__).parent
LICENCE = "CC0-1.0, synthesised by motiongen"


class Piece(NamedTuple):
    """What one piece is made from; the seeds were picked for songs that reach a chorus within the 20 s."""

    name: str
    style: str
    bpm: float
    seed: int


PIECES = (
    Piece("house_124", "house", 124.0, 1),
    Piece("salsa_96", "salsa", 96.0, 31),
    Piece("hip_hop_90", "hip_hop", 90.0, 44),
)


def main() -> None:
    """Write each piece as OGG Vorbis, and beats.json beside them."""
    table = {}
    for piece in PIECES:
        song = synthesise(piece.style, piece.bpm, SECONDS, piece.seed)
        fade = np.clip((SECONDS - np.arange(len(song.samples)) / song.sample_rate) / FADE, 0, 1)
        samples = (song.samples * np.sin(fade * np.pi / 2)).astype(np.float32)
        soundfile.write(
            FOLDER / f"{piece.name}.ogg",
            samples,
            song.sample_rate,
            format="OGG",
            subtype="VORBIS",
            compression_level=0.8,
        )
        table[piece.name] = {
            "bpm": piece.bpm,
            "style": piece.style,
            "licence": LICENCE,
            "beats": [round(float(beat), 4) for beat in song.beats],
        }
    (FOLDER / "beats.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
