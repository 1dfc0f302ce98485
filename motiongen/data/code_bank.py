"""Code bank: codes of many motions, each at several frame offsets, in memory."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motiongen.checkpoint import read_tensors, write_tensors
from motiongen.tokenizers.rvq_vae import RVQVAE

log = logging.getLogger(__name__)

ENCODE_FRAMES = 8192  # frames encoded as one batch, padding included


class CodeBank:
    """Codes of M motions at P phases; phase p omits the first p frames, which shifts the token boundaries.

    Args:
        codes: (sum of N, Q) int16, motion by motion and phase by phase.
        lengths: (M, P) tokens N of each.
    """

    def __init__(self, codes: Tensor, lengths: Tensor) -> None:
        self.flat, self.lengths = codes, lengths
        ends = lengths.flatten().cumsum(0)
        self.starts = (ends - lengths.flatten()).view_as(lengths)  # (M, P)

    @classmethod
    def encode(
        cls,
        tokenizer: RVQVAE,
        count: int,
        features: Callable[[int], Tensor],
        phases: int,
        folder: Path | None = None,
        total_frames: int = 0,
    ) -> "CodeBank":
        """Return the bank of motions 0 .. count - 1, read from `folder` if they were encoded before.

        Args:
            tokenizer: encodes the motions.
            count: number of motions M.
            features: returns the feature frames (T, D) of a motion, by index.
            phases: P, at most the frames of a token.
            folder: where codes are stored; the file name is a hash of the tokenizer's weights. None to store nothing.
            total_frames: of all motions, by which a part of a cache is told from another of as many motions.

        Raises:
            ValueError: phases out of range.
        """
        if not 1 <= phases <= tokenizer.config.frames_per_token:
            expected = f"1..{tokenizer.config.frames_per_token}"
            raise ValueError(f"phases: expected {expected}, got {phases}; more would repeat the same tokens")
        path = (
            None
            if folder is None
            else folder / f"codes-{fingerprint(tokenizer, count, phases, total_frames)}.safetensors"
        )
        if path is not None and path.is_file():
            stored = read_tensors(path)
            return cls(stored["codes"], stored["lengths"])
        log.info("encoding %d motions at %d phases", count, phases)
        frames = [_from_phase(features(index), phase) for index in range(count) for phase in range(phases)]
        codes = encode_all(tokenizer, frames)
        lengths = torch.tensor([len(item) for item in codes]).view(count, phases)
        bank = cls(torch.cat(codes), lengths)
        if path is not None:
            write_tensors(path, {"codes": bank.flat, "lengths": bank.lengths})
        return bank

    def __len__(self) -> int:
        return len(self.lengths)

    def codes(self, motion: int, phase: int = 0) -> Tensor:
        """Return the codes (N, Q) int16 of a motion at a phase."""
        start = int(self.starts[motion, phase])
        return self.flat[start : start + int(self.lengths[motion, phase])]


@torch.no_grad()
def encode_all(tokenizer: RVQVAE, clips: Sequence[Tensor]) -> list[Tensor]:
    """Return codes (N, Q) int16 of each clip of features (T, D), encoded in batches of similar length."""
    order = sorted(range(len(clips)), key=lambda index: len(clips[index]))
    device, codes = next(tokenizer.parameters()).device, {}
    while order:
        longest = len(clips[order[-1]])
        size = (
            max(1, ENCODE_FRAMES // longest) if tokenizer.config.causal else 1
        )  # padding would leak backwards
        batch, order = order[-size:], order[:-size]
        padded = pad_sequence([clips[index] for index in batch], batch_first=True).to(device)
        for frames, index in zip(padded, batch, strict=True):
            frames[len(clips[index]) :] = frames[
                len(clips[index]) - 1
            ]  # as the tokenizer pads an incomplete token
        for item, index in zip(tokenizer.encode(padded).to("cpu", torch.int16), batch, strict=True):
            codes[index] = item[: -(-len(clips[index]) // tokenizer.config.frames_per_token)].clone()
    return [codes[index] for index in range(len(clips))]


def _from_phase(frames: Tensor, phase: int) -> Tensor:
    return frames[min(phase, len(frames) - 1) :]


def fingerprint(module: nn.Module, *facts: int) -> str:
    """Return a digest of the weights of a model, and of numbers."""
    digest = hashlib.sha256(repr(facts).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
