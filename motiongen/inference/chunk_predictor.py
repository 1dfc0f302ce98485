"""ChunkPredictor: chunks of actions for many robots in one pass of a policy, each perhaps with a task of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from motiongen.heads import sampler_of
from motiongen.modules.policy_config import PolicyConfig


@dataclass(frozen=True)
class ChunkRequest:
    """The last To observations of a robot, oldest first.

    Attributes:
        state: (To, D) float32, with the D numbers of its task.
        task: index of the task in the policy's config.
        image: (To, S, S, 3) uint8, for a policy of images; else None.
    """

    state: NDArray[np.float32]
    task: int = 0
    image: NDArray[np.uint8] | None = None


class ChunkPredictor:
    """Predicts chunks of actions.

    Args:
        model: has a PolicyConfig as `config`, and a sampler; it is put into evaluation mode.
        temperature: of sampling codes, in place of the model's own.
    """

    def __init__(self, model: nn.Module, temperature: float | None = None) -> None:
        self.model: Any = model.eval()
        config: Any = model.config
        self.config: PolicyConfig = config
        self._sampler = sampler_of(self.model)
        self._sampling = {} if temperature is None else {"temperature": temperature}

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return next(iter(self.model.parameters())).device

    def predict(
        self, requests: Sequence[ChunkRequest], generator: torch.Generator
    ) -> list[NDArray[np.float32]]:
        """Return a chunk (H', A) for each request, which begins with the action that answers its newest observation.

        Args:
            requests: one or more.
            generator: on the CPU; of a model that samples.
        """
        width = self.config.state_dim
        states = [F.pad(torch.from_numpy(one.state), (0, width - one.state.shape[1])) for one in requests]
        observation = {
            "state": torch.stack(states),  # (B, To, D)
            "task": torch.tensor([one.task for one in requests]),
        }
        if self.config.image_size:
            images = [torch.from_numpy(one.image) for one in requests if one.image is not None]
            observation["image"] = torch.stack(images).permute(0, 1, 4, 2, 3).contiguous()  # (B, To, 3, S, S)
        on_device = {name: part.to(self.device) for name, part in observation.items()}
        with torch.inference_mode():
            chunks = self._sampler.predict(on_device, generator=generator, **self._sampling)
        numbers = chunks[:, self.config.obs_steps - 1 :].float().cpu().numpy()
        return [
            chunk[:, : self.config.action_dim_of(one.task)]
            for chunk, one in zip(numbers, requests, strict=True)
        ]


def resized_images(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return images (B, H, W, 3) as (B, size, size, 3), averaged by area, as in training."""
    if images.shape[1:3] == (size, size):
        return images.copy()
    channels_first = torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float()
    resized = F.interpolate(channels_first, size=(size, size), mode="area").round().byte()
    return resized.permute(0, 2, 3, 1).numpy()
