"""A head from outside the package, in one file: what docs/design.md walks through.

It looks at the words and at how many tokens it has written, and at nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motiongen.data.caption_table import CaptionTable
from motiongen.data.corpus import Corpus
from motiongen.data.corpus_config import CorpusConfig
from motiongen.heads.code_config import CodeHeadConfig, CodeOptions
from motiongen.heads.code_recipe import CodeRecipe, text_condition, text_tensors
from motiongen.heads.code_sampler import checked_prefixes, requested_lengths
from motiongen.heads.spec import HeadSpec
from motiongen.modules.sampling import counter_uniform, draw, item_generators
from motiongen.training.run import HeadTraining

CLOCK = 64
"""Tokens after which its clock goes round."""


@dataclass(frozen=True, kw_only=True)
class ToyConfig(CodeHeadConfig):
    """Sizes of the toy."""


class Toy(nn.Module):
    """Logits of every level, by the sentence and the clock."""

    model_type = "toy"
    config_class = ToyConfig

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.clock = nn.Embedding(CLOCK, config.dim)
        self.words = nn.Linear(config.text_dim, config.dim)
        self.out = nn.Linear(config.dim, config.num_quantizers * config.codebook_size)

    @property
    def device(self) -> torch.device:
        return self.clock.weight.device

    def logits(self, sentence: Tensor, position: Tensor) -> Tensor:
        """Return logits (..., Q, K) of sentences (..., C) at token numbers (...)."""
        hidden = torch.tanh(self.words(sentence) + self.clock(position % CLOCK))
        return self.out(hidden).unflatten(-1, (self.config.num_quantizers, -1))

    # What makes it stream (motiongen.heads.streaming_head).
    def init_state(self, batch_size, spare=0):
        return ToyState(
            torch.zeros(batch_size, dtype=torch.long), torch.zeros(batch_size, self.config.text_dim)
        )

    @torch.no_grad()
    def set_text(self, state, items, condition):
        state.sentence[list(items)] = 0.0 if condition is None else condition.pooled

    @torch.no_grad()
    def step(self, state, request, options=None):
        noise = counter_uniform(request.seed, state.position, self.config.num_quantizers)  # (B, Q)
        logits = self.logits(state.sentence, state.position)
        sampling = (options or CodeOptions()).sampling()
        codes = [draw(logits[:, q], noise[:, q], sampling) for q in range(self.config.num_quantizers)]
        ended = state.position >= 20
        state.position.add_(request.active.long())
        return torch.stack(codes, dim=1), ended

    @torch.no_grad()
    def push(self, codes, state, skip=None, age=None):
        count = torch.full((len(codes),), codes.shape[1]) if skip is None else (~skip).sum(1)
        state.position.add_(count)


@dataclass
class ToyState:
    position: Tensor
    sentence: Tensor

    @property
    def tensors(self):
        return [self.position, self.sentence]

    def over(self, tensors):
        return ToyState(*tensors)

    def reset(self, items):
        self.position.masked_fill_(items, 0)

    def rewind(self, counts):
        self.position.sub_(counts)


class ToySampler:
    """Codes for files; it edits as well, for it needs no context."""

    def __init__(self, model: Toy) -> None:
        self.model = model

    @torch.no_grad()
    def generate(
        self, condition, *, lengths=None, prefix_codes=None, generator=None, options=None
    ) -> list[Tensor]:
        config, batch = self.model.config, len(condition)
        prefixes = checked_prefixes(
            prefix_codes, batch, config.num_quantizers, config.codebook_size, self.model.device
        )
        made = []
        for i, (length, own) in enumerate(
            zip(requested_lengths(lengths, batch), item_generators(generator, batch), strict=True)
        ):
            position = len(prefixes[i]) + torch.arange(length or 20)
            made.append(self._drawn(condition.pooled[i], position, own, options))
        return made

    @torch.no_grad()
    def edit(self, codes, keep_mask, condition, *, generator=None, options=None) -> list[Tensor]:
        made = []
        for i, own in enumerate(item_generators(generator, len(codes))):
            fresh = self._drawn(condition.pooled[i], torch.arange(len(codes[i])), own, options)
            made.append(torch.where(keep_mask[i][:, None], codes[i], fresh))
        return made

    def _drawn(self, sentence, position, generator, options) -> Tensor:
        logits = self.model.logits(sentence, position)  # (N, Q, K)
        noise = torch.rand(logits.shape[:2], generator=generator)
        return draw(logits.flatten(0, 1), noise.flatten(), (options or CodeOptions()).sampling()).view(
            noise.shape
        )


@dataclass(frozen=True)
class Example:
    codes: Tensor
    caption: str


class ToyRecipe(CodeRecipe[Example]):
    """Cross entropy of every level."""

    name = "toy"
    title = "Toy, text to motion codes"
    plain = ("clock.",)
    model_class = Toy

    def __init__(self, model, tokenizer, cache, encoder, config=None) -> None:
        self.model, self.config = model, config or CorpusConfig()
        folder = cache.folder / "toy"
        folder.mkdir(exist_ok=True)
        self.corpus = Corpus(cache, tokenizer, self.config, CLOCK, folder)
        held_out = zip(self.corpus.held_out_codes, self.corpus.held_out, strict=True)
        self.held_out = [Example(codes, motion.captions[0]) for codes, motion in held_out]
        captions = [caption for motion in self.corpus.motions for caption in motion.captions]
        self.table = CaptionTable.build(encoder, captions + [e.caption for e in self.held_out], folder)

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        def example(index: int, draws: Sequence[float]) -> Example:
            captions = self.corpus.motions[index].captions
            return Example(self.corpus.codes(index, draws[0]), captions[int(draws[1] * len(captions))])

        return self.batch(self.like_length(self.config.batch_size, generator, example, draws=2))

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        condition = self.table.gather([self.table.index(example.caption) for example in examples])
        return {
            "codes": pad_sequence([example.codes.long() for example in examples], batch_first=True),
            **text_tensors(condition),
        }

    def loss_of(self, model, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        position = torch.arange(batch["codes"].shape[1])
        logits = model.logits(text_condition(batch).pooled[:, None], position)  # (B, N, Q, K)
        return {"loss": F.cross_entropy(logits.flatten(0, 2).float(), batch["codes"].flatten())}


@dataclass(frozen=True, kw_only=True)
class ToyTraining(HeadTraining):
    """Train the toy."""

    recipe: CorpusConfig = field(default_factory=CorpusConfig)
    """Batches."""

    def build(self) -> ToyRecipe:
        return ToyRecipe.from_cache(self.cache(), self.load_tokenizer(), ToyConfig(dim=32), self.recipe)


SPEC = HeadSpec(
    name="toy",
    summary="looks at the words and the clock",
    kind="words",
    config=ToyConfig,
    options=CodeOptions,
    presets={"small": ToyConfig()},
    model=lambda: Toy,
    sampler=lambda: ToySampler,
    recipe=lambda: ToyRecipe,
    training=ToyTraining,
    streams=True,
    edits=True,
    tiny=ToyConfig(dim=32),
)


def save_tiny_toy(folder: Path) -> None:
    """Write a random toy that fits the weights of `tests.core.inference.tiny.save_tiny`."""
    from motiongen import checkpoint

    torch.manual_seed(0)
    model = Toy(ToyConfig(num_quantizers=2, codebook_size=16, dim=16))
    checkpoint.save(model, model.config, folder / "toy", "tiny")
