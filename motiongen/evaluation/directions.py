"""Direction accuracy: twenty prompts with a side or a direction, checked geometrically, not by a learned classifier."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motiongen.evaluation.geometry import describe_motion
from motiongen.motion import Motion


@dataclass(frozen=True)
class DirectionPrompt:
    """A prompt with a side or direction.

    Attributes:
        text: the prompt.
        key: of `describe_motion`.
        expected: values that are correct.
    """

    text: str
    key: str
    expected: tuple[str, ...]


PROMPTS: tuple[DirectionPrompt, ...] = (
    DirectionPrompt("a person waves with the right hand", "hand", ("right",)),
    DirectionPrompt("a person waves with the left hand", "hand", ("left",)),
    DirectionPrompt("someone is waving the left arm", "hand", ("left",)),
    DirectionPrompt("wave your right hand", "hand", ("right",)),
    DirectionPrompt("a person waves with both hands", "hand", ("both",)),
    DirectionPrompt("a person raises the right hand", "hand", ("right",)),
    DirectionPrompt("a person raises the left arm", "hand", ("left",)),
    DirectionPrompt("lift your left hand", "hand", ("left",)),
    DirectionPrompt("a man raises his right arm above his head", "hand", ("right",)),
    DirectionPrompt("somebody puts both hands up", "hand", ("both",)),
    DirectionPrompt("a person walks and turns left", "turn", ("left",)),
    DirectionPrompt("a person walks and turns right", "turn", ("right",)),
    DirectionPrompt("walk forward, then turn to the left", "turn", ("left",)),
    DirectionPrompt("someone walks and makes a right turn", "turn", ("right",)),
    DirectionPrompt("an old person walks and turns to the right", "turn", ("right",)),
    DirectionPrompt("a tired person walks forward and turns left", "turn", ("left",)),
    DirectionPrompt("a person walks forward", "travel", ("forward",)),
    DirectionPrompt("a person walks backward", "travel", ("backward",)),
    DirectionPrompt("walk backwards", "travel", ("backward",)),
    DirectionPrompt("someone runs straight ahead", "travel", ("forward",)),
)


@dataclass(frozen=True)
class DirectionResult:
    """Result of one prompt.

    Attributes:
        prompt: the prompt.
        found: value of its key in the motion; None if the motion is ambiguous.
    """

    prompt: DirectionPrompt
    found: str | None

    @property
    def is_correct(self) -> bool:
        """Whether the motion matches the prompt."""
        return self.found in self.prompt.expected


def check_directions(prompts: Sequence[DirectionPrompt], motions: Sequence[Motion]) -> list[DirectionResult]:
    """Return the side or direction found in each motion, with its prompt."""
    pairs = zip(prompts, motions, strict=True)
    return [DirectionResult(prompt, describe_motion(motion).get(prompt.key)) for prompt, motion in pairs]


def direction_accuracy(
    generate: Callable[[list[str]], Sequence[Motion]],
) -> tuple[float, list[DirectionResult]]:
    """Return the share of the twenty prompts that a model follows, and the results.

    Args:
        generate: returns a motion for each prompt.
    """
    results = check_directions(PROMPTS, generate([prompt.text for prompt in PROMPTS]))
    return sum(result.is_correct for result in results) / len(results), results
