"""Codes of many motions, each at every phase of its frames, in memory."""

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

ENCODE_FRAMES = 8192  # frames encoded at once, padding included


class CodeBank:
    """Codes (N, Q) of M motions at P phases: phase p leaves out the first p frames, so that tokens fall elsewhere."""

    def __init__(self, codes: Tensor, lengths: Tensor) -> None:
        """Take all codes (sum of N, Q) int16, motion by motion and phase by phase, and lengths (M, P)."""
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
    ) -> "CodeBank":
        """Return the codes of motions 0..count-1, read from `folder` if they were encoded before.

        Args:
            tokenizer: what encodes them.
            count: M.
            features: gives the frames (T, D) of a motion.
            phases: P, at most the tokenizer's frames per token.
            folder: where codes are kept between runs; the file is named by the tokenizer's weights.
        """
        if not 1 <= phases <= tokenizer.config.frames_per_token:
            expected = f"1..{tokenizer.config.frames_per_token}"
            raise ValueError(f"phases: expected {expected}, got {phases}; more would repeat the same tokens")
        path = (
            None if folder is None else folder / f"codes-{_fingerprint(tokenizer, count, phases)}.safetensors"
        )
        if path is not None and path.is_file():
            kept = read_tensors(path)
            return cls(kept["codes"], kept["lengths"])
        log.info("encoding %d motions at %d phases", count, phases)
        frames = [_from_phase(features(index), phase) for index in range(count) for phase in range(phases)]
        codes = encode_all(tokenizer, frames)
        lengths = torch.tensor([len(row) for row in codes]).view(count, phases)
        bank = cls(torch.cat(codes), lengths)
        if path is not None:
            write_tensors(path, {"codes": bank.flat, "lengths": bank.lengths})
        return bank

    def __len__(self) -> int:
        return len(self.lengths)

    def codes(self, motion: int, phase: int = 0) -> Tensor:
        """Return codes (N, Q) int16 of a motion at a phase."""
        start = int(self.starts[motion, phase])
        return self.flat[start : start + int(self.lengths[motion, phase])]


@torch.no_grad()
def encode_all(tokenizer: RVQVAE, clips: Sequence[Tensor]) -> list[Tensor]:
    """Return codes (N, Q) int16 for each clip of features (T, D), encoded in batches of like length."""
    order = sorted(range(len(clips)), key=lambda index: len(clips[index]))
    device, codes = next(tokenizer.parameters()).device, {}
    while order:
        longest = len(clips[order[-1]])
        size = (
            max(1, ENCODE_FRAMES // longest) if tokenizer.config.causal else 1
        )  # padding would leak backwards
        batch, order = order[-size:], order[:-size]
        padded = pad_sequence([clips[index] for index in batch], batch_first=True).to(device)
        for row, index in zip(padded, batch, strict=True):
            row[len(clips[index]) :] = row[len(clips[index]) - 1]  # as the tokenizer ends an unfinished token
        for row, index in zip(tokenizer.encode(padded).to("cpu", torch.int16), batch, strict=True):
            codes[index] = row[: -(-len(clips[index]) // tokenizer.config.frames_per_token)].clone()
    return [codes[index] for index in range(len(clips))]


def _from_phase(frames: Tensor, phase: int) -> Tensor:
    return frames[min(phase, len(frames) - 1) :]


def _fingerprint(module: nn.Module, *facts: int) -> str:
    digest = hashlib.sha256(repr(facts).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
