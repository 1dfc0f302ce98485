"""Music to dance in one call, and a dance written anew in part."""

from pathlib import Path

from motiongen.conditions.music import MusicCondition
from motiongen.inference.dance_model import Progress
from motiongen.inference.load import load_dance
from motiongen.motion import Motion
from motiongen.music.audio import Audio, read_audio


def dance(
    music: str | Path | Audio,
    *,
    seconds: float | None = None,
    start: float = 0.0,
    style: str | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    steps: int | None = None,
    space: str | None = None,
    weights: str | Path = "full",
    device: str = "auto",
    progress: Progress | None = None,
) -> Motion:
    """Return a dance to a piece of music, as long as it.

    Args:
        music: a sound file (wav, mp3, ogg, flac …) or samples.
        seconds: how much of the music; None for all of it.
        start: where in the file to begin, seconds.
        style: a dance style that the weights know; None for any.
        seed: the same seed gives the same dance on the same device.
        guidance_scale: how strictly to follow the music; 1 is no stricter than the data.
        steps: of denoising.
        space: "latent" or "motion".
        weights: "full" (non-commercial), "open" (free sources) or a folder.
        device: "auto", "cpu" or "cuda".
        progress: called with places done and in all.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no sound, an unknown style, or a number out of range.
    """
    audio = music if isinstance(music, Audio) else read_audio(music, start=start, seconds=seconds)
    model = load_dance(space, weights, device)
    options = model.spec.options().adjusted(guidance_scale, steps)
    condition = MusicCondition.from_audio(audio)
    return model.dance(condition, style=style, seed=seed, options=options, progress=progress)


def edit_dance(
    motion: Motion,
    music: str | Path | Audio,
    *,
    between: tuple[float, float] | None = None,
    joints: str | None = None,
    keep_root: bool = False,
    style: str | None = None,
    seed: int = 0,
    guidance_scale: float | None = None,
    steps: int | None = None,
    weights: str | Path = "full",
    device: str = "auto",
) -> Motion:
    """Return a motion with a span, a group of joints, or both, danced anew to music; see `DanceModel.edit`.

    The music's first second is the motion's first; the other arguments are as in `dance`.
    """
    audio = music if isinstance(music, Audio) else read_audio(music, seconds=motion.seconds + 1)
    model = load_dance("motion", weights, device)
    options = model.spec.options().adjusted(guidance_scale, steps)
    condition = MusicCondition.from_audio(audio)
    return model.edit(
        motion, condition, between=between, joints=joints, keep_root=keep_root, style=style, seed=seed,
        options=options,
    )  # fmt: skip
