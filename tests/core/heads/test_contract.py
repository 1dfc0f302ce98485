"""What every head in the registry must do; a new head is covered by its line there."""

import dataclasses

import pytest
import torch

from motiongen import checkpoint
from motiongen.heads import HEADS, heads_for, lookup
from motiongen.heads.streaming_head import TokenRequest
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from tests.core.heads.contract import KITS, prompts, seeded, sharpened

each_head = pytest.mark.parametrize("spec", HEADS.values(), ids=HEADS)
each_stream = pytest.mark.parametrize("name", heads_for("words", streams=True))
each_editor = pytest.mark.parametrize("name", heads_for("words", edits=True))


def tiny(spec, seed=0):
    torch.manual_seed(seed)
    return sharpened(spec.model()(KITS[spec.kind].config(spec)))


@each_head
def test_a_spec_names_its_parts(spec):
    model = spec.model()
    assert HEADS[spec.name] is spec and model.model_type == spec.name and model.config_class is spec.config
    assert isinstance(spec.tiny, spec.config) and spec.summary and not spec.summary.endswith(".")
    sizes = [
        size for preset in spec.presets.values() for size in (preset.values() if spec.spaces else [preset])
    ]
    assert sizes and all(isinstance(size, spec.config) for size in sizes)
    assert all(spec.presets[name].keys() == set(spec.spaces) for name in spec.presets if spec.spaces)


@each_head
def test_configs_and_options_are_frozen_and_refuse_unknown_keys(spec):
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.options().temperature = 1.0
    with pytest.raises(ValueError, match=f"nonsense: expected a field of {spec.config.__name__}"):
        checkpoint.config_from_dict(spec.config, {"nonsense": 1})


@each_head
def test_a_saved_model_samples_the_same_bits(spec, tmp_path):
    kit, model = KITS[spec.kind], tiny(spec)
    checkpoint.save(model, model.config, tmp_path)
    assert checkpoint.read_json(tmp_path / checkpoint.CONFIG)["model"] == spec.name
    again = checkpoint.load(tmp_path, spec.model()).eval()
    assert torch.equal(kit.sample(spec, model), kit.sample(spec, again))


@each_head
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(spec):
    kit, model = KITS[spec.kind], tiny(spec)
    first, again, other = (kit.sample(spec, model, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.slow
@each_head
def test_one_clip_can_be_overfitted(spec, tmp_path):
    torch.manual_seed(0)
    recipe = KITS[spec.kind].recipe(spec, tmp_path / "cache")
    schedule = TrainConfig(steps=160, learning_rate=4e-3, warmup=0.05, ema=0.9, autocast=False)
    trainer = Trainer(recipe, schedule, tmp_path / "run")
    losses = [trainer.train_step()["loss"] for _ in range(schedule.steps)]
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10]), (losses[:3], losses[-3:])


@each_stream
def test_a_stream_writes_the_same_alone_as_in_a_batch(name):
    spec = lookup(name)
    model, count = tiny(spec), 3
    condition = prompts(count, model.config.text_dim)

    def stream(items):
        state, codes = model.init_state(len(items)), []
        model.set_text(state, range(len(items)), condition[items])
        for n in range(12):
            request = TokenRequest(
                age=torch.full((len(items),), n + 1),
                remaining=torch.zeros(len(items), dtype=torch.long),
                guidance_scale=torch.full((len(items),), 2.0),
                seed=torch.tensor(items),
                active=torch.ones(len(items), dtype=torch.bool),
            )
            codes.append(model.step(state, request, spec.options())[0])
        return torch.stack(codes, dim=1)  # (B, N, Q)

    with torch.no_grad():
        together, alone = stream([0, 1, 2]), stream([1])
    assert torch.equal(together[1], alone[0]) and not torch.equal(together[0], together[1])


@each_stream
def test_tokens_that_are_taken_back_are_written_again_alike(name):
    spec = lookup(name)
    model = tiny(spec)
    state = model.init_state(1, spare=3)
    one = torch.ones(1, dtype=torch.long)
    request = TokenRequest(one, 0 * one, 2.0 * one.float(), 7 * one, one.bool())
    with torch.no_grad():
        first = [model.step(state, request)[0] for _ in range(6)]
        state.rewind(torch.tensor([3]))
        again = [model.step(state, request)[0] for _ in range(3)]
    assert torch.equal(torch.stack(first[3:]), torch.stack(again))


@each_editor
def test_an_edit_keeps_what_is_kept_and_writes_the_rest(name):
    spec = lookup(name)
    model = tiny(spec)
    config = model.config
    codes = torch.randint(config.codebook_size, (14, config.num_quantizers), generator=seeded(5))
    keep = (torch.arange(14) < 4) | (torch.arange(14) > 9)
    condition = prompts(1, config.text_dim)
    made = spec.sampler()(model).edit([codes], [keep], condition, generator=seeded())[0]
    assert torch.equal(made[keep], codes[keep]) and not torch.equal(made[~keep], codes[~keep])


def test_a_head_that_cannot_do_what_is_asked_is_refused_with_those_that_can():
    able = ", ".join(heads_for("words", edits=True))
    with pytest.raises(ValueError, match=f"head: expected one of {able}, got 'mogo'"):
        lookup("mogo", "words", edits=True)
