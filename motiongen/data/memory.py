"""Memory: clips as codes with the sentences that find them, which heads read beside a prompt.

A training makes one of its corpus; `memory_files` keeps one in a folder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.conditions.subject import about_a_person
from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipRecord
from motiongen.data.caption_table import CaptionTable
from motiongen.data.corpus import Corpus
from motiongen.data.opposites import PAIRS, contradictions, told

NEAR = 0.5
"""Least cosine similarity of a prompt to a sentence whose clip is read."""
ALIKE = 0.6
"""Least similarity of a sentence whose clip is like what is asked: as long, for one."""
CANDIDATES = 16
"""Nearest clips of which those that are read are drawn."""
SHARPNESS = 40.0
"""A clip is drawn with weight exp(SHARPNESS * rank). A rank gains its fit / SHARPNESS: odds are e to the fit."""
OPPOSITE = 0.5
"""What a sentence loses in similarity that says the opposite of the prompt."""
POOL = 512
"""Clips of the nearest sentences among which those are chosen."""


@dataclass(frozen=True)
class Found:
    """Clips of a memory that are near to prompts.

    Attributes:
        clips: (B, K) indices of clips, nearest first; -1 where there are fewer.
        rank: (B, K) what they are drawn by: the mean similarity of the nearest sentence and of the clip's first, and
            how well the clip fits the sentence.
        similarity: (B, K) cosine similarity of the prompt to the nearest sentence of each; 0 where there is none.
        sentence: (B, K) indices of those sentences.
    """

    clips: Tensor
    rank: Tensor
    similarity: Tensor
    sentence: Tensor


class Memory:
    """Clips as codes, with sentences.

    Args:
        codes: (sum of N_i, Q) int16, clip by clip.
        lengths: (M,) tokens N_i of each clip.
        sentences: S strings.
        vectors: (S, D) their vectors by the text encoder of the head.
        owners: for each sentence the clips that it describes.
        facts: for each clip its "id", "source" and "licence".
        encoder: name of the text encoder of the vectors.
        tokenizer: fingerprint of the tokenizer of the codes.
        whole_lengths: (M,) tokens of each clip before it was cut; None where none was.
        first: (M,) index of the first sentence of each clip, its most specific one.
        fits: for each sentence how well each of its clips fits it, see `typicality`; None where all do alike.
    """

    def __init__(
        self,
        codes: Tensor,
        lengths: Tensor,
        sentences: Sequence[str],
        vectors: Tensor,
        owners: Sequence[Sequence[int]],
        facts: Sequence[dict[str, str]],
        encoder: str,
        tokenizer: str,
        whole_lengths: Tensor | None,
        first: Tensor,
        fits: Sequence[Sequence[float]] | None = None,
    ) -> None:
        self.flat, self.lengths = codes, lengths
        self.starts = lengths.cumsum(0) - lengths
        self.sentences, self.owners, self.facts = tuple(sentences), owners, tuple(facts)
        self.vectors = F.normalize(vectors.float(), dim=-1)
        self._sides = told(self.sentences)
        self.encoder, self.tokenizer = encoder, tokenizer
        self.whole_lengths = lengths if whole_lengths is None else whole_lengths
        self.first = first
        self.fits = [[0.0] * len(clips) for clips in owners] if fits is None else fits

    def __len__(self) -> int:
        return len(self.lengths)

    def codes(self, clip: int) -> Tensor:
        """Return the codes (N, Q) int16 of a clip."""
        start = int(self.starts[clip])
        return self.flat[start : start + int(self.lengths[clip])]

    def find(self, text: TextEncoder, prompts: Sequence[str], count: int = CANDIDATES) -> Found:
        """Return the clips nearest to prompts, as they are and as captions say who does it, whichever is nearer.

        Args:
            text: encoder of the memory's sentences.
            prompts: B sentences.
            count: K clips of each prompt.
        """
        asked = sentences_of(prompts)
        rows = {sentence: row for row, sentence in enumerate(asked)}
        vectors = text.encode(asked).pooled
        own, plain = ([rows[p] for p in part] for part in (prompts, map(about_a_person, prompts)))
        return self.nearest(vectors[own], count, prompts, vectors[plain])

    def nearest(
        self,
        vectors: Tensor,
        count: int = CANDIDATES,
        prompts: Sequence[str] | None = None,
        others: Tensor | None = None,
    ) -> Found:
        """Return the clips nearest to prompts.

        Of clips with the same sentence those come first whose own first caption, the most specific one, is near too: a
        mummy's walk is a walk, but not what "a person walks" means.

        Args:
            vectors: (B, D) sentence vectors of the prompts.
            count: K clips of each prompt.
            prompts: the B prompts themselves, if what they say of sides and directions is to be heard; see `opposites`.
            others: (B, D) vectors of the same prompts in other words: the nearer one of the two counts.

        Raises:
            ValueError: the memory's vectors are of another encoder.
        """
        if vectors.shape[1] != self.vectors.shape[1]:
            raise ValueError(
                f"memory: expected vectors of {vectors.shape[1]} numbers, as its text encoder makes, got "
                f"{self.vectors.shape[1]}; make it again with motiongen remember"
            )
        sides = torch.zeros(len(vectors), len(PAIRS)) if prompts is None else told(prompts)
        both = vectors[:, None] if others is None else torch.stack([vectors, others], dim=1)
        parts = [self._nearest(*part, count) for part in zip(both.split(256), sides.split(256), strict=True)]
        return Found(
            *(torch.cat(tensors) for tensors in zip(*(vars(part).values() for part in parts), strict=True))
        )

    def _nearest(self, vectors: Tensor, sides: Tensor, count: int) -> Found:
        cosines = (F.normalize(vectors.float().cpu(), dim=-1) @ self.vectors.T).amax(dim=1)  # (B, S)
        cosines = cosines - OPPOSITE * contradictions(sides, self._sides)
        found = Found(
            torch.full((len(vectors), count), -1),
            torch.zeros(len(vectors), count),
            torch.zeros(len(vectors), count),
            torch.zeros(len(vectors), count, dtype=torch.long),
        )
        best = cosines.topk(min(8 * count, cosines.shape[1]), dim=-1)
        for row, (values, indices) in enumerate(
            zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ):
            taken: dict[int, tuple[float, int, float]] = {}
            for similarity, sentence in zip(values, indices, strict=True):
                if similarity < NEAR or len(taken) >= POOL:
                    break
                for clip, fit in zip(self.owners[sentence], self.fits[sentence], strict=True):
                    taken.setdefault(clip, (similarity, sentence, fit))
            if not taken:
                continue
            clips = torch.tensor(list(taken))
            similarities, sentences, fits = map(torch.tensor, zip(*taken.values(), strict=True))
            rank = (similarities + cosines[row, self.first[clips]]) / 2 + fits / SHARPNESS
            order = rank.argsort(descending=True, stable=True)[:count]
            for into, values_of in zip(
                vars(found).values(), (clips, rank, similarities, sentences), strict=True
            ):
                into[row, : len(order)] = values_of[order].to(into.dtype)
        return found

    def first_tokens(self, count: int) -> Tensor:
        """Return the first codes (M, count, Q) int16 of every clip, -1 after the end of shorter ones."""
        starts = torch.full((len(self), count, self.flat.shape[1]), -1, dtype=torch.int16)
        for clip in range(len(self)):
            codes = self.codes(clip)[:count]
            starts[clip, : len(codes)] = codes
        return starts

    @classmethod
    def build(
        cls,
        codes: Sequence[Tensor],
        captions: Sequence[Sequence[str]],
        embed: Callable[[list[str]], Tensor],
        facts: Sequence[dict[str, str]],
        encoder: str = "",
        tokenizer: str = "",
        whole_lengths: Tensor | None = None,
    ) -> "Memory":
        """Return the memory of clips with captions.

        Args:
            codes: (N_i, Q) int16 of each clip.
            captions: sentences of each clip; one may describe several.
            embed: returns the vectors (S, D) of sentences.
            facts: as in `Memory`.
            encoder: as in `Memory`.
            tokenizer: as in `Memory`.
            whole_lengths: as in `Memory`.
        """
        owners: dict[str, list[int]] = {}
        for clip, sentences in enumerate(captions):
            for sentence in dict.fromkeys(sentences):
                owners.setdefault(sentence, []).append(clip)
        lengths = torch.tensor([len(item) for item in codes])
        vectors = embed(list(owners))
        rows = {sentence: row for row, sentence in enumerate(owners)}
        first = torch.tensor([rows[sentences[0]] for sentences in captions])
        flat, described = torch.cat(list(codes)), list(owners.values())
        return cls(
            flat, lengths, list(owners), vectors, described, facts, encoder, tokenizer, whole_lengths, first
        )

    @classmethod
    def of_corpus(cls, corpus: Corpus, table: CaptionTable) -> "Memory":
        """Return the training motions of a corpus as a memory.

        Args:
            corpus: the motions.
            table: with the vectors of their captions.
        """
        return cls.build(
            [corpus.bank.codes(index) for index in range(len(corpus.motions))],
            [motion.captions for motion in corpus.motions],
            lambda sentences: table.gather([table.index(sentence) for sentence in sentences]).pooled,
            [clip_facts(corpus.cache.records[motion.clip]) for motion in corpus.motions],
        )


def sentences_of(prompts: Sequence[str]) -> list[str]:
    """Return the sentences that `Memory.find` reads for prompts, each once: them, and them about a person."""
    return list(dict.fromkeys([*prompts, *map(about_a_person, prompts)]))


def clip_facts(record: ClipRecord) -> dict[str, str]:
    """Return what a memory says about a clip."""
    return {"id": record.id, "source": record.source, "licence": record.licence}


@dataclass(frozen=True)
class Recalled:
    """Clips that heads read beside B prompts.

    Attributes:
        codes: (B, R, M, Q) int16, -1 where there is none.
        alike: (B, R) bool, whether the sentence of each means what the prompt does.
        lengths: tokens of the whole first clip of each prompt; None where it is not alike.
    """

    codes: Tensor
    alike: Tensor
    lengths: list[int | None]


class Recall:
    """Draws the clips that a head reads beside a prompt.

    Args:
        memory: where they are found.
        count: clips R of a prompt.
        tokens: tokens M of a clip that are read.
    """

    def __init__(self, memory: Memory, count: int, tokens: int) -> None:
        self.memory, self.count = memory, count
        self._starts = memory.first_tokens(tokens)

    def draw(self, found: Found, uniform: Tensor) -> Recalled:
        """Return clips drawn from those found.

        Args:
            found: for B prompts.
            uniform: (B, K) uniform draws in 0..1, one for each clip found.
        """
        gumbel = -(-uniform.clamp(1e-6, 1 - 1e-6).log()).log()
        scores = (SHARPNESS * found.rank + gumbel).masked_fill(found.clips < 0, -torch.inf)
        chosen = scores.topk(self.count, dim=-1).indices
        clips, alike = found.clips.gather(1, chosen), found.similarity.gather(1, chosen) >= ALIKE  # (B, R)
        codes = self._starts[clips.clamp_min(0)].masked_fill((clips < 0)[..., None, None], -1)
        whole = self.memory.whole_lengths[clips[:, 0].clamp_min(0)].tolist()
        lengths = [length if like else None for length, like in zip(whole, alike[:, 0].tolist(), strict=True)]
        return Recalled(codes, alike, lengths)


class TrainingRecall:
    """Clips of the corpus beside the captions of a training, left out for a share of them.

    Args:
        memory: of the corpus.
        table: all captions of the training.
        count: clips R of a caption.
        tokens: tokens M of a clip that are read.
        share: of examples that have clips.
    """

    def __init__(self, memory: Memory, table: CaptionTable, count: int, tokens: int, share: float) -> None:
        self._recall, self._share = Recall(memory, count, tokens), share
        self._found = memory.nearest(table.gather(range(len(table))).pooled)

    def clips(self, rows: Sequence[int], draws: Sequence[float]) -> Tensor:
        """Return the codes (B, R, M, Q) of clips beside captions.

        Args:
            rows: of the captions in the table.
            draws: a uniform draw in 0..1 for each: whether it has clips, and which.
        """
        index = torch.tensor(rows)
        found = Found(*(part[index] for part in vars(self._found).values()))
        noise = [
            torch.rand(found.clips.shape[1], generator=torch.Generator().manual_seed(int(draw * 2**40)))
            for draw in draws
        ]
        clips = self._recall.draw(found, torch.stack(noise)).codes
        without = torch.tensor(draws) >= self._share
        return clips.masked_fill(without[:, None, None, None], -1)
