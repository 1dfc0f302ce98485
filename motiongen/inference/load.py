"""Loading of models, with a cache: equal arguments give the same object."""

import threading
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from motiongen import checkpoint, heads, tokenizers
from motiongen.conditions.text import TextEncoder
from motiongen.data import memory_files
from motiongen.data.code_bank import fingerprint
from motiongen.data.memory import Memory
from motiongen.devices import resolve_device
from motiongen.heads.spec import HeadSpec, Kind
from motiongen.inference.model import Model
from motiongen.inference.weight_sets import MEMORY, memory_folder, policy_folder, read_about, weights_folder
from motiongen.tokenizers.rvq_vae import RVQVAE

if TYPE_CHECKING:
    from motiongen.inference.dance_model import DanceModel
    from motiongen.inference.policy_model import PolicyModel

_LOCK = threading.RLock()
"""Held while a model is loaded: two threads that ask for one get the same."""


def load(
    head: str = "bamm",
    weights: str | Path = "open",
    device: str = "auto",
    *,
    space: str | None = None,
    memory: str | Path | None = None,
) -> Any:
    """Return a loaded model; equal arguments give the same object.

    Args:
        head: a name in `motiongen.heads.HEADS`.
        weights: a shipped set ("full": non-commercial; "open": free sources), a folder with `tokenizer/` and a
            folder named after the head, or OWNER/NAME[@REVISION] in the Hugging Face cache. For a policy, a shipped one
            (`carp-blockpush`), its folder or OWNER/NAME.
        device: "cpu", "cuda", or "auto" for CUDA if available.
        space: for a head with spaces, one of them; None for the first one in the set.
        memory: for a text head, a folder that `motiongen remember` wrote; "0" for none; None for that of the set.

    Returns:
        A `Model` for text heads, a `DanceModel` for music heads, a `PolicyModel` for policies.

    Raises:
        ValueError: an unknown name, or files that are damaged or do not match.
    """
    spec = heads.lookup(head)
    if space is not None and not spec.spaces:
        raise ValueError(f"space: expected none for {head}, which has no spaces, got {space!r}; leave it out")
    if memory is not None and spec.kind != "words":
        raise ValueError(
            f"memory: expected none for {head}, which reads no sentences, got {memory!r}; leave it out"
        )
    if spec.kind == "music":
        return load_dance(space, weights, device, head=head)
    if spec.kind == "policy":
        return load_policy(weights, device, head=head)
    return load_words(head, weights, device, memory=memory)


def load_words(
    head: str,
    weights: str | Path = "open",
    device: str = "auto",
    *,
    memory: str | Path | None = None,
    streams: bool = False,
    edits: bool = False,
) -> Model:
    """Return a loaded text head; see `load`.

    Args:
        head: as in `load`.
        weights: as in `load`.
        device: as in `load`.
        memory: as in `load`.
        streams: require a head that streams.
        edits: require a head that edits.
    """
    spec = heads.lookup(head, "words", streams=streams, edits=edits)
    with _LOCK:
        folder = weights_folder(weights)
        return _words(spec.name, folder, resolve_device(device), memory_folder(folder, memory))


def load_dance(
    space: str | None = None, weights: str | Path = "open", device: str = "auto", *, head: str = "badm"
) -> "DanceModel":
    """Return a loaded music head in one of its spaces, by default the first one in the set; see `load`."""
    spec = heads.lookup(head, "music")
    folder, there = weights_folder(weights), spaces_of(weights, head)
    if not there or (space is not None and space not in there):
        asked = f"a {head.upper()}" if space is None else f"{head}/{space}"
        found = f"only {', '.join(there)}" if there else "none"
        raise ValueError(
            f"weights: expected {asked} in {folder}, got {found}; train one or choose another set"
        )
    with _LOCK:
        return _dance(spec.name, space or there[0], folder, resolve_device(device))


def load_policy(weights: str | Path, device: str = "auto", *, head: str = "carp") -> "PolicyModel":
    """Return a loaded robot policy: a shipped one by name, or one in a folder; see `load`."""
    spec = heads.lookup(head, "policy")
    with _LOCK:
        return _policy(spec.name, policy_folder(weights), resolve_device(device))


