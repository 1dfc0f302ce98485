"""The recipe of BAMM: codes of clips, of cuts and of pairs of them, with the sentences that say what they are."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motiongen import checkpoint
from motiongen.conditions.text import CaptionTable, TextCondition, TextEncoder
from motiongen.features import LAYOUT
from motiongen.heads.bamm import BAMM, BAMMConfig
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.cache import ClipCache
from motiongen.training.code_bank import CodeBank, encode_all
from motiongen.training.composition import JOINTS, crossfade, join_captions, pose_distance, same_form
from motiongen.training.model_card import model_card

log = logging.getLogger(__name__)

POSE = slice(LAYOUT["height"].start, LAYOUT["joints"].stop)  # what must meet at a junction


@dataclass(frozen=True, kw_only=True)
class BAMMTrainConfig:
    """Batches: which clips, how cut and how joined."""

    batch_size: int = 64
    phases: int = 4
    """Frames by which the start of a clip may be shifted, so that its tokens fall elsewhere."""
    content_power: float = 0.5
    """A content with n clips is drawn as n**(1 - power): 0 as often as it is there, 1 all contents alike."""
    source_power: float = 0.6
    """A source with n tokens is drawn as n**power: 1 as much as is there, 0 all sources alike."""
    cut_share: float = 0.15
    """Clips of which only a random part is shown; those longer than the model's window always are cut."""
    composed_share: float = 0.12
    """Pairs of clips under "X, then Y"."""
    continued_share: float = 0.08
    """Clips that go on from the end of another one."""
    compositions: int = 2500
    """Pairs of clips that are made, once."""
    crossfade_frames: int = 8
    held_out_items: int = 256
    """Held-out motions that validation looks at."""

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise ValueError(f"batch_size: expected >= 2, got {self.batch_size}; half of a batch is masked")
        for name in ("content_power", "source_power", "cut_share", "composed_share", "continued_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; it is a share")


@dataclass(frozen=True)
class Labelled:
    """A motion of the cache, mirrored or not, and its captions."""

    clip: int
    mirrored: bool
    captions: tuple[str, ...]


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


