"""The loop: exact resume, schedule, one clip overfitted, what a run leaves behind."""

import json
import math
import os
import signal

import pytest
import torch

from motiongen import tokenizers
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from motiongen.training.tokenizer import TokenizerRecipe
from motiongen.training.tokenizer_config import TokenizerTrainConfig, TokenizerTraining

TINY = RVQVAEConfig(width=16, frame_width=16, latent_dim=8, depth=1, codebook_size=8, num_quantizers=2)
ABLE = RVQVAEConfig(width=48, frame_width=48, latent_dim=16, depth=1, codebook_size=64, quantizer_dropout=0.0)


def clip(frames=40, seed=0):
    """A smooth clip of features: every number swings about the T-pose's at its own rate."""
    time = torch.arange(frames)[:, None] / 30
    phase = torch.rand(140, generator=torch.Generator().manual_seed(seed)) * 6
    features = 0.2 * torch.sin(time * (1 + phase) + phase)  # (T, D)
    features[:, 4:136] += torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(22)
    return features


def trainer(folder, config=TINY, batch_size=4, **changes):
    torch.manual_seed(0)
    sizes = TokenizerTrainConfig(batch_size=batch_size, window=16)
    recipe = TokenizerRecipe(RVQVAE(config), [clip(), clip(12, 1)], {"toy": [clip(30, 2)]}, sizes)
    return Trainer(recipe, TrainConfig(**{"steps": 10, "log_every": 2, **changes}), folder)


def states(run):
    state = run.optimizer.state_dict()["state"]
    moments = [state[index][key] for index in sorted(state) for key in sorted(state[index])]
    return [*run.recipe.model.state_dict().values(), *run.ema.model.state_dict().values(), *moments]


def test_ten_steps_are_five_and_five_resumed(tmp_path):
    whole, first, second = (trainer(tmp_path / name) for name in ("whole", "parts", "parts"))
    for _ in range(10):
        whole.train_step()
    for _ in range(5):
        first.train_step()
    first.save()
    second.load()
    for _ in range(5):
        second.train_step()
    for expected, got in zip(states(whole), states(second), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=0)
    assert torch.equal(whole.generator.get_state(), second.generator.get_state())


def test_one_process_with_one_batch_a_step_gives_the_losses_that_it_always_gave(tmp_path):
    run = trainer(tmp_path)
    losses = [run.train_step()["loss"] for _ in range(10)]
    assert losses[0] == pytest.approx(2.442589, rel=1e-4) and losses[-1] == pytest.approx(1.886986, rel=1e-4)


@pytest.mark.slow
def test_one_clip_can_be_overfitted(tmp_path):
    recipe = TokenizerRecipe(RVQVAE(ABLE), [clip()], {}, TokenizerTrainConfig(batch_size=16, window=16))
    run = Trainer(recipe, TrainConfig(steps=150, learning_rate=2e-3), tmp_path)
    losses = [run.train_step()["features"] for _ in range(150)]
    assert sum(losses[-5:]) < 0.4 * sum(losses[:5])


def test_a_decoder_is_trained_alone_and_the_codes_stay(tmp_path):
    whole = trainer(tmp_path / "whole")
    whole.train_step()  # the codebooks begin from the first batch
    model = whole.recipe.model
    before, codes = {k: v.clone() for k, v in model.state_dict().items()}, model.encode(clip()[None])
    sizes = TokenizerTrainConfig(batch_size=4, window=16, decoder_only=True)
    recipe = TokenizerRecipe(model, [clip(), clip(12, 1)], {}, sizes)
    run = Trainer(recipe, TrainConfig(steps=10), tmp_path / "decoder")
    for _ in range(5):
        run.train_step()
    assert torch.equal(model.encode(clip()[None]), codes)
    changed = {key.split(".")[0] for key, value in model.state_dict().items() if not value.equal(before[key])}
    assert changed == {"decoder"}
    assert torch.equal(run.ema.model.encode(clip()[None]), codes)


