import pytest
import torch

from motiongen.modules.memory_input import MemoryInput, extend
from motiongen.modules.residual_transformer import CodeVectors

VECTORS = CodeVectors(2, 5, 4)


@pytest.fixture
def memory():
    torch.manual_seed(0)
    return MemoryInput(4, 6, tokens=3)


def test_a_token_shows_its_code_and_the_one_before(memory):
    clips = torch.tensor([[[[1, 2], [3, 4], [0, 1]]]])
    tokens, padding = memory(clips, VECTORS)
    sums = [VECTORS.vectors[0, a] + VECTORS.vectors[1, b] for a, b in ((1, 2), (3, 4), (0, 1))]
    second = memory.norm(memory.codes(torch.cat([sums[1], sums[0]])) + memory.positions[1])
    torch.testing.assert_close(tokens[0, 1], second)
    assert not padding.any()


def test_where_there_is_no_clip_there_is_padding(memory):
    clips = torch.tensor([[[[1, 2], [-1, -1], [-1, -1]], [[-1, -1]] * 3]])
    assert memory(clips, VECTORS)[1].tolist() == [[False, True, True, True, True, True]]


def test_without_text_there_are_no_clips_either(memory):
    context = torch.zeros(2, 1, 6), torch.zeros(2, 1, dtype=torch.bool), torch.zeros(2, 3)
    clips = torch.ones(2, 1, 2, 2, dtype=torch.long)
    tokens, padding, sentence = extend(context, memory, clips, torch.tensor([False, True]), VECTORS)
    assert tokens.shape == (2, 3, 6) and sentence is context[2]
    assert padding.tolist() == [[False] * 3, [False, True, True]]
    assert extend(context, memory, None, torch.tensor([False, True]), VECTORS) is context
