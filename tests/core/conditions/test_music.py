import numpy as np
import pytest
import torch

from motiongen.conditions.music import MusicCondition
from motiongen.music.audio import Audio
from motiongen.music.beats import BeatGrid

RATE = 22050


def condition(songs=3, frames=20):
    generator = torch.Generator().manual_seed(0)
    return MusicCondition(
        torch.randn(songs, frames, 34, generator=generator),
        torch.zeros(songs, frames).index_fill(1, torch.tensor([4]), 1),
    )


def test_items_and_frames_are_cut_from_both():
    cut = condition()[[2, 2]].frames(3, 10)
    assert (len(cut), cut.num_frames, cut.features.shape) == (2, 7, (2, 7, 34))
    torch.testing.assert_close(cut.features[1], condition().features[2, 3:10])
    assert cut.beats.nonzero().tolist() == [[0, 1], [1, 1]]


def test_known_beats_are_taken_as_they_are():
    audio = Audio(np.zeros(2 * RATE, np.float32), RATE)
    condition = MusicCondition.from_audio(audio, BeatGrid(120.0, np.array([0.25, 0.75, 1.25, 1.75])))
    assert condition.features.shape == (1, 60, 34)
    assert condition.beats.nonzero()[:, 1].tolist() == [8, 23, 38, 53]


def test_silence_has_no_beats():
    condition = MusicCondition.from_audio(Audio(np.zeros(3 * RATE, np.float32), RATE))
    assert condition.num_frames == 90 and condition.beats.sum() == 0


def test_moves_as_one():
    moved = condition().to("meta")
    assert moved.features.device.type == moved.beats.device.type == "meta"


def test_features_and_beats_of_other_frames_are_refused():
    with pytest.raises(
        ValueError, match=r"music: expected features \(B, T, D\) and beats \(B, T\), got \(1, 5, 34\)"
    ):
        MusicCondition(torch.zeros(1, 5, 34), torch.zeros(1, 6))
