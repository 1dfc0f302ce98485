"""The plan of a text character: its current prompt, the queue of prompts, and the choice of the next one."""

import math
from collections import deque
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from motiongen import features
from motiongen.conditions.plan import Part, plan
from motiongen.conditions.plan.part import REST_SECONDS
from motiongen.features import FPS
from motiongen.motion import Motion
from motiongen.shaping.peaks import progress
from motiongen.shaping.steps import footfalls
from motiongen.streaming.cycle import Cycle
from motiongen.streaming.gaits import FORWARD, STAND, Gait
from motiongen.streaming.steering import Steering

IDLE = STAND.text
"""Prompt of a character that has nothing to do."""
WALK = FORWARD[0].text
"""Prompt of a character that walks round where it is to turn in place."""
MIN_TRAVEL_SPEED = 0.4
"""Mean speed of the root, m/s, from which a motion counts as a gait: a gait goes on past its end."""
MAX_EXTENDED_AGE = 14
"""Highest age, in tokens, of a gait past its end: the older the head believes it, the sooner it ends again."""
LOST_TOKENS, LOST_SPEED = 4, 0.4
"""Tokens in which a gait is lost that goes its way with less than this share of its speed."""
MAX_HISTORY_TOKENS = 96
"""Tokens of the current prompt whose features are kept."""
MAX_QUEUED = 16
"""Prompts that may be queued."""


@dataclass(frozen=True)
class PlannedPrompt:
    """A prompt to start.

    Attributes:
        text: one sentence.
        number: number of the command that asked for it.
        is_idle: whether the character only stands idle with it.
        part: the part of a plan that it is; None for none.
    """

    text: str
    number: int
    is_idle: bool = False
    part: Part | None = None


def planned(sentence: str, number: int) -> list[PlannedPrompt]:
    """Return the prompts that a sentence's plan gives, in order.

    A stream cannot be stretched, nor can arms be changed on frames that are on their way: such a clause goes to the
    head as it was said. Who is to turn in place walks round.

    Args:
        sentence: one prompt.
        number: number of the command that asked for it.
    """
    prompts = []
    for part in plan(sentence):
        text = part.clause if part.tempo != 1 or part.beside else part.text
        if part.turn and not part.travels:
            text = WALK
        prompts.append(PlannedPrompt(text, number, part.rests, None if part.is_plain else part))
    return prompts


