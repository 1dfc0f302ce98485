"""The interface between a scheduler of characters and those who show them: a server, a test, a script."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from motiongen.skeleton import Skeleton
from motiongen.streaming.character import Character
from motiongen.streaming.ticker import TickReport
from motiongen.streaming.verbs import Verb


class Scheduler(Protocol):
    """Owns characters of one kind and their model, and generates their frames in threads of its own.

    Attributes:
        fps: frames a second.
        skeleton: skeleton of all characters.
        about: what the weights say of themselves: name, licence and more.
        max_characters: characters at once.
    """

    fps: float
    skeleton: Skeleton
    about: dict[str, Any]
    max_characters: int

    @property
    def verbs(self) -> Mapping[str, type[Verb]]:
        """Verbs of its characters, by name. Characters dance to sound where `music` is one of them."""
        ...

    @property
    def open(self) -> Callable[..., Character]:
        """Make a character; keywords are what clients may choose: a prompt, a seed, a guidance scale, a style."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what clients are told of this kind of character, by the names of the protocol's hello."""
        ...

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each tick that took a step or failed, from the thread that ticked."""
        ...

    def start(self) -> None:
        """Generate frames until `stop`."""
        ...

    def stop(self) -> None:
        """End what `start` began; does nothing where nothing was started."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...
