import torch
from torch import nn

from motiongen.half_linear import HalfLinear, halve


def layers():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(24, 40), nn.Sequential(nn.GELU(), nn.Linear(40, 8, bias=False)))
    for parameter in module.parameters():
        parameter.data = parameter.half().float()  # as shipped weights are stored
    return module.requires_grad_(False)


def test_weights_that_are_fp16_give_the_same_numbers():
    exact, halved, x = layers(), layers(), torch.randn(3, 7, 24, generator=torch.Generator().manual_seed(1))
    halve(halved)
    assert isinstance(halved[0], HalfLinear) or "fbgemm" not in torch.backends.quantized.supported_engines
    torch.testing.assert_close(halved(x), exact(x), rtol=1e-5, atol=1e-5)


def test_a_row_does_not_depend_on_how_many_others_there_are():
    halved, x = layers(), torch.randn(41, 24, generator=torch.Generator().manual_seed(1))
    halve(halved)
    whole = halved(x)
    for count in (1, 2, 7, 13, 40):
        torch.testing.assert_close(halved(x[:count]), whole[:count], rtol=0, atol=1e-6)
