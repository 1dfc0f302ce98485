"""Evaluation prompts: held-out captions of held-out clips, and retrieval of training clips by caption or label."""

from collections import defaultdict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.evaluation.labels import balance, mirror_label


@dataclass(frozen=True)
class EvaluationPrompt:
    """A prompt and the real clip of the test split that it describes.

    Attributes:
        text: a held-out caption.
        clip: index of the clip in the cache.
        mirrored: whether the prompt describes the mirror image.
        content: label of the action; None if unlabelled.
        style: label of the style; None if unlabelled.
        captions: all captions of the clip, which are equivalent texts.
    """

    text: str
    clip: int
    mirrored: bool
    content: str | None
    style: str | None
    captions: frozenset[str]

    @property
    def requested_style(self) -> str | None:
        """The style, or None if it is normal, which captions do not mention."""
        return None if self.style == "normal" else self.style


def choose_prompts(cache: ClipCache, count: int, generator: torch.Generator) -> list[EvaluationPrompt]:
    """Return random prompts, each of another test clip, partly balanced over labels.

    Args:
        cache: the clips.
        count: largest number of prompts.
        generator: draws clips, captions and mirror images.

    Raises:
        ValueError: fewer than two test clips with captions.
    """
    found = []
    for index in cache.split("test"):
        record = cache.records[index]
        mirrored = bool(torch.randint(2, (), generator=generator))
        captions = record.mirrored_held_out_captions if mirrored else record.held_out_captions
        known = record.mirrored_captions if mirrored else record.captions
        captions = captions or known  # without paraphrases: the captions of a test clip are held out with it
        if not captions:
            continue
        text = captions[int(torch.randint(len(captions), (), generator=generator))]
        content = mirror_label(record.content) if mirrored else record.content
        equivalent = frozenset(captions) | frozenset(known)
        found.append(EvaluationPrompt(text, index, mirrored, content, record.style, equivalent))
    if len(found) < 2:
        raise ValueError(f"cache: expected test clips with captions, got {len(found)}; prepare more data")
    weights = torch.tensor(balance([(prompt.content, prompt.style) for prompt in found]))
    chosen = torch.multinomial(weights, min(count, len(found)), generator=generator)
    return [found[i] for i in chosen.sort().values.tolist()]


def retrieve(
    cache: ClipCache, texts: list[str], encoder: TextEncoder, generator: torch.Generator
) -> list[Tensor]:
    """Return for each text the features (T_i, 140) of a training clip with the nearest caption.

    Args:
        cache: the clips.
        texts: prompts.
        encoder: its sentence vectors are compared by cosine similarity.
        generator: draws one of several clips with the same caption.
    """
    clips_of: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for index in cache.split("train"):
        record = cache.records[index]
        for mirrored, known in ((False, record.captions), (True, record.mirrored_captions)):
            for caption in known:
                clips_of[caption].append((index, mirrored))
    captions = sorted(clips_of)
    caption_vectors = F.normalize(encoder.embed_pooled(captions), dim=-1)
    text_vectors = F.normalize(encoder.embed_pooled(texts), dim=-1)
    retrieved = []
    for best in (text_vectors @ caption_vectors.T).argmax(dim=1).tolist():
        clips = clips_of[captions[best]]
        index, mirrored = clips[int(torch.randint(len(clips), (), generator=generator))]
        retrieved.append(cache.features(index, mirrored))
    return retrieved


def same_label_clips(
    cache: ClipCache, prompts: list[EvaluationPrompt], generator: torch.Generator
) -> list[Tensor]:
    """Return for each prompt the features (T_i, 140) of a random training clip with its labels, if there is one."""
    clips_of: dict[tuple[str | None, str | None], list[tuple[int, bool]]] = defaultdict(list)
    for index in cache.split("train"):
        record = cache.records[index]
        clips_of[record.content, record.style].append((index, False))
        clips_of[mirror_label(record.content), record.style].append((index, True))
    found = []
    for prompt in prompts:
        clips = clips_of.get((prompt.content, prompt.style), [])
        if clips:
            found.append(cache.features(*clips[int(torch.randint(len(clips), (), generator=generator))]))
    return found
