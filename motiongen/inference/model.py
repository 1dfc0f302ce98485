"""Model: a loaded text-to-motion head with its tokenizer and text encoder."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from motiongen import features, heads
from motiongen.above_floor import above_floor
from motiongen.conditions.text import TextCondition, TextEncoder
from motiongen.constraints.outcome import Outcome
from motiongen.data.memory import Memory, Recall, sentences_of
from motiongen.heads.code_config import CodeOptions
from motiongen.heads.spec import Kind
from motiongen.inference import splice
from motiongen.inference.humanoid_clip import canonical, put_back
from motiongen.inference.judge import Judge
from motiongen.inference.pretrained import Pretrained
from motiongen.inference.prompt_notes import KnownSentences
from motiongen.modules.memory_pointer import REACH
from motiongen.modules.sampling import item_generators
from motiongen.motion import Motion
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.model_card import Task

log = logging.getLogger(__name__)

SWITCH_TOKENS = 2
"""Tokens before a new prompt that the head goes on from: with a longer past it goes on with what it did."""
SWITCH_MIN_TOKENS = 7
"""Least length of a motion that continues another: where an act begins in mid-stride, heads see its end too soon."""
MEETING_TOKENS = 4
"""Tokens at the end of an edited span that are revised towards what follows."""
LEAD = 1
"""Tokens that are written before a motion that begins from nothing, and left out: the first ones are decoded worst."""
LONGEST = 10.0
"""Longest motion of a prompt, seconds, where no length is asked for."""
FAR, FAR_FROM_CLIPS = 0.45, 0.6
"""A prompt is far from the training data if its cosine similarity to the nearest known sentence is below this: to those
of contents and styles, or to those of a memory, which are many more."""


@dataclass(frozen=True)
class PromptedMotion:
    """A motion with the time spans of its prompts.

    Attributes:
        motion: the motion.
        parts: (start, end, prompt) of each prompt, seconds.
        outcomes: how well each constraint that it was held to is met, in order.
    """

    motion: Motion
    parts: tuple[tuple[float, float, str], ...]
    outcomes: tuple[Outcome, ...] = ()


@dataclass
class Model(Pretrained):
    """A loaded text-to-motion head; create one with `load`.

    Attributes:
        head: the nn.Module that predicts codes.
        tokenizer: converts between feature frames and codes.
        text: text encoder.
        about: contents of the about.json of the weights: name, licence, data, contents and styles.
        folder: of the weights; None for a model that was made in Python.
        memory: clips that the head reads beside a prompt; None for none.
    """

    kind: ClassVar[Kind] = "words"

    head: Any
    tokenizer: RVQVAE
    text: TextEncoder
    about: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    memory: Memory | None = None

    @cached_property
    def _recall(self) -> Recall | None:
        if self.memory is None:
            return None
        return Recall(self.memory, self.head.config.memory_clips, REACH)

    @cached_property
    def sampler(self) -> Any:
        """Sampler of the head: a `CodeSampler`, or an `EditingSampler` if `spec.edits`."""
        return self.spec.sampler()(self.head)

    @property
    def device(self) -> torch.device:
        """Device of the models."""
        return self.tokenizer.mean.device

    @property
    def frames_per_token(self) -> int:
        """Frames of a token."""
        return self.tokenizer.config.frames_per_token

    def condition(self, prompts: Sequence[str], generators: Sequence[torch.Generator]) -> TextCondition:
        """Return encoded prompts, each with clips of the memory beside it if there is one.

        Args:
            prompts: B sentences.
            generators: one for each, which draws among the nearest clips.
        """
        return self._recalled(prompts, generators)[0]

    def read(self, prompts: Sequence[str]) -> None:
        """Encode all that `condition` needs of prompts, as one batch; what was read lately is not read again."""
        self.text.encode(prompts if self.memory is None else sentences_of(prompts))

    def _recalled(
        self, prompts: Sequence[str], generators: Sequence[torch.Generator]
    ) -> tuple[TextCondition, list[int | None]]:
        """Return encoded prompts with clips of the memory, and the length of a clip that is like each, tokens.

        The length is None where no clip is like the prompt, and at most LONGEST.
        """
        self.read(prompts)
        condition = self.text.encode(prompts)
        if self._recall is None or self.memory is None:
            return condition, [None] * len(prompts)
        found = self.memory.find(self.text, prompts)
        uniform = [torch.rand(found.clips.shape[1], generator=generator) for generator in generators]
        drawn = self._recall.draw(found, torch.stack(uniform))
        longest = round(LONGEST * features.FPS / self.frames_per_token)
        lengths = [None if length is None else min(length, longest) for length in drawn.lengths]
        return replace(condition, clips=drawn.codes, alike=drawn.alike).to(self.device), lengths

    def generate(
        self,
        prompts: Sequence[str],
        *,
        seconds: float | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        options: CodeOptions | None = None,
    ) -> list[Motion]:
        """Return one motion for each prompt, generated as a batch.

        Args:
            prompts: sentences.
            seconds: length of each motion; None lets the model decide.
            generator: one for the batch, or one for each prompt, whose motion is then independent of the others.
            options: sampling options; None for the defaults of the head.

        Raises:
            ValueError: no prompt, an empty one, or a length that is not positive.
        """
        generators = item_generators(generator, len(prompts))
        codes = self._write(prompts, seconds, generators, options or self.spec.options())
        return [self._begun(item, _lead(item), seconds).licensed(self.licence) for item in codes]

    def _begun(self, codes: Tensor, lead: int, seconds: float | None) -> Motion:
        """Return the motion of codes (N, Q) that begin from nothing, without the first so many tokens."""
        frames = self._decode(codes)[lead * self.frames_per_token :]
        return _cut(above_floor(features.decode(frames)), seconds)

    def _write(
        self,
        prompts: Sequence[str],
        seconds: float | None,
        generators: Sequence[torch.Generator],
        options: CodeOptions,
        prefix_codes: Sequence[Tensor] | None = None,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt, as long as asked, as a clip that is like it, or until the end.

        Without a prefix they are LEAD longer.
        """
        condition, lengths = self._recalled(prompts, generators)
        if seconds is not None:
            lengths = [self._tokens(seconds)] * len(prompts)
        if prefix_codes is None or not len(prefix_codes[0]):
            lengths = [None if length is None else length + LEAD for length in lengths]
        written: list[Tensor] = self.sampler.generate(
            condition,
            lengths=lengths,
            prefix_codes=prefix_codes,
            generator=generators,
            options=options,
        )
        return written

    def sequence(
        self,
        prompts: Sequence[str],
        *,
        count: int = 1,
        seconds: float | Sequence[float | None] | None = None,
        start_from: Motion | None = None,
        seed: int = 0,
        stride: int = 1,
        best_of: int = 1,
        options: CodeOptions | None = None,
    ) -> list[PromptedMotion]:
        """Return variants of one continuous motion for a sequence of prompts.

        Args:
            prompts: sentences, in order.
            count: number of variants; variant i does not depend on it.
            seconds: length of the motion of each prompt, or one for each; None lets the model decide.
            start_from: a motion to continue; it is the unchanged start of the result.
            seed: of the first variant; the others have the next seeds.
            stride: between the seeds of variants.
            best_of: tries of each prompt, of which the one nearest to the memory's clips that are like it goes on.
            options: sampling options; None for the defaults of the head.

        Raises:
            ValueError: as in `generate`, a start that is no humanoid, or several tries without a memory to judge them.
        """
        if best_of > 1 and self.memory is None:
            raise ValueError(
                "best_of: expected a memory to judge by, got none; take weights with one, or best_of=1"
            )
        generators = [torch.Generator().manual_seed(seed + i * stride) for i in range(count)]
        start = None if start_from is None else canonical(start_from)
        prefix = torch.zeros(0, self.tokenizer.config.num_quantizers, dtype=torch.long)
        codes = [prefix if start is None else self._encode(start)] * count
        ends = [[len(item)] for item in codes]  # tokens after each part
        self.text.encode(prompts)  # all of them are checked before the first is obeyed
        each = list(seconds) if isinstance(seconds, Sequence) else [seconds] * len(prompts)
        options = options or self.spec.options()
        continuing = replace(options, min_tokens=max(options.min_tokens, SWITCH_MIN_TOKENS))
        for prompt, length in zip(prompts, each, strict=True):
            tries = [
                self._write(
                    [prompt] * count,
                    length,
                    generators,
                    continuing if len(codes[0]) else options,
                    [item[max(0, len(item) - SWITCH_TOKENS) :] for item in codes],
                )
                for _ in range(best_of)
            ]
            new = self._best(prompt, tries)
            codes = [torch.cat([old.to(item.device), item]) for old, item in zip(codes, new, strict=True)]
            for marks, item in zip(ends, codes, strict=True):
                marks.append(len(item))
        if start is None:
            ends = [[_lead(item), *marks[1:]] for item, marks in zip(codes, ends, strict=True)]
        return [
            self._prompted(item, marks, prompts, start, each) for item, marks in zip(codes, ends, strict=True)
        ]

    def _best(self, prompt: str, tries: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
        """Return the best codes (N, Q) of several tries for each variant; the first where no clip is alike."""
        if len(tries) == 1 or self.memory is None:
            return tries[0]
        judge = Judge(self.memory, self.tokenizer)
        clips = judge.clips(prompt, self.text)
        if not clips:
            return tries[0]
        return [
            min(candidates, key=lambda codes: judge.distance(self._decode(codes), clips))
            for candidates in zip(*tries, strict=True)
        ]

    def _modules(self) -> dict[str, tuple[nn.Module, Task]]:
        return {"tokenizer": (self.tokenizer, "tokenizer"), self.spec.name: (self.head, "words")}

    def _prompted(
        self,
        codes: Tensor,
        ends: list[int],
        prompts: Sequence[str],
        start: Motion | None,
        seconds: Sequence[float | None],
    ) -> PromptedMotion:
        """Return the decoded motion of a sequence.

        Args:
            codes: (N, Q) of the start and of all prompts.
            ends: number of tokens at the end of the start, or of what is left out, and of each prompt.
            prompts: sentences, in order.
            start: motion that is continued; None for none.
            seconds: requested length of each prompt; None where the model decided.
        """
        known = [length for length in seconds if length is not None]
        asked = sum(known) if len(known) == len(seconds) else None
        if start is None:
            motion = self._begun(codes, ends[0], asked)
        else:
            frames = self._decode(codes)[ends[0] * self.frames_per_token :]
            motion = _cut(splice.follow(start, frames), asked)
        begin = 0.0 if start is None else start.seconds
        marks = [begin + (end - ends[0]) * self.frames_per_token / motion.fps for end in ends]
        marks[-1] = begin + motion.seconds
        if start is not None:
            motion = splice.append(start, motion)
        parts = zip(marks, marks[1:], prompts, strict=False)
        motion = motion.licensed(self.licence)
        return PromptedMotion(motion, tuple((first, last, prompt) for first, last, prompt in parts))

    def edit(
        self,
        motion: Motion,
        prompt: str,
        between: tuple[float, float],
        *,
        keep_path: bool = False,
        lock_feet: bool = False,
        seed: int = 0,
        options: CodeOptions | None = None,
    ) -> Motion:
        """Return a motion with a span regenerated.

        Frames before it are unchanged, and so are the poses of those after it, which go on where the span ends: they
        are turned and moved over the floor as a whole.

        Args:
            motion: of any humanoid, at any rate.
            prompt: for the span.
            between: start and end of the span, seconds.
            keep_path: leave all frames after the span where they are too; the span is steered to meet them.
            lock_feet: keep standing feet of the span from sliding.
            seed: of the sampling.
            options: sampling options; None for the defaults of the head.

        Raises:
            ValueError: a head that does not edit, a span outside the motion or shorter than a token, or a skeleton that
                is no humanoid.
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
        options = options or self.spec.options()
        edited = self._rewritten(codes, keep, prompt, torch.Generator().manual_seed(seed), options)
        frames = self._decode(edited)[: whole.num_frames]
        if keep_path:
            span, after = splice.fill(whole, frames, first, last), None
        else:
            span, after = splice.fill_freely(whole, frames, first, last)
        if lock_feet:
            span = _locked(whole, span, after, first, last)
        if whole is motion:
            result = splice.put(motion, span, first, last)
            result = result if after is None else splice.append(result[:last], after)
        else:
            result = put_back(motion, whole, span, first, last, None if first == 0 else after)
        return result.licensed(self.licence)

    def _rewritten(
        self, codes: Tensor, keep: Tensor, prompt: str, generator: torch.Generator, options: CodeOptions
    ) -> Tensor:
        """Return codes (N, Q) whose span is written anew: forward from what is before, its end towards what follows.

        Written from both sides at once, a span between calm frames stays calm: its surroundings outweigh the words.

        Args:
            codes: (N, Q) of the clip.
            keep: (N,) bool, false for one span.
            prompt: for the span.
            generator: of the sampling.
            options: sampling options.
        """
        span, generators = (~keep).nonzero()[:, 0].tolist(), item_generators(generator, 1)
        first, last, condition = span[0], span[-1] + 1, self.condition([prompt], generators)
        new = self.sampler.generate(
            condition, lengths=last - first, prefix_codes=[codes[max(0, first - SWITCH_TOKENS) : first]],
            generator=generators, options=options,
        )[0].cpu()  # fmt: skip
        codes = torch.cat([codes[:first], new, codes[last:]])
        if last == len(codes):
            return codes
        keep = torch.ones(len(codes), dtype=torch.bool)
        keep[last - min(MEETING_TOKENS, (last - first + 1) // 3) : last] = False
        if keep.all():
            return codes
        revised = self.sampler.edit([codes], [keep], condition, generator=generators, options=options)
        whole: Tensor = revised[0].cpu()
        return whole

    @cached_property
    def known(self) -> KnownSentences:
        """Sentences that the model knows: its memory's, or those of contents and styles."""
        if self.memory is not None:
            return KnownSentences(self.memory.sentences, self.memory.vectors, FAR_FROM_CLIPS)
        contents: Mapping[str, str] = self.about.get("contents", {})
        styles: Mapping[str, str] = self.about.get("styles", {})
        sentences = [*contents.values(), *(f"a person walks {words}" for words in styles.values())]
        pooled = [vector.cpu() for _, vector in self.text.embed(sentences)] if sentences else []
        vectors = (
            torch.nn.functional.normalize(torch.stack(pooled).float(), dim=-1)
            if pooled
            else torch.zeros(0, 0)
        )
        return KnownSentences(sentences, vectors, FAR)

    def nearest_known(self, prompt: str) -> tuple[str, float]:
        """Return the known sentence nearest to a prompt, and the cosine similarity to it."""
        return self.known.nearest(self._vectors(prompt))

    def note(self, prompt: str) -> str:
        """Return a sentence about a prompt that the model will hardly do; empty for all others."""
        return self.known.note(prompt, self._vectors(prompt))

    def _vectors(self, prompt: str) -> Tensor:
        """Return the vectors (V, C) of a prompt, and of it about a person where that is another."""
        return self.text.encode(sentences_of([prompt])).pooled

    def note_far(self, prompts: Sequence[str]) -> list[str]:
        """Log and return a note for each prompt that the model will hardly do; see `note`.

        Args:
            prompts: sentences.
        """
        notes = [note for note in map(self.note, prompts) if note]
        for note in notes:
            log.warning("%s", note)
        return notes

    def _tokens(self, seconds: float) -> int:
        if not seconds > 0:
            raise ValueError(f"seconds: expected a positive length, got {seconds}; or leave it out")
        return max(1, -(-round(seconds * features.FPS) // self.frames_per_token))

    def _encode(self, motion: Motion, from_start: bool = False) -> Tensor:
        """Return the codes (N, Q) of a canonical motion.

        Tokens are aligned with its end, and an incomplete first token is dropped; with `from_start` they are aligned
        with its start, and the last token is padded.
        """
        frames = features.encode(motion)
        if not from_start and motion.num_frames >= self.frames_per_token:
            frames = frames[motion.num_frames % self.frames_per_token :]
        with torch.no_grad():
            return self.tokenizer.encode(frames[None].to(self.device))[0].cpu()

    def _decode(self, codes: Tensor) -> Tensor:
        """Return feature frames (T, 140), on the CPU, of codes (N, Q)."""
        with torch.no_grad():
            return self.tokenizer.decode(codes[None].to(self.device))[0].float().cpu()


def _locked(whole: Motion, span: Motion, after: Motion | None, first: int, last: int) -> Motion:
    """Return a span whose standing feet hold still, and whose ends still meet what is around it; see `fill_freely`."""
    joined = splice.put(whole, span, first, last)
    if after is not None:
        joined = splice.append(joined[:last], after)
    return joined.with_locked_feet(first, last)[first:last]


def _lead(codes: Tensor) -> int:
    """Return how many of the first tokens of codes (N, Q) are left out; one stays."""
    return min(LEAD, len(codes) - 1)


def _cut(motion: Motion, seconds: float | None) -> Motion:
    return motion if seconds is None else motion[: max(1, round(seconds * motion.fps))]
