"""Labels of a clip: what its dataset says of it in words, before the motion itself is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a dataset says of one clip in words. The dataset's reader fills it in; `captions_for` makes sentences of it.

    Attributes:
        content: the action: a content of the caption grammar ("walk-turn-left"; `KNOWN` lists them), or words of the
            dataset's own, which then are a caption as they stand; None where unknown.
        style: the manner: a style of the caption grammar ("angry"), or a word of the dataset's own; None where unknown.
        side: "left" or "right" where the label names the hand or leg that acts; where None, it is measured.
        phrases: verb phrases ("walk slowly") for this clip that say more than the content's own; used before them.
        sentences: whole captions that people wrote; all of them are training captions.
        has_directions: whether the dataset has contents of its own for walking backward and for turning. Where it has
            not, a clip of content "walk" gets them by its measured path.
    """

    content: str | None = None
    style: str | None = None
    side: str | None = None
    phrases: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    has_directions: bool = False
