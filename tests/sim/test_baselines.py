"""The policies that CARP is compared with: that they are what they are said to be, and can learn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.policies import PAPER, POLICIES, load, sampling_variants
from benchmarks.policies.lstm_gmm import Mixture
from benchmarks.policies.recipe import BaselineRecipe
from benchmarks.policies.sizes import matched, parameters
from motiongen.data.chunks import ChunkSampler, sized_for
from motiongen.data.demonstrations import Demonstrations
from motiongen.heads.carp.config import PRESETS, CARPConfig, CARPTrainConfig
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import train_parts
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer

SMALL = CARPConfig(
    dim=24,
    num_layers=2,
    num_heads=2,
    cond_dim=32,
    horizon=8,
    action_steps=6,
    codebook_size=32,
    widths=(4, 8),
    scales=(1, 4),
)
FRAMES = 16


def two_ways(episodes: int = 8) -> Demonstrations:
    """From the same states, half of the episodes go along a curve and half along its mirror image."""
    time = np.linspace(0, 1, FRAMES, dtype=np.float32)
    curve = np.stack([0.2 + 0.8 * time, np.cos(2 * time)], axis=1)  # (T, 2), the first is never 0
    return Demonstrations(
        fps=10,
        state=np.tile(np.stack([time, time**2, 1 - time], axis=1), (episodes, 1)),
        action=np.concatenate(
            [curve if episode % 2 else curve * [[-1, 1]] for episode in range(episodes)]
        ).astype(np.float32),
        lengths=np.full(episodes, FRAMES),
        instructions=("go left or right",) * episodes,
    )


def made(name: str, **sizes: Any) -> tuple[Any, ChunkSampler]:
    """A small policy for the curves, and what draws its batches."""
    data = [two_ways()]
    config = replace(matched(name, sized_for(SMALL, data)), **sizes)
    sampler = ChunkSampler(data, config)
    model: Any = POLICIES[name](config)
    sampler.fit(getattr(model.observation, "frame", model.observation), model.action_normaliser)
    return model, sampler


def seen(model: Any, batch: int) -> dict[str, Tensor]:
    """The states of the last To frames at frame 9 of any curve."""
    states = torch.from_numpy(two_ways(1).state[:10])
    return {"state": states[-model.config.obs_steps :].repeat(batch, 1, 1)}


def wanted(model: Any) -> Tensor:
    """The actions (H', 2) that follow, of the curve that goes one way, from the newest frame on."""
    count = model.config.action_steps
    return torch.from_numpy(two_ways(2).action[FRAMES + 9 :][:count])


def trained(name: str, folder: Any, steps: int, rate: float, **sizes: Any) -> Any:
    model, sampler = made(name, **sizes)
    schedule = TrainConfig(steps=steps, learning_rate=rate, autocast=False, ema=0.99)
    if name == "flat_ar":
        parts = CARPTrainConfig(tokenizer_steps=200, tokenizer_batch_size=64, parts_learning_rate=5e-3)
        train_parts(model, sampler, replace(parts, encoder_steps=0), schedule, folder)
    trainer = Trainer(BaselineRecipe(model, sampler, CARPTrainConfig(batch_size=64)), schedule, folder)
    trainer.run()
    return load(folder)


@pytest.mark.slow
def test_diffusion_learns_both_ways(tmp_path):
    model = trained("diffusion_policy", tmp_path, steps=350, rate=3e-3)
    for name, sampled in sampling_variants(model).items():
        chunks = sampled.predict(seen(model, 48), generator=torch.Generator().manual_seed(0))[:, 1:7]
        goes_right = chunks[:, :, 0].mean(1) > 0
        assert 10 <= goes_right.sum() <= 38, name
        error = (chunks.abs() - wanted(model).abs()).abs().mean((1, 2))
        assert error.median() < 0.1, (name, error)


@pytest.mark.slow
def test_the_mixture_learns_both_ways(tmp_path):
    model = trained("lstm_gmm", tmp_path, steps=300, rate=3e-3)
    actions = model.predict(seen(model, 48), generator=torch.Generator().manual_seed(0))[:, -1]
    assert 10 <= (actions[:, 0] > 0).sum() <= 38
    assert (actions.abs() - wanted(model)[0].abs()).abs().mean(1).median() < 0.05


@pytest.mark.slow
def test_flat_codes_learn_one_way_at_a_time(tmp_path):
    model = trained("flat_ar", tmp_path, steps=200, rate=5e-3)
    chunks = model.predict(seen(model, 48), generator=torch.Generator().manual_seed(0), temperature=1.0)[
        :, 1:7
    ]
    assert 10 <= (chunks[:, :, 0].mean(1) > 0).sum() <= 38
    assert (chunks.abs() - wanted(model).abs()).abs().mean((1, 2)).median() < 0.12


@pytest.mark.parametrize("name", POLICIES)
def test_saving_and_loading_changes_no_action(name, tmp_path):
    model, sampler = made(name)
    BaselineRecipe(model, sampler, CARPTrainConfig()).export(model, tmp_path, {})
    model.load_state_dict(load(tmp_path).state_dict())  # what is saved is rounded to fp16
    batch = seen(model, 3)
    first, second = (
        one.predict(batch, generator=torch.Generator().manual_seed(5))
        for one in (model.eval(), load(tmp_path))
    )
    assert first.shape == (3, model.config.horizon, 2)
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", POLICIES)
def test_matched_is_as_large_as_carp(name):
    for size in PRESETS.values():
        count = parameters(POLICIES[name](matched(name, size)))
        assert count == pytest.approx(parameters(CARP(size)), rel=0.03)


def test_the_published_diffusion_policy_has_nine_million_parameters():
    assert parameters(POLICIES["diffusion_policy"](PAPER["diffusion_policy"])) == pytest.approx(9e6, rel=0.01)


def test_a_noisy_action_is_hidden_from_those_before_it():
    model, _ = made("diffusion_policy")
    torch.nn.init.normal_(model.out.weight)
    memories = model.cross_attention(torch.tensor([7]), torch.randn(1, 2, 32))
    noisy = torch.randn(1, 8, 2)
    changed = noisy.clone()
    changed[:, 5] += 1
    difference = (model.noise(noisy, memories) - model.noise(changed, memories)).abs().amax((0, 2))
    assert difference[:5].max() == 0 and difference[5:].min() > 0


def test_the_first_noisy_action_does_not_see_the_second_frame():
    model, _ = made("diffusion_policy")
    torch.nn.init.normal_(model.out.weight)
    frames, noisy, step = torch.randn(1, 2, 32), torch.randn(1, 8, 2), torch.tensor([7])
    changed = frames + torch.tensor([0.0, 1.0])[:, None]
    difference = (
        (
            model.noise(noisy, model.cross_attention(step, frames))
            - model.noise(noisy, model.cross_attention(step, changed))
        )
        .abs()
        .amax((0, 2))
    )
    assert difference[0] == 0 and difference[1:].min() > 0


@pytest.mark.parametrize("sampling_steps", [100, 16])
def test_sampling_finds_the_chunk_that_the_noise_hides(sampling_steps):
    model, _ = made("diffusion_policy", sampling_steps=sampling_steps)
    chunk = torch.linspace(-0.9, 0.9, 16).view(1, 8, 2)

    steps = iter(model.schedule.sampling_steps(sampling_steps))

    def noise(noisy: Tensor, memories: list[Tensor]) -> Tensor:
        """What a network that knows the one chunk would say."""
        kept = model.schedule.alpha_bar[next(steps)]
        return (noisy - kept.sqrt() * chunk) / (1 - kept).sqrt()

    model.noise = noise
    found = model.predict(seen(model, 2), generator=torch.Generator().manual_seed(0))
    expected = model.action_normaliser.inverse(chunk, torch.zeros(1, dtype=torch.long))
    torch.testing.assert_close(found, expected.expand(2, -1, -1), rtol=0, atol=2e-3)


def test_flat_codes_are_written_as_they_were_taught():
    model, _ = made("flat_ar")
    model.eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    batch = seen(model, 2)
    codes = torch.randint(32, (2, 8, 2))
    for place in range(8):  # each code is the likeliest, given those before it
        for number in range(2):
            codes[:, place, number] = model.logits(batch, codes)[:, place, number].argmax(-1)
    written = model.predict(batch)
    expected = model.action_normaliser.inverse(
        model.tokenizer.decode(codes), torch.zeros(2, dtype=torch.long)
    )
    torch.testing.assert_close(written, expected, rtol=0, atol=1e-5)


def test_the_likelihood_of_a_mixture_by_hand():
    # Half of a Gaussian of deviation 2 at its mean, and half of one so far off that it adds nothing.
    mixture = Mixture(torch.zeros(2), torch.tensor([[0.3], [500.0]]), torch.tensor([[2.0], [1.0]]))
    density = mixture.log_likelihood(torch.tensor([0.3])).exp()
    assert density.item() == pytest.approx(0.5 / (2 * (2 * np.pi) ** 0.5))


@pytest.mark.parametrize("name", ["diffusion_policy", "lstm_gmm"])
def test_pictures_and_tasks_are_told_apart(name):
    sizes = {
        "image_size": 32,
        "crop_size": 28,
        "tasks": ("push", "lift"),
        "task_state_dims": (),
        "task_action_dims": (),
    }
    model: Any = POLICIES[name](replace(matched(name, SMALL), **sizes)).eval()
    torch.nn.init.normal_(model.out.weight)
    steps = model.config.obs_steps
    batch = {
        "state": torch.zeros(3, steps, 16),
        "image": torch.zeros(3, steps, 3, 32, 32, dtype=torch.uint8),
        "task": torch.tensor([0, 1, 0]),
    }
    batch["image"][2, -1, :, 4:9] = 255
    frames = model.observation(batch)
    assert not torch.allclose(frames[0], frames[1]) and torch.equal(frames[0, 0], frames[2, 0])
    assert not torch.allclose(frames[0, -1], frames[2, -1])
