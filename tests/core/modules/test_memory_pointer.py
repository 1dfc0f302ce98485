import torch

from motiongen.modules.memory_pointer import HISTORY, TOKENS, mix, narrow, restarts, weigh

VECTORS = 10 * torch.eye(5)
SPREAD = torch.tensor(200.0)  # squared distance of any two of them


def weights(past, position, *clips):
    codes = torch.tensor(clips)[None]  # (1, R, M)
    last = torch.tensor([([0] * HISTORY + past)[-HISTORY:]])
    there = codes >= 0
    vectors = VECTORS[codes.clamp_min(0)]
    again = restarts(vectors, there, SPREAD)
    return weigh(VECTORS[last], torch.tensor([position]), vectors, there, again, SPREAD)[0]


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


WALK = [4, 0, 1, 2, 3, 0, 1, 2, 3, 0]


def again(clip):
    codes = torch.tensor(clip)[None, None]
    return restarts(VECTORS[codes.clamp_min(0)], codes >= 0, SPREAD).item()


def test_a_clip_that_is_over_is_read_again_from_where_it_is_like_its_end():
    assert (
        again(WALK) == again([*WALK, -1, -1]) == 6
    )  # after 1 2 3 0, as at its end; four tokens are repeated
    assert weights([1, 2, 3, 0], 10, WALK).argmax() == 6
    assert weights([2, 3, 0, 1], 11, WALK).argmax() == 7
    assert weights([1, 2, 3, 0], 14, WALK).argmax() == 6


def test_a_clip_that_is_over_and_not_like_its_end_anywhere_is_not_read():
    assert again([0, 1, 3, -1]) == 3 and again([0, 1, 2, 3, 4, 4, 4, 4]) == 8
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
