"""Own sentences: whether each content of the training clips is obeyed when it is asked for by its commonest caption.

The motion's content is that of the nearest training clip, by standardised statistics. Contents are counted by their
number of training clips: a head masters first what it has seen often.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.data.cache import ClipCache
from motiongen.evaluation.classifier import labelled_statistics
from motiongen.evaluation.generation import Batch
from motiongen.evaluation.statistics import statistics

BUCKETS = ((1, 5), (6, 14), (15, 49), (50, 10**9))
"""Least and largest number of training clips."""


@dataclass(frozen=True)
class ContentResult:
    """Tries of one content.

    Attributes:
        content: label of the action.
        sentence: commonest caption of its training clips.
        clips: number of its training clips.
        found: content of each try.
    """

    content: str
    sentence: str
    clips: int
    found: tuple[str, ...]

    @property
    def hits(self) -> int:
        """Number of tries with the content that was asked for."""
        return sum(found == self.content for found in self.found)


class NearestContent:
    """Tells the content of a motion from the nearest training clip of a cache."""

    def __init__(self, cache: ClipCache) -> None:
        stacked, self.labels, _ = labelled_statistics(cache)
        self._mean, self._std = stacked.mean(0), stacked.std(0, correction=0).clamp_min(1e-4)
        self._rows = self._standard(stacked)

    def of(self, clips: Sequence[Tensor]) -> list[str]:
        """Return the content of each clip of features (T_i, 140)."""
        asked = self._standard(torch.stack([statistics(clip) for clip in clips]))
        return [self.labels[index] for index in torch.cdist(asked, self._rows).argmin(dim=1).tolist()]

    def _standard(self, rows: Tensor) -> Tensor:
        return ((rows - self._mean) / self._std).clamp(-8, 8)


def own_sentences(
    cache: ClipCache,
    generate: Callable[[Sequence[Batch]], Iterable[list[Tensor]]],
    seeds: int = 3,
    batch_size: int = 32,
) -> list[ContentResult]:
    """Return the results of all contents of a cache, rarest first.

    Args:
        cache: the clips.
        generate: returns features (T_i, 140) of the sentences of each batch.
        seeds: tries of each content.
        batch_size: sentences at a time.
    """
    counts, sentences = Counter[str](), defaultdict[str, Counter[str]](Counter)
    for index in cache.split("train"):
        record = cache.records[index]
        if record.content is not None and record.captions:
            counts[record.content] += 1
            sentences[record.content].update(record.captions)
    contents = sorted(counts, key=lambda content: (counts[content], content))
    asked = [sentences[content].most_common(1)[0][0] for content in contents]
    nearest, found = NearestContent(cache), [list[str]() for _ in contents]
    starts = range(0, len(asked), batch_size)
    tasks = [(slice(start, start + batch_size), 1000 * seed) for seed in range(seeds) for start in starts]
    batches = [Batch(tuple(asked[part]), seed) for part, seed in tasks]
    for (part, _), clips in zip(tasks, generate(batches), strict=True):
        for tries, content in zip(found[part], nearest.of(clips), strict=True):
            tries.append(content)
    return [
        ContentResult(content, sentence, counts[content], tuple(tries))
        for content, sentence, tries in zip(contents, asked, found, strict=True)
    ]


def by_clips(results: Sequence[ContentResult]) -> dict[str, tuple[float, int]]:
    """Return for each range of training clips the share of hits and the number of contents."""
    shares = {}
    for least, most in BUCKETS:
        part = [result for result in results if least <= result.clips <= most]
        if part:
            tries = sum(len(result.found) for result in part)
            name = f"{least}+" if most >= 10**9 else f"{least}-{most}"
            shares[name] = (sum(result.hits for result in part) / tries, len(part))
    return shares
