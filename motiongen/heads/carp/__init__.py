"""CARP: robot policy that predicts a chunk of actions coarse to fine, by next-scale prediction."""

from motiongen.heads.carp.config import PRESETS, CARPConfig, CARPOptions, CARPTraining
from motiongen.heads.spec import HeadSpec
from motiongen.lazy import lazily

SPEC = HeadSpec(
    name="carp",
    summary="controls robots: observations into chunks of actions",
    kind="policy",
    config=CARPConfig,
    options=CARPOptions,
    presets=PRESETS,
    model=lazily("motiongen.heads.carp.model:CARP"),
    sampler=lazily("motiongen.heads.carp.sampler:CARPSampler"),
    recipe=lazily("motiongen.heads.carp.recipe:CARPRecipe"),
    training=CARPTraining,
    tiny=CARPConfig(dim=16, num_layers=1, num_heads=2, cond_dim=16, codebook_size=16),
)
