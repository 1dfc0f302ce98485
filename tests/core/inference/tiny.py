"""A whole model with random weights, small enough for tests: every part is the real one."""

from pathlib import Path

import torch

from motiongen import checkpoint, features
from motiongen.heads.badm.config import BADMConfig
from motiongen.heads.badm.model import BADM
from motiongen.heads.bamm.config import BAMMConfig
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.mogo.config import MogoConfig
from motiongen.heads.mogo.model import Mogo
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from tests.core.motions import t_pose


def save_tiny(folder: Path) -> Path:
    """Write a set of weights: tokenizer, bamm, mogo, badm in two spaces, about.json."""
    torch.manual_seed(0)
    tokenizer = RVQVAE(
        RVQVAEConfig(width=16, frame_width=16, latent_dim=8, depth=1, num_quantizers=2, codebook_size=16)
    )
    tokenizer.quantizer.codebooks.normal_(generator=torch.Generator().manual_seed(0))
    head = BAMM(
        BAMMConfig(
            num_quantizers=2, codebook_size=16, max_tokens=12, context_dim=16, code_dim=8, dim=24, num_layers=1,
            num_heads=2, feedforward_dim=32, residual_dim=16, residual_layers=1, residual_heads=2,
            residual_feedforward_dim=16, memory_clips=1, memory_tokens=4,
        )
    )  # fmt: skip
    stream_head = Mogo(
        MogoConfig(
            num_quantizers=2, codebook_size=16, text_tokens=8, context_dim=16, code_dim=8, layers=(1, 1), dim=24,
            num_heads=2, feedforward_dim=32, window=8, fine_dim=16, fine_heads=2, fine_feedforward_dim=16,
            fine_window=4, memory_clips=1, memory_tokens=4,
        )
    )  # fmt: skip
    with torch.no_grad():  # logits as far apart as a trained model's, and an end now and then
        stream_head.code_out.weight.mul_(20)
        stream_head.end_out.bias.fill_(-1)
        for memory in (head.memory, stream_head.memory):
            memory.norm.weight.mul_(50)
    checkpoint.save(stream_head, stream_head.config, folder / "mogo", "tiny")
    for space, channels, frames in (("latent", 8, 4), ("motion", 140, 1)):
        dancer = tiny_dancer(space, channels, frames)
        checkpoint.save(dancer, dancer.config, folder / "badm" / space, "tiny")
    checkpoint.save(tokenizer, tokenizer.config, folder / "tokenizer", "tiny")
    checkpoint.save(head, head.config, folder / "bamm", "tiny")
    contents = {"walk": "a person walks", "bow": "a person bows"}
    checkpoint.write_json(
        folder / "about.json",
        {"licence": "CC0", "data": ["none"], "contents": contents, "styles": {"old": "like an old person"}},
    )
    return folder


def tiny_dancer(space: str, channels: int, frames_per_step: int) -> BADM:
    """A BADM whose windows have 48 frames, and which knows two styles."""
    config = BADMConfig(
        space=space, channels=channels, frames_per_step=frames_per_step, slice_length=12 // frames_per_step,
        slices=4, dim=16, num_layers=1, num_heads=2, feedforward_dim=16, music_width=8,
        styles=("ballet", "salsa"), noise_steps=100,
    )  # fmt: skip
    dancer = BADM(config)
    rest = features.encode(t_pose(2))[0] if space == "motion" else torch.zeros(channels)
    scale = torch.full((channels,), 0.05)
    dancer.set_normaliser(rest, scale, torch.zeros(34), torch.ones(34))
    return dancer
