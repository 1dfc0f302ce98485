"""Twenty prompts that name a side or a direction, and a judge that measures the motion, not a network that guesses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motiongen.evaluation.geometry import describe_motion
from motiongen.motion import Motion


@dataclass(frozen=True)
class DirectionPrompt:
    """A prompt and what `describe_motion` must find in its motion: a key and the values that count as obeyed."""

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
class Judgement:
    """What was found for one prompt."""

    prompt: DirectionPrompt
    found: str | None

    @property
    def obeyed(self) -> bool:
        """Whether the motion does what the prompt says."""
        return self.found in self.prompt.expected


def judge(prompts: Sequence[DirectionPrompt], motions: Sequence[Motion]) -> list[Judgement]:
    """Return what each motion does, beside what its prompt says: which wrist rises, which way the root goes."""
    pairs = zip(prompts, motions, strict=True)
    return [Judgement(prompt, describe_motion(motion).get(prompt.key)) for prompt, motion in pairs]


def direction_accuracy(generate: Callable[[list[str]], Sequence[Motion]]) -> tuple[float, list[Judgement]]:
    """Return the part of the twenty prompts that a model obeys, and the judgements."""
    judgements = judge(PROMPTS, generate([prompt.text for prompt in PROMPTS]))
    return sum(judgement.obeyed for judgement in judgements) / len(judgements), judgements
