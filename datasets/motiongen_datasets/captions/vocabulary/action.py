"""The phrases by which the caption grammar describes a content.

A star marks a further verb of a phrase ("walk and *bow"); "{side}" is replaced by left or right.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """Phrases of one content.

    Attributes:
        phrases: verb phrases that are always true of the clip.
        held_out: verb phrases that are never used in training captions.
        sided: phrases for a clip whose side is known; they name it by "{side}".
        held_sided: likewise, held out.
        loose: true but vague phrases ("wave" for a wave of the left hand), in training only and few.
    """

    phrases: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    sided: tuple[str, ...] = ()
    held_sided: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
