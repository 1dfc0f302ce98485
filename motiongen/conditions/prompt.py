"""What counts as a prompt. Without torch, so that a command line can refuse before it loads anything."""

MAX_WORDS = 60


def normalise_prompt(prompt: str) -> str:
    """Return the prompt with single spaces and no closing full stop.

    Raises:
        ValueError: nothing is left, or more than MAX_WORDS words, most of which no encoder would see.
    """
    words = prompt.split()
    if len(words) > MAX_WORDS:
        raise ValueError(
            f"prompt: expected at most {MAX_WORDS} words, got {len(words)}; say less, or in several prompts"
        )
    text = " ".join(words).rstrip(".!, ")
    if not text:
        raise ValueError(f"prompt: expected words, got {prompt!r}; say what the person does")
    return text
