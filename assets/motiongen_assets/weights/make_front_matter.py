"""Write the front matter of the model cards here anew from what the cards and each set's about.json say.

Usage: python assets/motiongen_assets/weights/make_front_matter.py
"""

import json
from pathlib import Path

from motiongen.heads import HEADS
from motiongen.training.model_card import with_front_matter

WEIGHTS = Path(__file__).resolve().parent


def made(card: Path) -> str:
    """Return a card with its front matter."""
    record = json.loads((card.parent / "config.json").read_text(encoding="utf-8"))["model"]
    about = card.relative_to(WEIGHTS).parents[-2] / "about.json"
    has_terms = (WEIGHTS / about).is_file()
    licence = json.loads((WEIGHTS / about).read_text(encoding="utf-8"))["licence"] if has_terms else ""
    task = HEADS[record].kind if record in HEADS else "tokenizer"
    return with_front_matter(card.read_text(encoding="utf-8"), task, licence)


if __name__ == "__main__":
    for card in sorted(WEIGHTS.rglob("README.md")):
        card.write_text(made(card), encoding="utf-8")
