"""BERT: the forward pass of a frozen sentence encoder, over sentences that lie one behind another, without padding.

After Devlin et al. 2019. It reads the files of Hugging Face's implementation, whose import alone takes longer than all
that a sentence needs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.files import read_json
from motiongen.half_linear import ROWS

RENAMES = [
    (r"^bert\.", ""),
    (r"^embeddings\.(\w+)_embeddings\.weight$", r"\1.weight"),
    (r"^embeddings\.LayerNorm\.", "norm."),
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.self\.", "."),
    (r"\.attention\.output\.dense\.", ".attention_out."),
    (r"\.attention\.output\.LayerNorm\.", ".attention_norm."),
    (r"\.intermediate\.dense\.", ".feedforward_in."),
    (r"\.output\.dense\.", ".feedforward_out."),
    (r"\.output\.LayerNorm\.", ".feedforward_norm."),
]
"""(regular expression, replacement) pairs from the keys of Hugging Face's BertModel to those here."""
UNUSED = re.compile(r"^(?:pooler|cls)\.|embeddings\.position_ids$")
"""Keys, once renamed, of what no sentence vector is read from."""


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes of a BERT, by the names of Hugging Face's config.json."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12

    def __post_init__(self) -> None:
        if any(size < 1 for name, size in vars(self).items() if name != "layer_norm_eps"):
            raise ValueError(f"sizes: expected >= 1 each, got {vars(self)}; fix config.json")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size: expected a multiple of {self.num_attention_heads} heads, got {self.hidden_size}; "
                "fix config.json"
            )

    @staticmethod
    def fits(record: Mapping[str, Any]) -> bool:
        """Return whether a config.json describes a model of this kind: an encoder with absolute positions and GELU."""
        usual = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
        return record.get("model_type") == "bert" and not any(
            record.get(name, value) != value for name, value in {**usual, "is_decoder": False}.items()
        )


class BertLayer(nn.Module):
    """Post-norm transformer layer: self-attention within each sentence, then a feed-forward layer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        dim, self.num_heads = config.hidden_size, config.num_attention_heads
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.attention_out = nn.Linear(dim, dim)
        self.attention_norm = nn.LayerNorm(dim, eps=config.layer_norm_eps)
        self.feedforward_in = nn.Linear(dim, config.intermediate_size)
        self.feedforward_out = nn.Linear(config.intermediate_size, dim)
        self.feedforward_norm = nn.LayerNorm(dim, eps=config.layer_norm_eps)

    def forward(self, x: Tensor, lengths: Sequence[int]) -> Tensor:
        """Return x (N, D) of sentences with `lengths` tokens, N in all, after the layer."""
        packed = self.query_key_value(x).view(len(x), 3, self.num_heads, -1)  # (N, 3, H, Dh)
        # Sentence by sentence: beside the linear layers attention to ten tokens takes no time, and needs no mask.
        attended = [_attended(part) for part in packed.split(list(lengths))]
        x = self.attention_norm(x + self.attention_out(torch.cat(attended)))
        hidden = F.gelu(self.feedforward_in(x))
        return self.feedforward_norm(x + self.feedforward_out(hidden))


def _attended(packed: Tensor) -> Tensor:
    """Return the attention (L, D) within one sentence, from queries, keys and values (L, 3, H, Dh)."""
    query, key, value = packed.permute(1, 2, 0, 3)  # (H, L, Dh) each
    attended = F.scaled_dot_product_attention(query[None], key[None], value[None])[0]
    return attended.transpose(0, 1).flatten(1)


class Bert(nn.Module):
    """Frozen sentence encoder."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.word = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(config.num_hidden_layers))

    @classmethod
    def load(cls, folder: Path) -> "Bert":
        """Return the encoder in a folder of Hugging Face's; its weights stay mapped from the disk.

        Raises:
            ValueError: a file is damaged, or the weights are of other sizes than config.json says.
        """
        path, record = folder / "model.safetensors", read_json(folder / "config.json")
        sizes = {field.name: record[field.name] for field in fields(BertConfig) if field.name in record}
        config = checkpoint.config_from_dict(BertConfig, sizes, str(folder / "config.json"))
        renamed = checkpoint.rename_keys(checkpoint.read_tensors(path), RENAMES)
        tensors = _joined({key: tensor.float() for key, tensor in renamed.items() if not UNUSED.search(key)})
        with torch.device("meta"), checkpoint.Unfilled():
            model = cls(config)
        checkpoint.check_weights(model, tensors, path)
        model.load_state_dict(tensors, assign=True)
        return model

    @property
    def dim(self) -> int:
        """Channels C of the vectors."""
        return self.config.hidden_size

    def forward(self, token_ids: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Return token vectors (L_i, C) and their mean (C,) for the token ids (L_i,) of each sentence."""
        lengths = [len(ids) for ids in token_ids]
        filled = [
            *lengths,
            *[1] * (-sum(lengths) % ROWS),
        ]  # so that no sentence's last bits depend on the others
        device = self.word.weight.device
        positions = torch.cat([torch.arange(length, device=device) for length in filled])
        ids = F.pad(torch.cat(list(token_ids)), (0, len(filled) - len(lengths))).to(device)
        x = self.norm(self.word(ids) + self.token_type.weight[0] + self.position(positions))  # (N, C)
        for layer in self.layers:
            x = layer(x, filled)
        return [(tokens, tokens.mean(dim=0)) for tokens in x.split(filled)[: len(lengths)]]


def _joined(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights whose queries, keys and values are projected at once."""
    joined = dict(tensors)
    for key in tensors:
        if match := re.fullmatch(r"(layers\.\d+)\.query\.(weight|bias)", key):
            layer, kind = match.groups()
            names = [f"{layer}.{part}.{kind}" for part in ("query", "key", "value")]
            if all(name in tensors for name in names):
                parts = [joined.pop(name) for name in names]
                joined[f"{layer}.query_key_value.{kind}"] = torch.cat(parts)
    return joined
