"""Residual VQ: what it learns, and that nothing but `update` learns."""

import pytest
import torch

from motiongen.modules.quantizer import ResidualVQ, nearest_codes


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def initialised(latents, levels=3, size=16):
    quantizer = ResidualVQ(levels, size, latents.shape[-1])
    quantizer.initialise(latents, generator())
    return quantizer


@pytest.fixture
def latents():
    return torch.randn(8, 20, 6, generator=generator())


def test_nearest_codes_by_hand():
    codebook = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    rows = torch.tensor([[0.4, 0.1], [0.6, 0.1], [0.1, 1.1]])
    assert nearest_codes(rows, codebook).tolist() == [0, 1, 2]


def test_each_level_brings_the_sum_nearer(latents):
    quantizer = initialised(latents)
    codes = quantizer.encode(latents)
    errors = [
        (quantizer.decode(codes[..., :levels]) - latents).square().mean().item() for levels in (1, 2, 3)
    ]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("training", [True, False])
def test_encode_and_forward_leave_buffers_and_input_untouched(latents, training):
    quantizer, copy = initialised(latents).train(training), latents.clone()
    before = {key: value.clone() for key, value in quantizer.state_dict().items()}
    quantizer.encode(latents)
    quantizer(latents)
    torch.testing.assert_close(quantizer.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(latents, copy, rtol=0, atol=0)


def test_gradient_passes_straight_through(latents):
    latents.requires_grad_()
    initialised(latents)(latents).latents.sum().backward()
    torch.testing.assert_close(latents.grad, torch.ones_like(latents))


def test_dropped_levels_do_not_reach_the_output(latents):
    quantizer = initialised(latents)
    result = quantizer(latents, torch.tensor([1, 2, 3, 1, 2, 3, 1, 2]))
    torch.testing.assert_close(result.latents[0], quantizer.decode(result.codes[..., :1])[0])
    torch.testing.assert_close(result.latents[1], quantizer.decode(result.codes[..., :2])[1])


def test_update_moves_a_code_to_the_mean_of_its_rows():
    # Count 2 at code 1.0 and, at decay 0.5, one row at 4.0: (1 * 1 + 0.5 * 4) / 1.5 = 2.
    quantizer = ResidualVQ(1, 1, 1, decay=0.5)
    quantizer.codebooks.fill_(1.0)
    quantizer.counts.fill_(2.0)
    quantizer.update(torch.full((1, 1, 1), 4.0), torch.zeros(1, 1, 1, dtype=torch.int64), generator())
    assert quantizer.codebooks.item() == pytest.approx(2.0)
    assert quantizer.counts.item() == pytest.approx(1.5)


def test_a_dead_code_is_replaced_by_an_input(latents):
    quantizer = initialised(latents, levels=1)
    quantizer.codebooks[0, 3] = 100.0
    quantizer.counts[0, 3] = 0.0
    quantizer.update(latents, quantizer.encode(latents), generator())
    assert (latents.reshape(-1, 6) == quantizer.codebooks[0, 3]).all(-1).any()


def test_training_resumes_to_the_same_bits(latents):
    first, second = initialised(latents), ResidualVQ(3, 16, 6)
    second.load_state_dict(first.state_dict())
    for quantizer in (first, second):
        draws = generator(1)
        for _ in range(3):
            quantizer.update(latents, quantizer.encode(latents), draws)
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)


def test_too_many_levels_are_named(latents):
    with pytest.raises(ValueError, match=r"codes: expected 1..3 levels last, got 4"):
        initialised(latents).decode(torch.zeros(1, 2, 4, dtype=torch.int64))
