"""What an evaluation asks: held-out captions of held-out clips, and what the nearest training caption would answer."""

from collections import defaultdict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.evaluation.labels import balance, mirror_label


@dataclass(frozen=True)
class Question:
    """A prompt, and the real clip of the test split that it describes.

    Attributes:
        prompt: a held-out caption.
        clip: the clip's index in the cache.
        mirrored: whether its mirror image is meant.
        content: what is asked for, None where the data has no label.
        style: how, None where it has none.
        answers: every caption of the clip: other prompts among them are no wrong answers.
    """

    prompt: str
    clip: int
    mirrored: bool
    content: str | None
    style: str | None
    answers: frozenset[str]

    @property
    def asked_style(self) -> str | None:
        """The style if the prompt says it; what is normal goes unsaid."""
        return None if self.style == "normal" else self.style


def choose_questions(cache: ClipCache, count: int, generator: torch.Generator) -> list[Question]:
    """Return up to `count` questions, each of another clip, rarer labels as often as 1 / sqrt(count) makes them.

    Raises:
        ValueError: the test split has no captions.
    """
    found = []
    for index in cache.split("test"):
        record = cache.records[index]
        mirrored = bool(torch.randint(2, (), generator=generator))
        captions = record.mirrored_held_out_captions if mirrored else record.held_out_captions
        known = record.mirrored_captions if mirrored else record.captions
        captions = captions or known  # a real sentence of a clip of its own is held out with the clip
        if not captions:
            continue
        prompt = captions[int(torch.randint(len(captions), (), generator=generator))]
        content = mirror_label(record.content) if mirrored else record.content
        answers = frozenset(captions) | frozenset(known)
        found.append(Question(prompt, index, mirrored, content, record.style, answers))
    if len(found) < 2:
        raise ValueError(f"cache: expected test clips with captions, got {len(found)}; prepare more data")
    weights = torch.tensor(balance([(question.content, question.style) for question in found]))
    chosen = torch.multinomial(weights, min(count, len(found)), generator=generator)
    return [found[i] for i in chosen.sort().values.tolist()]


def retrieve(
    cache: ClipCache, prompts: list[str], encoder: TextEncoder, generator: torch.Generator
) -> list[Tensor]:
    """Return, for each prompt, the features of a training clip whose caption is nearest to it.

    Nearest by the cosine of sentence vectors; of several clips with that caption one is drawn.
    """
    clips_of: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for index in cache.split("train"):
        record = cache.records[index]
        for mirrored, known in ((False, record.captions), (True, record.mirrored_captions)):
            for caption in known:
                clips_of[caption].append((index, mirrored))
    captions = sorted(clips_of)
    answers_at = F.normalize(_vectors(encoder, captions), dim=-1)
    asked = F.normalize(_vectors(encoder, prompts), dim=-1)
    answers = []
    for best in (asked @ answers_at.T).argmax(dim=1).tolist():
        clips = clips_of[captions[best]]
        index, mirrored = clips[int(torch.randint(len(clips), (), generator=generator))]
        answers.append(cache.features(index, mirrored))
    return answers


def same_label_clips(cache: ClipCache, questions: list[Question], generator: torch.Generator) -> list[Tensor]:
    """Return, for each question, the features of a training clip with its labels, where there is one."""
    clips_of: dict[tuple[str | None, str | None], list[tuple[int, bool]]] = defaultdict(list)
    for index in cache.split("train"):
        record = cache.records[index]
        clips_of[record.content, record.style].append((index, False))
        clips_of[mirror_label(record.content), record.style].append((index, True))
    found = []
    for question in questions:
        clips = clips_of.get((question.content, question.style), [])
        if clips:
            found.append(cache.features(*clips[int(torch.randint(len(clips), (), generator=generator))]))
    return found


def _vectors(encoder: TextEncoder, sentences: list[str], batch_size: int = 64) -> Tensor:
    order = sorted(
        range(len(sentences)), key=lambda row: len(sentences[row])
    )  # batches of one length waste least
    rows: list[Tensor] = [torch.empty(0)] * len(sentences)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        for row, (_, pooled) in zip(batch, encoder.embed([sentences[row] for row in batch]), strict=True):
            rows[row] = pooled.float().cpu()
    return torch.stack(rows)
