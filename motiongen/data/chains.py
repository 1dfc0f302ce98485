"""Chains of motions, one fading into the next, with the prompt of each: a stream whose prompt changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.data.code_bank import encode_all
from motiongen.data.composition import crossfade
from motiongen.data.corpus import Corpus, Labelled
from motiongen.features import LAYOUT
from motiongen.tokenizers.rvq_vae import RVQVAE

POSE = slice(LAYOUT["height"].start, LAYOUT["joints"].stop)  # what must meet at a junction
CANDIDATES = 12  # motions of like content among which the best junction is looked for
LATEST_ENTRY = 24  # frames into which a motion may be joined
SHORTEST = 24  # frames of a link, where the motion has as many
WHOLE = 0.25  # share of chains that are two motions from beginning to end, which one sentence can tell


@dataclass(frozen=True)
class Link:
    """A motion's part in a chain.

    Attributes:
        begin: token at which it begins.
        end: token after its last.
        age: tokens of the motion before its first token here, which were left out.
        ended: whether it is there to its own end.
        caption: what it shows.
    """

    begin: int
    end: int
    age: int
    ended: bool
    caption: str


@dataclass(frozen=True)
class Chain:
    """Motions one after the other: codes (N, Q) int16 and the links, in order."""

    codes: Tensor
    links: tuple[Link, ...]


def make_chains(corpus: Corpus, tokenizer: RVQVAE, count: int, crossfade_frames: int) -> list[Chain]:
    """Return `count` random chains of two or three motions, cut where a user might have changed the prompt."""
    generator = torch.Generator().manual_seed(0)
    step, alike = tokenizer.config.frames_per_token, _alike(corpus)
    clips, drafts = [], []
    for _ in range(count):
        kind, more = torch.rand(2, generator=generator).tolist()
        is_whole = kind < WHOLE
        size = 2 + int(more < 0.4 and not is_whole)
        frames, marks = torch.zeros(0, 0), list[tuple[int, int, bool, str]]()
        for index in corpus.draw(size, generator):
            draws = torch.rand(4, generator=generator).tolist()
            if not marks:
                motion, clip = corpus.motions[index], corpus.features(corpus.motions[index])
                entry = int(draws[0] * max(0, len(clip) - SHORTEST)) if draws[1] < 0.5 and not is_whole else 0
            else:
                motion, entry = _nearest(corpus, frames, alike[index], generator)
                clip = corpus.features(motion)
            longest = corpus.window * step // size + int(60 * draws[2])
            length = len(clip) - entry
            if (draws[3] < 0.5 and not is_whole) or length > longest:
                length = min(length, longest, SHORTEST + int(draws[2] * length))
            part = clip[entry : entry + length]
            ended = entry + length == len(clip)
            caption = motion.captions[int(draws[2] * 997) % len(motion.captions)]
            joined = part if not marks else crossfade(frames, part, crossfade_frames)
            begin = len(joined) - len(part) + (crossfade_frames // 2 if marks else 0)
            marks.append((begin, entry // step, ended, caption))
            frames = joined
        clips.append(frames)
        drafts.append(marks)
    codes = encode_all(tokenizer, clips)
    return [_chain(row, marks, step) for row, marks in zip(codes, drafts, strict=True)]


def _chain(codes: Tensor, marks: Sequence[tuple[int, int, bool, str]], step: int) -> Chain:
    begins = [-(-begin // step) for begin, *_ in marks] + [len(codes)]
    links = [
        Link(begin, end, age, ended, caption)
        for begin, end, (_, age, ended, caption) in zip(begins, begins[1:], marks, strict=False)
        if begin < end
    ]
    return Chain(codes, tuple(links))


def _alike(corpus: Corpus) -> list[list[int]]:
    """Return, for each motion, those of the same source, content and captions."""
    groups = defaultdict(list)
    keys = []
    for index, motion in enumerate(corpus.motions):
        record = corpus.cache.records[motion.clip]
        keys.append((record.source, record.content, motion.captions[:1]))
        groups[keys[-1]].append(index)
    return [groups[key] for key in keys]


def _nearest(
    corpus: Corpus, frames: Tensor, group: Sequence[int], generator: torch.Generator
) -> tuple[Labelled, int]:
    """Return the motion of a group, and the frame near its start, that are most like the last of frames (T, D)."""
    picks = torch.randperm(len(group), generator=generator)[:CANDIDATES].tolist()
    last, best = frames[-1, POSE], (torch.inf, corpus.motions[group[0]], 0)
    for pick in picks:
        motion = corpus.motions[group[pick]]
        entries = corpus.features(motion)[: LATEST_ENTRY + 1]
        entries = entries[: max(1, len(entries) - SHORTEST)]
        distances = (entries[:, POSE] - last).square().mean(dim=-1)
        frame = int(distances.argmin())
        best = min(best, (float(distances[frame]), motion, frame), key=lambda found: found[0])
    return best[1], best[2]
