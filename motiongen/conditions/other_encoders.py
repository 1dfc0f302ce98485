"""Text encoders of other kinds than BERT, by Hugging Face's transformers: CLIP, and what `AutoModel` loads."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from motiongen.files import read_json


class OtherEncoder(nn.Module):
    """A text model of transformers, called as a `Bert` is."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.is_clip = model.config.model_type == "clip_text_model"  # type: ignore[union-attr]

    @property
    def dim(self) -> int:
        """Channels C of the vectors."""
        return int(self.model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def forward(self, token_ids: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Return token vectors (L_i, C) and the sentence vector (C,) for the token ids (L_i,) of each sentence."""
        device = next(self.model.parameters()).device
        lengths = torch.tensor([len(ids) for ids in token_ids])
        ids = nn.utils.rnn.pad_sequence(list(token_ids), batch_first=True)
        attention_mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long().to(device)
        output = self.model(input_ids=ids.to(device), attention_mask=attention_mask)
        tokens = output.last_hidden_state.float()  # (B, L, C)
        if self.is_clip:
            pooled = output.pooler_output.float()  # CLIP's sentence vector is that of the end-of-text token
        else:
            pooled = (tokens * attention_mask[..., None]).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)
        return [(tokens[i, :length], pooled[i]) for i, length in enumerate(lengths.tolist())]


def load_other(folder: Path) -> OtherEncoder:
    """Return the text model in a folder of Hugging Face's."""
    from transformers import AutoModel, CLIPTextModel  # takes seconds to import
    from transformers.utils import logging as transformers_logging

    is_clip = read_json(folder / "config.json").get("model_type") in ("clip", "clip_text_model")
    had_progress_bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        loader = CLIPTextModel if is_clip else AutoModel
        return OtherEncoder(
            loader.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )  # never a pickle, which can run any code
        )
    finally:
        if had_progress_bar:
            transformers_logging.enable_progress_bar()
