"""Registry of heads, the models that turn a condition into motion. A new head is a folder and a line here."""

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
"""Name -> head. The first one with a capability is the default for it."""


def heads_for(kind: Kind | None = None, *, streams: bool = False, edits: bool = False) -> dict[str, HeadSpec]:
    """Return name -> head of the heads of a kind, optionally only those that stream or edit."""
    return {
        name: spec
        for name, spec in HEADS.items()
        if kind in (None, spec.kind) and (spec.streams or not streams) and (spec.edits or not edits)
    }


def lookup(name: str, kind: Kind | None = None, *, streams: bool = False, edits: bool = False) -> HeadSpec:
    """Return a head by name among those of `heads_for`. Raises ValueError that lists them."""
    return registry.lookup("head", heads_for(kind, streams=streams, edits=edits), name)


def sampler_of(model: Any) -> Any:
    """Return the sampler of a model of a registered head; any other model is its own sampler."""
    spec = HEADS.get(getattr(model, "model_type", ""))
    return model if spec is None else spec.sampler()(model)
