"""A loaded head with its tokenizer and text encoder: sentences into motion."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from motiongen import features, heads
from motiongen.conditions.prompt import normalise_prompt
from motiongen.conditions.text import TextEncoder
from motiongen.heads.code_config import CodeOptions
from motiongen.heads.spec import HeadSpec
from motiongen.inference import splice
from motiongen.inference.humanoid_clip import canonical, put_back
from motiongen.motion import Motion
from motiongen.tokenizers.rvq_vae import RVQVAE

log = logging.getLogger(__name__)

FAR = 0.35
"""Cosine between the vectors of a prompt and of the nearest known content, under which the prompt is far from it."""


@dataclass(frozen=True)
class PromptedMotion:
    """A motion, and the span of each prompt in it: (start, end, prompt), seconds."""

    motion: Motion
    parts: tuple[tuple[float, float, str], ...]


@dataclass
class Model:
    """A loaded head, ready to generate. Make one with `load`.

    Attributes:
        head: the nn.Module that writes codes.
        tokenizer: turns codes into features, and motion into codes.
        text: turns prompts into conditions.
        about: what the set of weights says of itself: name, licence, data, contents and styles it knows.
    """

    head: Any
    tokenizer: RVQVAE
    text: TextEncoder
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> HeadSpec:
        """What the head is called and can do."""
        return heads.lookup(self.head.model_type, "words")

    @cached_property
    def sampler(self) -> Any:
        """What samples codes from the head: a `CodeSampler`, or an `EditingSampler` where `spec.edits`."""
        return self.spec.sampler()(self.head)

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return self.tokenizer.mean.device

    @property
    def frames_per_token(self) -> int:
        """Frames that one code stands for."""
        return self.tokenizer.config.frames_per_token

    def generate(
        self,
        prompts: Sequence[str],
        *,
        seconds: float | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        options: CodeOptions | None = None,
    ) -> list[Motion]:
        """Return a motion for each prompt, as one batch.

        Args:
            prompts: sentences.
            seconds: length of each; None lets the model find it.
            generator: one for all, or one a prompt, whose motion then does not depend on the others.
            options: guidance, temperature and the like.

        Raises:
            ValueError: no prompt, an empty one, or a length that is not positive.
        """
        condition = self.text.encode(prompts)
        codes = self.sampler.generate(
            condition,
            lengths=self._tokens(seconds),
            generator=generator,
            options=options or self.spec.options(),
        )
        return [_cut(features.decode(self._decode(item)), seconds) for item in codes]

    def sequence(
        self,
        prompts: Sequence[str],
        *,
        count: int = 1,
        seconds: float | None = None,
        start_from: Motion | None = None,
        seed: int = 0,
        options: CodeOptions | None = None,
    ) -> list[PromptedMotion]:
        """Return variants of one unbroken motion in which the prompts follow each other.

        Args:
            prompts: what happens, one after the other.
            count: how many variants; variant i is the same whatever the count.
            seconds: length of each prompt's part; None lets the model find it.
            start_from: a motion to go on from; it stands, as it was, before what is new.
            seed: of the first variant; the next one's is one more.
            options: guidance, temperature and the like.

        Raises:
            ValueError: as in `generate`, and a start that is no humanoid.
        """
        generators = [torch.Generator().manual_seed(seed + i) for i in range(count)]
        start = None if start_from is None else canonical(start_from)
        prefix = torch.zeros(0, self.tokenizer.config.num_quantizers, dtype=torch.long)
        codes = [prefix if start is None else self._encode(start)] * count
        ends = [[len(item)] for item in codes]  # tokens after each part
        conditions = self.text.encode(prompts)
        for index in range(len(prompts)):
            new = self.sampler.generate(
                conditions[[index] * count],
                lengths=self._tokens(seconds),
                prefix_codes=codes,
                generator=generators,
                options=options or self.spec.options(),
            )
            codes = [torch.cat([old.to(item.device), item]) for old, item in zip(codes, new, strict=True)]
            for marks, item in zip(ends, codes, strict=True):
                marks.append(len(item))
        return [
            self._prompted(item, marks, prompts, start, seconds)
            for item, marks in zip(codes, ends, strict=True)
        ]

    def _prompted(
        self,
        codes: Tensor,
        ends: list[int],
        prompts: Sequence[str],
        start: Motion | None,
        seconds: float | None,
    ) -> PromptedMotion:
        """Decode codes (N, Q) of a start and a part for each prompt, whose tokens end at `ends`."""
        frames = self._decode(codes)[ends[0] * self.frames_per_token :]
        motion = features.decode(frames) if start is None else splice.follow(start, frames)
        motion = _cut(motion, None if seconds is None else seconds * len(prompts))
        begin = 0.0 if start is None else start.seconds
        marks = [begin + (end - ends[0]) * self.frames_per_token / motion.fps for end in ends]
        marks[-1] = begin + motion.seconds
        if start is not None:
            motion = splice.append(start, motion)
        parts = zip(marks, marks[1:], prompts, strict=False)
        return PromptedMotion(motion, tuple((first, last, prompt) for first, last, prompt in parts))

    def edit(
        self,
        motion: Motion,
        prompt: str,
        between: tuple[float, float],
        *,
        seed: int = 0,
        options: CodeOptions | None = None,
    ) -> Motion:
        """Return the motion with a span written anew; outside it every frame is as it was.

        Args:
            motion: of any humanoid, at any rate.
            prompt: what happens in the span.
            between: its start and end, seconds.
            seed: of what is drawn.
            options: guidance, temperature and the like.

        Raises:
            ValueError: a head that only writes forward, a span outside the motion or under a token's time, or a
                skeleton that is no humanoid.
        """
        if not self.spec.edits:
            able = " or ".join(heads.heads_for("words", edits=True))
            raise ValueError(
                f"head: expected one that revises, got {type(self.head).__name__}, which only writes forward; "
                f"load {able} to edit"
            )
        start, end = between
        if (
            not 0 <= start < end <= motion.seconds + 1e-6
            or (end - start) * features.FPS < self.frames_per_token
        ):
            raise ValueError(
                f"between: expected a span of at least {self.frames_per_token / features.FPS:.2f} s within "
                f"0:{motion.seconds:.2f}, got {start:.2f}:{end:.2f}; choose another"
            )
        whole = canonical(motion)
        first, last = round(start * whole.fps), min(round(end * whole.fps), whole.num_frames)
        if motion.seconds - end < 1 / motion.fps:
            last = whole.num_frames
        codes = self._encode(whole, from_start=True)
        token = torch.arange(len(codes)) * self.frames_per_token
        keep = (token + self.frames_per_token <= first) | (token >= last)
        edited = self.sampler.edit(
            [codes], [keep], self.text.encode([prompt]),
            generator=torch.Generator().manual_seed(seed), options=options or self.spec.options(),
        )[0]  # fmt: skip
        span = splice.fill(whole, self._decode(edited)[: whole.num_frames], first, last)
        if whole is motion:
            return splice.put(motion, span, first, last)
        return put_back(motion, whole, span, first, last)

    def nearest_known(self, prompt: str) -> tuple[str, float]:
        """Return the known content nearest to a prompt, as a sentence, and the cosine between their vectors."""
        known: Mapping[str, str] = self.about.get("contents", {})
        if not known:
            return "", 1.0
        sentences = list(known.values())
        vectors = torch.nn.functional.normalize(self.text.encode([prompt, *sentences]).pooled, dim=-1)
        cosines = vectors[1:] @ vectors[0]
        best = int(cosines.argmax())
        return sentences[best], float(cosines[best])

    def note_far(self, prompts: Sequence[str]) -> list[str]:
        """Return, and log, a line for each prompt that is far from all that the model was trained on."""
        notes = []
        for prompt in prompts:
            sentence, cosine = self.nearest_known(normalise_prompt(prompt))
            if cosine < FAR:
                shown = prompt if len(prompt) < 60 else prompt[:57] + "…"
                notes.append(f"{shown!r} is far from what this model knows; the nearest is {sentence!r}")
                log.warning("%s", notes[-1])
        return notes

    def _tokens(self, seconds: float | None) -> int | None:
        if seconds is None:
            return None
        if not seconds > 0:
            raise ValueError(f"seconds: expected a positive length, got {seconds}; or leave it out")
        return max(1, -(-round(seconds * features.FPS) // self.frames_per_token))

    def _encode(self, motion: Motion, from_start: bool = False) -> Tensor:
        """Codes (N, Q) of a canonical motion: whole tokens up to its end, or all of it from its start."""
        frames = features.encode(motion)
        if not from_start and motion.num_frames >= self.frames_per_token:
            frames = frames[motion.num_frames % self.frames_per_token :]
        with torch.no_grad():
            return self.tokenizer.encode(frames[None].to(self.device))[0].cpu()

    def _decode(self, codes: Tensor) -> Tensor:
        """Features (T, 140), on the CPU, of codes (N, Q)."""
        with torch.no_grad():
            return self.tokenizer.decode(codes[None].to(self.device))[0].float().cpu()


def _cut(motion: Motion, seconds: float | None) -> Motion:
    return motion if seconds is None else motion[: max(1, round(seconds * motion.fps))]