def spaces_of(weights: str | Path, head: str = "badm") -> list[str]:
    """Return the spaces of a music head that a set of weights contains, preferred first."""
    folder = weights_folder(weights)
    return [
        name for name in heads.lookup(head).spaces if (folder / head / name / checkpoint.CONFIG).is_file()
    ]


def only_head(weights: str | Path, kind: Kind) -> str:
    """Return the name of the head of a kind in a set of weights; of several, the first one in the registry.

    Raises:
        ValueError: the set has none.
    """
    folder = policy_folder(weights) if kind == "policy" else weights_folder(weights)
    known = heads.heads_for(kind)
    if kind == "policy":
        return heads.lookup(checkpoint.read_model_type(folder), kind).name
    for name, spec in known.items():
        if any((folder / name / space / checkpoint.CONFIG).is_file() for space in spec.spaces or ("",)):
            return name
    raise ValueError(f"weights: expected {' or '.join(known)} in {folder}, got none; choose another set")


@lru_cache(maxsize=4)
def _words(head: str, folder: Path, device: torch.device, memory: Path | None) -> Model:
    spec = heads.lookup(head)
    if not (folder / head).is_dir():
        raise ValueError(
            f"weights: expected a folder {head} in {folder}, got none; train one or choose another set"
        )
    tokenizer = load_tokenizer(folder / "tokenizer", device)
    module = _module(spec, folder / head, device)
    text = load_text(module.config.text_encoder, device)
    model = Model(module, tokenizer, text, read_about(folder), folder)
    if memory is None or (memory == folder / MEMORY and not reads_memory(module)):
        return model
    return replace(model, memory=_memory(memory, model))


@lru_cache(maxsize=4)
def _memory_in(folder: Path) -> Memory:
    return memory_files.load(folder)


def _memory(folder: Path, model: Model) -> Memory:
    """Return the memory in a folder. Raises ValueError for one that was made for other models."""
    if not reads_memory(model.head):
        raise ValueError(
            f"memory: expected a head that reads one, got {model.spec.name} of {model.about['name']}; "
            "leave the memory out or choose another set"
        )
    memory, fit = _memory_in(folder), fingerprint(model.tokenizer)
    if (memory.encoder, memory.tokenizer) != (model.text.name, fit):
        raise ValueError(
            f"{folder}: expected a memory made with these weights, got one made with others; "
            "make it again with motiongen remember"
        )
    return memory


def reads_memory(head: Any) -> bool:
    """Return whether a head reads clips of a memory beside its prompts."""
    return bool(getattr(head.config, "memory_clips", 0))


@lru_cache(maxsize=4)
def _dance(head: str, space: str, folder: Path, device: torch.device) -> "DanceModel":
    from motiongen.heads.badm.spaces import make_space
    from motiongen.inference.dance_model import DanceModel  # hears music, which takes time to import

    module = _module(heads.lookup(head), folder / head / space, device)
    tokenizer = load_tokenizer(folder / "tokenizer", device) if space == "latent" else None
    return DanceModel(module, make_space(space, tokenizer), read_about(folder), folder)


@lru_cache(maxsize=4)
def _policy(head: str, folder: Path, device: torch.device) -> "PolicyModel":
    from motiongen.inference.policy_model import PolicyModel

    return PolicyModel(_module(heads.lookup(head), folder, device), read_about(folder), folder)


@lru_cache(maxsize=4)
def load_tokenizer(folder: Path, device: torch.device) -> RVQVAE:
    """Return the tokenizer in a folder; heads with the same tokenizer share the object."""
    return tokenizers.load(folder).to(device).requires_grad_(False)


def load_text(name: str, device: torch.device) -> TextEncoder:
    """Return a text encoder by name or folder; heads with the same encoder share the object."""
    folder = Path(name)
    return _text(str(folder.resolve()) if (folder / checkpoint.CONFIG).is_file() else name, device)


@lru_cache(maxsize=2)
def _text(name: str, device: torch.device) -> TextEncoder:
    return TextEncoder.load(name, device)


def _module(spec: HeadSpec, folder: Path, device: torch.device) -> Any:
    return checkpoint.load(folder, spec.model()).eval().to(device).requires_grad_(False)
