"""BADM: music-to-dance diffusion, slice by slice, each slice conditioned on the one before and the one after it."""

from motiongen.heads.badm.config import PRESETS, SPACES, BADMConfig, BADMOptions, BADMTraining
from motiongen.heads.spec import HeadSpec
from motiongen.lazy import lazily

SPEC = HeadSpec(
    name="badm",
    summary="dances to music of any length",
    kind="music",
    config=BADMConfig,
    options=BADMOptions,
    presets=PRESETS,
    model=lazily("motiongen.heads.badm.model:BADM"),
    sampler=lazily("motiongen.heads.badm.sampler:BADMSampler"),
    recipe=lazily("motiongen.heads.badm.recipe:BADMRecipe"),
    training=BADMTraining,
    streams=True,
    spaces=SPACES,
    tiny=BADMConfig(dim=16, num_layers=1, num_heads=2, feedforward_dim=16, music_width=8),
)
