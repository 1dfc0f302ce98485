"""The interface of schedulers of characters, for servers, tests and scripts that show the characters."""

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
        about: facts about the weights: name, licence and more.
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
        """Make a character; keywords are a client's choices: prompt, seed, guidance scale, style."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return the fields of the protocol's hello that describe this kind of character."""
        ...

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each tick that took a step or failed, from the thread that ticked.

        Args:
            callback: takes the tick's report.
        """
        ...

    def start(self) -> None:
        """Generate frames until `stop`."""
        ...

    def stop(self) -> None:
        """End what `start` began; does nothing where nothing runs."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...
