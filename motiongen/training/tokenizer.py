"""Training recipe of the RVQ-VAE tokenizer: reconstruction of features, joint positions and joint velocities."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from motiongen import checkpoint
from motiongen.data.cache import ClipCache
from motiongen.data.windows import WindowSampler
from motiongen.features import LAYOUT
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig
from motiongen.training.balance import balanced_weights
from motiongen.training.model_card import model_card
from motiongen.training.principal_components import begin_at_principal_components
from motiongen.training.reconstruction_loss import reconstruction_losses
from motiongen.training.tokenizer_config import TokenizerTrainConfig
from motiongen.training.tokenizer_metrics import reconstruction_totals

INITIAL_BATCHES = 8
"""Batches whose latents the codebooks are initialised from."""


class TokenizerRecipe:
    """Trains an RVQVAE on clips of features; see `Recipe`.

    Args:
        model: the tokenizer.
        clips: (T_i, D) training clips.
        held_out: source -> (T_i, D) validation clips.
        config: batches and loss weights.
        weights: sampling weights of the training clips; None for 1.
        card: facts for the model card.
    """

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
        self.model, self.held_out, self.config = model, held_out, config or TokenizerTrainConfig()
        self.card = dict(card or {})
        self.seen: dict[str, Tensor] = {}
        self.windows = WindowSampler(clips, self.config.window, weights)
        model.set_normaliser(*normaliser(self.windows.frames))
        if model.config.linear_path:
            begin_at_principal_components(model, self.windows.frames)
        if self.config.decoder_only:
            model.encoder.requires_grad_(False)

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        model_config: RVQVAEConfig | None = None,
        config: TokenizerTrainConfig | None = None,
    ) -> "TokenizerRecipe":
        """Return the recipe for a prepared cache, with a new model.

        Args:
            cache: the clips.
            model_config: sizes of the model.
            config: batches and loss weights.
        """
        held_out: dict[str, list[Tensor]] = {}
        for index in cache.split("test"):
            held_out.setdefault(cache.records[index].source, []).append(cache.features(index))
        config = config or TokenizerTrainConfig()
        chosen = cache.split("train")
        train = [cache.features(index) for index in chosen]
        sources = [cache.records[index].source for index in chosen]
        weights = balanced_weights(train, sources, config.source_power)
        licences = sorted({f"{record.source}: {record.licence}" for record in cache.records})
        card = {"data": licences, "frames": sum(len(clip) for clip in train), "clips": len(train)}
        return cls(RVQVAE(model_config or RVQVAEConfig()), train, held_out, config, weights, card)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay and biases without; the linear path learns at a tenth of the rate."""
        named = [(".linear." in name, p) for name, p in self.model.named_parameters() if p.requires_grad]
        matrices = [p for is_path, p in named if p.ndim > 1 and not is_path]
        biases = [p for is_path, p in named if p.ndim <= 1 and not is_path]
        path = [p for is_path, p in named if is_path]
        groups: list[dict[str, Any]] = [{"params": matrices}, {"params": biases, "weight_decay": 0.0}]
        return groups + ([{"params": path, "weight_decay": 0.0, "lr_scale": 0.1}] if path else [])

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of windows."""
        return self.windows.sample(self.config.batch_size, generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch; the first one initialises the codebooks."""
        features, valid = batch["features"], batch["valid"]
        if self.config.quantize and not self.model.quantizer.initialised:
            with torch.no_grad():
                self.model.quantizer.initialise(self._many_latents(features, generator), generator)
        plain = self.config.plain_share if self.config.quantize else 1.0
        result = self.model(features, generator, plain)
        with torch.autocast(features.device.type, enabled=False):
            error = functional.smooth_l1_loss(
                result.normalised.float(), result.target.float(), reduction="none"
            )
            losses = {"features": (error.mean(-1) * valid).sum() / valid.sum()}
            items = slice(0, self.config.kinematic_items)
            losses |= reconstruction_losses(result.features[items], features[items], valid[items])
            losses["commitment"] = result.quantized.commitment
            losses["loss"] = (
                losses["features"]
                + self.config.position_weight * losses["positions"]
                + self.config.height_weight * losses["heights"]
                + self.config.gap_weight * losses["gaps"]
                + self.config.path_weight * losses["paths"]
                + self.config.velocity_weight * losses["velocities"]
                + self.config.acceleration_weight * losses["accelerations"]
                + self.config.foot_weight * losses["feet"]
                + self.config.hand_weight * losses["hands"]
                + self.config.commitment_weight * losses["commitment"]
            )
        self.seen = {"latents": result.latents.detach(), "codes": result.quantized.codes}
        return losses

    def learn(self, seen: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Update the codebooks by the latents and codes of a step; see `LearnsFromValues`."""
        if self.config.quantize and not self.config.decoder_only:
            self.model.quantizer.update(seen["latents"], seen["codes"], generator)

    def _many_latents(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Return latents (B', N, latent) of a batch and of others like it, enough to begin the codebooks from."""
        batches = [features]
        batches += [
            self.sample(generator)["features"].to(features.device) for _ in range(INITIAL_BATCHES - 1)
        ]
        return torch.cat([self.model.latents(batch).float() for batch in batches])

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return reconstruction metrics of each source and, as `all`, of all sources together."""
        assert isinstance(model, RVQVAE), type(model)
        totals = {source: reconstruction_totals(model, clips) for source, clips in self.held_out.items()}
        if len(totals) > 1:
            first, *others = totals.values()
            totals["all"] = sum(others, start=first)
        return {
            f"{name}/{key}": value for name, total in totals.items() for key, value in total.metrics().items()
        }

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Save the tokenizer in fp16 with its model card."""
        title = "Causal RVQ-VAE motion tokenizer" if self.model.config.causal else "RVQ-VAE motion tokenizer"
        card = model_card(title, self.card, self.model, metrics, "tokenizer")
        checkpoint.save(model, self.model.config, directory, card, half=True)


def normaliser(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and std (D,) of frames (M, D), with one std for each joint and one for the contacts.

    With a std for each channel, channels that hardly vary would dominate the loss.
    """
    sample = frames[:: max(1, len(frames) // 200_000)].double()
    mean, variance = sample.mean(0), sample.var(0, correction=0)
    if frames.shape[-1] == LAYOUT["contacts"].stop:
        groups = [LAYOUT["turn"], LAYOUT["velocity"], LAYOUT["height"], LAYOUT["contacts"]]
        groups += [slice(start, start + 6) for start in range(LAYOUT["tilt"].start, LAYOUT["joints"].stop, 6)]
        for group in groups:
            variance[group] = variance[group].mean()
    return mean.float(), variance.sqrt().clamp_min(0.02).float()
