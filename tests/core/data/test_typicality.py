"""Which clips of a sentence do what it says: those like its others, and unlike the rest."""

import pytest
import torch

from motiongen.data import typicality
from motiongen.data.typicality import WORST, describe, fits, take_of
from motiongen.features import encode
from tests.core.motions import t_pose, wobble

KICK, STAND = torch.eye(2)


def memory(kicks, stands, others=40):
    """Clips as points: kicks near (5, 0), standing near (0, 5), and others all over; and their takes and sentences."""
    draw = torch.Generator().manual_seed(0)
    at = torch.cat(
        [torch.tensor([[5.0, 0.0]]).expand(kicks, 2), torch.tensor([[0.0, 5.0]]).expand(stands, 2)]
    )
    near = at + 0.3 * torch.randn(at.shape, generator=draw)
    clips = torch.cat([near, 3 * torch.randn(others, 2, generator=draw)])
    return clips, [f"take {n}" for n in range(len(clips))]


def test_a_piece_that_stands_does_not_fit_the_kicks_that_it_is_labelled_as():
    clips, takes = memory(kicks=6, stands=10)
    owners = [[*range(6), 6], list(range(6, 16))]  # clip 6 stands, and is labelled both
    kicking, standing = fits(clips, takes, owners, torch.stack([KICK, STAND]))
    assert max(kicking) == max(standing) == 0.0
    assert min(kicking[:6]) > -1.5 and kicking[6] == WORST
    assert standing[0] > -1.5


def test_pieces_of_one_take_do_not_vouch_for_each_other():
    clips, takes = memory(kicks=6, stands=6)
    owners = [[*range(6), 6, 7, 8], list(range(6, 12))]
    takes[6:9] = ["one take"] * 3
    kicking = fits(clips, takes, owners, torch.stack([KICK, STAND]))[0]
    assert kicking[6:] == [WORST] * 3


def test_where_too_few_tell_all_fit_alike():
    clips, takes = memory(kicks=4, stands=2)
    owners = [[0, 1, 2, 4], [4, 5]]  # three others each are too few
    assert fits(clips, takes, owners, torch.stack([KICK, STAND])) == [[0.0] * 4, [0.0] * 2]
    assert fits(clips[:2], ["one", "one"], [[0, 1]], KICK[None]) == [[0.0, 0.0]]


def test_sentences_that_mean_the_same_tell_together():
    clips, takes = memory(kicks=6, stands=4)
    vectors = torch.stack([KICK, torch.nn.functional.normalize(KICK + 0.1 * STAND, dim=0)])
    own, together = [[0, 1, 6]], [[0, 1, 6], [2, 3, 4, 5]]
    assert fits(clips, takes, own, vectors[:1]) == [[0.0] * 3]
    assert fits(clips, takes, together, vectors)[0][2] == WORST


def test_a_few_clips_at_once_give_what_all_do(monkeypatch):
    clips, takes = memory(kicks=6, stands=10)
    owners = [[*range(6), 6], list(range(6, 16))]
    whole = fits(clips, takes, owners, torch.stack([KICK, STAND]))
    monkeypatch.setattr(typicality, "_AT_ONCE", 100)
    for few, all_of in zip(fits(clips, takes, owners, torch.stack([KICK, STAND])), whole, strict=True):
        assert few == pytest.approx(all_of, abs=1e-5)


def test_clips_are_described_by_place_and_motion():
    still, moving = describe(encode(t_pose(40))), describe(encode(wobble(40)))
    assert still.shape == moving.shape == (204,)
    assert still[69:160].abs().max().item() == pytest.approx(0.0, abs=1e-4)  # deviations and speeds
    assert moving[69:160].abs().max() > 0.01


def test_pieces_and_made_gestures_are_of_their_take():
    assert [take_of(id) for id in ("cmu/133_02#270", "cc0/wave, both arms", "a/b")] == [
        "cmu/133_02",
        "cc0/wave",
        "a/b",
    ]