class BAMMRecipe:
    """Trains a BAMM on the codes of a prepared cache; see `Recipe`."""

    name = "bamm"

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
        self.cache, self.motions = cache, labelled_motions(cache, "train")
        if not self.motions:
            raise ValueError(
                "cache: expected training clips with captions, found none; prepare it with captions"
            )
        phases = min(self.config.phases, tokenizer.config.frames_per_token)
        self.bank = CodeBank.encode(
            tokenizer, len(self.motions), lambda i: self._features(self.motions[i]), phases, folder
        )
        self.shares = motion_shares(
            cache, self.motions, self.bank.lengths[:, 0], self.config, model.config.max_tokens
        )
        self.pairs = self._make_pairs(tokenizer)
        self.held_out = self._held_out(tokenizer)
        captions = [caption for motion in self.motions for caption in motion.captions]
        captions += [caption for pair in self.pairs for caption in (pair.caption, pair.second)]
        self.table = CaptionTable.build(
            encoder, captions + [example.caption for example in self.held_out], folder
        )

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        tokenizer: RVQVAE,
        model_config: BAMMConfig | None = None,
        config: BAMMTrainConfig | None = None,
        encoder: TextEncoder | None = None,
    ) -> "BAMMRecipe":
        """Return the recipe for a prepared cache, with a new model that starts from the tokenizer's codebooks."""
        model_config = model_config or BAMMConfig()
        encoder = encoder or TextEncoder.load(model_config.text_encoder)
        sizes = tokenizer.config
        model = BAMM(
            replace(
                model_config,
                num_quantizers=sizes.num_quantizers,
                codebook_size=sizes.codebook_size,
                frames_per_token=sizes.frames_per_token,
                text_dim=encoder.dim,
                code_dim=min(model_config.code_dim, sizes.latent_dim),
            )
        )
        model.vectors.start_from(tokenizer.quantizer.codebooks)
        return cls(model, tokenizer, cache, encoder, config)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; biases, embeddings and code vectors without."""
        plain = ("vectors.", "special", "length.", "residual.level_embedding.", "text.no_")
        matrices: list[Tensor] = []
        others: list[Tensor] = []
        for name, parameter in self.model.named_parameters():
            (others if parameter.ndim < 2 or name.startswith(plain) else matrices).append(parameter)
        return [{"params": matrices}, {"params": others, "weight_decay": 0.0}]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of clips of like length: a random quarter, by length, of four times as many."""
        draws = torch.rand(4 * self.config.batch_size, 5, generator=generator)
        motions = torch.multinomial(self.shares, len(draws), replacement=True, generator=generator)
        examples = [self._example(*item) for item in zip(motions.tolist(), draws.tolist(), strict=True)]
        examples.sort(key=lambda example: len(example.codes))
        quarter = int(torch.randint(4, (1,), generator=generator)) * self.config.batch_size
        return self.batch(examples[quarter : quarter + self.config.batch_size])

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        return self._loss(self.model, batch, generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the losses on held-out motions under held-out wordings, always masked alike."""
        assert isinstance(model, BAMM), type(model)
        generator, size = torch.Generator().manual_seed(0), self.config.batch_size
        device, totals = model.device, dict[str, float]()
        examples = sorted(self.held_out, key=lambda example: len(example.codes))
        for start in range(0, len(examples), size):
            batch = {
                key: value.to(device) for key, value in self.batch(examples[start : start + size]).items()
            }
            for key, value in self._loss(model, batch, generator).items():
                part = float(value) * len(batch["lengths"]) / len(examples)
                totals[f"held_out/{key}"] = totals.get(f"held_out/{key}", 0.0) + part
        return totals

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the head in fp16 with its model card."""
        assert isinstance(model, BAMM), type(model)
        records = [self.cache.records[motion.clip] for motion in self.motions]
        facts = {
            "data": sorted({f"{record.source}: {record.licence}" for record in records}),
            "motions": f"{len(self.motions)}, mirrored ones among them",
            "text encoder": model.config.text_encoder,
        }
        card = model_card("BAMM, text to motion codes", facts, model, metrics)
        checkpoint.save(model, model.config, directory, card, half=True)

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Return examples as tensors."""
        condition = self.table.gather([self.table.index(example.caption) for example in examples])
        return {
            "codes": pad_sequence([example.codes.long() for example in examples], batch_first=True),
            "lengths": torch.tensor([len(example.codes) for example in examples]),
            "ended": torch.tensor([example.ended for example in examples]),
            "given": torch.tensor([example.given for example in examples]),
            "text_tokens": condition.tokens,
            "text_padding": condition.padding_mask,
            "text_pooled": condition.pooled,
        }

    def _loss(
        self, model: BAMM, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        condition = TextCondition(batch["text_tokens"], batch["text_padding"], batch["text_pooled"])
        return model.loss(
            batch["codes"], batch["lengths"], batch["ended"], condition, generator, given=batch["given"]
        )

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
        codes = self.bank.codes(index, int(which * self.bank.lengths.shape[1]))
        caption = motion.captions[int(words * len(motion.captions))]
        is_cut = 1 - kind < config.cut_share
        length = min(window, len(codes) - int(size * (len(codes) // 2)) if is_cut else len(codes))
        start = int(place * (len(codes) - length + 1))
        return Example(codes[start : start + length], start + length == len(codes), 0, caption)

    def _features(self, motion: Labelled) -> Tensor:
        return self.cache.features(motion.clip, motion.mirrored)

    def _make_pairs(self, tokenizer: RVQVAE) -> list[Pair]:
        """Join random motions; of some candidates, the one that begins most like the first one ends comes second."""
        generator = torch.Generator().manual_seed(0)
        step, frames = tokenizer.config.frames_per_token, self.config.crossfade_frames
        longest = self.model.config.max_tokens * step // 2
        drawn = torch.multinomial(self.shares, 7 * self.config.compositions, True, generator=generator).view(
            -1, 7
        )
        joined, facts = [], []
        for row in drawn.tolist():
            picks = torch.rand(3, generator=generator).tolist()
            first = self._features(self.motions[row[0]])[-longest:]
            others = [self._features(self.motions[index]) for index in row[1:]]
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

    def _held_out(self, tokenizer: RVQVAE) -> list[Example]:
        motions = labelled_motions(self.cache, "test")
        motions = motions[:: max(1, len(motions) // self.config.held_out_items)][: self.config.held_out_items]
        codes, window = (
            encode_all(tokenizer, [self._features(m) for m in motions]),
            self.model.config.max_tokens,
        )
        return [
            Example(row[:window], len(row) <= window, 0, motion.captions[0])
            for row, motion in zip(codes, motions, strict=True)
        ]


def _junction(first: Tensor, others: Sequence[Tensor], index: int) -> float:
    return pose_distance(first[:, POSE], others[index][:, POSE])


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
    cache: ClipCache, motions: Sequence[Labelled], lengths: Tensor, config: BAMMTrainConfig, window: int
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
