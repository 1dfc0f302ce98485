"""RVQ-VAE motion tokenizer: features to discrete codes and back, four frames a token, causal for streaming.

After MoMask (Guo et al., CVPR 2024). The causal network is ours: it downsamples frames to tokens in one step, so that
the expensive layers run at token rate. With `causal=False` it is the published network, layer for layer.
"""

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from motiongen.modules.causal_conv import CausalConv1d, CausalConvState, conv1d, run
from motiongen.modules.quantizer import Quantized, ResidualVQ
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig

_ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}
STD_FLOOR = 1e-3


class ResidualBlock(nn.Module):
    """Pre-activation residual block without norms: a dilated convolution of kernel size 3, then a 1 x 1 one."""

    def __init__(self, config: RVQVAEConfig, dilation: int) -> None:
        super().__init__()
        self.conv1 = conv1d(config.causal, config.width, config.width, 3, dilation=dilation)
        self.conv2 = conv1d(config.causal, config.width, config.width, 1)
        self.activation = _ACTIVATIONS[config.activation]()

    def forward(self, x: Tensor, state: CausalConvState | None = None) -> Tensor:
        """Return outputs (B, D, N) of x (B, D, N): one streaming step if a state is given, else the whole clip."""
        y = run(self.conv1, self.activation(x), state)
        return x + self.conv2(self.activation(y))


def residual_blocks(config: RVQVAEConfig) -> nn.ModuleList:
    """Return the residual blocks of a stage, largest dilation first."""
    return nn.ModuleList(
        ResidualBlock(config, config.dilation_growth**power) for power in reversed(range(config.depth))
    )


class EncoderStage(nn.Module):
    """Strided convolution that downsamples by `stride`, then residual blocks."""

    def __init__(self, config: RVQVAEConfig, in_dim: int, stride: int) -> None:
        super().__init__()
        self.down = conv1d(config.causal, in_dim, config.width, 2 * stride, stride=stride)
        self.blocks = residual_blocks(config)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (B, width, N) of x (B, D, N * stride)."""
        x = self.down(x)
        for block in self.blocks:
            x = block(x)
        return x


class Encoder(nn.Module):
    """Encodes features (B, D, T) as latents (B, latent, N); latent n depends on frames up to the last of token n."""

    def __init__(self, config: RVQVAEConfig) -> None:
        super().__init__()
        widths = [config.frame_width] + [config.width] * len(config.strides)
        self.stem = conv1d(config.causal, config.feature_dim, config.frame_width, 3)
        self.activation = _ACTIVATIONS[config.activation]()
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
        """Return latents (B, latent, N) of normalised features (B, D, T)."""
        linear = 0 if self.linear is None else self.linear(x)
        x = self.activation(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return self.out(x) + linear


class DecoderStage(nn.Module):
    """Residual blocks, then upsampling by `stride`.

    The published network repeats each step and convolves. A causal convolution of repeated steps would give equal
    frames, so the causal network has a matrix for each of the `stride` frames.
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
        """Return outputs (B, D, N * stride) of x (B, width, N)."""
        for index, block in enumerate(self.blocks):
            x = block(x, states[index] if states else None)
        if not isinstance(self.up, CausalConv1d):
            return self.up(x.repeat_interleave(self.stride, dim=-1))
        x = self.up(x).unflatten(1, (-1, self.stride))  # (B, D, stride, N)
        return x.transpose(2, 3).flatten(2)  # (B, D, N * stride)


@dataclass
class DecoderState:
    """Streaming state of the decoder: the state of every convolution."""

    stem: CausalConvState
    stages: list[list[CausalConvState]]
    head: CausalConvState
    out: CausalConvState

    @property
    def parts(self) -> list[CausalConvState]:
        """The states of all convolutions, in order."""
        return [self.stem, *chain.from_iterable(self.stages), self.head, self.out]

    def reset(self, mask: Tensor) -> None:
        """Reset the items where mask (B,) is true to the initial state."""
        for state in self.parts:
            state.reset(mask)


