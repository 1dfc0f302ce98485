"""The recipe of BAMM: codes of clips, of cuts and of pairs of them, with the sentences that say what they are."""

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
from motiongen.data.composition import JOINTS, crossfade, join_captions, pose_distance, same_form
from motiongen.data.corpus import Corpus
from motiongen.features import LAYOUT
from motiongen.heads.bamm.config import BAMMTrainConfig
from motiongen.heads.bamm.loss import BAMMBatch, loss
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.code_recipe import CodeRecipe, text_condition, text_tensors
from motiongen.tokenizers.rvq_vae import RVQVAE

POSE = slice(LAYOUT["height"].start, LAYOUT["joints"].stop)  # what must meet at a junction


@dataclass(frozen=True)
class Pair:
    """Two motions in one.

    Attributes:
        codes: (N, Q) int16.
        boundary: token with which the second begins.
        ended: whether the second is there to its end.
        caption: sentence for both.
        second: sentence for the second.
    """

    codes: Tensor
    boundary: int
    ended: bool
    caption: str
    second: str


@dataclass(frozen=True)
class Example:
    """What is shown of one motion: its codes (N, Q), where its end is among them, and the words."""

    codes: Tensor
    ended: bool
    given: int
    caption: str


class BAMMRecipe(CodeRecipe[Example]):
    """Trains a BAMM on the codes of a prepared cache; see `Recipe`."""

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
        """Take a model and its tokenizer, a cache, a text encoder, and a folder that keeps codes and text vectors."""
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

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of clips of like length."""
        return self.batch(self.like_length(self.config.batch_size, generator, self._example, draws=5))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Return examples as tensors."""
        return {
            "codes": pad_sequence([example.codes.long() for example in examples], batch_first=True),
            "lengths": torch.tensor([len(example.codes) for example in examples]),
            "ended": torch.tensor([example.ended for example in examples]),
            "given": torch.tensor([example.given for example in examples]),
            **text_tensors(self.table.gather([self.table.index(example.caption) for example in examples])),
        }

    def loss_of(
        self, model: BAMM, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch."""
        codes, lengths, ended, given = (batch[key] for key in ("codes", "lengths", "ended", "given"))
        return loss(model, BAMMBatch(codes, lengths, ended, given, text_condition(batch)), generator)

    def _example(self, index: int, draws: Sequence[float]) -> Example:
        """Return one example: a motion, or by the first draw a pair or the second of a pair."""
        kind, which, place, size, words = draws
        window, config = self.model.config.max_tokens, self.config
        if self.pairs and kind < config.composed_share + config.continued_share:
            pair = self.pairs[int(which * len(self.pairs))]
            if kind < config.composed_share:
                return Example(pair.codes[:window], pair.ended and len(pair.codes) <= window, 0, pair.caption)
            given = 1 + int(place * min(pair.boundary, 16))
            codes = pair.codes[pair.boundary - given :]
            return Example(codes[:window], pair.ended and len(codes) <= window, given, pair.second)
        motion = self.motions[index]
        codes = self.corpus.codes(index, which)
        caption = motion.captions[int(words * len(motion.captions))]
        shown = self.corpus.crop(len(codes), 1 - kind < config.cut_share, size, place)
        return Example(codes[shown], shown.stop == len(codes), 0, caption)

    def _make_pairs(self, tokenizer: RVQVAE) -> list[Pair]:
        """Join random motions; of some candidates, the one that begins most like the first one ends comes second."""
        generator = torch.Generator().manual_seed(0)
        step, frames = tokenizer.config.frames_per_token, self.config.crossfade_frames
        longest = self.model.config.max_tokens * step // 2
        drawn = torch.tensor(self.corpus.draw(7 * self.config.compositions, generator)).view(-1, 7)
        joined, facts = [], []
        for row in drawn.tolist():
            picks = torch.rand(3, generator=generator).tolist()
            first = self.corpus.features(self.motions[row[0]])[-longest:]
            others = [self.corpus.features(self.motions[index]) for index in row[1:]]
            best = min(range(len(others)), key=partial(_junction, first, others))
            captions = self.motions[row[0]].captions, self.motions[row[1 + best]].captions
            said = captions[0][int(picks[0] * len(captions[0]))]
            alike = [caption for caption in captions[1] if same_form(said, caption)] or list(captions[1])
            second = alike[int(picks[1] * len(alike))]
            joined.append(crossfade(first, others[best][:longest], frames))
            caption = join_captions(
                said, second, JOINTS[int(picks[2] ** 2 * len(JOINTS))]
            )  # ", then" most of all
            boundary = (len(first) - frames // 2) // step
            facts.append((boundary, len(others[best]) <= longest, caption, second))
        codes = encode_all(tokenizer, joined)
        pairs = [Pair(row, *fact) for row, fact in zip(codes, facts, strict=True)]
        return [pair for pair in pairs if 0 < pair.boundary < len(pair.codes)]


def _junction(first: Tensor, others: Sequence[Tensor], index: int) -> float:
    return pose_distance(first[:, POSE], others[index][:, POSE])
