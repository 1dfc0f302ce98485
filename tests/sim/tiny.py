"""Policies so small that a test can work out what they do."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from motiongen.heads.carp.config import CARPConfig
from motiongen.heads.carp.model import CARP
from motiongen.modules.policy_config import PolicyConfig
from motiongen_sim.tasks import lookup

SMALL = CARPConfig(dim=16, num_layers=1, num_heads=2, cond_dim=16, codebook_size=16)


def tiny_carp(task: str = "BlockPush", **sizes: object) -> CARP:
    """Return a CARP for a task whose weights are random, and large: what it does depends on what it sees."""
    model = CARP(replace(SMALL, tasks=(lookup(task).instruction,), **sizes))
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3, generator=generator)
    model.observation.normaliser.scale.fill_(0.1)
    model.action_normaliser.scale.fill_(0.003)
    return model.eval()


class Counter(nn.Module):
    """Says at its n-th call, n = 1, 2 …, for the k-th action from now: 100 n + k + the newest state's first number."""

    def __init__(self, **sizes: object) -> None:
        super().__init__()
        self.config = PolicyConfig(**{"state_dim": 3, "action_dim": 1, **sizes})
        self.unused = nn.Parameter(torch.zeros(1))
        self.seen: list[dict[str, Tensor]] = []

    def predict(self, observation: dict[str, Tensor], *, generator: torch.Generator | None = None) -> Tensor:
        self.seen.append(observation)
        steps = 100 * len(self.seen) + torch.arange(self.config.horizon) - (self.config.obs_steps - 1)
        chunk = steps + observation["state"][:, -1, :1]  # (B, H)
        return chunk[..., None].expand(-1, -1, self.config.action_dim)
