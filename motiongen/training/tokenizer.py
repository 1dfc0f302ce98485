"""The recipe of the tokenizer: reconstruct features, joint positions and joint velocities from codes."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from motiongen import checkpoint
from motiongen.contacts import CONTACT_INDEX
from motiongen.data.cache import ClipCache
from motiongen.data.windows import WindowSampler
from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions, world_velocities
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training.model_card import model_card
from motiongen.training.tokenizer_config import TokenizerTrainConfig
from motiongen.training.tokenizer_metrics import reconstruction_totals


class TokenizerRecipe:
    """Trains an RVQVAE on clips of features; see `Recipe`."""

    name = "tokenizer"

    def __init__(
        self,
        model: RVQVAE,
        clips: list[Tensor],
        held_out: Mapping[str, list[Tensor]],
        config: TokenizerTrainConfig | None = None,
        weights: list[float] | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a model, training clips (T, D), held-out clips by source, and facts for the model card."""
        self.model, self.held_out, self.config = model, held_out, config or TokenizerTrainConfig()
        self.card = dict(card or {})
        self.windows = WindowSampler(clips, self.config.window, weights)
        model.set_normaliser(*normaliser(self.windows.frames))

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        model_config: RVQVAEConfig | None = None,
        config: TokenizerTrainConfig | None = None,
    ) -> "TokenizerRecipe":
        """Return the recipe for a prepared cache: its clips of `train` and, by source, those of `test`."""
        held_out: dict[str, list[Tensor]] = {}
        for index in cache.split("test"):
            held_out.setdefault(cache.records[index].source, []).append(cache.features(index))
        config = config or TokenizerTrainConfig()
        chosen = cache.split("train")
        train = [cache.features(index) for index in chosen]
        frames: Counter[str] = Counter()
        for index in chosen:
            frames[cache.records[index].source] += cache.records[index].num_frames
        weights = [frames[cache.records[index].source] ** (config.source_power - 1) for index in chosen]
        licences = sorted({f"{record.source}: {record.licence}" for record in cache.records})
        card = {"data": licences, "frames": sum(len(clip) for clip in train), "clips": len(train)}
        return cls(RVQVAE(model_config or RVQVAEConfig()), train, held_out, config, weights, card)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay and biases without."""
        parameters = list(self.model.parameters())
        matrices, biases = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
        return [{"params": matrices}, {"params": biases, "weight_decay": 0.0}]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows."""
        return self.windows.sample(self.config.batch_size, generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch and move the codebooks; the first batch initialises them."""
        features, valid = batch["features"], batch["valid"]
        if not self.model.quantizer.initialised:
            with torch.no_grad():
                self.model.quantizer.initialise(self.model(features).latents, generator)
        result = self.model(features, generator)
        with torch.autocast(features.device.type, enabled=False):
            error = functional.smooth_l1_loss(
                result.normalised.float(), result.target.float(), reduction="none"
            )
            losses = {"features": (error.mean(-1) * valid).sum() / valid.sum()}
            items = slice(0, self.config.kinematic_items)
            losses |= self._kinematic_losses(result.features[items], features[items], valid[items])
            losses["commitment"] = result.quantized.commitment
            losses["loss"] = (
                losses["features"]
                + self.config.position_weight * losses["positions"]
                + self.config.velocity_weight * losses["velocities"]
                + self.config.acceleration_weight * losses["accelerations"]
                + self.config.foot_weight * losses["feet"]
                + self.config.commitment_weight * losses["commitment"]
            )
        if self.model.training:
            self.model.quantizer.update(result.latents, result.quantized.codes, generator)
        return losses

    def _kinematic_losses(self, features: Tensor, target: Tensor, valid: Tensor) -> dict[str, Tensor]:
        places = local_positions(features)  # (b, T, 22, 3)
        with torch.no_grad():
            true_places = local_positions(target)
            true_velocities = world_velocities(target, true_places)
        distance = (places - true_places).square().sum(-1).add(1e-8).sqrt().mean(-1)  # (b, T)
        difference = world_velocities(features, places) - true_velocities  # (b, T - 1, 22, 3)
        velocity_error = difference.abs().mean(-1)  # (b, T - 1, 22)
        jitter = (difference[:, 1:] - difference[:, :-1]).abs().mean((-1, -2)) * FPS  # (b, T - 2)
        later = valid[:, 1:]
        planted = (target[:, 1:, LAYOUT["contacts"]] > 0.5) * later[..., None]  # (b, T - 1, 4)
        return {
            "positions": (distance * valid).sum() / valid.sum(),
            "velocities": (velocity_error.mean(-1) * later).sum() / later.sum(),
            "accelerations": (jitter * valid[:, 2:]).sum() / valid[:, 2:].sum(),
            "feet": (velocity_error[..., CONTACT_INDEX] * planted).sum() / planted.sum().clamp_min(1),
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return reconstruction metrics by source and, as `all`, over them together."""
        assert isinstance(model, RVQVAE), type(model)
        totals = {source: reconstruction_totals(model, clips) for source, clips in self.held_out.items()}
        if len(totals) > 1:
            first, *others = totals.values()
            totals["all"] = sum(others, start=first)
        return {
            f"{name}/{key}": value for name, total in totals.items() for key, value in total.metrics().items()
        }

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the tokenizer in fp16 with its model card."""
        title = "Causal RVQ-VAE motion tokenizer" if self.model.config.causal else "RVQ-VAE motion tokenizer"
        card = model_card(title, self.card, self.model, metrics)
        checkpoint.save(model, self.model.config, directory, card, half=True)


def normaliser(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and std (D,) of frames (M, D); the six numbers of a joint share a std, so do the four contacts.

    With one std a number, those that hardly move would count most.
    """
    some = frames[:: max(1, len(frames) // 200_000)].double()
    mean, variance = some.mean(0), some.var(0, correction=0)
    if frames.shape[-1] == LAYOUT["contacts"].stop:
        groups = [LAYOUT["turn"], LAYOUT["velocity"], LAYOUT["height"], LAYOUT["contacts"]]
        groups += [slice(start, start + 6) for start in range(LAYOUT["tilt"].start, LAYOUT["joints"].stop, 6)]
        for group in groups:
            variance[group] = variance[group].mean()
    return mean.float(), variance.sqrt().clamp_min(0.02).float()
