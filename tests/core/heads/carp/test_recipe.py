from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongen import checkpoint
from motiongen.data.demonstrations import Demonstrations
from motiongen.heads.carp.config import CARPConfig, CARPTrainConfig
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import train_parts
from motiongen.heads.carp.recipe import CARPRecipe, carp_for
from motiongen.heads.carp.sampler import CARPSampler
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer

SIZES = CARPConfig(dim=16, num_layers=2, cond_dim=16, codebook_size=32, widths=(4, 8, 16))


def reaching(episodes=12, frames=20):
    """A point walks to a goal: state (position, goal), action a step towards it."""
    rng = np.random.default_rng(0)
    position, goal = rng.uniform(-1, 1, (2, episodes, 1, 2))
    part = 1 - 0.85 ** np.arange(frames)[None, :, None]
    where = position + (goal - position) * part
    state = np.concatenate([where, np.broadcast_to(goal, where.shape)], axis=-1)
    return Demonstrations(
        fps=10,
        state=np.float32(state.reshape(-1, 4)),
        action=np.float32(0.15 * (state[..., 2:] - state[..., :2]).reshape(-1, 2)),
        lengths=np.full(episodes, frames),
        instructions=("reach",) * episodes,
    )


@pytest.fixture
def parts():
    torch.manual_seed(0)
    return carp_for([reaching()], SIZES)


@pytest.mark.parametrize(("actions", "is_chained"), [(8, True), (9, False)])
def test_a_body_of_many_joints_predicts_its_coarsest_codes_in_one_pass(actions, is_chained):
    data = reaching()
    body = replace(data, action=data.action[:, :1].repeat(actions, axis=1))
    model, _ = carp_for([body], replace(SIZES, chained=True))
    assert model.config.chained == is_chained


@pytest.mark.slow
@pytest.mark.parametrize("residual", [False, True])
def test_training_in_three_stages_makes_a_policy_that_reaches(residual, tmp_path):
    torch.manual_seed(0)
    model, sampler = carp_for([reaching()], replace(SIZES, residual=residual))
    config = CARPTrainConfig(batch_size=32, tokenizer_steps=150, encoder_steps=100, parts_learning_rate=5e-3)
    schedule = TrainConfig(steps=150, learning_rate=5e-3, ema=0.9, autocast=False)
    train_parts(model, sampler, config, schedule, tmp_path)
    task = sampler.held_out["task"]
    cond = model.observation(sampler.held_out)
    written = model.written(sampler.held_out["action"], cond, task)
    codes = model.tokenizer.encode(written)
    assert len(codes.unique()) > 5
    torch.testing.assert_close(model.actions(written, cond, task), sampler.held_out["action"])
    meaning = {name: value.clone() for name, value in model.state_dict().items() if "regression" in name}
    vectors = model.tokenizer.codebooks.clone()
    metrics = Trainer(CARPRecipe(model, sampler, config), schedule, tmp_path).run()
    assert metrics["accuracy"] > 0.2 and metrics["action error"] < 0.15
    assert torch.equal(model.tokenizer.codebooks, vectors)  # the transformer does not change them
    assert all(torch.equal(model.state_dict()[name], value) for name, value in meaning.items())
    assert bool(meaning) == residual
    policy = checkpoint.load(tmp_path, CARP).eval()
    position, goal = torch.tensor([0.8, -0.6]), torch.tensor([-0.5, 0.5])
    seen = [position, position]
    for _ in range(40):
        state = torch.stack([torch.cat([where, goal]) for where in seen[-2:]])[None]
        seen.append(seen[-1] + CARPSampler(policy).predict({"state": state})[0, 1])
    assert float((seen[-1] - goal).norm()) < 0.35  # from 1.7 away


def seen_reaching(side=32):
    """The same, where the goal is a white square in the picture, and the data say where."""
    data = reaching(episodes=40)
    position, goal = data.state[:, :2], data.state[:, 2:]
    middle = np.round((goal + 1) / 2 * (side - 9) + 4).astype(int)  # (T, 2)
    pictures = np.zeros((len(goal), side, side, 3), np.uint8)
    for picture, (x, y) in zip(pictures, middle, strict=True):
        picture[y - 4 : y + 5, x - 4 : x + 5] = 255
    return replace(data, state=position, scene=goal, images={"front": pictures})


