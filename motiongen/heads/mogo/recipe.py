"""Training recipe of Mogo: codes of whole and cropped clips, and of chains of motions in which the prompt changes."""

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
    """Training example; see `MogoBatch` for the fields of the same name.

    Attributes:
        codes: (N, Q).
        captions: the P prompts.
        recall: a uniform draw in 0..1 for each prompt, of the clips beside it.
    """

    codes: Tensor
    ended: bool
    is_cut: bool
    captions: tuple[str, ...]
    drop_text: tuple[bool, ...]
    segment: Tensor
    age: Tensor
    remaining: Tensor
    recall: tuple[float, ...]


class MogoRecipe(CodeRecipe[Example]):
    """Trains a Mogo on the codes of a prepared cache; see `Recipe`.

    Args:
        model: the head.
        tokenizer: of the codes.
        cache: the clips.
        encoder: text encoder of the captions.
        config: batches.
        folder: where codes and text vectors are stored; None for `mogo` in the cache.
    """

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
        self.model, self.config = model, config or MogoTrainConfig()
        folder = folder or cache.folder / "mogo"
        folder.mkdir(parents=True, exist_ok=True)
        self.corpus = Corpus(cache, tokenizer, self.config, self.config.train_window, folder)
        self.chains = make_chains(self.corpus, tokenizer, self.config.chains, self.config.crossfade_frames)
        self.held_out = [
            self._single(
                codes,
                motion.captions[0],
                slice(0, min(len(codes), self.config.train_window)),
                give_length=False,
            )
            for codes, motion in zip(self.corpus.held_out_codes, self.corpus.held_out, strict=True)
        ]
        captions = [caption for motion in self.corpus.motions for caption in motion.captions]
        captions += [example.captions[0] for example in self.held_out]
        captions += [joined for chain in self.chains if (joined := _composed(chain))]
        self.table = CaptionTable.build(encoder, captions, folder)
        self.recalled = self.recall(self.table)

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of examples of similar length."""
        return self.batch(self.like_length(self.config.batch_size, generator, self._example, draws=15))

    def loss_of(
        self, model: Mogo, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch; see `loss`."""
        names = {field.name for field in fields(MogoBatch)} - {"condition"}
        return loss(
            model,
            MogoBatch(condition=text_condition(batch), **{name: batch[name] for name in names}),
            generator,
        )

    def batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Return a batch of examples as tensors."""
        prompts = max(len(example.captions) for example in examples)
        captions = [
            caption
            for e in examples
            for caption in e.captions + e.captions[-1:] * (prompts - len(e.captions))
        ]
        recall = [
            draw for e in examples for draw in e.recall + (1.0,) * (prompts - len(e.captions))
        ]  # a prompt that only fills up has no clips
        condition = self.conditions(captions, recall)
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
        """Return one example: a motion, or a chain with changing prompts or with one caption for all of it.

        Args:
            index: of the motion.
            draws: fifteen uniform draws in 0..1.
        """
        kind, which, start_draw, size, caption_draw = draws[:5]
        if self.chains and kind < self.config.chain_share:
            chain = self.chains[int(which * len(self.chains))]
            joined = _composed(chain)
            if joined and start_draw < self.config.composed_share * 4:  # about a quarter can have one caption
                link = Link(0, len(chain.codes), 0, chain.links[1].ended, joined)
                return self._of_links(chain.codes, (link,), 0, draws[5:])
            start = int(start_draw * max(0, len(chain.codes) - self.config.train_window))
            return self._of_links(chain.codes, chain.links, start, draws[5:])
        codes, motion = self.corpus.codes(index, which), self.corpus.motions[index]
        caption = motion.captions[int(caption_draw * len(motion.captions))]
        span = self.corpus.crop(len(codes), 1 - kind < self.config.cut_share, size, start_draw)
        give_length = draws[5] < self.config.told_share
        return self._single(codes, caption, span, give_length=give_length, recall=draws[10])

    def _single(
        self, codes: Tensor, caption: str, span: slice, *, give_length: bool, recall: float = 0.5
    ) -> Example:
        """Return the example of a span of one motion, with or without its remaining length."""
        link = Link(-span.start, len(codes) - span.start, 0, True, caption)
        return self._of_links(codes[span], (link,), 0, [0.0 if give_length else 1.0] * 5 + [recall])

    def _of_links(self, codes: Tensor, links: Sequence[Link], start: int, draws: Sequence[float]) -> Example:
        """Return the example of a window of a chain.

        Args:
            codes: (N, Q) of the chain.
            links: its motions.
            start: first token of the window.
            draws: uniform draws in 0..1: five for the links, whether their text and remaining lengths are given, then
                as many for the clips beside their prompts.
        """
        codes = codes[start : start + self.config.train_window]
        links = [replace(link, begin=link.begin - start, end=link.end - start) for link in links]
        links = [link for link in links if link.end > 0 and link.begin < len(codes)]
        position = torch.arange(len(codes) + 1)
        begins = torch.tensor([link.begin for link in links])
        segment = (position[:, None] >= begins).sum(dim=1).clamp_min(1) - 1
        age, remaining = torch.zeros_like(position), torch.zeros_like(position)
        drop_text = []
        for number, (link, draw) in enumerate(zip(links, draws, strict=False)):
            here, is_last = segment == number, number == len(links) - 1
            drop_text.append(not is_last and draw > 1 - self.config.silent_share)
            if not drop_text[-1]:
                age[here] = (position - link.begin + link.age + 1)[here]
                if link.ended and draw < self.config.told_share:
                    remaining[here] = (link.end - position)[here].clamp_min(0)
        largest = self.model.config.max_count
        return Example(
            codes=codes,
            ended=links[-1].ended and links[-1].end == len(codes),
            is_cut=start > 0 or links[0].begin < 0 or links[0].age > 0,
            captions=tuple(link.caption for link in links),
            drop_text=tuple(drop_text),
            segment=segment,
            age=age.clamp(0, largest),
            remaining=remaining.clamp(0, largest),
            recall=tuple(draws[5 : 5 + len(links)]),
        )


def _composed(chain: Chain) -> str:
    """Return one caption for a chain of two whole motions, or "" for any other chain."""
    if len(chain.links) != 2 or not chain.links[0].ended or chain.links[0].age:
        return ""
    first, second = (link.caption for link in chain.links)
    return join_captions(first, second) if same_form(first, second) else ""
