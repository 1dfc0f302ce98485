"""Tokenizers: motion features to discrete codes and back; action_vq does so for actions, and is a part of CARP."""

from pathlib import Path

from motiongen import checkpoint, registry
from motiongen.tokenizers.rvq_vae import RVQVAE

TOKENIZERS = {"rvq_vae": RVQVAE}


def lookup(name: str) -> type[RVQVAE]:
    """Return the tokenizer class of that name. Raises ValueError that lists the names."""
    return registry.lookup("tokenizer", TOKENIZERS, name)


def load(directory: str | Path) -> RVQVAE:
    """Load a saved tokenizer, ready to use. Raises ValueError when the folder does not hold one."""
    return checkpoint.load(directory, lookup(checkpoint.read_model_type(directory))).eval()