class Decoder(nn.Module):
    """Decodes latents (B, latent, N) to features (B, D, T); the frames of token n depend on tokens up to n."""

    def __init__(self, config: RVQVAEConfig) -> None:
        super().__init__()
        widths = [config.width] * len(config.strides) + [config.frame_width]
        self.stem = conv1d(config.causal, config.latent_dim, config.width, 3)
        self.activation = _ACTIVATIONS[config.activation]()
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
        """Return the initial state of a batch. Raises ValueError if the decoder is not causal."""
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
        """Return normalised features (B, D, T) of latents x (B, latent, N).

        Args:
            x: latents: the next ones if a state is given, else those of the whole clip.
            state: from `init_state`, updated in place; None for a whole clip.
        """
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
    """Result of a training pass, in normalised units except `features`."""

    normalised: Tensor  # (B, T, D) reconstruction
    target: Tensor  # (B, T, D) input
    features: Tensor  # (B, T, D) the reconstruction in raw units
    latents: Tensor  # (B, N, latent) before quantization
    quantized: Quantized


class RVQVAE(nn.Module):
    """Residual-VQ autoencoder of motion features; input and output are raw features, batch first.

    Published weights (MoMask's `encoder.model.*`, `decoder.model.*`, `quantizer.layers.*.codebook`) map onto the preset
    `paper` one to one: `model.0` = `stem`, `model.{2+i}.0` = `stages.i.down` and `.1.model.j` = `stages.i.blocks.j` in
    the encoder, `.0.model.j` and `.2` = `stages.i.blocks.j` and `stages.i.up` in the decoder, then `out`, or `head` and
    `out`; the codebooks are stacked in `quantizer.codebooks`.
    """

    model_type = "rvq_vae"
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
        """Set mean and std (D,) of the features; std is clamped to STD_FLOOR."""
        self.mean.copy_(mean)
        self.std.copy_(std.clamp_min(STD_FLOOR))

    def normalise(self, features: Tensor) -> Tensor:
        """Return normalised features (B, T, D). Raises ValueError for another number of channels."""
        if features.shape[-1] != self.config.feature_dim:
            expected = f"{self.config.feature_dim} channels"
            raise ValueError(f"features: expected {expected}, got {features.shape[-1]}; shape is (B, T, D)")
        return (features - self.mean) / self.std

    def encode(self, features: Tensor) -> Tensor:
        """Return codes (B, N, Q), coarse first, of features (B, T, D).

        N = ceil(T / frames_per_token); an incomplete last token is padded with the last frame.
        """
        return self.quantizer.encode(self.latents(features))

    def latents(self, features: Tensor) -> Tensor:
        """Return latents (B, N, latent_dim) of features (B, T, D), before quantization."""
        return self._latents(self._whole_tokens(self.normalise(features)))

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Return features (B, frames_per_token * N, D) of latents (B, N, latent_dim), quantized or not."""
        return self._features(latents, None)

    def step_latents(self, latents: Tensor, state: DecoderState) -> Tensor:
        """Return features of the next latents (B, n, latent_dim), quantized or not; see `step`."""
        return self._features(latents, state)

    def decode(self, codes: Tensor) -> Tensor:
        """Return features (B, frames_per_token * N, D) of codes (B, N, Q'), the first Q' <= Q levels."""
        return self._features(self.quantizer.decode(codes), None)

    def init_state(self, batch_size: int) -> DecoderState:
        """Return the initial state for `step`. Raises ValueError if the tokenizer is not causal."""
        return self.decoder.init_state(batch_size)

    def step(self, codes: Tensor, state: DecoderState) -> Tensor:
        """Return features (B, frames_per_token * n, D) of the next codes (B, n, Q'); updates the state in place."""
        return self._features(self.quantizer.decode(codes), state)

    @property
    def delay(self) -> int:
        """Latency of streaming decoding, frames: 0, since a token decodes to its own frames."""
        return 0

    def forward(
        self, features: Tensor, generator: torch.Generator | None = None, plain_share: float = 0.0
    ) -> Reconstruction:
        """Return the reconstruction of features, with gradients.

        Args:
            features: (B, T, D), raw.
            generator: draws the levels of quantizer dropout; None for no dropout.
            plain_share: share of the items, drawn by the generator, that is decoded from unquantized latents.
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
        # Often the first level only, which must be decodable alone.
        fewer = torch.where(torch.rand(batch, generator=generator) < 0.5, 1, fewer)
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
