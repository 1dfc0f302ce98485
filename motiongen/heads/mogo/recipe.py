"""The recipe of Mogo: codes of clips, of cuts, and of chains in which the prompt changes on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.data.caption_table import CaptionTable
from motiongen.data.chains import Chain, Link, make_chains
from motiongen.data.composition import join_captions, same_form
from motiongen.data.corpus import Corpus
from motiongen.heads.code_recipe import CodeRecipe, text_condition, text_tensors
from motiongen.heads.mogo.config import MogoTrainConfig
from motiongen.heads.mogo.loss import MogoBatch, loss
from motiongen.heads.mogo.model import Mogo
from motiongen.tokenizers.rvq_vae import RVQVAE


@dataclass(frozen=True)
class Example:
    """Codes (N, Q) and the prompt of each position; see `MogoBatch` for the fields of the same name."""

    codes: Tensor
    ended: bool
    is_cut: bool
    captions: tuple[str, ...]
    drop_text: tuple[bool, ...]
    segment: Tensor
    age: Tensor
    remaining: Tensor


class MogoRecipe(CodeRecipe[Example]):
    """Trains a Mogo on the codes of a prepared cache; see `Recipe`."""

    name = "mogo"
    title = "Mogo, text to motion codes as a stream"
    plain = ("vectors.", "start", "age.", "remaining.", "text.no_")
    model_class = Mogo
    model: Mogo
    config: MogoTrainConfig

    def __init__(
        self,
        model: Mogo,
        tokenizer: RVQVAE,
        cache: ClipCache,
        encoder: TextEncoder,
        config: MogoTrainConfig | None = None,
        folder: Path | None = None,
    ) -> None:
        """Take a model and its tokenizer, a cache, a text encoder, and a folder that keeps codes and text vectors."""
        self.model, self.config = model, config or MogoTrainConfig()
        folder = folder or cache.folder / "mogo"
        folder.mkdir(parents=True, exist_ok=True)
        self.corpus = Corpus(cache, tokenizer, self.config, self.config.train_window, folder)
        self.chains = make_chains(self.corpus, tokenizer, self.config.chains, self.config.crossfade_frames)
        self.held_out = [
            self._single(
                codes, motion.captions[0], slice(0, min(len(codes), self.config.train_window)), False
            )
            for codes, motion in zip(self.corpus.held_out_codes, self.corpus.held_out, strict=True)
        ]
        captions = [caption for motion in self.corpus.motions for caption in motion.captions]
        captions += [example.captions[0] for example in self.held_out]
        captions += [joined for chain in self.chains if (joined := _composed(chain))]
        self.table = CaptionTable.build(encoder, captions, folder)

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of examples of like length."""
        return self.batch(self.like_length(self.config.batch_size, generator, self._example, draws=10))

    def loss_of(
        self, model: Mogo, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch."""
        names = {field.name for field in fields(MogoBatch)} - {"condition"}
        return loss(
            model,
            MogoBatch(condition=text_condition(batch), **{name: batch[name] for name in names}),
            generator,
        )

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Return examples as tensors."""
        prompts = max(len(example.captions) for example in examples)
        captions = [
            caption
            for e in examples
            for caption in e.captions + e.captions[-1:] * (prompts - len(e.captions))
        ]
        condition = self.table.gather([self.table.index(caption) for caption in captions])
        drop_text = [e.drop_text + (True,) * (prompts - len(e.captions)) for e in examples]
        per_position = {
            name: pad_sequence([getattr(example, name) for example in examples], batch_first=True)
            for name in ("segment", "age", "remaining")
        }
        return {
            "codes": pad_sequence([example.codes.long() for example in examples], batch_first=True),
            "lengths": torch.tensor([len(example.codes) for example in examples]),
            "ended": torch.tensor([example.ended for example in examples]),
            "is_cut": torch.tensor([example.is_cut for example in examples]),
            "drop_text": torch.tensor(drop_text),
            **text_tensors(condition),
            **per_position,
        }

    def _example(self, index: int, draws: Sequence[float]) -> Example:
        """Return one example: a motion, or by the first draw a chain, as its words change or told as one."""
        kind, which, place, size, words = draws[:5]
        if self.chains and kind < self.config.chain_share:
            chain = self.chains[int(which * len(self.chains))]
            joined = _composed(chain)
            if joined and place < self.config.composed_share * 4:  # about a quarter can be told as one
                link = Link(0, len(chain.codes), 0, chain.links[1].ended, joined)
                return self._of_links(chain.codes, (link,), 0, draws[5:])
            start = int(place * max(0, len(chain.codes) - self.config.train_window))
            return self._of_links(chain.codes, chain.links, start, draws[5:])
        codes, motion = self.corpus.codes(index, which), self.corpus.motions[index]
        caption = motion.captions[int(words * len(motion.captions))]
        shown = self.corpus.crop(len(codes), 1 - kind < self.config.cut_share, size, place)
        return self._single(codes, caption, shown, draws[5] < self.config.told_share)

    def _single(self, codes: Tensor, caption: str, shown: slice, told: bool) -> Example:
        link = Link(-shown.start, len(codes) - shown.start, 0, True, caption)
        return self._of_links(codes[shown], (link,), 0, [0.0 if told else 1.0] * 5)

    def _of_links(self, codes: Tensor, links: Sequence[Link], start: int, draws: Sequence[float]) -> Example:
        """Return the example that shows tokens from `start` of codes with their links."""
        codes = codes[start : start + self.config.train_window]
        links = [replace(link, begin=link.begin - start, end=link.end - start) for link in links]
        links = [link for link in links if link.end > 0 and link.begin < len(codes)]
        position = torch.arange(len(codes) + 1)
        begins = torch.tensor([link.begin for link in links])
        segment = (position[:, None] >= begins).sum(dim=1).clamp_min(1) - 1
        age, remaining = torch.zeros_like(position), torch.zeros_like(position)
        drop_text = []
        for number, (link, draw) in enumerate(zip(links, draws, strict=False)):
            here, last = segment == number, number == len(links) - 1
            drop_text.append(not last and draw > 1 - self.config.silent_share)
            if not drop_text[-1]:
                age[here] = (position - link.begin + link.age + 1)[here]
                if link.ended and draw < self.config.told_share:
                    remaining[here] = (link.end - position)[here].clamp_min(0)
        most = self.model.config.max_count
        return Example(
            codes=codes,
            ended=links[-1].ended and links[-1].end == len(codes),
            is_cut=start > 0 or links[0].begin < 0 or links[0].age > 0,
            captions=tuple(link.caption for link in links),
            drop_text=tuple(drop_text),
            segment=segment,
            age=age.clamp(0, most),
            remaining=remaining.clamp(0, most),
        )


def _composed(chain: Chain) -> str:
    """Return the sentence for a chain of two whole motions, or "" where the chain is not one."""
    if len(chain.links) != 2 or not chain.links[0].ended or chain.links[0].age:
        return ""
    first, second = (link.caption for link in chain.links)
    return join_captions(first, second) if same_form(first, second) else ""
