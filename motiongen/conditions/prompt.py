"""Normalisation and checks of prompts, without torch: the command line refuses a prompt before it loads a model."""

import re

MAX_WORDS = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of others, which no text has."""


def plain_words(prompt: str) -> list[str]:
    """Return the words of a prompt, without control characters."""
    return _CONTROL.sub(" ", prompt).split()


def normalise_prompt(prompt: str) -> str:
    """Return a prompt with single spaces, without control characters, and without punctuation at its end.

    Raises:
        ValueError: the prompt has no letter, or is longer than MAX_WORDS words, which the encoder would truncate.
    """
    words = plain_words(prompt)
    if len(words) > MAX_WORDS:
        raise ValueError(
            f"prompt: expected at most {MAX_WORDS} words, got {len(words)}; say less, or in several prompts"
        )
    text = " ".join(words).rstrip(".!, ")
    if not any(letter.isalnum() for letter in text):
        raise ValueError(f"prompt: expected words, got {prompt!r}; say what the person does")
    return text
