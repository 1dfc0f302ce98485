"""Corpus of text-to-motion heads: captioned motions of a cache as codes, and their sampling weights."""

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
class CaptionedMotion:
    """A motion of a cache with its captions.

    Attributes:
        clip: index of the clip in the cache.
        mirrored: whether the motion is the mirror image of the clip.
        captions: of the motion.
    """

    clip: int
    mirrored: bool
    captions: tuple[str, ...]


class Corpus:
    """Captioned training motions of a cache with their codes at every phase, and held-out motions.

    Args:
        cache: the clips.
        tokenizer: encodes them.
        config: sampling of motions.
        window: window of the head, tokens.
        folder: where codes are stored between runs.

    Raises:
        ValueError: the cache has no training clips with captions.
    """

    def __init__(
        self, cache: ClipCache, tokenizer: RVQVAE, config: CorpusConfig, window: int, folder: Path
    ) -> None:
        self.cache, self.config, self.window = cache, config, window
        self.motions = captioned_motions(cache, "train")
        if not self.motions:
            raise ValueError(
                "cache: expected training clips with captions, found none; prepare it with captions"
            )
        phases = min(config.phases, tokenizer.config.frames_per_token)
        self.bank = CodeBank.encode(
            tokenizer, len(self.motions), lambda i: self.features(self.motions[i]), phases, folder,
            sum(cache.records[motion.clip].num_frames for motion in self.motions),
        )  # fmt: skip
        self.shares = motion_shares(cache, self.motions, self.bank.lengths[:, 0], config, window)
        held_out = captioned_motions(cache, "test")
        self.held_out = held_out[:: max(1, len(held_out) // config.held_out_items)][: config.held_out_items]
        self.held_out_codes = encode_all(tokenizer, [self.features(motion) for motion in self.held_out])

    def features(self, motion: CaptionedMotion) -> Tensor:
        """Return the feature frames (T, D) of a motion."""
        return self.cache.features(motion.clip, motion.mirrored)

    def draw(self, count: int, generator: torch.Generator) -> list[int]:
        """Return the indices of `count` random motions, drawn by their sampling weights."""
        return torch.multinomial(self.shares, count, replacement=True, generator=generator).tolist()

    def codes(self, index: int, phase_draw: float) -> Tensor:
        """Return the codes (N, Q) int16 of a motion at one of its phases, selected by a uniform draw in 0..1."""
        return self.bank.codes(index, int(phase_draw * self.bank.lengths.shape[1]))

    def crop(self, count: int, is_cut: bool, size_draw: float, start_draw: float) -> slice:
        """Return the span of a training example, at most the window.

        Args:
            count: tokens of the motion.
            is_cut: whether to crop a motion that fits the window, too.
            size_draw: uniform draw in 0..1, of the length of the crop.
            start_draw: uniform draw in 0..1, of its start.
        """
        length = min(self.window, count - int(size_draw * (count // 2)) if is_cut else count)
        start = int(start_draw * (count - length + 1))
        return slice(start, start + length)

    def facts(self, text_encoder: str) -> dict[str, object]:
        """Return facts about the data for a model card."""
        records = [self.cache.records[motion.clip] for motion in self.motions]
        return {
            "data": sorted({f"{record.source}: {record.licence}" for record in records}),
            "motions": f"{len(self.motions)}, mirrored ones among them",
            "text encoder": text_encoder,
        }


def captioned_motions(cache: ClipCache, split: str) -> list[CaptionedMotion]:
    """Return the motions of a split that have captions, and their mirror images.

    Args:
        cache: the clips.
        split: "train", or "test", whose captions are the held-out ones, if any.
    """
    motions, uncaptioned = [], 0
    for index in cache.split(split):
        record = cache.records[index]
        sides = [
            (record.captions, record.held_out_captions),
            (record.mirrored_captions, record.mirrored_held_out_captions),
        ]
        for mirrored, (captions, held_out) in enumerate(sides):
            chosen = captions if split == "train" else held_out or captions
            uncaptioned += not mirrored and not chosen
            if chosen and record.num_frames > 1:
                motions.append(CaptionedMotion(index, bool(mirrored), chosen))
    if uncaptioned:
        log.warning("%d clips of %s have no captions and are left out", uncaptioned, split)
    return motions


def motion_shares(
    cache: ClipCache, motions: Sequence[CaptionedMotion], lengths: Tensor, config: CorpusConfig, window: int
) -> Tensor:
    """Return sampling weights (M,) of motions, balanced by content, source and length.

    Args:
        cache: the clips.
        motions: M motions.
        lengths: (M,) tokens of each.
        config: exponents of the balance.
        window: window of the head, tokens.
    """
    records = [cache.records[motion.clip] for motion in motions]
    groups = [(record.source, record.content) for record in records]
    counts = Counter(groups)
    shares = torch.tensor([counts[group] ** -config.content_power for group in groups], dtype=torch.float64)
    shares *= (lengths / window).clamp_min(1).sqrt()  # longer clips have more content
    for source in sorted({record.source for record in records}):
        own = torch.tensor([record.source == source for record in records])
        shares[own] *= float(lengths[own].sum()) ** config.source_power / shares[own].sum()
    return shares / shares.sum()
