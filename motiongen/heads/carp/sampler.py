"""Sampling of CARP: action codes scale by scale, with a KV cache of the coarser scales."""

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.heads.carp.config import CARPConfig
from motiongen.heads.carp.model import CARP, Conditioning
from motiongen.modules.observation import Observation, task_of
from motiongen.tokenizers.action_decoder import ActionDecoder


class CARPSampler:
    """Samples chunks of actions from a CARP.

    Args:
        model: the head; it is put into evaluation mode.
    """

    def __init__(self, model: CARP) -> None:
        self.model = model.eval()
        self._decoder: ActionDecoder | None = None

    @property
    def config(self) -> CARPConfig:
        """Sizes of the model."""
        return self.model.config

    @torch.inference_mode()
    def predict(
        self,
        observation: Observation,
        *,
        generator: torch.Generator | None = None,
        temperature: float | None = None,
    ) -> Tensor:
        """Return action chunks (B, H, A), in the units of the data; see `PolicyConfig` for the frame of the first one.

        Args:
            observation: of the last To frames.
            generator: on the CPU; draws the codes if the temperature is above 0.
            temperature: sampling temperature; None for that of the model config.
        """
        model = self.model
        temperature = model.config.temperature if temperature is None else temperature
        cond = model.observation(observation)
        written = self._sample_written(cond, temperature, generator)
        if model.offset is not None:
            written = model.offset(cond, written)
        return model.actions(written, cond, task_of(observation))

    def _sample_written(self, cond: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Return what sampled codes say (B, H, A), for encoded observations (B, C); see `CARP.written`."""
        model = self.model
        if self._decoder is None or not self._decoder.is_current(model.tokenizer):
            self._decoder = ActionDecoder(model.tokenizer)
        conditioning = model.conditioning(cond)
        total = model.tokenizer.zero_latents(len(conditioning.start))
        memory: list[Tensor | None] = [None] * len(model.blocks)
        for scale in range(len(model.config.scales)):
            x = model.embed(
                model.tokenizer.downsample(total, scale), model.tokenizer.positions(scale), conditioning
            )
            if model.config.chained and scale == 0:
                codes = self._chain(x, conditioning, memory, temperature, generator)
            else:
                x = model.transform(x.flatten(1, 2), conditioning, memory, None)
                codes = draw_codes(
                    model.classify(x, conditioning).float(), temperature, generator
                )  # (B, n * A)
            total = self._decoder.add(total, scale, codes.view(len(codes), -1, model.config.action_dim))
        return self._decoder.decode_latents(total)

    def _chain(
        self,
        x: Tensor,
        conditioning: Conditioning,
        memory: list[Tensor | None],
        temperature: float,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Return the coarsest codes (B, A), sampled autoregressively over the action dimensions.

        Args:
            x: (B, 1, A, D) input tokens.
            conditioning: of the observations.
            memory: KV cache of each block; extended.
            temperature: sampling temperature.
            generator: draws the codes.
        """
        model = self.model
        codes: list[Tensor] = []
        for number in range(model.config.action_dim):
            token = x[:, :, number]  # (B, 1, D)
            if codes:
                token = token + F.linear(
                    model.tokenizer.codebooks[number - 1, codes[-1]], model.latent.weight
                )
            logits = model.classify(model.transform(token, conditioning, memory, None), conditioning)
            codes.append(draw_codes(logits.float(), temperature, generator))  # (B, 1)
        return torch.cat(codes, dim=1)


def draw_codes(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Return codes (B, n) sampled from logits (B, n, K); the likeliest at temperature 0."""
    if temperature <= 0:
        return logits.argmax(-1)
    probabilities = (logits / temperature).softmax(-1)
    drawn = torch.multinomial(probabilities.flatten(0, 1).cpu(), 1, generator=generator)
    return drawn.view(logits.shape[:2]).to(logits.device)
