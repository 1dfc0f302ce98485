"""Mogo: streaming text to motion codes, one token at a time, by one causal transformer for each quantizer level."""

from motiongen.heads.mogo.config import PRESETS, MogoConfig, MogoOptions, MogoTraining
from motiongen.heads.spec import HeadSpec
from motiongen.lazy import lazily

SPEC = HeadSpec(
    name="mogo",
    summary="writes forward only, token by token: for streams",
    kind="words",
    config=MogoConfig,
    options=MogoOptions,
    presets=PRESETS,
    model=lazily("motiongen.heads.mogo.model:Mogo"),
    sampler=lazily("motiongen.heads.mogo.sampler:MogoSampler"),
    recipe=lazily("motiongen.heads.mogo.recipe:MogoRecipe"),
    training=MogoTraining,
    streams=True,
    tiny=MogoConfig(
        dim=32, num_heads=2, feedforward_dim=32, fine_dim=32, fine_heads=2, fine_feedforward_dim=32, context_dim=16,
        code_dim=16,
    ),
)  # fmt: skip
