"""Representations that a BADM diffuses: feature frames, EDGE's frames, or tokenizer latents."""

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
    """Joint motion of a batch, differentiable, for the kinematic losses.

    Attributes:
        positions: (B, T, 22, 3) joint positions, metres, in a frame of reference that depends on the space.
        speeds: (B, T - 1, 22) joint speeds relative to the ground, m/s.
        feet: (B, T - 1, 4, 3) displacements of the contact joints from frame to frame, metres.
        contacts: (B, T - 1, 4) contact of these joints, 0..1.
    """

    positions: Tensor
    speeds: Tensor
    feet: Tensor
    contacts: Tensor


class Space(Protocol):
    """Protocol of a representation: feature frames (T, 140) to a sequence (N, C) and back.

    Attributes:
        name: of the space.
        channels: C.
        frames_per_step: frames of a position of the sequence.
    """

    name: str
    channels: int
    frames_per_step: int

    def encode(self, frames: Tensor) -> Tensor:
        """Return the sequence (ceil(T / frames_per_step), C) of feature frames (T, 140)."""
        ...

    def decode(self, sequence: Tensor) -> Tensor:
        """Return feature frames (N * frames_per_step, 140) of a sequence (N, C)."""
        ...

    def kinematics(self, sequence: Tensor) -> Kinematics:
        """Return the joint motion of sequences (B, N, C)."""
        ...

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Return a stateful function for streaming: it decodes the next part (n, C) of a sequence to feature frames."""
        ...


class MotionSpace:
    """Feature frames, unchanged: one position a frame."""

    name, channels, frames_per_step = "motion", features.FEATURE_DIM, 1

    def encode(self, frames: Tensor) -> Tensor:
        """Return the frames."""
        return frames

    def decode(self, sequence: Tensor) -> Tensor:
        """Return the frames."""
        return sequence.cpu()

    def kinematics(self, sequence: Tensor) -> Kinematics:
        """Return the joint motion of frames (B, T, 140)."""
        return _kinematics(sequence)

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Return `decode`, since frames need no state."""
        return self.decode


class EdgeSpace:
    """EDGE's 151-D frames, which contain the position of the root; a clip starts at the origin."""

    name, channels, frames_per_step = "edge", features_edge.FEATURE_DIM, 1

    def encode(self, frames: Tensor) -> Tensor:
        """Return EDGE's frames (T, 151)."""
        return features_edge.encode(features.decode(frames))

    def decode(self, sequence: Tensor) -> Tensor:
        """Return feature frames (T, 140)."""
        return features.encode(features_edge.decode(sequence.cpu()))

    def kinematics(self, sequence: Tensor) -> Kinematics:
        """Return the joint motion of frames (B, T, 151)."""
        joints = features_edge.positions(sequence)
        steps = joints[:, 1:] - joints[:, :-1]  # (B, T - 1, 22, 3)
        contacts = sequence[:, 1:, features_edge.LAYOUT["contacts"]]
        return Kinematics(
            joints, _lengths(steps) * features.FPS, steps[:, :, features_edge.CONTACT_INDEX], contacts
        )

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Raise ValueError: the space cannot be streamed, as its root positions start at the origin in each window."""
        raise ValueError("space: expected latent or motion to stream, got edge; load another")


class LatentSpace:
    """Tokenizer latents before quantization: one position a token."""

    name = "latent"

    def __init__(self, tokenizer: RVQVAE) -> None:
        self.tokenizer = tokenizer
        self.channels = tokenizer.config.latent_dim
        self.frames_per_step = tokenizer.config.frames_per_token

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """Return latents (N, latent) of frames (T, 140)."""
        return self.tokenizer.latents(frames[None].to(self.tokenizer.mean.device))[0].cpu()

    def decode(self, sequence: Tensor) -> Tensor:
        """Return frames (4 N, 140) of latents (N, latent)."""
        return self.decoder()(sequence)

    def kinematics(self, sequence: Tensor) -> Kinematics:
        """Return the joint motion of the frames that latents (B, N, latent) decode to."""
        return _kinematics(self.tokenizer.decode_latents(sequence))

    def decoder(self) -> Callable[[Tensor], Tensor]:
        """Return a function that decodes the next latents (n, latent) of a stream to frames (4 n, 140)."""
        state = self.tokenizer.init_state(1)

        @torch.no_grad()
        def decode_next(sequence: Tensor) -> Tensor:
            latents = sequence[None].to(self.tokenizer.mean.device)
            return self.tokenizer.step_latents(latents, state)[0].float().cpu()

        return decode_next


def _kinematics(frames: Tensor) -> Kinematics:
    positions = local_positions(frames)
    velocities = world_velocities(frames, positions)  # (B, T - 1, 22, 3)
    contacts = frames[:, 1:, features.LAYOUT["contacts"]]
    return Kinematics(
        positions, _lengths(velocities), velocities[:, :, CONTACT_INDEX] / features.FPS, contacts
    )


def _lengths(vectors: Tensor) -> Tensor:
    return vectors.square().sum(-1).add(1e-8).sqrt()


def make_space(name: str, tokenizer: RVQVAE | None) -> Space:
    """Return a space.

    Args:
        name: "latent", "motion" or "edge".
        tokenizer: for "latent".

    Raises:
        ValueError: "latent" without a tokenizer.
    """
    if name == "latent":
        if tokenizer is None:
            raise ValueError("tokenizer: expected one for latents, got none; train a tokenizer first")
        return LatentSpace(tokenizer)
    return MotionSpace() if name == "motion" else EdgeSpace()
