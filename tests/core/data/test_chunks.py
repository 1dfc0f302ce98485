import numpy as np
import pytest
import torch

from motiongen.data.chunks import ChunkSampler, sized_for
from motiongen.data.demonstrations import Demonstrations, split_states
from motiongen.heads.carp.config import CARPConfig


def demonstrations(lengths=(5, 30), state_dim=1, action_dim=1, instruction="push", **more):
    """State and action of a frame are its number; the action is counted from 100."""
    frames = np.arange(sum(lengths), dtype=np.float32)[:, None]
    return Demonstrations(
        fps=10,
        state=np.repeat(frames, state_dim, axis=1),
        action=np.repeat(frames + 100, action_dim, axis=1),
        lengths=np.array(lengths),
        instructions=(instruction,) * len(lengths),
        **more,
    )


def test_a_window_is_two_observations_and_the_actions_from_the_older_one_on():
    data = demonstrations()
    sampler = ChunkSampler([data], sized_for(CARPConfig(), [data]))
    windows = sampler._windows(sampler.train[0], torch.tensor([0, 10, 34]))  # a start, a middle, an end
    assert windows["state"][..., 0].tolist() == [[0, 0], [9, 10], [33, 34]]
    assert (
        windows["action"][0, :, 0].tolist() == [100, 100, 101, 102, 103] + [104] * 11
    )  # the first episode has five
    assert windows["action"][1, :, 0].tolist() == [109 + i for i in range(16)]
    assert windows["action"][2, :, 0].tolist() == [133] + [134] * 15


def test_tasks_are_drawn_uniformly_and_narrow_ones_padded_with_zeros():
    data = [demonstrations((400,), 2, 1, "push"), demonstrations((20, 20), 3, 2, "lift")]
    config = sized_for(CARPConfig(), data)
    assert (config.state_dim, config.action_dim, config.tasks) == (3, 2, ("push", "lift"))
    assert (config.task_state_dims, config.task_action_dims) == ((2, 3), (1, 2))
    batch = ChunkSampler(data, config).sample(400, torch.Generator().manual_seed(0))
    assert 150 < int((batch["task"] == 0).sum()) < 250
    assert not batch["state"][batch["task"] == 0][..., 2].any()


def test_pairs_are_inputs_unless_the_state_is_large():
    config = CARPConfig(pairs=True)
    assert sized_for(config, [demonstrations(state_dim=64)]).pairs
    assert not sized_for(config, [demonstrations(state_dim=65)]).pairs
    assert not sized_for(CARPConfig(), [demonstrations()]).pairs


def test_the_last_episodes_of_each_task_in_each_dataset_are_held_out():
    data = [
        demonstrations((4,) * 70),
        demonstrations((4,) * 40, instruction="lift"),
        demonstrations((4,) * 34),
    ]
    sampler = ChunkSampler(data, sized_for(CARPConfig(), data))
    assert sampler.num_train == 4 * (68 + 39 + 33)
    task = sampler.held_out["task"]
    assert set((sampler.held_out["state"][task == 0, 1, 0] // 4).tolist()) == {68, 69, 33}
    assert set((sampler.held_out["state"][task == 1, 1, 0] // 4).tolist()) == {39}


def test_windows_beyond_the_end_of_a_stopped_recording_are_left_out():
    data = demonstrations((20, 20, 20), done=np.array([True, False, False]))
    sampler = ChunkSampler([data], sized_for(CARPConfig(obs_steps=2), [data]))
    assert sampler.train[0].index.tolist() == [*range(20), *range(20, 26), *range(40, 46)]
    acted = sampler._windows(sampler.train[0], torch.arange(20, 32))["action"]
    assert acted[5, :, 0].tolist() == [100 + frame for frame in range(24, 40)]


def test_pictures_are_scaled_to_the_policys_size():
    image = np.zeros((35, 48, 64, 3), dtype=np.uint8)
    image[:, :, 32:] = 255
    data = demonstrations(images={"front": image, "wrist": image})
    config = sized_for(CARPConfig(image_size=32, crop_size=28), [data])
    batch = ChunkSampler([data], config, camera="front").sample(2, torch.Generator().manual_seed(0))
    assert batch["image"].shape == (2, 2, 3, 32, 32) and batch["image"].dtype == torch.uint8
    assert batch["image"][0, 0, 0, 3, 10:22].tolist() == [0] * 6 + [255] * 6
    with pytest.raises(
        ValueError, match=r"camera: expected one of the data's cameras \(front, wrist\), got None"
    ):
        ChunkSampler([data], config)


def test_demonstrations_without_images_train_a_policy_that_predicts_scenes():
    shown = demonstrations(
        (30, 30),
        images={
            "front": np.arange(60, dtype=np.uint8)[:, None, None, None].repeat(192, 1).reshape(60, 8, 8, 3)
        },
        scene=np.arange(60, dtype=np.float32)[:, None] + 1000,
        state_names=("arm",),
        scene_names=("block",),
    )
    without_images = demonstrations((50,), state_dim=2, state_names=("block", "arm"))
    without_images.state[:, 0] += 2000
    config = sized_for(
        CARPConfig(image_size=8, crop_size=8, obs_steps=1), split_states([without_images, shown])
    )
    assert (config.state_dim, config.scene_dim) == (1, 1)
    sampler = ChunkSampler(split_states([without_images, shown]), config)
    batch = sampler.sample(200, torch.Generator().manual_seed(0))
    assert "image" not in batch
    assert torch.equal(
        batch["scene"], batch["state"] + 2000
    )  # what to do is taught by those without pictures alone
    batch = sampler.sample(200, torch.Generator().manual_seed(0), images=True)
    assert torch.equal(batch["image"][:, 0, 0, 0, 0].float(), batch["state"][:, 0, 0])
    assert sampler.held_out["scene"].max() < 2000
    alone = ChunkSampler(split_states([shown]), config).sample(20, torch.Generator().manual_seed(0))
    assert torch.equal(alone["scene"], alone["state"] + 1000)


def test_a_task_of_which_there_are_no_pictures_is_refused():
    data = [
        demonstrations(
            images={"front": np.zeros((35, 4, 4, 3), np.uint8)}, scene=np.zeros((35, 1), np.float32)
        ),
        demonstrations(scene=np.zeros((35, 1), np.float32), instruction="lift"),
    ]
    with pytest.raises(
        ValueError, match=r"'lift': expected pictures with some of its demonstrations, got none"
    ):
        ChunkSampler(data, sized_for(CARPConfig(image_size=8, crop_size=8), data))


def test_one_task_with_two_robots_is_refused():
    with pytest.raises(ValueError, match=r"'push': expected states and actions of \(1, 1\) numbers"):
        sized_for(CARPConfig(), [demonstrations(), demonstrations(state_dim=4)])


def test_demonstrations_whose_parts_differ_in_length_are_refused():
    with pytest.raises(ValueError, match="front: expected 35 frames"):
        demonstrations(images={"front": np.zeros((3, 8, 8, 3), dtype=np.uint8)})
