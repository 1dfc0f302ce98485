"""Sentences to motion in one call: what the command line does, without files."""

from collections.abc import Sequence
from pathlib import Path

from motiongen.inference.load import load_words
from motiongen.inference.model import PromptedMotion
from motiongen.motion import Motion


def generate(
    prompts: str | Sequence[str],
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    temperature: float | None = None,
    start_from: Motion | None = None,
    head: str = "bamm",
    weights: str | Path = "full",
    device: str = "auto",
) -> Motion:
    """Return the motion of a sentence, or of several that follow each other without a break.

    Args:
        prompts: a sentence, or several.
        seconds: length of each sentence's part; None lets the model find it.
        seed: the same seed gives the same motion on the same device.
        guidance_scale: how strictly to follow the words; 1 is no stricter than the data.
        temperature: how far to stray from the likeliest motion; 1 is as the data.
        start_from: a motion to go on from.
        head: name of the model.
        weights: "full" (non-commercial), "open" (free sources) or a folder.
        device: "auto", "cpu" or "cuda".

    Raises:
        ValueError: an empty prompt, or a number out of range.
    """
    return variants(
        prompts,
        count=1,
        seconds=seconds,
        seed=seed,
        guidance_scale=guidance_scale,
        temperature=temperature,
        start_from=start_from,
        head=head,
        weights=weights,
        device=device,
    )[0].motion


def variants(
    prompts: str | Sequence[str],
    *,
    count: int = 1,
    seconds: float | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    temperature: float | None = None,
    start_from: Motion | None = None,
    head: str = "bamm",
    weights: str | Path = "full",
    device: str = "auto",
) -> list[PromptedMotion]:
    """Return `count` variants of what `generate` returns, each with the span of each prompt in it.

    The first variant is `generate`'s, the others have the next seeds; the other arguments are as in `generate`.
    """
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    model = load_words(head, weights, device)
    model.note_far(prompts)
    options = model.spec.options().adjusted(guidance_scale, temperature)
    return model.sequence(
        prompts, count=count, seconds=seconds, start_from=start_from, seed=seed, options=options
    )


def edit(
    motion: Motion,
    prompt: str,
    *,
    between: tuple[float, float],
    seed: int = 0,
    guidance_scale: float | None = None,
    temperature: float | None = None,
    head: str = "bamm",
    weights: str | Path = "full",
    device: str = "auto",
) -> Motion:
    """Return the motion with the span `between` (start, end) seconds written anew to a sentence.

    Outside the span every frame is as it was. The other arguments are as in `generate`.
    """
    model = load_words(head, weights, device, edits=True)
    model.note_far([prompt])
    options = model.spec.options().adjusted(guidance_scale, temperature)
    return model.edit(motion, prompt, between, seed=seed, options=options)
