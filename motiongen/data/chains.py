"""Chains of crossfaded motions with one prompt each: training data for streams whose prompt changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.data.code_bank import encode_all
from motiongen.data.composition import junction_distances, stepping_crossfade
from motiongen.data.corpus import CaptionedMotion, Corpus
from motiongen.tokenizers.rvq_vae import RVQVAE

CANDIDATES = 12  # motions of the same content among which the best junction is searched
LATEST_ENTRY = 24  # latest frame at which a motion may be entered
EARLIEST_EXIT = 12  # frames before its end at which the motion before it may be left
SHORTEST = 24  # least frames of a link, if the motion is that long
WHOLE = 0.25  # share of chains of two whole motions, which can have one caption


@dataclass(frozen=True)
class Link:
    """One motion of a chain.

    Attributes:
        begin: its first token in the chain.
        end: the token after its last.
        age: tokens at the start of the motion that were cropped.
        ended: whether the end of the motion is in the chain.
        caption: of the motion.
    """

    begin: int
    end: int
    age: int
    ended: bool
    caption: str


@dataclass(frozen=True)
class Chain:
    """Consecutive crossfaded motions.

    Attributes:
        codes: (N, Q) int16.
        links: the motions, in order.
    """

    codes: Tensor
    links: tuple[Link, ...]


def make_chains(corpus: Corpus, tokenizer: RVQVAE, count: int, crossfade_frames: int) -> list[Chain]:
    """Return random chains of two or three motions, cropped as if a user had changed the prompt.

    Args:
        corpus: the motions.
        tokenizer: encodes the chains.
        count: number of chains.
        crossfade_frames: frames over which consecutive motions are crossfaded.
    """
    generator = torch.Generator().manual_seed(0)
    step, same_content = tokenizer.config.frames_per_token, _same_content(corpus)
    clips, marks_of_chains = [], []
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
                motion, entry, left = _junction(corpus, frames, same_content[index], generator)
                frames, clip = frames[: len(frames) - left], corpus.features(motion)
            longest = corpus.window * step // size + int(60 * draws[2])
            length = len(clip) - entry
            if (draws[3] < 0.5 and not is_whole) or length > longest:
                length = min(length, longest, SHORTEST + int(draws[2] * length))
            part = clip[entry : entry + length]
            ended = entry + length == len(clip)
            caption = motion.captions[int(draws[2] * 997) % len(motion.captions)]
            joined = part if not marks else stepping_crossfade(frames, part, crossfade_frames)
            begin = len(joined) - len(part) + (crossfade_frames // 2 if marks else 0)
            marks.append((begin, entry // step, ended, caption))
            frames = joined
        clips.append(frames)
        marks_of_chains.append(marks)
    codes = encode_all(tokenizer, clips)
    return [_chain(item, marks, step) for item, marks in zip(codes, marks_of_chains, strict=True)]


def _chain(codes: Tensor, marks: Sequence[tuple[int, int, bool, str]], step: int) -> Chain:
    """Return a chain from codes and (first frame, age, ended, caption) of each motion, `step` frames a token."""
    begins = [-(-begin // step) for begin, *_ in marks] + [len(codes)]
    links = [
        Link(begin, end, age, ended, caption)
        for begin, end, (_, age, ended, caption) in zip(begins, begins[1:], marks, strict=False)
        if begin < end
    ]
    return Chain(codes, tuple(links))


def _same_content(corpus: Corpus) -> list[list[int]]:
    """Return for each motion the indices of those with the same source, content and first caption."""
    groups = defaultdict(list)
    keys = []
    for index, motion in enumerate(corpus.motions):
        record = corpus.cache.records[motion.clip]
        keys.append((record.source, record.content, motion.captions[:1]))
        groups[keys[-1]].append(index)
    return [groups[key] for key in keys]


def _junction(
    corpus: Corpus, frames: Tensor, group: Sequence[int], generator: torch.Generator
) -> tuple[CaptionedMotion, int, int]:
    """Return the motion of a group that frames (T, D) go over into best, where it is entered, and frames to leave out.

    Poses, contacts and velocities of the last frames are compared with those of the first frames of each motion.
    """
    picks = torch.randperm(len(group), generator=generator)[:CANDIDATES].tolist()
    exits = (
        frames[max(SHORTEST, len(frames) - EARLIEST_EXIT - 1) :] if len(frames) > SHORTEST else frames[-1:]
    )
    best = (torch.inf, corpus.motions[group[0]], 0, 0)
    for pick in picks:
        motion = corpus.motions[group[pick]]
        entries = corpus.features(motion)[: LATEST_ENTRY + 1]
        entries = entries[: max(1, len(entries) - SHORTEST)]
        distances = junction_distances(exits, entries)
        left, entry = divmod(int(distances.argmin()), len(entries))
        found = (float(distances[left, entry]), motion, entry, len(exits) - 1 - left)
        best = min(best, found, key=lambda item: item[0])
    return best[1:]
