"""Causal convolutions: streaming, causality, per-item reset."""

import pytest
import torch

from motiongen.modules.causal_conv import CausalConv1d, SymmetricConv1d, conv1d, run


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("chunks", [[12], [1] * 12, [5, 1, 6]])
@pytest.mark.parametrize("dilation", [1, 3])
def test_stream_equals_batch(chunks, dilation):
    x, conv = noise(2, 3, 12), CausalConv1d(3, 5, kernel_size=4, dilation=dilation).double()
    state = conv.init_state(batch_size=2)
    streamed = torch.cat([conv.step(chunk, state) for chunk in x.split(chunks, dim=-1)], dim=-1)
    torch.testing.assert_close(streamed, conv(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunks", [[16], [4] * 4, [8, 4, 4]])
def test_strided_stream_equals_batch(chunks):
    x, conv = noise(2, 3, 16), CausalConv1d(3, 5, kernel_size=8, stride=4).double()
    state = conv.init_state(batch_size=2)
    streamed = torch.cat([conv.step(chunk, state) for chunk in x.split(chunks, dim=-1)], dim=-1)
    assert streamed.shape == (2, 5, 4)
    torch.testing.assert_close(streamed, conv(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 4])
def test_an_output_sees_its_own_inputs_and_older_ones(stride):
    x, conv = noise(1, 3, 16).requires_grad_(), CausalConv1d(3, 1, kernel_size=4, stride=stride).double()
    conv(x)[0, 0, 2].backward()
    seen = x.grad[0].abs().sum(0) > 0
    last = stride * 2 + stride - 1
    assert seen[last] and not seen[last + 1 :].any()


def test_reset_returns_only_the_masked_items_to_rest():
    x, conv = noise(2, 3, 6), CausalConv1d(3, 5, kernel_size=3).double()
    state = conv.init_state(2)
    conv.step(x, state)
    state.reset(torch.tensor([True, False]))
    after = conv.step(x, state)
    torch.testing.assert_close(after[0], conv(x)[0], rtol=0, atol=1e-12)
    assert not torch.allclose(after[1], conv(x)[1])


def test_step_rejects_a_part_of_a_stride():
    conv = CausalConv1d(3, 5, kernel_size=8, stride=4)
    with pytest.raises(ValueError, match="x: expected a multiple of 4 time steps, got 6"):
        conv.step(torch.zeros(1, 3, 6), conv.init_state(1))


def test_symmetric_convolution_keeps_the_length_and_cannot_stream():
    conv = conv1d(False, 3, 5, 3, dilation=9)
    assert isinstance(conv, SymmetricConv1d) and conv(torch.zeros(1, 3, 20)).shape == (1, 5, 20)
    with pytest.raises(ValueError, match="state: expected None"):
        run(conv, torch.zeros(1, 3, 4), CausalConv1d(3, 5, 3).init_state(1))
