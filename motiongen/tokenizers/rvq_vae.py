"""RVQ-VAE: motion features to discrete codes and back, four frames to a token; causal, so that decoding streams.

After MoMask (Guo et al., CVPR 2024). The causal network is ours: it folds frames into tokens at once, so that the heavy
layers run at token rate. With `causal=False` it is the published network, layer for layer.
"""

import math
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from motiongen.modules.causal_conv import CausalConv1d, CausalConvState, conv1d, run
from motiongen.modules.quantizer import Quantized, ResidualVQ

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}
STD_FLOOR = 1e-3


@dataclass(frozen=True, kw_only=True)
class RVQVAEConfig:
    """Sizes of an RVQ-VAE; the defaults are the shipped `small` one."""

    feature_dim: int = 140
    """Channels of a feature frame."""
    width: int = 256
    """Channels at token rate."""
    frame_width: int = 128
    """Channels at frame rate, before the first fold and after the last unfold."""
    latent_dim: int = 128
    """Channels of a codebook entry."""
    strides: tuple[int, ...] = (4,)
    """Folds of time, one a stage; their product is the frames of a token."""
    depth: int = 4
    """Residual blocks a stage."""
    dilation_growth: int = 2
    """Block i has dilation growth**i; the widest comes first."""
    activation: str = "silu"
    num_quantizers: int = 6
    codebook_size: int = 512
    causal: bool = True
    quantizer_dropout: float = 0.2
    """Part of the training clips that are decoded from fewer levels."""
    ema_decay: float = 0.99
    linear_path: bool = False
    """A linear map of a token's frames beside each network, which begins at the principal components."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "strides", tuple(self.strides))  # JSON has lists
        for name in (
            "feature_dim",
            "width",
            "frame_width",
            "latent_dim",
            "depth",
            "num_quantizers",
            "codebook_size",
        ):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name}: expected >= 1, got {getattr(self, name)}; fix the tokenizer's config"
                )
        if not self.strides or min(self.strides) < 1:
            raise ValueError(
                f"strides: expected one or more sizes >= 1, got {self.strides}; use (4,) or (2, 2)"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation: expected one of {sorted(ACTIVATIONS)}, got {self.activation!r}; pick one"
            )
        if not 0 <= self.quantizer_dropout <= 1:
            raise ValueError(f"quantizer_dropout: expected 0..1, got {self.quantizer_dropout}; use 0.2")

    @property
    def frames_per_token(self) -> int:
        """Frames that a token stands for."""
        return math.prod(self.strides)


PRESETS: dict[str, RVQVAEConfig] = {
    "small": RVQVAEConfig(),
    "open": RVQVAEConfig(width=152, frame_width=96, latent_dim=96),
    "large": RVQVAEConfig(width=288, linear_path=True),
    "paper": RVQVAEConfig(
        feature_dim=263, width=512, frame_width=512, latent_dim=512, strides=(2, 2), depth=3, dilation_growth=3,
        activation="relu", causal=False,
    ),
}  # fmt: skip


class ResidualBlock(nn.Module):
    """Pre-activated residual block without norms: a dilated convolution of three taps, then a mix of channels."""

    def __init__(self, config: RVQVAEConfig, dilation: int) -> None:
        super().__init__()
        self.conv1 = conv1d(config.causal, config.width, config.width, 3, dilation=dilation)
        self.conv2 = conv1d(config.causal, config.width, config.width, 1)
        self.activation = ACTIVATIONS[config.activation]()

    def forward(self, x: Tensor, state: CausalConvState | None = None) -> Tensor:
        """Return (B, D, N) for x (B, D, N): a step when there is a state, else the whole clip."""
        y = run(self.conv1, self.activation(x), state)
        return x + self.conv2(self.activation(y))


def residual_blocks(config: RVQVAEConfig) -> nn.ModuleList:
    """Return a stage's blocks, the widest dilation first."""
    return nn.ModuleList(
        ResidualBlock(config, config.dilation_growth**power) for power in reversed(range(config.depth))
    )


