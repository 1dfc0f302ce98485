"""A prepared cache as a memory: what a user's own clips need to answer to words, without training.

Waves and raised hands are remembered in the kinds that nobody recorded, too (`data.arms`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motiongen.conditions.text import TextEncoder
from motiongen.data.arms import other_gestures
from motiongen.data.cache import ClipCache
from motiongen.data.code_bank import encode_all, fingerprint
from motiongen.data.corpus import CaptionedMotion, captioned_motions
from motiongen.data.memory import Memory, clip_facts
from motiongen.data.typicality import describe, fits, take_of
from motiongen.modules.memory_pointer import REACH
from motiongen.tokenizers.rvq_vae import RVQVAE

GESTURE_TOKENS = 32
"""Tokens of a made gesture, about four seconds: what follows in the clip may take the other arm, too."""


def remember(
    cache: ClipCache,
    tokenizer: RVQVAE,
    encoder: TextEncoder,
    *,
    clips_per_caption: int = 0,
    captions_per_clip: int = 0,
) -> Memory:
    """Return the training clips of a cache that have captions, and their mirror images, as a memory.

    Args:
        cache: the clips.
        tokenizer: of the head that will read them.
        encoder: text encoder of that head.
        clips_per_caption: most clips with the same first caption; 0 for all.
        captions_per_clip: most captions of a clip: half its first ones, half those that most clips have; 0 for all.

    Raises:
        ValueError: no clip has a caption.
    """
    motions = _plain(cache, captioned_motions(cache, "train"))
    if clips_per_caption:
        counts = Counter[str]()
        kept = []
        for motion in motions:
            counts[motion.captions[0]] += 1
            if counts[motion.captions[0]] <= clips_per_caption:
                kept.append(motion)
        motions = kept
    if not motions:
        raise ValueError(
            "clips: expected some with captions, got none; write them into captions.csv beside the files"
        )
    step = tokenizer.config.frames_per_token
    entries: list[tuple[Tensor, tuple[str, ...], dict[str, str], int]] = []
    for motion, captions in zip(motions, _captions(motions, captions_per_clip), strict=True):
        record = cache.records[motion.clip]
        facts, length = clip_facts(record), -(-record.num_frames // step)
        frames = cache.features(motion.clip, motion.mirrored)[: REACH * step]
        entries.append((frames, captions, facts, length))
        for gesture in other_gestures(frames[: GESTURE_TOKENS * step], captions):
            made = facts | {"id": f"{record.id}, {gesture.name}"}
            entries.append((gesture.frames, gesture.captions, made, min(length, GESTURE_TOKENS)))
    memory = Memory.build(
        encode_all(tokenizer, [frames for frames, _, _, _ in entries]),
        [captions for _, captions, _, _ in entries],
        encoder.embed_pooled,
        [facts for _, _, facts, _ in entries],
        encoder.name,
        fingerprint(tokenizer),
        torch.tensor([length for _, _, _, length in entries]),
    )
    clips = torch.stack([describe(frames) for frames, _, _, _ in entries])
    takes = [take_of(facts["id"]) for _, _, facts, _ in entries]
    memory.fits = fits(clips, takes, memory.owners, memory.vectors)
    return memory


def _plain(cache: ClipCache, motions: Sequence[CaptionedMotion]) -> list[CaptionedMotion]:
    """Return motions without the captions that mostly are those of another content: dribbling is no walk forward.

    A motion that would have no caption left keeps its own.
    """
    contents = [cache.records[motion.clip].content for motion in motions]
    counts: dict[str, Counter[str]] = {}
    for motion, content in zip(motions, contents, strict=True):
        for caption in motion.captions if content else ():
            counts.setdefault(caption, Counter())[str(content)] += 1
    usual = {
        caption: content
        for caption, counter in counts.items()
        for content, count in counter.most_common(1)
        if count > 0.5 * counter.total()
    }
    plain = []
    for motion, content in zip(motions, contents, strict=True):
        own = tuple(caption for caption in motion.captions if usual.get(caption, content) == content)
        plain.append(replace(motion, captions=own or motion.captions))
    return plain


def _captions(motions: Sequence[CaptionedMotion], most: int) -> list[tuple[str, ...]]:
    """Return the captions of each motion, at most so many: the first are the most specific, common ones cost least."""
    counts = Counter(caption for motion in motions for caption in motion.captions)
    if not most:
        return [motion.captions for motion in motions]
    chosen = []
    for motion in motions:
        first = motion.captions[: most - most // 2]
        others = sorted(motion.captions[len(first) :], key=lambda caption: -counts[caption])
        chosen.append((*first, *others[: most // 2]))
    return chosen
