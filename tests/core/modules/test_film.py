import torch

from motiongen.modules.film import FiLM, FiLMBlock


def test_an_untrained_film_changes_nothing_and_a_trained_one_scales_and_shifts_each_position():
    film = FiLM(2)
    x, condition = torch.ones(1, 3, 2), torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    torch.testing.assert_close(film(x, condition), x)
    with torch.no_grad():
        film.project.weight.copy_(
            torch.tensor([[1.0, 0], [1, 0], [0, 5], [0, 5]])
        )  # scale by c0, shift by 5 c1
    torch.testing.assert_close(film(x, condition), torch.tensor([[[2.0, 2], [6, 6], [1, 1]]]))


def test_a_block_attends_to_its_contexts_and_to_its_whole_sequence():
    block = FiLMBlock(8, num_heads=2, feedforward_dim=16, dropout=0.0).eval()
    draw = torch.Generator().manual_seed(0)
    x, music = torch.randn(2, 1, 4, 8, generator=draw)
    out = block(x, [music], torch.zeros(1, 4, 8))
    assert not torch.allclose(out, block(x, [music + 1], torch.zeros(1, 4, 8)))
    later = x.clone()
    later[:, 3, 0] += 1  # one channel: what moves all of them the norm takes out
    assert not torch.allclose(out[:, 0], block(later, [music], torch.zeros(1, 4, 8))[:, 0])
