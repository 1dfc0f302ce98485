"""Normalisation and checks of prompts, without torch: the command line refuses a prompt before it loads a model."""

MAX_WORDS = 60


def normalise_prompt(prompt: str) -> str:
    """Return a prompt with single spaces and without punctuation at its end.

    Raises:
        ValueError: the prompt is empty or longer than MAX_WORDS words, which the encoder would truncate.
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
