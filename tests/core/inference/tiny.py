"""A whole model with random weights, small enough for tests: every part is the real one."""

from pathlib import Path

import torch

from motiongen import checkpoint
from motiongen.heads.bamm import BAMM, BAMMConfig
from motiongen.heads.mogo import Mogo, MogoConfig
from motiongen.tokenizers.rvq_vae import RVQVAE, RVQVAEConfig


def save_tiny(folder: Path) -> Path:
    """Write a set of weights: tokenizer, bamm, mogo, about.json."""
    torch.manual_seed(0)
    tokenizer = RVQVAE(
        RVQVAEConfig(width=16, frame_width=16, latent_dim=8, depth=1, num_quantizers=2, codebook_size=16)
    )
    tokenizer.quantizer.codebooks.normal_(generator=torch.Generator().manual_seed(0))
    head = BAMM(
        BAMMConfig(
            num_quantizers=2, codebook_size=16, max_tokens=12, context_dim=16, code_dim=8, dim=24, num_layers=1,
            num_heads=2, feedforward_dim=32, residual_dim=16, residual_layers=1, residual_heads=2,
            residual_feedforward_dim=16,
        )
    )  # fmt: skip
    stream_head = Mogo(
        MogoConfig(
            num_quantizers=2, codebook_size=16, text_tokens=8, context_dim=16, code_dim=8, layers=(1, 1), dim=24,
            num_heads=2, feedforward_dim=32, window=8, fine_dim=16, fine_heads=2, fine_feedforward_dim=16,
            fine_window=4,
        )
    )  # fmt: skip
    with torch.no_grad():  # logits as far apart as a trained model's, and an end now and then
        stream_head.code_out.weight.mul_(20)
        stream_head.end_out.bias.fill_(-1)
    checkpoint.save(stream_head, stream_head.config, folder / "mogo", "tiny")
    checkpoint.save(tokenizer, tokenizer.config, folder / "tokenizer", "tiny")
    checkpoint.save(head, head.config, folder / "bamm", "tiny")
    contents = {"walk": "a person walks", "bow": "a person bows"}
    checkpoint.write_json(
        folder / "about.json",
        {"licence": "CC0", "data": ["none"], "contents": contents, "styles": {"old": "like an old person"}},
    )
    return folder
