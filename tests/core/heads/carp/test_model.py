from dataclasses import replace

import pytest
import torch

from motiongen import checkpoint
from motiongen.heads.carp.config import PRESETS, CARPConfig
from motiongen.heads.carp.loss import loss as carp_loss
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.sampler import CARPSampler

TINY = {"state_dim": 3, "action_dim": 2, "dim": 16, "num_layers": 2, "cond_dim": 8, "codebook_size": 8}


def tiny(**changes):
    torch.manual_seed(0)
    model = CARP(CARPConfig(**{**TINY, **changes})).eval()
    with torch.no_grad():  # at first its modulation is silent, which would hide what is wrong with it
        for name, parameter in model.named_parameters():
            if "modulation" in name or "shared" in name:
                parameter.normal_(std=0.3)
    return model


def observation(batch=3, state_dim=3, seed=0):
    return {"state": torch.randn(batch, 2, state_dim, generator=torch.Generator().manual_seed(seed))}


def test_tokens_are_ordered_by_scale_time_dimension_and_attend_to_coarser_ones():
    """For scales of one and two positions and two action dimensions: a0 b0 | a0 b0 a1 b1."""
    model = CARP(CARPConfig(**{**TINY, "scales": (1, 2), "widths": (2, 4), "horizon": 4, "action_steps": 2}))
    assert model.mask.int().tolist() == [
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
    ]
    with torch.no_grad():
        model.place.copy_(torch.arange(3.0)[:, None].expand(3, 16) * 10)
        model.number.copy_(torch.arange(2.0)[:, None].expand(2, 16))
        model.latent.bias.zero_()
        model.start.weight.zero_(), model.start.bias.zero_()
        conditioning = model.conditioning(torch.zeros(1, 8))
        tokens = model.embed(torch.zeros(1, 3, 2, 8), slice(0, 3), conditioning).flatten(1, 2)
    assert tokens[0, :, 0].tolist() == [0, 1, 10, 11, 20, 21]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("chained", [False, True])
def test_writing_scale_by_scale_with_a_cache_equals_one_pass(shared, chained):
    """The codes that are written are those that one pass over them finds likeliest."""
    model = tiny(shared_modulation=shared, chained=chained)
    with torch.no_grad():
        actions = CARPSampler(model).predict(observation())
        codes = model.tokenizer.encode(
            actions
        )  # a first guess, of which every pass makes one more scale right
        for _ in range(6):
            codes = model.logits(observation(), codes).argmax(-1)
        again = model.tokenizer.decode(codes)
    torch.testing.assert_close(actions, again, rtol=1e-4, atol=1e-4)


def test_a_chain_conditions_a_dimension_on_those_before_it():
    model = tiny(chained=True)
    codes = torch.zeros(3, 10, 2, dtype=torch.long)
    changed = codes.clone()
    changed[:, 0, 0] = 1
    with torch.no_grad():
        before, after = model.logits(observation(), codes), model.logits(observation(), changed)
    torch.testing.assert_close(before[:, 0, 0], after[:, 0, 0], rtol=0, atol=1e-6)
    assert not torch.allclose(before[:, 0, 1], after[:, 0, 1])
    changed[:, 0] = torch.tensor([0, 1])  # the last number is conditioning to the finer scales alone
    with torch.no_grad():
        torch.testing.assert_close(
            model.logits(observation(), changed)[:, 0], before[:, 0], rtol=0, atol=1e-6
        )


def test_a_finer_scale_never_changes_the_logits_of_a_coarser_one():
    model = tiny()
    codes = torch.randint(8, (3, 10, 2), generator=torch.Generator().manual_seed(1))
    changed = codes.clone()
    changed[:, 3:6] = (changed[:, 3:6] + 1) % 8
    with torch.no_grad():
        before, after = model.logits(observation(), codes), model.logits(observation(), changed)
    torch.testing.assert_close(before[:, :6], after[:, :6], rtol=0, atol=1e-6)
    assert not torch.allclose(before[:, 6:], after[:, 6:])


def test_actions_follow_what_is_observed_and_come_in_the_datas_units():
    model = tiny()
    model.action_normaliser.fit_range(0, torch.tensor([[10.0, -1.0], [30.0, 1.0]]))
    actions = CARPSampler(model).predict(observation())
    assert actions.shape == (3, 16, 2)
    assert 5 < float(actions[..., 0].mean()) < 35
    assert not torch.equal(actions, CARPSampler(model).predict(observation(seed=5)))


