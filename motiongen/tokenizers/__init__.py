"""Motion tokenizers: features to discrete codes and back. `action_vq` is the action tokenizer of CARP.

Importing this package does not import torch: the module of a tokenizer is imported when it is looked up.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from motiongen import registry
from motiongen.lazy import lazily

if TYPE_CHECKING:
    from motiongen.tokenizers.rvq_vae import RVQVAE

TOKENIZERS: "dict[str, Callable[[], type[RVQVAE]]]" = {
    "rvq_vae": lazily("motiongen.tokenizers.rvq_vae:RVQVAE"),
}
"""Model type -> function that returns the class."""


def lookup(name: str) -> "type[RVQVAE]":
    """Return the tokenizer class of that name. Raises ValueError that lists the names."""
    return registry.lookup("tokenizer", TOKENIZERS, name)()


def load(directory: str | Path) -> "RVQVAE":
    """Return a saved tokenizer in evaluation mode. Raises ValueError if the folder does not hold one."""
    from motiongen import checkpoint

    return checkpoint.load(directory, lookup(checkpoint.read_model_type(directory))).eval()
