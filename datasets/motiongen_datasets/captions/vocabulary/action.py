"""What the grammar must know of a content.

A star marks a further verb of a phrase ("*bow"), "{side}" stands for left or right.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """Wordings of one content.

    Attributes:
        phrases: verb phrases that are always true of the clip.
        held_out: verb phrases that training never sees.
        sided: phrases for a clip whose side was measured; they name it by "{side}".
        held_sided: the same, held out.
        loose: true but vague phrases ("wave" for a wave of the left hand), in training only and few.
    """

    phrases: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    sided: tuple[str, ...] = ()
    held_sided: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
