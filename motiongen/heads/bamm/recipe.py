"""Training recipe of BAMM: codes of whole, cropped and joined clips with their captions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.data.caption_table import CaptionTable
from motiongen.data.code_bank import encode_all
from motiongen.data.composition import (
    JOINTS,
    join_captions,
    junction_distances,
    same_form,
    stepping_crossfade,
)
from motiongen.data.corpus import Corpus
from motiongen.heads.bamm.config import BAMMTrainConfig
from motiongen.heads.bamm.loss import BAMMBatch, loss
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.code_recipe import CodeRecipe, text_condition, text_tensors
from motiongen.tokenizers.rvq_vae import RVQVAE


@dataclass(frozen=True)
class Pair:
    """Two motions joined into one.

    Attributes:
        codes: (N, Q) int16.
        boundary: first token of the second motion.
        ended: whether the second motion is complete.
        caption: sentence for both motions.
        second: sentence for the second motion.
    """

    codes: Tensor
    boundary: int
    ended: bool
    caption: str
    second: str


@dataclass(frozen=True)
class Example:
    """Training example; see `BAMMBatch` for the fields of the same name.

    Attributes:
        codes: (N, Q).
        ended: whether the last token is the last of the motion.
        given: leading tokens that belong to another prompt.
        caption: the prompt.
        recall: uniform draw in 0..1, of the clips beside the prompt.
    """

    codes: Tensor
    ended: bool
    given: int
    caption: str
    recall: float = 0.5


class BAMMRecipe(CodeRecipe[Example]):
    """Trains a BAMM on the codes of a prepared cache; see `Recipe`.

    Args:
        model: the head.
        tokenizer: of the codes.
        cache: the clips.
        encoder: text encoder of the captions.
        config: batches.
        folder: where codes and text vectors are stored; None for `bamm` in the cache.
    """

    name = "bamm"
    title = "BAMM, text to motion codes"
    plain = ("vectors.", "special", "length.", "residual.level_embedding.", "text.no_")
    model_class = BAMM
    model: BAMM
    config: BAMMTrainConfig

    def __init__(
        self,
        model: BAMM,
        tokenizer: RVQVAE,
        cache: ClipCache,
        encoder: TextEncoder,
        config: BAMMTrainConfig | None = None,
        folder: Path | None = None,
    ) -> None:
        self.model, self.config = model, config or BAMMTrainConfig()
        folder = folder or cache.folder / "bamm"
        folder.mkdir(parents=True, exist_ok=True)
        self.corpus = Corpus(cache, tokenizer, self.config, model.config.max_tokens, folder)
        self.motions = self.corpus.motions
        self.pairs = self._make_pairs(tokenizer)
        window = model.config.max_tokens
        self.held_out = [
            Example(codes[:window], len(codes) <= window, 0, motion.captions[0])
            for codes, motion in zip(self.corpus.held_out_codes, self.corpus.held_out, strict=True)
        ]
        captions = [caption for motion in self.motions for caption in motion.captions]
        captions += [caption for pair in self.pairs for caption in (pair.caption, pair.second)]
        self.table = CaptionTable.build(
            encoder, captions + [example.caption for example in self.held_out], folder
        )
        self.recalled = self.recall(self.table)

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of clips of similar length."""
        return self.batch(self.like_length(self.config.batch_size, generator, self._example, draws=6))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Return a batch of examples as tensors."""
        return {
            "codes": pad_sequence([example.codes.long() for example in examples], batch_first=True),
            "lengths": torch.tensor([len(example.codes) for example in examples]),
            "ended": torch.tensor([example.ended for example in examples]),
            "given": torch.tensor([example.given for example in examples]),
            **text_tensors(self.conditions([e.caption for e in examples], [e.recall for e in examples])),
        }

    def loss_of(
        self, model: BAMM, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch; see `loss`."""
        codes, lengths, ended, given = (batch[key] for key in ("codes", "lengths", "ended", "given"))
        return loss(model, BAMMBatch(codes, lengths, ended, given, text_condition(batch)), generator)

    def _example(self, index: int, draws: Sequence[float]) -> Example:
        """Return one example: a motion, a joined pair, or the continuation of a pair's first motion by its second.

        Args:
            index: of the motion.
            draws: six uniform draws in 0..1.
        """
        kind, which, start, size, caption_draw, recall = draws
        window, config = self.model.config.max_tokens, self.config
        if self.pairs and kind < config.composed_share + config.continued_share:
            pair = self.pairs[int(which * len(self.pairs))]
            if kind < config.composed_share:
                ended = pair.ended and len(pair.codes) <= window
                return Example(pair.codes[:window], ended, 0, pair.caption, recall)
            given = 1 + int(start * min(pair.boundary, 16))
            codes = pair.codes[pair.boundary - given :]
            return Example(codes[:window], pair.ended and len(codes) <= window, given, pair.second, recall)
        motion = self.motions[index]
        codes = self.corpus.codes(index, which)
        caption = motion.captions[int(caption_draw * len(motion.captions))]
        span = self.corpus.crop(len(codes), 1 - kind < config.cut_share, size, start)
        return Example(codes[span], span.stop == len(codes), 0, caption, recall)

    def _make_pairs(self, tokenizer: RVQVAE) -> list[Pair]:
        """Return joined pairs of random motions; the second is the candidate that starts nearest to the first's end."""
        generator = torch.Generator().manual_seed(0)
        step, frames = tokenizer.config.frames_per_token, self.config.crossfade_frames
        longest = self.model.config.max_tokens * step // 2
        drawn = torch.tensor(self.corpus.draw(7 * self.config.compositions, generator)).view(-1, 7)
        joined, facts = [], []
        for start, *candidates in drawn.tolist():
            draws = torch.rand(3, generator=generator).tolist()
            first = self.corpus.features(self.motions[start])[-longest:]
            others = [self.corpus.features(self.motions[index]) for index in candidates]
            best = min(range(len(others)), key=partial(_junction, first, others))
            captions = self.motions[start].captions, self.motions[candidates[best]].captions
            first_caption = captions[0][int(draws[0] * len(captions[0]))]
            matching = [caption for caption in captions[1] if same_form(first_caption, caption)]
            matching = matching or list(captions[1])
            second = matching[int(draws[1] * len(matching))]
            joined.append(stepping_crossfade(first, others[best][:longest], frames))
            joint = JOINTS[int(draws[2] ** 2 * len(JOINTS))]  # the first one, ", then", most often
            caption = join_captions(first_caption, second, joint)
            boundary = (len(first) - frames // 2) // step
            facts.append((boundary, len(others[best]) <= longest, caption, second))
        codes = encode_all(tokenizer, joined)
        pairs = [Pair(item, *fact) for item, fact in zip(codes, facts, strict=True)]
        return [pair for pair in pairs if 0 < pair.boundary < len(pair.codes)]


def _junction(first: Tensor, others: Sequence[Tensor], index: int) -> float:
    return float(junction_distances(first[-1:], others[index][:1]))
