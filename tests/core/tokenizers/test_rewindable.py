import pytest
import torch

from motiongen.tokenizers.rewindable import RewindableDecoder
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig

TINY = RVQVAEConfig(
    feature_dim=6, width=8, frame_width=8, latent_dim=4, depth=2, num_quantizers=2, codebook_size=8
)
ALL = torch.tensor([True, True])


@pytest.fixture
def tokenizer():
    torch.manual_seed(0)
    return RVQVAE(TINY).eval()


@pytest.fixture
def codes():
    return torch.randint(8, (2, 9, 2), generator=torch.Generator().manual_seed(0))


def test_tokens_one_by_one_are_the_whole_clip(tokenizer, codes):
    decoder = RewindableDecoder(tokenizer, 2, spare=2)
    with torch.no_grad():
        frames = torch.cat([decoder.step(codes[:, n], ALL) for n in range(9)], dim=1)
        torch.testing.assert_close(frames, tokenizer.decode(codes), rtol=0, atol=1e-5)


def test_undone_tokens_can_be_replaced(tokenizer, codes):
    decoder = RewindableDecoder(tokenizer, 2, spare=2)
    with torch.no_grad():
        for n in range(6):
            decoder.step(codes[:, n], ALL)
        decoder.rewind(torch.tensor([2, 0]))
        frames = decoder.step(codes[:, 8], ALL)
        first = tokenizer.decode(torch.cat([codes[:1, :4], codes[:1, 8:]], dim=1))[0, -4:]
        second = tokenizer.decode(torch.cat([codes[1:, :6], codes[1:, 8:]], dim=1))[0, -4:]
    torch.testing.assert_close(frames, torch.stack([first, second]), rtol=0, atol=1e-5)


def test_inactive_or_reset_items_do_not_affect_the_others(tokenizer, codes):
    decoder = RewindableDecoder(tokenizer, 2, spare=2)
    with torch.no_grad():
        decoded = []
        for n in range(9):
            decoded.append(decoder.step(codes[:, n], torch.tensor([n % 2 == 0, True])))
            if n == 5:
                decoder.reset(torch.tensor([True, False]))
        whole = tokenizer.decode(codes)
        rest = tokenizer.decode(codes[:1, [6, 8]])
    torch.testing.assert_close(torch.cat(decoded, dim=1)[1], whole[1], rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.cat([decoded[6], decoded[8]], dim=1)[0], rest[0], rtol=0, atol=1e-5)
