"""Public functions `dance` and `edit_dance`: music to dance, and editing of a dance."""

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
    lock_feet: bool = True,
    weights: str | Path = "open",
    device: str = "auto",
    progress: Progress | None = None,
) -> Motion:
    """Return a dance to music, of the same length.

    Args:
        music: an audio file (wav, mp3, ogg, flac …) or samples.
        seconds: length of the music to use; None for all.
        start: start in the file, seconds.
        style: a dance style of the weights; None for any.
        seed: the same seed gives the same dance on the same device.
        guidance_scale: classifier-free guidance scale of the music; 1 for no guidance; None for the model's default.
        steps: denoising steps; None for the default.
        space: "latent" or "motion"; None for the first one of the weights.
        lock_feet: keep standing feet from sliding; see `Motion.with_locked_feet`.
        weights: "open" (free sources), "full" (non-commercial) or a folder.
        device: "auto", "cpu" or "cuda".
        progress: called with the numbers of positions done and in all.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: a file without audio, an unknown style, or a number out of range.
    """
    audio = music if isinstance(music, Audio) else read_audio(music, start=start, seconds=seconds)
    model = load_dance(space, weights, device)
    options = model.spec.options().adjusted(guidance_scale, steps)
    condition = MusicCondition.from_audio(audio)
    motion = model.dance(condition, style=style, seed=seed, options=options, progress=progress)
    return motion.with_locked_feet() if lock_feet else motion


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
    weights: str | Path = "open",
    device: str = "auto",
) -> Motion:
    """Return a motion in which a span, a group of joints, or both are regenerated to music; see `DanceModel.edit`.

    Music and motion start together. The other arguments are those of `dance`.

    Args:
        motion: of any humanoid, at any rate.
        music: an audio file or samples.
        between: start and end of the span, seconds; None for the whole motion.
        joints: a group of joints such as "arms"; None for the whole body.
        keep_root: keep path, height and tilt of the root.
        style: as in `dance`.
        seed: as in `dance`.
        guidance_scale: as in `dance`.
        steps: as in `dance`.
        weights: as in `dance`.
        device: as in `dance`.
    """
    audio = music if isinstance(music, Audio) else read_audio(music, seconds=motion.seconds + 1)
    model = load_dance("motion", weights, device)
    options = model.spec.options().adjusted(guidance_scale, steps)
    condition = MusicCondition.from_audio(audio)
    return model.edit(
        motion, condition, between=between, joints=joints, keep_root=keep_root, style=style, seed=seed,
        options=options,
    )  # fmt: skip
