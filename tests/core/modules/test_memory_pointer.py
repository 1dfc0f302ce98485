import torch

from motiongen.modules.memory_pointer import HISTORY, TOKENS, mix, narrow, weigh

VECTORS = 10 * torch.eye(5)
SPREAD = torch.tensor(200.0)  # squared distance of any two of them


def weights(past, position, *clips):
    codes = torch.tensor(clips)[None]  # (1, R, M)
    last = torch.tensor([([0] * HISTORY + past)[-HISTORY:]])
    there = codes >= 0
    return weigh(VECTORS[last], torch.tensor([position]), VECTORS[codes.clamp_min(0)], there, SPREAD)[0]


def test_the_token_after_the_present_ones_is_pointed_to():
    assert weights([0, 1], 2, [0, 1, 3]).argmax() == 2


def test_a_clip_is_kept_to_though_another_has_the_same_last_code():
    found = weights([0, 2, 1], 3, [0, 2, 1, 3], [0, 4, 1, 2])
    assert found.argmax() == 3 and found[7] < 0.1


def test_of_equal_histories_the_one_at_the_present_time_weighs_more():
    near, far = weights([1], 1, [1, 2, 0, 1, 3]).tolist()[1::3]
    # Three tokens apart: by hand exp(-(3 / 2.5)^2 / 2) times as much.
    torch.testing.assert_close(
        far / near, torch.tensor(-((3 / TOKENS) ** 2) / 2).exp().item(), atol=1e-4, rtol=0
    )


def test_after_its_end_a_clip_is_read_again_from_where_it_is_like_the_present():
    assert weights([0, 1, 2], 6, [0, 1, 2, 0, 1, 2]).tolist() == [0, 0, 0, 1, 0, 0]
    assert weights([2, 0], 7, [0, 1, 2, 0, 1, 2])[4] == 1


def test_after_its_end_a_clip_that_is_unlike_the_present_is_not_read():
    assert not weights([0, 1, 3], 3, [0, 1, 3, -1]).any()
    assert not weights([0, 1], 2, [0, 1, -1], [0, 1, 2])[:3].any()


def test_a_prompt_begins_as_its_clips_begin():
    assert weights([], 0, [3, 1, -1], [2, 1, 0]).tolist() == [0.5, 0, 0, 0.5, 0, 0]
    assert weights([2], 0, [3, 1, -1])[0] == 1 and weights([2], 1, [3, 1, -1])[0] == 0


def test_where_there_is_no_clip_nothing_counts():
    assert not weights([1], 0, [-1, -1]).any()


def test_what_is_pointed_to_gets_the_share():
    near, codes = torch.tensor([[0.0, 0, 1]]), torch.tensor([[0, 1, 3]])
    found = mix(torch.zeros(1, 5), near, codes, 0.5).exp()  # the fifth column is END
    torch.testing.assert_close(found, torch.tensor([[0.1, 0.1, 0.1, 0.6, 0.1]]))
    torch.testing.assert_close(mix(torch.zeros(1, 4), 0 * near, codes, 0.5).exp(), torch.full((1, 4), 0.25))


def test_only_tokens_with_the_drawn_code_count_further():
    near, codes = torch.tensor([[0.5, 0.2, 1]]), torch.tensor([[3, 1, 3]])
    assert narrow(near, codes, torch.tensor([3])).tolist() == [[0.5, 0.0, 1.0]]
