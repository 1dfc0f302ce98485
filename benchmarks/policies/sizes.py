"""Sizes of baselines that match the number of layers and parameters of a CARP."""

import itertools
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from torch import nn

from benchmarks.policies.diffusion_policy import DiffusionPolicy, DiffusionPolicyConfig
from benchmarks.policies.flat_ar import FlatAR, FlatARConfig
from benchmarks.policies.lstm_gmm import LSTMGMM, LSTMGMMConfig
from motiongen.heads.carp.config import CARPConfig
from motiongen.heads.carp.model import CARP
from motiongen.modules.policy_config import PolicyConfig


def parameters(model: nn.Module) -> int:
    """Return the number of parameters of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def matched(name: str, size: CARPConfig, num_layers: int | None = None) -> PolicyConfig:
    """Return sizes of the baseline of that name with as many parameters as a CARP, and the same encoder.

    Args:
        name: one of POLICIES.
        size: of the CARP.
        num_layers: of a transformer; as many as the CARP's when None.
    """
    depth = size.num_layers if num_layers is None else num_layers
    target = parameters(CARP(size))
    shared = {field.name: getattr(size, field.name) for field in fields(PolicyConfig)}
    if name == "diffusion_policy":
        base = DiffusionPolicyConfig(**shared, num_layers=depth, num_heads=size.num_heads)
        return _widened(lambda width: DiffusionPolicy(replace(base, dim=width)), target, size.num_heads)
    if name == "lstm_gmm":
        own = ("obs_steps", "horizon", "action_steps")
        rnn = LSTMGMMConfig(**{key: value for key, value in shared.items() if key not in own})
        return _widened(lambda width: LSTMGMM(replace(rnn, hidden_dim=width)), target, 4)
    carp = {field.name: getattr(size, field.name) for field in fields(CARPConfig)}
    flat = {"widths": (size.widths[-1],), "scales": (size.horizon,), "chained": False, "offset_dim": 0}
    ar = FlatARConfig(**{**carp, **flat, "num_layers": depth})
    return _widened(lambda width: FlatAR(replace(ar, dim=width)), target, size.num_heads)


def _widened(make: Callable[[int], Any], target: int, step: int) -> PolicyConfig:
    """Return the config of the model with the number of parameters nearest to a target.

    Args:
        make: returns a model of a width.
        target: number of parameters.
        step: widths are multiples of it.
    """
    narrow = wide = make(step)
    for width in itertools.count(2 * step, step):
        if parameters(wide) >= target:
            break
        narrow, wide = wide, make(width)
    config: PolicyConfig = min((narrow, wide), key=lambda model: abs(parameters(model) - target)).config
    return config