@pytest.mark.slow
def test_a_scene_is_predicted_from_images_as_far_as_they_show_it(tmp_path):
    torch.manual_seed(0)
    sizes = replace(SIZES, image_size=32, crop_size=28, image_width=8, obs_steps=1)
    model, sampler = carp_for([seen_reaching()], sizes)
    assert (model.config.scene_dim, model.config.crop_size) == (2, 32)
    config = CARPTrainConfig(scene_steps=200, scene_batch_size=32, tokenizer_steps=5, encoder_steps=5)
    config = replace(config, parts_learning_rate=5e-3)
    schedule = TrainConfig(steps=5, ema=0.9, autocast=False)
    train_parts(model, sampler, config, schedule, tmp_path)
    shown = {key: value for key, value in sampler.held_out.items() if key != "scene"}
    with torch.no_grad():
        errors = (model.observation.predict_scene(shown) - sampler.held_out["scene"]).abs()
    assert float(errors.mean()) < 0.1  # of positions from -1 to 1
    assert 0.01 < float(model.observation.scene_error.mean()) < 0.3
    moved = {**sampler.held_out, "scene": sampler.held_out["scene"] + torch.tensor([0.0, 1.0])}
    given, other, predicted = (model.observation(seen) for seen in (sampler.held_out, moved, shown))
    assert (given - predicted).abs().mean() < 0.5 * (given - other).abs().mean()
    model.observation.scene_error[1] = 0.8  # now pictures do not show where the goal is in y
    assert torch.equal(model.observation(sampler.held_out), model.observation(moved))
    model.observation.scene_error[1] = 0.0
    Trainer(CARPRecipe(model, sampler, config), schedule, tmp_path).run()
    saved = checkpoint.load(tmp_path, CARP).eval()
    assert CARPSampler(saved).predict(shown).shape[1:] == (16, 2)


def test_the_tokenizer_stays_as_it_is_while_the_transformer_learns(parts):
    model, sampler = parts
    recipe = CARPRecipe(model, sampler, CARPTrainConfig(batch_size=8))
    trained = {id(p) for group in recipe.parameter_groups() for p in group["params"]}
    assert trained.isdisjoint(map(id, model.tokenizer.parameters()))
    assert trained.isdisjoint(map(id, model.observation.normaliser.buffers()))


def test_a_regression_leaves_little_to_the_codes(tmp_path):
    torch.manual_seed(0)
    model, sampler = carp_for([reaching()], replace(SIZES, residual=True))
    config = CARPTrainConfig(tokenizer_steps=1, encoder_steps=150, parts_learning_rate=5e-3)
    train_parts(model, sampler, config, TrainConfig(steps=1, ema=0.9, autocast=False), tmp_path)
    seen = sampler.held_out
    with torch.no_grad():
        cond = model.observation(seen)
        nothing = model.actions(torch.zeros_like(seen["action"]), cond, seen["task"])
        written = model.written(seen["action"], cond, seen["task"])
    error = (nothing - seen["action"]).abs().mean()
    assert error < 0.15 * (seen["action"] - seen["action"].mean((0, 1))).abs().mean()
    assert 0.3 < float(written.std()) < 3  # the tokenizer sees errors of one size
    trained = {
        id(p) for group in CARPRecipe(model, sampler, config).parameter_groups() for p in group["params"]
    }
    assert trained.isdisjoint(map(id, [*model.observation.parameters(), *model.regression.parameters()]))


def test_the_card_names_tasks_frames_and_licence(parts, tmp_path):
    model, sampler = parts
    CARPRecipe(model, sampler, CARPTrainConfig()).export(model, tmp_path, {"loss": 1.0})
    card = (tmp_path / checkpoint.CARD).read_text()
    assert "reach" in card and "240 frames" in card and "Apache-2.0" in card
