"""What a streaming character is about, token by token: its prompt, what comes after it, and what to do at an end."""

from collections import deque
from dataclasses import dataclass, field

from torch import Tensor

from motiongen.features import FPS
from motiongen.streaming.cycle import Cycle
from motiongen.streaming.steering import Steering

IDLE = "a person stands idle"
"""What a character does when it has nothing to do."""
WALK = "a person walks forward"
"""How it goes to a point, unless it goes already."""
TRAVELLING = 0.4
"""Mean speed of the root, m/s, from which a motion that ends is a gait, which goes on."""
OLDEST = 14
"""Age, in tokens, that a gait which goes on past an end is told at most: the older, the sooner it ends again."""
LONGEST_PHRASE = 96
"""Tokens of a phrase that are remembered."""
MAX_QUEUED = 16
"""Prompts that may be queued."""


@dataclass(frozen=True)
class PlannedPrompt:
    """What is to be done: a prompt, the number of the verb that said so, and whether it is the idle of a character."""

    text: str
    number: int
    holds: bool = False


@dataclass
class PromptPlan:
    """State of one character's story; moved on by the scheduler, a token at a time.

    Attributes:
        text: the prompt that is being obeyed.
        number: of the verb that said so.
        age: tokens since it began.
        remaining: tokens to its end; 0 for no saying.
        finishes: whether it was told to end.
        holds: whether it is idle for want of anything to do.
        queue: what comes after.
        phrase: features (frames of a token, D) of each token since the prompt began.
        speed: mean speed of the root in the last second, m/s.
        seconds: since the prompt began.
        way: metres that the root has gone in them.
        is_extended: whether it is past an end.
        loop: the cycle that it goes round in, or nothing.
    """

    text: str = IDLE
    number: int = 0
    age: int = 0
    remaining: int = 0
    finishes: bool = False
    holds: bool = True
    queue: deque[PlannedPrompt] = field(default_factory=deque)
    phrase: deque[Tensor] = field(default_factory=lambda: deque(maxlen=LONGEST_PHRASE))
    steering: Steering = field(default_factory=Steering)
    speed: float = 0.0
    seconds: float = 0.0
    way: float = 0.0
    is_extended: bool = False
    loop: Cycle | None = None

    def begin(self, new: PlannedPrompt) -> None:
        """Obey a prompt from the next token on."""
        self.text, self.number, self.holds = new.text, new.number, new.holds
        self.age = self.remaining = 0
        self.seconds = self.way = 0.0
        self.finishes = self.is_extended = False
        self.loop = None
        self.phrase.clear()

    def finish(self, tokens: int) -> None:
        """Come to an end in so many tokens."""
        self.remaining, self.finishes = max(1, tokens), True

    def wrote(self, features: Tensor, speed: float, ended: bool, min_tokens: int) -> bool:
        """Take note of a token (features (frames, D), mean speed in m/s); return whether the phrase is over with it."""
        self.age += 1
        self.phrase.append(features)
        seconds = len(features) / FPS
        self.seconds += seconds
        self.way += speed * seconds
        self.speed += min(seconds, 1.0) * (speed - self.speed)
        if self.is_extended and self.travels:
            self.age = min(self.age, OLDEST)
        if self.remaining:
            self.remaining -= 1
            return self.remaining == 0
        return ended and self.age >= min_tokens

    @property
    def travels(self) -> bool:
        """Whether it is on its way somewhere."""
        return self.speed > TRAVELLING

    def after(self) -> PlannedPrompt | None:
        """Return what follows a phrase that is over, or None where it goes on."""
        if self.queue:
            return self.queue.popleft()
        if self.steering.goal is not None and not self.travels:
            return PlannedPrompt(WALK, self.number)
        is_gait = self.travels or self.way > TRAVELLING * self.seconds
        if self.holds or (is_gait and not self.finishes):
            self.age, self.is_extended = 0, True
            return None
        return self._idle

    def arrive(self) -> PlannedPrompt:
        """Return what follows when the point that it walked to is reached."""
        return self.queue.popleft() if self.queue else self._idle

    @property
    def _idle(self) -> PlannedPrompt:
        return PlannedPrompt(IDLE, self.number, holds=True)
