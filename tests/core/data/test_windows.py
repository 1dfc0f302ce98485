"""Windows of clips: shape, seeds, mirrored copies, short clips."""

import pytest
import torch

from motiongen import features
from motiongen.data.windows import WindowSampler


def clip(frames):
    return (torch.arange(frames, dtype=torch.float32)[:, None] + torch.zeros(140)) / 64


def test_same_seed_same_windows():
    sampler = WindowSampler([clip(50), clip(30)], window=16)
    first, second = (sampler.sample(8, torch.Generator().manual_seed(5)) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_windows_are_runs_of_a_clip_or_of_its_mirror_image():
    windows = WindowSampler([clip(50)], window=16).sample(64, torch.Generator().manual_seed(0))["features"]
    plain = windows[:, :, 3]  # the height is the same in a mirror
    assert ((plain[:, 1:] - plain[:, :-1]) * 64 == 1).all()
    mirrored = (windows[:, -1, 0] < 0).float().mean()
    assert 0.3 < mirrored < 0.7
    torch.testing.assert_close(features.mirror(features.mirror(windows)), windows)


def test_a_short_clip_repeats_its_last_frame_which_does_not_count():
    batch = WindowSampler([clip(5)], window=8).sample(4, torch.Generator().manual_seed(0))
    assert batch["valid"].shape == (4, 8) and batch["valid"].sum(1).max() <= 5
    assert (batch["features"][:, -1, 3] * 64 == 4).all()


def test_clips_are_drawn_by_weight():
    sampler = WindowSampler([clip(50), clip(50) + 100], window=16, weights=[0.0, 1.0])
    assert (sampler.sample(32, torch.Generator().manual_seed(0))["features"][..., 3] >= 99).all()


def test_no_clips_is_an_error():
    with pytest.raises(ValueError, match="clips: expected at least one"):
        WindowSampler([], window=16)
