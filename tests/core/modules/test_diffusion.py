import itertools
import math

import pytest
import torch

from motiongen.modules.diffusion import CosineSchedule, timestep_embedding


def test_the_cosine_schedule_falls_from_one_to_nothing():
    left = CosineSchedule(1000).alpha_bar
    assert (left[1:] < left[:-1]).all()
    expected = math.cos((0.5 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert float(left[499]) == pytest.approx(expected, abs=1e-5)
    assert float(left[-1]) < 1e-4


def test_a_ddim_step_with_the_clean_data_keeps_the_noise():
    schedule = CosineSchedule(100)
    draw = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 3, 4, 5, generator=draw)
    now, then = torch.tensor([80, 60, 99]), torch.tensor([40, 0, -1])
    stepped = schedule.back(schedule.add_noise(clean, noise, now), clean, now, then)
    torch.testing.assert_close(stepped, schedule.add_noise(clean, noise, then), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(stepped[2], clean[2], rtol=0, atol=1e-5)


def test_sampling_begins_at_the_noisiest_step_and_ends_at_clean_data():
    steps = CosineSchedule(1000).sampling_steps(50)
    assert steps[0] == 999 and steps[-1] == -1 and len(steps) == 51
    assert all(a > b for a, b in itertools.pairwise(steps))
    with pytest.raises(ValueError, match=r"steps: expected 1\.\.1000, got 0"):
        CosineSchedule(1000).sampling_steps(0)


def test_steps_have_embeddings_of_their_own():
    embedded = timestep_embedding(torch.tensor([0, 1, 500]), 8)
    assert embedded.shape == (3, 8)
    torch.testing.assert_close(embedded[0], torch.tensor([1.0] * 4 + [0.0] * 4))
    assert not torch.allclose(embedded[1], embedded[2])
