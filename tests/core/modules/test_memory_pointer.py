import torch

from motiongen.modules.memory_pointer import TOKENS, pointed

VECTORS = 10 * torch.eye(4)


def point(before, position, clips, share=0.5, columns=4):
    flat = torch.zeros(1, columns)
    return pointed(
        flat, torch.tensor([before]), torch.tensor([position]), torch.tensor([clips]), VECTORS, share
    ).exp()[0]


def test_the_code_that_follows_the_present_one_in_the_clip_gets_the_share():
    found = point(before=1, position=2, clips=[[0, 1, 3]])
    # Half of the head's four quarters, and half for code 3, the place of which in the clip is the present one.
    torch.testing.assert_close(found, torch.tensor([0.125, 0.125, 0.125, 0.625]), atol=1e-4, rtol=0)


def test_far_in_time_the_clip_counts_less():
    found = point(before=1, position=2 + int(TOKENS), clips=[[0, 1, 3]])
    share = 0.5 * torch.tensor(-0.5).exp()
    torch.testing.assert_close(found[3], 0.25 * (1 - share) + share, atol=1e-3, rtol=0)


def test_a_motion_begins_as_its_clip_whatever_was_before():
    for before in (-1, 2):
        assert point(before=before, position=0, clips=[[3, 1, -1]]).argmax() == 3


def test_without_clips_the_head_alone_decides():
    torch.testing.assert_close(point(1, 0, [[-1, -1, -1]]), torch.full((4,), 0.25))


def test_further_columns_get_nothing():
    found = point(before=1, position=2, clips=[[0, 1, 3]], columns=5)
    torch.testing.assert_close(found[4], torch.tensor(0.1), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.sum(), torch.tensor(1.0))
