"""Muon: its steps are orthogonal, it learns, and its state survives a checkpoint."""

import torch
from torch import nn

from motiongen.training.muon import Muon, orthogonal


def test_singular_values_of_a_step_are_about_one():
    generator = torch.Generator().manual_seed(0)
    for shape in ((24, 60), (60, 24), (16, 16)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=generator)))
        assert float(values.min()) > 0.5 and float(values.max()) < 1.4


def test_it_recovers_a_linear_map():
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(8, 8, generator=generator)
    model = nn.Linear(8, 8)
    optimizer = Muon(model.parameters(), lr=0.02, matrix_scale=5.0)
    for step in range(400):
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * (1 - step / 400)
        x = torch.randn(64, 8, generator=generator)
        optimizer.zero_grad()
        (model(x) - x @ true.T).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(model.weight, true, rtol=0, atol=0.02)
    assert model.bias.abs().max() < 0.02


def test_its_state_is_tensors():
    model = nn.Conv1d(2, 3, 3)
    optimizer = Muon(model.parameters())
    model(torch.randn(1, 2, 9)).sum().backward()
    optimizer.step()
    states = [optimizer.state[parameter] for parameter in model.parameters()]
    assert [sorted(state) for state in states] == [["momentum"], ["count", "mean", "square"]]
    assert all(isinstance(value, torch.Tensor) for state in states for value in state.values())
