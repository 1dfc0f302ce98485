"""Loaded models: one for equal arguments, however they are spelled."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from motiongen import checkpoint, heads, tokenizers
from motiongen.conditions.text import TextEncoder
from motiongen.devices import resolve_device
from motiongen.heads.spec import HeadSpec
from motiongen.inference.dance_model import DanceModel
from motiongen.inference.model import Model
from motiongen.inference.policy_model import PolicyModel
from motiongen.inference.weight_sets import read_about, weights_folder
from motiongen.tokenizers.rvq_vae import RVQVAE


def load(
    head: str = "bamm", weights: str | Path = "full", device: str = "auto", *, space: str | None = None
) -> Any:
    """Return a head, ready to use; the same one when asked again.

    Args:
        head: a name in `motiongen.heads.HEADS`.
        weights: a set that is shipped ("full": non-commercial; "open": free sources), or a folder of your own with
            `tokenizer/` and a folder named like the head. Of a policy, one that ships (`carp-blockpush`) or its folder.
        device: "cpu", "cuda", or "auto" for CUDA where there is one.
        space: of a head that dances, one of its spaces; None for the set's first.

    Returns:
        A `Model` for heads that obey words, a `DanceModel` for those that hear music, a `PolicyModel` for policies.

    Raises:
        ValueError: an unknown name, or files that are damaged or do not fit.
    """
    spec = heads.lookup(head)
    if space is not None and not spec.spaces:
        raise ValueError(f"space: expected none for {head}, which has no spaces, got {space!r}; leave it out")
    if spec.kind == "music":
        return load_dance(space, weights, device, head=head)
    if spec.kind == "policy":
        return load_policy(weights, device, head=head)
    return load_words(head, weights, device)


def load_words(
    head: str,
    weights: str | Path = "full",
    device: str = "auto",
    *,
    streams: bool = False,
    edits: bool = False,
) -> Model:
    """Return a head that obeys words and can do what is asked; see `load`."""
    spec = heads.lookup(head, "words", streams=streams, edits=edits)
    return _words(spec.name, weights_folder(weights), resolve_device(device))


def load_dance(
    space: str | None = None, weights: str | Path = "full", device: str = "auto", *, head: str = "badm"
) -> DanceModel:
    """Return a head that dances, in one of its spaces; None for the set's first. See `load`."""
    spec = heads.lookup(head, "music")
    folder, there = weights_folder(weights), spaces_of(weights, head)
    if not there or (space is not None and space not in there):
        asked = f"a {head.upper()}" if space is None else f"{head}/{space}"
        found = f"only {', '.join(there)}" if there else "none"
        raise ValueError(
            f"weights: expected {asked} in {folder}, got {found}; train one or choose another set"
        )
    return _dance(spec.name, space or there[0], folder, resolve_device(device))


def load_policy(weights: str | Path, device: str = "auto", *, head: str = "carp") -> PolicyModel:
    """Return a robot's policy: one that ships, by name, or one of your own, by its folder; see `load`."""
    spec = heads.lookup(head, "policy")
    folder = policy_folder(weights)
    return PolicyModel(_module(spec, folder, resolve_device(device)), {"name": folder.name})


def spaces_of(weights: str | Path, head: str = "badm") -> list[str]:
    """Return the spaces in which a set of weights dances, the first one first."""
    folder = weights_folder(weights)
    return [
        name for name in heads.lookup(head).spaces if (folder / head / name / checkpoint.CONFIG).is_file()
    ]


def policies() -> dict[str, Path]:
    """Return name -> folder of the policies that ship."""
    import motiongen_assets

    found = (motiongen_assets.ROOT / "weights" / "policies").glob(f"*/{checkpoint.CONFIG}")
    return {path.parent.name: path.parent for path in sorted(found)}


def policy_folder(weights: str | Path) -> Path:
    """Return the folder of a policy that ships, by name, or of the user's own, by path.

    Raises:
        ValueError: there is no such; the message lists the names.
    """
    names = policies()
    if str(weights) in names:
        return names[str(weights)]
    if Path(weights).is_dir():
        return Path(weights).resolve()
    raise ValueError(
        f"policy: expected {', '.join(names) or 'none ships'} or a folder, got {str(weights)!r}; check the name"
    )


@lru_cache(maxsize=4)
def _words(head: str, folder: Path, device: torch.device) -> Model:
    spec = heads.lookup(head)
    if not (folder / head).is_dir():
        raise ValueError(
            f"weights: expected a folder {head} in {folder}, got none; train one or choose another set"
        )
    tokenizer = load_tokenizer(folder / "tokenizer", device)
    module = _module(spec, folder / head, device)
    return Model(module, tokenizer, _text(module.config.text_encoder, device), read_about(folder))


@lru_cache(maxsize=4)
def _dance(head: str, space: str, folder: Path, device: torch.device) -> DanceModel:
    from motiongen.heads.badm.spaces import make_space

    module = _module(heads.lookup(head), folder / head / space, device)
    tokenizer = load_tokenizer(folder / "tokenizer", device) if space == "latent" else None
    return DanceModel(module, make_space(space, tokenizer), read_about(folder))


@lru_cache(maxsize=4)
def load_tokenizer(folder: Path, device: torch.device) -> RVQVAE:
    """Return the tokenizer in a folder; the same one for all heads that share it."""
    return tokenizers.load(folder).to(device).requires_grad_(False)


@lru_cache(maxsize=2)
def _text(name: str, device: torch.device) -> TextEncoder:
    return TextEncoder.load(name, device)


def _module(spec: HeadSpec, folder: Path, device: torch.device) -> Any:
    return checkpoint.load(folder, spec.model()).eval().to(device).requires_grad_(False)
