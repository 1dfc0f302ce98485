"""Motion tokenizers: features to discrete codes and back. `action_vq` is the action tokenizer of CARP."""

from pathlib import Path

from motiongen import checkpoint, registry
from motiongen.tokenizers.rvq_vae import RVQVAE

TOKENIZERS = {"rvq_vae": RVQVAE}
"""Model type -> class."""


def lookup(name: str) -> type[RVQVAE]:
    """Return the tokenizer class of that name. Raises ValueError that lists the names."""
    return registry.lookup("tokenizer", TOKENIZERS, name)


def load(directory: str | Path) -> RVQVAE:
    """Return a saved tokenizer in evaluation mode. Raises ValueError if the folder does not hold one."""
    return checkpoint.load(directory, lookup(checkpoint.read_model_type(directory))).eval()
