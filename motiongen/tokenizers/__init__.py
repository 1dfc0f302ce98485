"""Tokenizers: motion features to discrete codes and back."""

import difflib
from pathlib import Path

from motiongen import checkpoint
from motiongen.tokenizers.rvq_vae import RVQVAE

TOKENIZERS = {"rvq_vae": RVQVAE}


def lookup(name: str) -> type[RVQVAE]:
    """Return the tokenizer class of that name. Raises ValueError that lists the names."""
    if name not in TOKENIZERS:
        nearest = difflib.get_close_matches(name, TOKENIZERS, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else "; pick one"
        raise ValueError(f"tokenizer: expected one of {', '.join(TOKENIZERS)}, got {name!r}{hint}")
    return TOKENIZERS[name]


def load(directory: str | Path) -> RVQVAE:
    """Load a saved tokenizer, ready to use. Raises ValueError when the folder does not hold one."""
    return checkpoint.load(directory, lookup(checkpoint.read_model_name(directory))).eval()
