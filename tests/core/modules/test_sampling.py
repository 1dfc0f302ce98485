import math

import pytest
import torch

from motiongen.modules.sampling import (
    confidence,
    cosine_schedule,
    counter_uniform,
    draw,
    filter_logits,
    guide,
    gumbel_noise,
    item_generators,
    least_confident,
    sample,
)
from motiongen.modules.sampling_config import SamplingConfig

LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def allowed(**settings):
    return filter_logits(LOGITS, SamplingConfig(**settings)).isfinite().tolist()


def test_top_p_keeps_the_fewest_codes_that_cover_it():
    assert allowed(top_p=0.5) == [True, False, False, False]
    assert allowed(top_p=0.51) == [True, True, False, False]
    assert allowed(top_p=1.0) == [True] * 4


def test_top_k_keeps_k_codes():
    assert allowed(top_k=3) == [True, True, True, False] and allowed(top_k=9) == [True] * 4


def test_temperature_divides_and_zero_takes_the_likeliest():
    halved = filter_logits(LOGITS, SamplingConfig(temperature=2.0))
    torch.testing.assert_close(halved, LOGITS / 2)
    against = torch.tensor([-50.0, 50.0, 50.0, 50.0])
    assert sample(LOGITS, against, SamplingConfig(temperature=0.0)) == 0
    assert sample(LOGITS, against, SamplingConfig()) != 0


def test_codes_come_as_often_as_their_probability():
    noise = gumbel_noise((20_000, 4), torch.Generator().manual_seed(0))
    counts = sample(LOGITS.expand(20_000, 4), noise, SamplingConfig()).bincount(minlength=4)
    torch.testing.assert_close(counts / 20_000, LOGITS.exp(), rtol=0, atol=0.012)  # 3 sigma


def test_guidance_of_one_is_the_conditional():
    both = torch.tensor([[1.0, -2.0], [0.0, 5.0]])
    assert torch.equal(guide(both, 1.0), both[:1]) and torch.equal(guide(both, 0.0), both[1:])
    assert guide(both, 3.0).tolist() == [[3.0, -16.0]]  # 0 + 3 (1 - 0), 5 + 3 (-2 - 5)


def test_guidance_lifts_no_code_that_the_condition_finds_implausible():
    # Guided by 4: 4 x 0 - 3 x 0 = 0 for the first code, 4 x -9 + 3 x 13 = 3 for the last, which is nothing but noise.
    both = torch.tensor([[0.0, -1.0, -9.0], [0.0, -1.0, -13.0]])
    assert guide(both, 4.0).argmax() == 2 and guide(both, 4.0, plausible=0.05).argmax() == 0
    assert guide(both, 4.0, plausible=0.05).isfinite().tolist() == [[True, True, False]]


def test_the_least_confident_by_hand():
    scores = torch.tensor([0.9, 0.2, 0.5, 0.1, 0.5])
    candidates = torch.tensor([True, True, True, False, True])
    assert least_confident(scores, candidates, 2).tolist() == [False, True, True, False, False]
    assert least_confident(scores, candidates, 9).tolist() == candidates.tolist()
    assert not least_confident(scores, candidates, 0).any()


def test_confidence_is_the_probability_of_the_code():
    assert confidence(LOGITS[None], torch.tensor([2])).item() == pytest.approx(0.15)


def test_the_cosine_schedule_ends_with_nothing_masked():
    assert cosine_schedule(0) == 1 and int(1000 * cosine_schedule(1)) == 0
    assert cosine_schedule(2 / 3) == pytest.approx(math.cos(math.pi / 3))


def test_an_items_generator_does_not_depend_on_the_batch_size():
    few, many = (item_generators(torch.Generator().manual_seed(3), size) for size in (1, 4))
    assert torch.equal(gumbel_noise((5,), few[0]), gumbel_noise((5,), many[0]))
    assert not torch.equal(gumbel_noise((5,), many[1]), gumbel_noise((5,), many[2]))


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1.0}, {"temperature": math.nan}, {"top_k": 0}, {"top_p": 0.0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}: expected .*, got"):
        SamplingConfig(**wrong)


def test_a_wrong_number_of_generators_is_refused():
    with pytest.raises(ValueError, match="generator: expected 2, one an item, got 1"):
        item_generators([torch.Generator()], 2)


def test_counter_noise_is_a_function_of_seed_and_counter_alone():
    seeds, counters = torch.tensor([3, 3, 4]), torch.tensor([0, 1, 0])
    noise = counter_uniform(seeds, counters, 5)
    assert torch.equal(noise[1], counter_uniform(seeds[1:2], counters[1:2], 5)[0])
    assert len({row.tolist()[0] for row in noise}) == 3


def test_counter_noise_is_uniform():
    noise = counter_uniform(torch.arange(200), torch.zeros(200, dtype=torch.long), 500).double()
    assert noise.min() > 0 and noise.max() < 1
    assert noise.mean().item() == pytest.approx(0.5, abs=0.004)  # five standard errors
    counts = torch.histc(noise, bins=10, min=0, max=1)
    assert (counts - 10_000).abs().max() < 500
    neighbours = torch.corrcoef(torch.stack([noise[:, :-1].flatten(), noise[:, 1:].flatten()]))[0, 1]
    assert abs(neighbours) < 0.016


def test_draws_by_hand():
    # Probabilities 0.2, 0.3, 0.5: cumulative 0.2, 0.5, 1.
    logits = torch.tensor([[0.2, 0.3, 0.5]]).log().expand(4, -1)
    uniform = torch.tensor([0.1, 0.3, 0.51, 0.999])
    assert draw(logits, uniform, SamplingConfig()).tolist() == [0, 1, 2, 2]
    assert draw(logits, uniform, SamplingConfig(temperature=0)).tolist() == [2] * 4
    assert draw(logits, uniform, SamplingConfig(top_k=1)).tolist() == [2] * 4
