"""BAMM: text to motion codes by one transformer that samples autoregressively, then resamples bidirectionally."""

from motiongen.heads.bamm.config import PRESETS, BAMMConfig, BAMMOptions, BAMMTraining
from motiongen.heads.spec import HeadSpec
from motiongen.lazy import lazily

SPEC = HeadSpec(
    name="bamm",
    summary="revises what it wrote: for files and edits",
    kind="words",
    config=BAMMConfig,
    options=BAMMOptions,
    presets=PRESETS,
    model=lazily("motiongen.heads.bamm.model:BAMM"),
    sampler=lazily("motiongen.heads.bamm.sampler:BAMMSampler"),
    recipe=lazily("motiongen.heads.bamm.recipe:BAMMRecipe"),
    training=BAMMTraining,
    edits=True,
    tiny=BAMMConfig(
        dim=32, num_layers=1, num_heads=2, feedforward_dim=32, residual_dim=32, residual_layers=1, residual_heads=2,
        residual_feedforward_dim=32, context_dim=16, code_dim=16,
    ),
)  # fmt: skip