@dataclass
class PromptPlan:
    """State of one character's prompts, advanced token by token.

    Attributes:
        text: the current prompt.
        number: number of the command that asked for it.
        age: tokens since it started.
        remaining: tokens to its end; 0 where the head finds the end.
        is_finishing: whether a command ended it.
        is_idle: whether the character has nothing to do.
        queue: prompts that follow.
        history: features (frames of a token, D) of each token since the prompt started.
        steering: turn that is still to be made.
        speed: mean speed of the root in the last second, m/s.
        seconds: time since the prompt started.
        distance: metres that the root has travelled in that time.
        is_extended: whether the motion goes on past its end.
        loop: the cycle that is repeated, or None.
        part: the part of a plan that the current prompt is; None for none.
        gait: the gait of a character that is driven; None for one that obeys sentences.
    """

    text: str = IDLE
    number: int = 0
    age: int = 0
    remaining: int = 0
    is_finishing: bool = False
    is_idle: bool = True
    queue: deque[PlannedPrompt] = field(default_factory=deque)
    history: deque[Tensor] = field(default_factory=lambda: deque(maxlen=MAX_HISTORY_TOKENS))
    steering: Steering = field(default_factory=Steering)
    speed: float = 0.0
    seconds: float = 0.0
    distance: float = 0.0
    is_extended: bool = False
    loop: Cycle | None = None
    part: Part | None = None
    gait: Gait | None = None

    def start(self, prompt: PlannedPrompt) -> None:
        """Make a prompt the current one, from the next token on.

        Args:
            prompt: the prompt.
        """
        self.text, self.number, self.is_idle = prompt.text, prompt.number, prompt.is_idle
        self.age = self.remaining = 0
        self.seconds = self.distance = 0.0
        self.is_finishing = self.is_extended = False
        self.loop = self.gait = None
        self.history.clear()
        if self.part is not None and self.part.turn:
            self.steering.angle = 0.0
        self.part = prompt.part
        if self.part is not None and self.part.turn:
            self.steering.angle = self.part.turn
        self.steering.is_curve = self.part is not None and self.part.travels

    def finish(self, tokens: int) -> None:
        """End the current motion.

        Args:
            tokens: tokens to its end.
        """
        self.remaining, self.is_finishing = max(1, tokens), True

    def advance(self, features: Tensor, speed: float, ended: bool, min_tokens: int) -> bool:
        """Record a generated token; return whether the motion ends with it.

        Args:
            features: (frames of a token, D).
            speed: mean speed of the root, m/s.
            ended: whether the head says that the motion has ended.
            min_tokens: tokens before which the head's end is not believed.
        """
        self.age += 1
        self.history.append(features)
        seconds = len(features) / FPS
        self.seconds += seconds
        self.distance += speed * seconds
        self.speed += min(seconds, 1.0) * (speed - self.speed)
        if self.is_extended and self.is_travelling:
            self.age = min(self.age, MAX_EXTENDED_AGE)
        if self.remaining:
            self.remaining -= 1
            return self.remaining == 0
        if self.part is not None and self._is_done(self.part):
            self.is_finishing = True
            return True
        return ended and self.age >= min_tokens

    def _is_done(self, part: Part) -> bool:
        """Return whether the current motion has given all that its part of a plan says."""
        if part.rests:
            return bool(self.queue) and self.seconds >= REST_SECONDS
        if part.turn:  # after a corner a walk goes on, unless something follows
            goes_on = part.travels and not self.queue and abs(part.turn) < math.tau
            return self.steering.is_idle and not goes_on
        if part.steps:
            return len(footfalls(self._shown())) >= part.steps
        if part.repeats:
            seen, is_over = progress(self._shown(), part.text)
            return seen >= part.repeats and is_over
        return False

    def _shown(self) -> Motion:
        return features.decode(torch.cat(list(self.history)))

    @property
    def has_lost_gait(self) -> bool:
        """Whether a gait that was begun is not what the head does any more."""
        if self.gait is None or not self.gait.speed or len(self.history) < LOST_TOKENS:
            return False
        recent = torch.cat(list(self.history)[-LOST_TOKENS:])[:, features.LAYOUT["velocity"]].mean(dim=0)
        left, ahead = recent.tolist()
        along = left * math.sin(self.gait.direction) + ahead * math.cos(self.gait.direction)
        return along < LOST_SPEED * self.gait.speed

    @property
    def is_travelling(self) -> bool:
        """Whether the root moves as in a gait."""
        return self.speed > MIN_TRAVEL_SPEED

    def next_prompt(self) -> PlannedPrompt | None:
        """Return the prompt that follows a motion that has ended, or None where the motion goes on."""
        if self.gait is not None:
            self.age, self.is_extended = 0, True
            return None
        if self.part is not None and not self.is_finishing:
            if self.part.turn and not self.steering.is_idle:
                self.age, self.is_extended = 0, True
                return None
            if self.part.repeats:  # it ended too soon: what is missing is done by another
                missing = self.part.repeats - max(1, progress(self._shown(), self.part.text)[0])
                if missing > 0:
                    return PlannedPrompt(self.text, self.number, part=replace(self.part, repeats=missing))
            if self.part.steps and not self._is_done(self.part):
                self.age, self.is_extended = 0, True
                return None
        if self.queue:
            return self.queue.popleft()
        is_gait = self.is_travelling or self.distance > MIN_TRAVEL_SPEED * self.seconds
        if self.is_idle or (is_gait and not self.is_finishing):
            self.age, self.is_extended = 0, True
            return None
        return self._idle_prompt

    def prompt_on_arrival(self) -> PlannedPrompt:
        """Return the prompt that follows when the end of a way is reached."""
        return self.queue.popleft() if self.queue else self._idle_prompt

    @property
    def _idle_prompt(self) -> PlannedPrompt:
        return PlannedPrompt(IDLE, self.number, is_idle=True)
