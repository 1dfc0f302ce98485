"""Both text heads read a clip of the memory token by token if they trust it fully, and leave one that is not alike."""

from dataclasses import replace

import pytest
import torch

from motiongen.conditions.text import TextCondition
from motiongen.heads.bamm.config import BAMMConfig, BAMMOptions
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.bamm.sampler import BAMMSampler
from motiongen.heads.mogo.config import MogoConfig, MogoOptions
from motiongen.heads.mogo.model import Mogo
from motiongen.heads.mogo.sampler import MogoSampler

SIZES = {
    "num_quantizers": 3, "codebook_size": 16, "text_dim": 8, "context_dim": 8, "code_dim": 8, "dim": 16,
    "num_heads": 2, "memory_clips": 2, "memory_tokens": 6,
}  # fmt: skip
TRUST = {"pointer_share": 1.0, "fine_pointer_share": 1.0, "guidance_scale": 1.0}
CLIP = torch.randint(16, (6, 3), generator=torch.Generator().manual_seed(4))


def bamm():
    torch.manual_seed(0)
    config = BAMMConfig(
        **SIZES, max_tokens=12, num_layers=1, residual_dim=16, residual_layers=1, residual_heads=2
    )
    return BAMMSampler(BAMM(config).eval()), BAMMOptions(**TRUST)


def mogo():
    torch.manual_seed(0)
    config = MogoConfig(**SIZES, text_tokens=4, layers=(1, 1, 1), fine_dim=16, fine_heads=2)
    return MogoSampler(Mogo(config).eval()), MogoOptions(**TRUST)


LONGER = torch.randint(16, (10, 3), generator=torch.Generator().manual_seed(5))
"""A clip of more tokens than the heads attend to."""


def condition(alike, clip=CLIP):
    tokens = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(1))
    clips = torch.stack([clip, clip.flip(0)])[None]
    alike = torch.tensor([[alike, alike]])
    return TextCondition(tokens, torch.zeros(1, 3, dtype=torch.bool), tokens.mean(dim=1), clips, alike)


def written(head, alike, length=6, clip=CLIP, **changes):
    sampler, options = head()
    seeded = torch.Generator().manual_seed(0)
    options = replace(options, **changes)
    return sampler.generate(condition(alike, clip), lengths=length, generator=seeded, options=options)[0]


@pytest.mark.parametrize("head", [bamm, mogo])
def test_a_clip_that_is_alike_is_read_token_by_token(head):
    assert torch.equal(written(head, alike=True), CLIP)


@pytest.mark.parametrize("head", [bamm, mogo])
def test_a_clip_is_read_off_past_the_tokens_that_are_attended_to(head):
    assert torch.equal(written(head, alike=True, length=10, clip=LONGER), LONGER)


@pytest.mark.parametrize("head", [bamm, mogo])
def test_after_the_end_of_the_clip_the_head_goes_on(head):
    longer = written(head, alike=True, length=9)
    assert longer.shape == (9, 3) and torch.equal(longer[:6], CLIP)


@pytest.mark.parametrize("head", [bamm, mogo])
@pytest.mark.parametrize(("alike", "changes"), [(False, {}), (True, {"pointer_share": 0.0})])
def test_a_clip_that_is_not_alike_or_not_trusted_is_not_read(head, alike, changes):
    assert not torch.equal(written(head, alike, **changes), CLIP)