def test_a_decoder_that_is_trained_alone_needs_a_tokenizer_to_start_from(tmp_path):
    recipe, schedule = TokenizerTrainConfig(decoder_only=True), TrainConfig(steps=1)
    with pytest.raises(ValueError, match="name its folder with --start-from"):
        TokenizerTraining(data=tmp_path, output=tmp_path / "new", recipe=recipe, schedule=schedule).build()


def test_a_run_leaves_a_model_that_loads_and_a_log(tmp_path):
    metrics = trainer(tmp_path, steps=4).run()
    aligned, world = (
        ("mm", "mm_level1", "hands_mm", "use_min", "speed", "jerk", "slide"),
        ("height_mm", "world_mm", "gap_mm"),
    )
    assert set(metrics) == {f"toy/{key}" for key in (*aligned, *world, "low_gap_mm", "low_share")}
    assert tokenizers.load(tmp_path).config == TINY
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["start", "losses", "losses", "losses", "metrics"]
    card = (tmp_path / "README.md").read_text()
    assert "| toy/mm |" in card and "revision:" in card


def test_ctrl_c_finishes_the_step_and_saves(tmp_path):
    run = trainer(tmp_path, steps=50)
    sample = run.recipe.sample

    def interrupted(generator):
        if run.step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return sample(generator)

    run.recipe.sample = interrupted
    with pytest.raises(KeyboardInterrupt):
        run.run()
    again = trainer(tmp_path, steps=50)
    again.load()
    assert again.step == run.step == 4


def test_a_finished_run_resumes_to_nothing_more(tmp_path):
    trainer(tmp_path, steps=2).run()
    again = trainer(tmp_path, steps=2)
    again.run(resume=True)
    assert again.step == 2


def test_accumulation_counts_every_micro_batch(tmp_path):
    run = trainer(tmp_path, accumulate=3)
    run.train_step()
    assert run.step == 1 and run.recipe.model.quantizer.initialised


@pytest.mark.parametrize(
    ("position", "rate"), [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.6, 1.0), (0.8, 0.5), (1, 0)]
)
def test_the_rate_rises_stays_and_falls(position, rate):
    config = TrainConfig(steps=1, learning_rate=1.0, warmup=0.1, decay=0.4)
    assert math.isclose(config.rate(position), rate, abs_tol=1e-9)


def test_the_clock_can_drive_the_schedule(tmp_path):
    run = trainer(tmp_path, steps=0, minutes=2.0)
    run.seconds = 30.0
    assert run.position == 0.25


def test_of_steps_and_minutes_what_ends_first_ends_the_run(tmp_path):
    run = trainer(tmp_path, steps=10, minutes=2.0)
    run.seconds, run.step = 30.0, 1
    assert run.position == 0.25
    run.step = 9
    assert run.position == 0.9
    run.seconds = 120.0
    assert run.position == 1.0


@pytest.mark.parametrize(("steps", "minutes"), [(0, 0.0), (-1, 1.0), (3, -1.0), (0, math.inf), (0, math.nan)])
def test_a_run_has_an_end(steps, minutes):
    with pytest.raises(ValueError, match="steps, minutes: expected one of them more than 0"):
        TrainConfig(steps=steps, minutes=minutes)


@pytest.mark.parametrize(
    "option",
    [
        {"log_every": 0},
        {"ema": float("nan")},
        {"learning_rate": -1.0},
        {"clip": 0.0},
        {"seed": 2**70},
        {"warmup": 2.0},
    ],
    ids=lambda option: next(iter(option)),
)
def test_options_that_no_training_takes_are_refused_by_name(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}: expected"):
        TrainConfig(steps=1, **option)


def test_resume_without_a_checkpoint_says_so(tmp_path):
    with pytest.raises(ValueError, match="got no file"):
        trainer(tmp_path).run(resume=True)
