"""The small parts of which recipes are tested: a tokenizer, a text encoder, and a cache of captioned clips."""

import torch

from motiongen.conditions.bert import Bert, BertConfig
from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import write_cache
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from tests.core.motions import wobble


def tiny_tokenizer():
    torch.manual_seed(0)
    tokenizer = RVQVAE(
        RVQVAEConfig(width=16, frame_width=16, latent_dim=8, depth=1, num_quantizers=3, codebook_size=16)
    )
    tokenizer.quantizer.codebooks.normal_(generator=torch.Generator().manual_seed(0))
    return tokenizer.eval()


def tiny_encoder():
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    torch.manual_seed(0)
    sizes = {
        "vocab_size": 1,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    return TextEncoder(
        Bert(BertConfig(**sizes)), Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")), "tiny"
    )


def record(number, split, frames, **captions):
    text = {name: (f"{name} {number}",) for name in captions}
    return {
        "id": f"own/{number}",
        "source": "own",
        "licence": "CC0",
        "split": split,
        "content": "sway",
        **text,
    }, wobble(frames, number)


def captioned_cache(folder):
    """Five clips: three to train on with captions, one held out, and one without words."""
    both = {"captions": 1, "mirrored_captions": 1}
    clips = [
        record(0, "train", 30, **both),
        record(1, "train", 43, captions=1),
        record(2, "train", 90, **both),
    ]
    clips += [record(3, "test", 40, **both), record(4, "train", 40)]
    return write_cache(folder, clips, fps=30)
