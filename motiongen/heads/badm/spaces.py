"""What a BADM diffuses: feature frames, EDGE's frames, or the tokenizer's latents; to and from feature frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from motiongen import features, features_edge
from motiongen.contacts import CONTACT_INDEX
from motiongen.kinematics import local_positions, world_velocities
from motiongen.tokenizers.rvq_vae import RVQVAE


@dataclass(frozen=True)
class Kinematics:
    """How bodies move, with gradients: what losses look at.

    Attributes:
        places: joint positions (B, T, 22, 3), metres; in frames of reference of the space's own.
        speeds: of the joints over the ground (B, T - 1, 22), m/s.
        feet: steps of the contact joints (B, T - 1, 4, 3), metres.
        contacts: of those, 0..1 (B, T - 1, 4).
    """

    places: Tensor
    speeds: Tensor
    feet: Tensor
    contacts: Tensor


class Space(Protocol):
    """Feature frames (T, 140) as places (N, C), and back."""

    name: str
    channels: int
    frames_per_step: int

    def encode(self, frames: Tensor) -> Tensor:
        """Return places (ceil(T / frames_per_step), C) of feature frames (T, 140)."""
        ...

    def decode(self, places: Tensor) -> Tensor:
        """Return feature frames (N * frames_per_step, 140) of places (N, C)."""
        ...

    def kinematics(self, places: Tensor) -> Kinematics:
        """Return how the bodies of places (B, N, C) move."""
        ...

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Return what decodes a stream: it takes the next places and remembers what it must of those before."""
        ...


class MotionSpace:
    """The feature frames themselves."""

    name, channels, frames_per_step = "motion", features.FEATURE_DIM, 1

    def encode(self, frames: Tensor) -> Tensor:
        """Return the frames."""
        return frames

    def decode(self, places: Tensor) -> Tensor:
        """Return the frames."""
        return places.cpu()

    def kinematics(self, places: Tensor) -> Kinematics:
        """Return how the bodies of frames (B, T, 140) move."""
        return _kinematics(places)

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Return `decode`: frames stand for themselves."""
        return self.decode


class EdgeSpace:
    """EDGE's 151-D frames, which carry the root's place: a clip begins over the origin."""

    name, channels, frames_per_step = "edge", features_edge.FEATURE_DIM, 1

    def encode(self, frames: Tensor) -> Tensor:
        """Return EDGE's frames (T, 151)."""
        return features_edge.encode(features.decode(frames))

    def decode(self, places: Tensor) -> Tensor:
        """Return feature frames (T, 140)."""
        return features.encode(features_edge.decode(places.cpu()))

    def kinematics(self, places: Tensor) -> Kinematics:
        """Return how the bodies of frames (B, T, 151) move."""
        joints = features_edge.positions(places)
        steps = joints[:, 1:] - joints[:, :-1]  # (B, T - 1, 22, 3)
        contacts = places[:, 1:, features_edge.LAYOUT["contacts"]]
        return Kinematics(
            joints, _lengths(steps) * features.FPS, steps[:, :, features_edge.CONTACT_INDEX], contacts
        )

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Raise ValueError: the root's place would have to be carried on from window to window."""
        raise ValueError("space: expected latent or motion to stream, got edge; load another")


class LatentSpace:
    """The tokenizer's latents before quantization."""

    name = "latent"

    def __init__(self, tokenizer: RVQVAE) -> None:
        self.tokenizer = tokenizer
        self.channels = tokenizer.config.latent_dim
        self.frames_per_step = tokenizer.config.frames_per_token

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """Return latents (N, latent) of frames (T, 140)."""
        return self.tokenizer.latents(frames[None].to(self.tokenizer.mean.device))[0].cpu()

    def decode(self, places: Tensor) -> Tensor:
        """Return frames (4 N, 140) of latents (N, latent)."""
        return self.decoder()(places)

    def kinematics(self, places: Tensor) -> Kinematics:
        """Return how the bodies move that latents (B, N, latent) are decoded to."""
        return _kinematics(self.tokenizer.decode_latents(places))

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Return what decodes a stream of latents."""
        state = self.tokenizer.init_state(1)

        @torch.no_grad()
        def decode_next(places: Tensor) -> Tensor:
            latents = places[None].to(self.tokenizer.mean.device)
            return self.tokenizer.step_latents(latents, state)[0].float().cpu()

        return decode_next


def _kinematics(frames: Tensor) -> Kinematics:
    places = local_positions(frames)
    velocities = world_velocities(frames, places)  # (B, T - 1, 22, 3)
    contacts = frames[:, 1:, features.LAYOUT["contacts"]]
    return Kinematics(places, _lengths(velocities), velocities[:, :, CONTACT_INDEX] / features.FPS, contacts)


def _lengths(vectors: Tensor) -> Tensor:
    return vectors.square().sum(-1).add(1e-8).sqrt()


def make_space(name: str, tokenizer: RVQVAE | None) -> Space:
    """Return a space by its name. Raises ValueError when latents are asked for without a tokenizer."""
    if name == "latent":
        if tokenizer is None:
            raise ValueError("tokenizer: expected one for latents, got none; train a tokenizer first")
        return LatentSpace(tokenizer)
    return MotionSpace() if name == "motion" else EdgeSpace()
