"""Heads: models that turn a condition into motion. Adding one is a folder and a line here."""

from typing import Any

from motiongen import registry
from motiongen.heads import badm, bamm, carp, mogo
from motiongen.heads.spec import HeadSpec, Kind

HEADS: dict[str, HeadSpec] = {
    "bamm": bamm.SPEC,
    "mogo": mogo.SPEC,
    "badm": badm.SPEC,
    "carp": carp.SPEC,
}
"""Name -> head. The first that can do a thing is the default for it."""


def heads_for(kind: Kind | None = None, *, streams: bool = False, edits: bool = False) -> dict[str, HeadSpec]:
    """Return the heads of a kind that can do what is asked, by name."""
    return {
        name: spec
        for name, spec in HEADS.items()
        if kind in (None, spec.kind) and (spec.streams or not streams) and (spec.edits or not edits)
    }


def lookup(name: str, kind: Kind | None = None, *, streams: bool = False, edits: bool = False) -> HeadSpec:
    """Return the head of a name that can do what is asked. Raises ValueError that lists those that can."""
    return registry.lookup("head", heads_for(kind, streams=streams, edits=edits), name)


def sampler_of(model: Any) -> Any:
    """Return the sampler of a model: its head's; the model itself where it is no head's and samples by itself."""
    spec = HEADS.get(getattr(model, "model_type", ""))
    return model if spec is None else spec.sampler()(model)