def test_a_temperature_draws_by_the_generator_alone():
    model = tiny(temperature=1.0)
    drawn = [
        CARPSampler(model).predict(observation(), generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


@pytest.mark.slow
def test_it_can_be_overfitted_to_a_few_chunks():
    model = tiny(codebook_size=32, dim=32).train()
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(-1, 1, 16)[None, :, None]
    batch = {**observation(8), "action": ramp * torch.randn(8, 1, 2, generator=generator).clamp(-1, 1)}
    optimizer = torch.optim.Adam(model.tokenizer.requires_grad_(True).parameters(), lr=1e-2)
    for _ in range(150):
        losses, seen = model.tokenizer.training_pass(batch["action"], generator)
        model.tokenizer.learn(**seen, generator=generator)
        optimizer.zero_grad(), losses["loss"].backward(), optimizer.step()
    model.tokenizer.requires_grad_(False)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    for _ in range(150):
        losses = carp_loss(model, batch, generator)
        optimizer.zero_grad(), losses["loss"].backward(), optimizer.step()
    assert float(losses["accuracy"]) > 0.95
    codes = model.tokenizer.encode(batch["action"])
    torch.testing.assert_close(
        CARPSampler(model.eval()).predict(batch), model.tokenizer.decode(codes), rtol=0, atol=0.1
    )


def test_an_offset_starts_at_zero_and_learns_what_codes_are_too_coarse_for():
    torch.manual_seed(0)
    plain = CARP(CARPConfig(**TINY)).eval()
    model = CARP(CARPConfig(**TINY, offset_dim=32))
    model.load_state_dict(plain.state_dict(), strict=False)
    torch.testing.assert_close(
        CARPSampler(model.eval()).predict(observation()), CARPSampler(plain).predict(observation())
    )
    generator = torch.Generator().manual_seed(0)
    batch = {**observation(8), "action": torch.rand(8, 16, 2, generator=generator) * 2 - 1}
    coarse = model.tokenizer.decode(
        model.tokenizer.encode(batch["action"])
    )  # its 8 codes are not even trained
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(150):
        losses = carp_loss(model.train(), batch, generator)
        optimizer.zero_grad(), losses["loss"].backward(), optimizer.step()
    error = (CARPSampler(model.eval()).predict(batch) - batch["action"]).abs().mean()
    assert error < 0.2 * (coarse - batch["action"]).abs().mean()


def test_pictures_and_tasks_condition_it():
    model = tiny(image_size=32, crop_size=28, image_width=4, tasks=("push", "lift"))
    image = torch.randint(256, (2, 2, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
    seen = {**observation(2), "image": image, "task": torch.tensor([0, 1])}
    with torch.no_grad():
        cond = model.observation(seen)
        assert not torch.allclose(cond, model.observation({**seen, "image": 255 - image}))
        assert not torch.allclose(cond, model.observation({**seen, "task": torch.tensor([1, 0])}))
    assert CARPSampler(model).predict(seen).shape == (2, 16, 2)


def test_a_saved_policy_acts_the_same(tmp_path):
    model = tiny()
    model.observation.normaliser.fit_moments(0, torch.randn(20, 3) * 1e-3 + 0.4)
    checkpoint.save(model, model.config, tmp_path)
    assert torch.equal(
        CARPSampler(checkpoint.load(tmp_path, CARP)).predict(observation()),
        CARPSampler(model).predict(observation()),
    )


def test_another_robots_observation_is_refused_with_the_expected_shape():
    with pytest.raises(ValueError, match=r"state: expected shape \(B, 2, 3\), got \(3, 2, 5\)"):
        CARPSampler(tiny()).predict(observation(state_dim=5))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"action_steps": 16}, "action_steps: expected at most"),
        ({"dim": 18}, "dim: expected a multiple"),
        ({"image_size": 32, "crop_size": 40}, "crop_size: expected"),
        ({"tasks": ("a", "b"), "task_state_dims": (3,)}, "task_state_dims: expected one for each of 2"),
    ],
)
def test_a_config_that_cannot_be_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        CARPConfig(**{**TINY, **changes})


def test_the_presets_have_the_sizes_that_are_stated():
    counts = {name: sum(p.numel() for p in CARP(config).parameters()) for name, config in PRESETS.items()}
    assert 600_000 < counts["paper"] < 700_000  # the paper's states policy: .65 M
    assert counts["small"] < 600_000
    humanoid = CARP(replace(PRESETS["body"], state_dim=283, action_dim=28, pairs=False, chained=False))
    assert sum(p.numel() for p in humanoid.parameters()) < 400_000
