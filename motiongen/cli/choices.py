"""Options whose values are the names in a registry. The registry is read when the command line is, not on import."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import tyro

from motiongen import registry
from motiongen.cli import UsageError

if TYPE_CHECKING:
    from motiongen.heads.spec import Kind

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Mark of an option, in its `Annotated` type: its values are the names in a registry.

    Attributes:
        kind: of the names, for the error message, such as "head".
        names: returns name -> what the help says behind it, or nothing.
        purpose: of the option, the first sentence of its help.
        others: what else may be given, such as ("DIR",); then the values are not checked here.
        default: in place of the default value in the help, such as "(default: any)".
    """

    kind: str
    names: Callable[[], Mapping[str, str]]
    purpose: str
    others: tuple[str, ...] = ()
    default: str | None = None

    def argument(self) -> Any:
        """Return the tyro argument with the names that are in the registry now."""
        names = self.names()
        described = "; ".join(f"{name} {words}" for name, words in names.items() if words)
        return tyro.conf.arg(
            metavar="|".join((*names, *self.others)),
            help=f"{self.purpose} {described}." if described else self.purpose,
            help_behavior_hint=self.default,
        )

    def check(self, value: str | None) -> None:
        """Raise UsageError, which lists the names and suggests one, unless a value is among them."""
        if value is None or self.others:
            return
        try:
            registry.lookup(self.kind, self.names(), value)
        except ValueError as error:
            raise UsageError(str(error)) from None


def head(kind: "Kind", *, streams: bool = False, edits: bool = False) -> Choice:
    """Return the choice of the heads of a kind that can do what is asked."""

    def names() -> dict[str, str]:
        from motiongen import heads

        return {
            name: spec.summary for name, spec in heads.heads_for(kind, streams=streams, edits=edits).items()
        }

    return Choice(kind="head", names=names, purpose="Head of the model:")


def space() -> Choice:
    """Return the choice of the spaces of heads that dance."""

    def names() -> dict[str, str]:
        from motiongen import heads

        return dict.fromkeys((name for spec in heads.heads_for("music").values() for name in spec.spaces), "")

    return Choice(
        kind="space",
        names=names,
        purpose="Representation that is diffused.",
        default="(default: the first one of the weights)",
    )


def joints() -> Choice:
    """Return the choice of the groups of joints that an edit can be limited to."""

    def names() -> dict[str, str]:
        from motiongen.inference.joint_groups import JOINT_GROUPS

        return dict.fromkeys(JOINT_GROUPS, "")

    purpose = "Joints to regenerate, in place of the whole body."
    return Choice(kind="joints", names=names, purpose=purpose, default="(with --music)")


def weights() -> Choice:
    """Return the choice of the weight sets that ship, with the licence of each; or a folder, or a repository."""
    return Choice(
        kind="weights",
        names=_licences,
        purpose="Weight set: one that ships, a folder, or a repository in the Hugging Face cache.",
        others=("DIR", "OWNER/NAME"),
    )


def with_choices(config: type[ConfigT]) -> type[ConfigT]:
    """Return a config dataclass in which each `Choice` is the argument of this moment, and is checked."""
    choices: dict[str, Choice] = {}
    replaced = []
    hints = get_type_hints(config, include_extras=True)
    for item in fields(config):  # type: ignore[arg-type]
        kind, *marks = get_args(hints[item.name]) if get_origin(hints[item.name]) is Annotated else (None,)
        for choice in (mark for mark in marks if isinstance(mark, Choice)):
            choices[item.name] = choice
            others = (mark for mark in marks if mark is not choice)
            replaced.append(
                (item.name, _annotated(kind, (*others, choice.argument())), field(default=item.default))
            )
    if not choices:
        return config

    def check(self: Any) -> None:
        for name, choice in choices.items():
            choice.check(getattr(self, name))
        if inherited := getattr(config, "__post_init__", None):
            inherited(self)

    namespace = {"__post_init__": check, "__doc__": config.__doc__}
    return make_dataclass(
        config.__name__, replaced, bases=(config,), namespace=namespace, frozen=True, kw_only=True
    )


def _annotated(kind: Any, marks: Iterable[Any]) -> Any:
    for mark in marks:
        kind = Annotated[kind, mark]
    return kind


def _licences() -> dict[str, str]:
    """Return name -> licence, in brackets, of the weight sets that ship."""
    from motiongen.inference.weight_sets import licence_of, shipped_sets

    return {name: f"({licence_of(folder).partition(',')[0]})" for name, folder in shipped_sets().items()}