class EncoderStage(nn.Module):
    """Fold `stride` steps into one, then residual blocks."""

    def __init__(self, config: RVQVAEConfig, in_dim: int, stride: int) -> None:
        super().__init__()
        self.down = conv1d(config.causal, in_dim, config.width, 2 * stride, stride=stride)
        self.blocks = residual_blocks(config)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width, N) for x (B, D, N * stride)."""
        x = self.down(x)
        for block in self.blocks:
            x = block(x)
        return x


class Encoder(nn.Module):
    """Features (B, D, T) to latents (B, latent, N); latent n sees frames up to the last one of token n."""

    def __init__(self, config: RVQVAEConfig) -> None:
        super().__init__()
        widths = [config.frame_width] + [config.width] * len(config.strides)
        self.stem = conv1d(config.causal, config.feature_dim, config.frame_width, 3)
        self.activation = ACTIVATIONS[config.activation]()
        self.stages = nn.ModuleList(
            EncoderStage(config, dim, stride) for dim, stride in zip(widths[:-1], config.strides, strict=True)
        )
        self.out = conv1d(config.causal, config.width, config.latent_dim, 3)
        self.linear: nn.Conv1d | None = None
        if config.linear_path:
            span = config.frames_per_token
            self.linear = nn.Conv1d(config.feature_dim, config.latent_dim, span, stride=span)
            nn.init.zeros_(self.out.weight)  # the network begins as nothing, and learns what the map lacks

    def forward(self, x: Tensor) -> Tensor:
        """Return latents (B, latent, N) for normalised features (B, D, T)."""
        linear = 0 if self.linear is None else self.linear(x)
        x = self.activation(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return self.out(x) + linear


class DecoderStage(nn.Module):
    """Residual blocks, then one step unfolds into `stride`.

    The published network repeats each step and convolves. A causal convolution of repeated steps gives equal frames, so
    ours has a matrix for each of the `stride` frames.
    """

    def __init__(self, config: RVQVAEConfig, out_dim: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.blocks = residual_blocks(config)
        if config.causal:
            self.up = conv1d(True, config.width, out_dim * stride, 1)
        else:
            self.up = conv1d(False, config.width, out_dim, 3)

    def forward(self, x: Tensor, states: list[CausalConvState] | None = None) -> Tensor:
        """Return (B, D, N * stride) for x (B, width, N)."""
        for index, block in enumerate(self.blocks):
            x = block(x, states[index] if states else None)
        if not isinstance(self.up, CausalConv1d):
            return self.up(x.repeat_interleave(self.stride, dim=-1))
        x = self.up(x).unflatten(1, (-1, self.stride))  # (B, D, stride, N)
        return x.transpose(2, 3).flatten(2)  # (B, D, N * stride)


@dataclass
class DecoderState:
    """What the decoder remembers of a stream: the state of every convolution, in order."""

    stem: CausalConvState
    stages: list[list[CausalConvState]]
    head: CausalConvState
    out: CausalConvState

    @property
    def parts(self) -> list[CausalConvState]:
        """The states of all convolutions, in order."""
        return [self.stem, *chain.from_iterable(self.stages), self.head, self.out]

    def reset(self, mask: Tensor) -> None:
        """Put the items where mask (B,) is true back to rest."""
        for state in self.parts:
            state.reset(mask)


class Decoder(nn.Module):
    """Latents (B, latent, N) to features (B, D, T); the frames of token n see tokens up to n."""

    def __init__(self, config: RVQVAEConfig) -> None:
        super().__init__()
        widths = [config.width] * len(config.strides) + [config.frame_width]
        self.stem = conv1d(config.causal, config.latent_dim, config.width, 3)
        self.activation = ACTIVATIONS[config.activation]()
        self.stages = nn.ModuleList(
            DecoderStage(config, dim, stride)
            for dim, stride in zip(widths[1:], reversed(config.strides), strict=True)
        )
        self.head = conv1d(config.causal, config.frame_width, config.frame_width, 3)
        self.out = conv1d(config.causal, config.frame_width, config.feature_dim, 3)
        self.linear: nn.Conv1d | None = None
        if config.linear_path:
            self.linear = nn.Conv1d(config.latent_dim, config.feature_dim * config.frames_per_token, 1)
            nn.init.zeros_(self.out.weight)

    def init_state(self, batch_size: int) -> DecoderState:
        """Return the state at rest."""
        if not isinstance(self.stem, CausalConv1d):
            raise ValueError(
                "causal: expected a causal tokenizer, got causal=False; load a causal one to stream"
            )
        return DecoderState(
            stem=self.stem.init_state(batch_size),
            stages=[[b.conv1.init_state(batch_size) for b in stage.blocks] for stage in self.stages],  # type: ignore
            head=self.head.init_state(batch_size),  # type: ignore[operator]
            out=self.out.init_state(batch_size),  # type: ignore[operator]
        )

    def forward(self, x: Tensor, state: DecoderState | None = None) -> Tensor:
        """Return normalised features (B, D, T) for latents x: a step when there is a state, else the whole clip."""
        linear: Tensor | int = 0
        if self.linear is not None:  # each token by itself: nothing to remember
            frames = self.linear(x).unflatten(1, (self.out.out_channels, -1))  # (B, D, frames of a token, N)
            linear = frames.transpose(2, 3).flatten(2)  # (B, D, T)
        x = self.activation(run(self.stem, x, state.stem if state else None))
        for index, stage in enumerate(self.stages):
            x = stage(x, state.stages[index] if state else None)
        x = self.activation(run(self.head, x, state.head if state else None))
        return run(self.out, x, state.out if state else None) + linear


@dataclass(frozen=True)
class Reconstruction:
    """A training pass: everything in normalised units, but for `features`."""

    normalised: Tensor  # (B, T, D) what the decoder gave
    target: Tensor  # (B, T, D) what it should have given
    features: Tensor  # (B, T, D) the reconstruction in raw units
    latents: Tensor  # (B, N, latent) before quantization
    quantized: Quantized


class RVQVAE(nn.Module):
    """Residual-VQ autoencoder of motion features; takes and gives raw features, batch first.

    Published weights (MoMask's `encoder.model.*`, `decoder.model.*`, `quantizer.layers.*.codebook`) map onto the preset
    `paper` one to one: `model.0` = `stem`, `model.{2+i}.0` = `stages.i.down` and `.1.model.j` = `stages.i.blocks.j` in
    the encoder, `.0.model.j` and `.2` = `stages.i.blocks.j` and `stages.i.up` in the decoder, then `out`, or `head` and
    `out`; the codebooks are stacked in `quantizer.codebooks`.
    """

    config_class = RVQVAEConfig
    mean: Tensor
    std: Tensor

    def __init__(self, config: RVQVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quantizer = ResidualVQ(
            config.num_quantizers, config.codebook_size, config.latent_dim, config.ema_decay
        )
        self.decoder = Decoder(config)
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("std", torch.ones(config.feature_dim))

    @torch.no_grad()
    def set_normaliser(self, mean: Tensor, std: Tensor) -> None:
        """Set what features are shifted and divided by; mean and std are (D,), std is kept above a floor."""
        self.mean.copy_(mean)
        self.std.copy_(std.clamp_min(STD_FLOOR))

    def normalise(self, features: Tensor) -> Tensor:
        """Return raw features (B, T, D) as the network sees them."""
        if features.shape[-1] != self.config.feature_dim:
            expected = f"{self.config.feature_dim} channels"
            raise ValueError(f"features: expected {expected}, got {features.shape[-1]}; shape is (B, T, D)")
        return (features - self.mean) / self.std

    def encode(self, features: Tensor) -> Tensor:
        """Return codes (B, N, Q), coarse first, for features (B, T, D).

        N = ceil(T / frames_per_token): an unfinished last token sees the last frame repeated.
        """
        return self.quantizer.encode(self.latents(features))

    def latents(self, features: Tensor) -> Tensor:
        """Return latents (B, N, latent_dim) before quantization, for features (B, T, D)."""
        return self._latents(self._whole_tokens(self.normalise(features)))

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Return features (B, frames_per_token * N, D) for latents (B, N, latent_dim), quantized or not."""
        return self._features(latents, None)

    def step_latents(self, latents: Tensor, state: DecoderState) -> Tensor:
        """Push latents (B, n, latent_dim), quantized or not; return features as `step` does."""
        return self._features(latents, state)

    def decode(self, codes: Tensor) -> Tensor:
        """Return features (B, frames_per_token * N, D) for codes (B, N, Q'): the first Q' <= Q levels are enough."""
        return self._features(self.quantizer.decode(codes), None)

    def init_state(self, batch_size: int) -> DecoderState:
        """Return the state at rest, for `step`. Raises ValueError when the tokenizer is not causal."""
        return self.decoder.init_state(batch_size)

    def step(self, codes: Tensor, state: DecoderState) -> Tensor:
        """Push codes (B, n, Q'), return features (B, frames_per_token * n, D); updates state in place."""
        return self._features(self.quantizer.decode(codes), state)

    @property
    def delay(self) -> int:
        """Frames by which a stream's output lags: none, a token gives its own frames."""
        return 0

    def forward(
        self, features: Tensor, generator: torch.Generator | None = None, plain_share: float = 0.0
    ) -> Reconstruction:
        """Reconstruct features (B, T, D) with gradients.

        Args:
            features: (B, T, D).
            generator: switches quantizer dropout on.
            plain_share: part of the items, drawn by the generator, that is decoded from latents as they are.
        """
        target = self._whole_tokens(self.normalise(features))
        latents = self._latents(target).to(self.quantizer.codebooks.dtype)  # (B, N, latent)
        levels = None if generator is None else self._dropped_levels(latents, generator)
        quantized = self.quantizer(latents, levels)
        chosen = quantized.latents
        if generator is not None and plain_share > 0:
            plain = torch.rand(len(latents), generator=generator) < plain_share  # (B,)
            chosen = torch.where(plain.to(latents.device)[:, None, None], latents, chosen)
        normalised = self.decoder(chosen.transpose(1, 2)).transpose(1, 2).to(self.mean.dtype)  # (B, T, D)
        frames = features.shape[1]
        normalised, target = normalised[:, :frames], target[:, :frames]
        return Reconstruction(normalised, target, normalised * self.std + self.mean, latents, quantized)

    def _dropped_levels(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        levels, batch = self.config.num_quantizers, latents.shape[0]
        fewer = torch.randint(1, max(levels, 2), (batch,), generator=generator)
        fewer = torch.where(
            torch.rand(batch, generator=generator) < 0.5, 1, fewer
        )  # the first level must stand alone
        drop = torch.rand(batch, generator=generator) < self.config.quantizer_dropout
        return torch.where(drop, fewer, levels).to(latents.device)  # (B,)

    def _whole_tokens(self, x: Tensor) -> Tensor:
        if not x.shape[1]:
            raise ValueError("features: expected at least 1 frame, got 0; shape is (B, T, D)")
        missing = -x.shape[1] % self.config.frames_per_token
        return torch.cat([x, x[:, -1:].expand(-1, missing, -1)], dim=1) if missing else x  # (B, T', D)

    def _latents(self, normalised: Tensor) -> Tensor:
        return self.encoder(normalised.transpose(1, 2)).transpose(1, 2)

    def _features(self, latents: Tensor, state: DecoderState | None) -> Tensor:
        normalised = self.decoder(latents.transpose(1, 2), state).transpose(1, 2)  # (B, T, D)
        return normalised.to(self.mean.dtype) * self.std + self.mean
