"""What a streaming character is about, token by token: its prompt, what comes after it, and what to do at an end."""

from collections import deque
from dataclasses import dataclass, field

from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.inference.cycle import Cycle
from motiongen.inference.steering import Steering

IDLE = "a person stands idle"
"""What a character does when it has nothing to do."""
WALK = "a person walks forward"
"""How it goes to a point, unless it goes already."""
TRAVELLING = 0.4
"""Mean speed of the root, m/s, from which a motion that ends is a gait, which goes on."""
AGAIN = 5
"""Age, in tokens, that a gait which goes on is told: past its start."""
LONGEST_PHRASE = 96
"""Tokens of a phrase that are remembered."""
QUEUE = 16
"""Prompts that may be queued."""


@dataclass(frozen=True)
class Next:
    """What is to be done: a prompt, the number of the verb that said so, and whether it is the idle of a character."""

    text: str
    number: int
    holds: bool = False


@dataclass
class Script:
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
        loop: the cycle that it goes round in, or nothing.
    """

    text: str = IDLE
    number: int = 0
    age: int = 0
    remaining: int = 0
    finishes: bool = False
    holds: bool = True
    queue: deque[Next] = field(default_factory=deque)
    phrase: deque[Tensor] = field(default_factory=lambda: deque(maxlen=LONGEST_PHRASE))
    steering: Steering = field(default_factory=Steering)
    speed: float = 0.0
    loop: Cycle | None = None

    def begin(self, new: Next) -> None:
        """Obey a prompt from the next token on."""
        self.text, self.number, self.holds = new.text, new.number, new.holds
        self.age = self.remaining = 0
        self.finishes = False
        self.loop = None
        self.phrase.clear()

    def finish(self, tokens: int) -> None:
        """Come to an end in so many tokens."""
        self.remaining, self.finishes = max(1, tokens), True

    def wrote(self, features: Tensor, ended: bool, min_tokens: int) -> bool:
        """Take note of a token's features (frames, D); return whether the phrase is over with it."""
        self.age += 1
        self.phrase.append(features)
        self._measure(features)
        if self.remaining:
            self.remaining -= 1
            return self.remaining == 0
        return ended and self.age >= min_tokens

    def _measure(self, features: Tensor) -> None:
        speed = float(features[:, LAYOUT["velocity"]].norm(dim=-1).mean())
        share = len(features) / FPS
        self.speed += share * (speed - self.speed)

    @property
    def travels(self) -> bool:
        """Whether it is on its way somewhere."""
        return self.speed > TRAVELLING

    def after(self) -> Next | None:
        """Return what follows a phrase that is over, or None where it goes on."""
        if self.queue:
            return self.queue.popleft()
        if self.holds or (self.travels and not self.finishes):
            self.age = min(self.age, AGAIN) if self.travels else 0
            return None
        return self._idle

    def arrive(self) -> Next:
        """Return what follows when the point that it walked to is reached."""
        return self.queue.popleft() if self.queue else self._idle

    @property
    def _idle(self) -> Next:
        return Next(IDLE, self.number, holds=True)
