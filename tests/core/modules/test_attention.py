import pytest
import torch

from motiongen.modules.attention import Transformer, apply_rotary, attend, rotary_angles
from motiongen.modules.transformer_config import TransformerConfig

TINY = TransformerConfig(dim=16, num_layers=2, num_heads=2, feedforward_dim=24, context_dim=6)


def tiny(window=None):
    torch.manual_seed(0)
    sizes = {name: value for name, value in vars(TINY).items() if name != "window"}
    return Transformer(TransformerConfig(**sizes, window=window)).double().eval()


def sequence(tokens=9, batch=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, tokens, 16, generator=generator, dtype=torch.float64)
    context = torch.randn(batch, 3, 6, generator=generator, dtype=torch.float64)
    return x, context, torch.tensor([[False, False, True]] * batch)


@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("chunks", [[9], [1] * 9, [5, 1, 3]])
def test_stream_equals_batch(chunks, window):
    model = tiny(window)
    x, context, padding = sequence()
    context = model.make_context(context, padding)
    state = model.init_state(batch_size=2, capacity=9, context=context)
    streamed = torch.cat([model.step(chunk, state) for chunk in x.split(chunks, dim=1)], dim=1)
    torch.testing.assert_close(streamed, model(x, context), rtol=0, atol=1e-12)


@pytest.mark.parametrize("causal", [True, torch.tensor([True, False])])
def test_changing_the_future_never_changes_a_causal_past(causal):
    model = tiny()
    x, _, _ = sequence()
    changed = torch.cat([x[:, :6], -x[:, 6:]], dim=1)
    before, after = model(x, causal=causal)[:, :6], model(changed, causal=causal)[:, :6]
    torch.testing.assert_close(before[0], after[0], rtol=0, atol=1e-12)
    if not isinstance(causal, bool):
        assert (before[1] - after[1]).abs().max() > 1e-3, "a bidirectional item sees its future"


def test_padding_is_not_seen():
    model = tiny()
    x, context, context_padding = sequence()
    padding = torch.zeros(2, 9, dtype=torch.bool)
    padding[:, 7:] = True
    padded = model(x, model.make_context(context, context_padding), padding, causal=False)[:, :7]
    cut = model(x[:, :7], model.make_context(context[:, :2], context_padding[:, :2]), causal=False)
    torch.testing.assert_close(padded, cut, rtol=0, atol=1e-12)


def test_ragged_prefixes_then_one_token_each_equal_each_alone():
    model = tiny()
    x, _, _ = sequence()
    state = model.init_state(batch_size=2, capacity=9)
    padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    model.step(x[:, :5], state, padding)
    following = torch.stack([x[0, 5], x[1, 3]])[:, None]
    stepped = model.step(following, state)[:, 0]
    torch.testing.assert_close(stepped[0], model(x[:1, :6])[0, 5], rtol=0, atol=1e-12)
    torch.testing.assert_close(stepped[1], model(x[1:, :4])[0, 3], rtol=0, atol=1e-12)


def test_reset_clears_one_item_of_a_batch():
    model = tiny()
    x, _, _ = sequence()
    state = model.init_state(batch_size=2, capacity=9)
    model.step(x[:, :4], state)
    state.reset(torch.tensor([True, False]))
    stepped = model.step(x[:, 4:6], state)
    torch.testing.assert_close(stepped[0], model(x[:1, 4:6])[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(stepped[1], model(x[1:, :6])[0, 4:], rtol=0, atol=1e-12)


def test_a_window_sees_no_further_back():
    model = Transformer(TransformerConfig(dim=16, num_layers=1, num_heads=2, feedforward_dim=24, window=3))
    x, _, _ = sequence()
    x = x.float()
    changed = torch.cat([-x[:, :6], x[:, 6:]], dim=1)  # position 8 sees 6, 7 and 8
    torch.testing.assert_close(model(x)[:, 8], model(changed)[:, 8], rtol=0, atol=1e-6)
    assert (model(x)[:, 7] - model(changed)[:, 7]).abs().max() > 1e-3


def test_attention_by_hand():
    # Scores 0 and 2 / sqrt(4) = 1, and a third that the mask forbids: weights 1 / (1 + e) and e / (1 + e).
    query = torch.tensor([2.0, 0, 0, 0]).view(1, 1, 1, 4)
    key = torch.tensor([[0.0, 0, 0, 0], [1, 0, 0, 0], [9, 0, 0, 0]]).view(1, 1, 3, 4)
    value = torch.tensor([[0.0], [1], [100]]).view(1, 1, 3, 1)
    attended = attend(
        query,
        [torch.stack([key, value.expand(-1, -1, -1, 4)])],
        torch.tensor([0.0, 0, -1e4]).view(1, 1, 1, 3),
    )
    assert attended[..., 0].item() == pytest.approx(2.718282 / 3.718282, abs=1e-5)


def test_rotary_products_depend_on_distance_only():
    query, key = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(0))

    def product(query_at, key_at):
        turned = [
            apply_rotary(x, *rotary_angles(torch.tensor([at]), 8))
            for x, at in ((query, query_at), (key, key_at))
        ]
        return (turned[0] * turned[1]).sum().item()

    assert product(7, 3) == pytest.approx(product(1007, 1003), abs=1e-4)
    assert product(7, 3) != pytest.approx(product(7, 4), abs=1e-3)


def test_a_full_state_without_a_window_says_so():
    model = tiny()
    state = model.init_state(batch_size=1, capacity=3)
    with pytest.raises(ValueError, match="expected at most 3 more tokens, got 4"):
        model.step(torch.zeros(1, 4, 16, dtype=torch.float64), state)


def test_config_refuses_heads_that_do_not_divide():
    with pytest.raises(ValueError, match="dim: expected num_heads"):
        TransformerConfig(dim=20, num_heads=3)
