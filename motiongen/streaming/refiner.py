"""Draft, then refine: a head that revises rewrites the part of a stream that was not taken yet, in spare time."""

import torch
from torch import Tensor

from motiongen import features
from motiongen.features import RootState
from motiongen.heads import heads_for
from motiongen.inference.model import Model
from motiongen.streaming.stream_session import StreamSession


class Refiner:
    """Rewrites the last tokens of a stream in both directions, under the same prompt.

    Attributes:
        guard_tokens: tokens that must wait before those that are rewritten: they play meanwhile.
        min_tokens: tokens that are worth a rewrite.
    """

    def __init__(self, model: Model, *, guard_tokens: int = 4, min_tokens: int = 4, seed: int = 0) -> None:
        """Make a refiner.

        Args:
            model: has the stream's tokenizer, and a head that revises.
            guard_tokens: tokens that must wait before those that are rewritten.
            min_tokens: tokens that are worth a rewrite.
            seed: seed of the sampling.

        Raises:
            ValueError: the head does not revise.
        """
        if not model.spec.edits:
            able = " or ".join(heads_for("words", edits=True))
            raise ValueError(
                f"model: expected a head that revises, got {type(model.head).__name__}; load {able}"
            )
        self.guard_tokens, self.min_tokens = guard_tokens, min_tokens
        self._model = model
        self._generator = torch.Generator().manual_seed(seed)
        self._options = model.spec.options()

    def rewrite(self, codes: Tensor, tokens: int, prompt: str) -> Tensor:
        """Return codes (N, Q), on the CPU, whose last tokens are rewritten.

        Args:
            codes: (N, Q).
            tokens: the last tokens, which are rewritten.
            prompt: the sentence that they obey.
        """
        keep = torch.arange(len(codes)) < len(codes) - tokens
        condition = self._model.condition([prompt], [self._generator])
        made = self._model.sampler.edit(
            [codes], [keep], condition, generator=self._generator, options=self._options
        )
        return made[0].cpu()


def refinable_tokens(session: StreamSession, guard_tokens: int) -> int:
    """Return how many of a session's last tokens can be rewritten.

    Args:
        session: the session.
        guard_tokens: tokens that must wait before them.
    """
    waiting = session.character.ready // session.frames_per_token - guard_tokens
    plan = session.plan
    if (
        session.replaces_waiting
        or session.delivery.is_blending
        or plan.loop
        or plan.gait
        or not plan.steering.is_idle
        or session.character.guide is not None
    ):
        return 0
    limits = (session.history.unrefined, plan.age, session.batch.rewind_limit, len(session.history) - 1)
    return min(waiting, *limits)


def refine(session: StreamSession, refiner: Refiner, tokens: int) -> None:
    """Rewrite a session's last tokens; their frames replace those that wait.

    Args:
        session: the session.
        refiner: rewrites.
        tokens: count of tokens, at most `refinable_tokens`.
    """
    history, plan = session.history, session.plan
    history.unrefined = 0
    codes = refiner.rewrite(history.codes, tokens, plan.text)[-tokens:]
    if not session.character.discard_last_frames(tokens * session.frames_per_token):
        return  # they were taken sooner than expected
    age = torch.arange(plan.age - tokens, plan.age) + 1
    session.rewind(tokens)
    rows = session.batch.push(session.slot, codes, age).split(session.frames_per_token)
    for _ in range(tokens):
        plan.history.pop()
    for code, row in zip(codes, rows, strict=True):
        history.add_codes(code, is_refined=True)
        plan.history.append(row)
        root = session.delivery.root
        start = RootState(root.heading, root.position)
        session.deliver(features.step(row[None], root), start)
