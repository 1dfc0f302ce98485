"""What every head learns from: the captioned motions of a cache as codes, and how often each is drawn."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from motiongen.data.cache import ClipCache
from motiongen.data.code_bank import CodeBank, encode_all
from motiongen.data.corpus_config import CorpusConfig
from motiongen.tokenizers.rvq_vae import RVQVAE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Labelled:
    """A motion of the cache, mirrored or not, and its captions."""

    clip: int
    mirrored: bool
    captions: tuple[str, ...]


class Corpus:
    """The training motions of a cache, with their codes at every phase, and the held-out ones."""

    def __init__(
        self, cache: ClipCache, tokenizer: RVQVAE, config: CorpusConfig, window: int, folder: Path
    ) -> None:
        """Encode a cache's motions, unless `folder` has their codes; `window` is what the head sees, in tokens."""
        self.cache, self.config, self.window = cache, config, window
        self.motions = labelled_motions(cache, "train")
        if not self.motions:
            raise ValueError(
                "cache: expected training clips with captions, found none; prepare it with captions"
            )
        phases = min(config.phases, tokenizer.config.frames_per_token)
        self.bank = CodeBank.encode(
            tokenizer, len(self.motions), lambda i: self.features(self.motions[i]), phases, folder
        )
        self.shares = motion_shares(cache, self.motions, self.bank.lengths[:, 0], config, window)
        held_out = labelled_motions(cache, "test")
        self.held_out = held_out[:: max(1, len(held_out) // config.held_out_items)][: config.held_out_items]
        self.held_out_codes = encode_all(tokenizer, [self.features(motion) for motion in self.held_out])

    def features(self, motion: Labelled) -> Tensor:
        """Return the frames (T, D) of a motion."""
        return self.cache.features(motion.clip, motion.mirrored)

    def draw(self, count: int, generator: torch.Generator) -> list[int]:
        """Return the indices of random motions."""
        return torch.multinomial(self.shares, count, replacement=True, generator=generator).tolist()

    def codes(self, index: int, which: float) -> Tensor:
        """Return codes (N, Q) int16 of a motion at one of its phases, picked by a draw in 0..1."""
        return self.bank.codes(index, int(which * self.bank.lengths.shape[1]))

    def crop(self, count: int, is_cut: bool, size: float, place: float) -> slice:
        """Return the part of `count` tokens that is shown, picked by two draws in 0..1: at most the window."""
        length = min(self.window, count - int(size * (count // 2)) if is_cut else count)
        start = int(place * (count - length + 1))
        return slice(start, start + length)

    def facts(self, text_encoder: str) -> dict[str, object]:
        """Return what a model card says of the data."""
        records = [self.cache.records[motion.clip] for motion in self.motions]
        return {
            "data": sorted({f"{record.source}: {record.licence}" for record in records}),
            "motions": f"{len(self.motions)}, mirrored ones among them",
            "text encoder": text_encoder,
        }


def labelled_motions(cache: ClipCache, split: str) -> list[Labelled]:
    """Return the motions of a split that have captions, each also mirrored; for "test", with held-out wordings."""
    motions, bare = [], 0
    for index in cache.split(split):
        record = cache.records[index]
        sides = [
            (record.captions, record.held_out_captions),
            (record.mirrored_captions, record.mirrored_held_out_captions),
        ]
        for mirrored, (captions, held_out) in enumerate(sides):
            chosen = captions if split == "train" else held_out or captions
            bare += not mirrored and not chosen
            if chosen and record.num_frames > 1:
                motions.append(Labelled(index, bool(mirrored), chosen))
    if bare:
        log.warning("%d clips of %s have no captions and are left out", bare, split)
    return motions


def motion_shares(
    cache: ClipCache, motions: Sequence[Labelled], lengths: Tensor, config: CorpusConfig, window: int
) -> Tensor:
    """Return how often each motion is drawn (M,), by its content's, its source's and its own size."""
    records = [cache.records[motion.clip] for motion in motions]
    groups = [(record.source, record.content) for record in records]
    counts = Counter(groups)
    shares = torch.tensor([counts[group] ** -config.content_power for group in groups], dtype=torch.float64)
    shares *= (lengths / window).clamp_min(1).sqrt()  # a long clip has more to show
    for source in sorted({record.source for record in records}):
        own = torch.tensor([record.source == source for record in records])
        shares[own] *= float(lengths[own].sum()) ** config.source_power / shares[own].sum()
    return shares / shares.sum()
