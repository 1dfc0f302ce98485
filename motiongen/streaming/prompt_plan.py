"""The plan of a text character: its current prompt, the queue of prompts, and the choice of the next one."""

from collections import deque
from dataclasses import dataclass, field

from torch import Tensor

from motiongen.features import FPS
from motiongen.streaming.cycle import Cycle
from motiongen.streaming.steering import Steering

IDLE = "a person stands idle"
"""Prompt of a character that has nothing to do."""
WALK = "a person walks forward"
"""Prompt of a character that goes to a point and does not travel yet."""
MIN_TRAVEL_SPEED = 0.4
"""Mean speed of the root, m/s, from which a motion counts as a gait: a gait goes on past its end."""
MAX_EXTENDED_AGE = 14
"""Highest age, in tokens, of a gait past its end: the older the head believes it, the sooner it ends again."""
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
    """

    text: str
    number: int
    is_idle: bool = False


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
        steering: turn or goal that is still to be reached.
        speed: mean speed of the root in the last second, m/s.
        seconds: time since the prompt started.
        distance: metres that the root has travelled in that time.
        is_extended: whether the motion goes on past its end.
        loop: the cycle that is repeated, or None.
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

    def start(self, prompt: PlannedPrompt) -> None:
        """Make a prompt the current one, from the next token on.

        Args:
            prompt: the prompt.
        """
        self.text, self.number, self.is_idle = prompt.text, prompt.number, prompt.is_idle
        self.age = self.remaining = 0
        self.seconds = self.distance = 0.0
        self.is_finishing = self.is_extended = False
        self.loop = None
        self.history.clear()

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
        return ended and self.age >= min_tokens

    @property
    def is_travelling(self) -> bool:
        """Whether the root moves as in a gait."""
        return self.speed > MIN_TRAVEL_SPEED

    def next_prompt(self) -> PlannedPrompt | None:
        """Return the prompt that follows a motion that has ended, or None where the motion goes on."""
        if self.queue:
            return self.queue.popleft()
        if self.steering.goal is not None and not self.is_travelling:
            return PlannedPrompt(WALK, self.number)
        is_gait = self.is_travelling or self.distance > MIN_TRAVEL_SPEED * self.seconds
        if self.is_idle or (is_gait and not self.is_finishing):
            self.age, self.is_extended = 0, True
            return None
        return self._idle_prompt

    def prompt_on_arrival(self) -> PlannedPrompt:
        """Return the prompt that follows when the goal is reached."""
        return self.queue.popleft() if self.queue else self._idle_prompt

    @property
    def _idle_prompt(self) -> PlannedPrompt:
        return PlannedPrompt(IDLE, self.number, is_idle=True)
