"""What stands between a character and its place in a block: hears what is said, and turns tokens into frames."""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongen import blend, features
from motiongen.features import FPS, Frames, RootState
from motiongen.inference.model import Model
from motiongen.motion import Motion
from motiongen.rotation import heading_angle
from motiongen.skeleton import SMPL22
from motiongen.streaming.block import Block
from motiongen.streaming.character import Character
from motiongen.streaming.cycle import Cycle
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.script import IDLE, QUEUE, WALK, Next
from motiongen.streaming.streamed import Spoken, StreamEvent, made_of
from motiongen.streaming.verbs import (
    Finish,
    Goto,
    Hold,
    Loop,
    Pose,
    Prompt,
    Seed,
    Strength,
    Then,
    Turn,
    VerbError,
)

BLEND = 10
"""Frames over which a seam fades."""
REPLACED = 1
"""Frames that a character which is to change its mind counts as having: only who has fewer is more urgent."""
REMEMBERED = 64
"""Tokens of its past that a refinement sees."""


@dataclass(frozen=True)
class _Place:
    """Where a token began, and by how many radians steering turned its frames."""

    root: RootState
    turned: float


class Performer:
    """A character's place in a block.

    Attributes:
        replaces: whether its next frames take the place of those that wait to be taken.
    """

    def __init__(self, model: Model, block: Block, item: int, character: Character) -> None:
        """Put a new character, at rest, in place `item` of a block."""
        self.model, self.block, self.item, self.character = model, block, item, character
        self.script = character.script
        self.replaces = False
        self._root = features.init_state(1)  # where the next frame follows
        self._places: deque[_Place] = deque(maxlen=block.spare)  # before each of the last tokens
        # Whether the next frames begin where the last taken one is, and not where they would.
        self._realigns = False
        self._codes: deque[Tensor] = deque(maxlen=REMEMBERED)  # (Q,) of the last tokens
        self._unrefined = 0  # tokens since the last that were refined
        self._later: list[Spoken] = []
        self._queued: dict[int, Spoken] = {}
        self._unanswered: list[Spoken] = []  # until the next frames are made
        self._seam: blend.Seam | None = None
        self._seam_at = 0  # frames since the seam
        self._before: tuple[Tensor, Tensor] | None = None  # taken frames that the next ones follow on from
        self._landing: tuple[Tensor, Tensor] | None = None  # a given pose that the next frames follow
        block.reset(item)
        block.guidance_scale[item] = block.options.guidance_scale
        block.set_text([item], model.text.encode([IDLE]))

    @property
    def frames_per_token(self) -> int:
        """Frames that a step makes."""
        return self.model.frames_per_token

    @property
    def wait(self) -> int:
        """Frames that wait to be taken; those to be replaced count as few, but more than those that are missing."""
        return min(self.character.ready, REPLACED) if self.replaces else self.character.ready

    def wants(self, frames: int) -> bool:
        """Whether at most so many frames wait, or are to be replaced."""
        return self.wait <= frames

    def leave(self) -> None:
        """Let nobody wait for an answer any longer."""
        waiting = [*self._later, *self._unanswered, *self._queued.values(), *self.character.unheard()]
        for spoken in waiting:
            spoken.fail(VerbError("closed", "the character is gone; open another"))

    def hear(self) -> None:
        """Do what was said; what makes no sense now is answered so."""
        while (spoken := self.character.next_said()) is not None:
            try:
                self._obey(spoken)
            except VerbError as error:
                spoken.fail(error)
            except Exception as error:
                spoken.fail(error)  # who asked must not wait for ever for what went wrong here
                raise
        next_frame = self.character.taken + self.character.ready + self.frames_per_token // 2
        while self._later and self._later[0].due <= next_frame:
            spoken = self._later.pop(0)
            assert isinstance(spoken.verb, Prompt)
            self._forget_plans()
            self._begin(Next(spoken.verb.text, spoken.number), spoken, now=False)

    def prepare(self) -> None:
        """Tell the block what the next token is to be like."""
        self.block.age[self.item] = self.script.age + 1
        self.block.remaining[self.item] = self.script.remaining

    @property
    def _next_seq(self) -> int:
        return self.character.taken + self.character.ready

    def _obey(self, spoken: Spoken) -> None:
        """Do what one verb says; it is answered when its first frames are made."""
        script, verb = self.script, spoken.verb
        match verb:
            case Prompt() if verb.at > 0 and len(self._later) >= QUEUE:
                raise VerbError("not_now", f"prompt: expected at most {QUEUE} prompts for later; wait")
            case Prompt() if verb.at > 0:
                spoken.due = self.character.taken + round(verb.at * FPS)
                self._later.append(spoken)
                self._later.sort(key=lambda other: other.due)
                return
            case Prompt():
                self._forget_plans()
                self._begin(Next(verb.text, spoken.number), spoken, now=True)
                return
            case Then() if len(script.queue) >= QUEUE:
                raise VerbError("not_now", f"then: expected at most {QUEUE} prompts in the queue; wait")
            case Then() if script.holds:
                self._begin(Next(verb.text, spoken.number), spoken, now=True)
                return
            case Then():
                script.queue.append(Next(verb.text, spoken.number))
                self._queued[spoken.number] = spoken
                return
            case Hold():
                self._forget_plans()
                self._begin(Next(IDLE, spoken.number, holds=True), spoken, now=True)
                script.steering.angle = 0.0
                return
            case Goto():
                script.steering.angle, script.steering.goal = (
                    0.0,
                    np.array([verb.x, verb.z], dtype=np.float32),
                )
                if not script.travels:
                    self._begin(Next(WALK, spoken.number), spoken, now=True)
                    return
            case Loop():
                self._loop(spoken)
            case Pose():
                self._pose(verb)
            case Finish() if script.holds or script.loop:
                raise VerbError("not_now", "finish: nothing is going on; say a prompt first")
            case Finish():
                tokens = round(verb.seconds * FPS / self.frames_per_token)
                script.finish(tokens - self.character.ready // self.frames_per_token)
            case Turn():
                script.steering.goal = None
                script.steering.angle += verb.angle
            case Seed():
                self.block.seed[self.item] = verb.seed
            case Strength():
                self.block.guidance_scale[self.item] = verb.scale
        self._unanswered.append(spoken)

    def _forget_plans(self) -> None:
        """Go nowhere, and do nothing afterwards; who waits for that is told so."""
        self.script.queue.clear()
        self.script.steering.goal = None
        for spoken in self._queued.values():
            spoken.fail(VerbError("not_now", "then: something else was said before its turn; say it again"))
        self._queued.clear()

    def _begin(self, new: Next, spoken: Spoken | None, *, now: bool) -> None:
        """Change the prompt: from the next token on, which with `now` is the first that nothing was taken of."""
        loops = self.script.loop is not None
        if now and not self.replaces and not loops:
            self._forget(self.character.ready // self.frames_per_token)
        self.replaces = self.replaces or now or loops
        self._realigns = self._realigns or loops  # the model has stood still meanwhile
        self.script.begin(new)
        self.block.set_text([self.item], self.model.text.encode([new.text]))
        if spoken is not None:
            self._unanswered.append(spoken)

    def _forget(self, tokens: int) -> None:
        """Take back the last tokens; what they turned by is still to be done."""
        self.block.rewind(self.item, tokens)
        for _ in range(min(tokens, len(self._places))):
            place = self._places.pop()
            self._root = RootState(place.root.heading, place.root.position)
            self.script.steering.angle += place.turned
        for _ in range(min(tokens, len(self._codes))):
            self._codes.pop()
        self._unrefined = max(0, self._unrefined - tokens)

    def refinable(self, kept: int) -> int:
        """Return how many of the last tokens can be written anew, while the frames of `kept` others are taken."""
        waiting = self.character.ready // self.frames_per_token - kept
        if self.replaces or self._seam is not None or self.script.loop or not self.script.steering.is_idle:
            return 0
        return min(waiting, self._unrefined, self.script.age, self.block.spare, len(self._codes) - 1)

    def refine(self, refiner: Refiner, tokens: int) -> None:
        """Let a refiner write the last tokens anew, and let their frames take the place of those that wait."""
        self._unrefined = 0
        codes = refiner.rewrite(torch.stack(list(self._codes)), tokens, self.script.text)[-tokens:]
        if not self.character.drop_last(tokens * self.frames_per_token):
            return  # they were wanted sooner than thought
        script = self.script
        age = torch.arange(script.age - tokens, script.age) + 1
        self._forget(tokens)
        rows = self.block.push(self.item, codes, age).split(self.frames_per_token)
        for _ in range(tokens):
            script.phrase.pop()
        for code, row in zip(codes, rows, strict=True):
            self._codes.append(code)
            script.phrase.append(row)
            before = RootState(self._root.heading, self._root.position)
            self._deliver(features.step(row[None], self._root), before)

    def _follow(self, follows: Next) -> None:
        """Begin what comes after."""
        self._begin(follows, self._queued.pop(follows.number, None), now=False)
        self._note("obeys", self._next_seq)

    def _loop(self, spoken: Spoken) -> None:
        if self.script.holds or not self.script.phrase:
            raise VerbError("not_now", "loop: there is nothing to repeat; say a prompt first")
        try:
            self.script.loop = Cycle.find(torch.cat(list(self.script.phrase)))
        except ValueError as error:
            raise VerbError("not_now", str(error)) from None
        self.script.number = spoken.number
        self.replaces = self._realigns = True

    def _pose(self, verb: Pose) -> None:
        """Stand in a pose, and go on from there."""
        rest = np.tile(np.array([0, 0, 0, 1], dtype=np.float32), (22, 1))
        rotations = torch.from_numpy(rest if verb.rotations is None else verb.rotations)
        root = torch.zeros(3) if verb.root is None else torch.from_numpy(verb.root)
        count = 2 * self.frames_per_token
        still = Motion(SMPL22, rotations.expand(count, -1, -1), root.expand(count, -1), FPS)
        if verb.root is None:
            still = still.grounded()
        frames = features.encode(still).to(self.model.tokenizer.mean.device)
        with torch.inference_mode():
            codes = self.model.tokenizer.encode(frames[None])[0]
        self.block.reset(self.item)
        self.block.push(self.item, codes)
        self._codes = deque(codes.cpu(), maxlen=REMEMBERED)
        self._unrefined = 0
        self._root = features.end_of(still)
        self._landing = still.rotations[-1:], still.root[-1:]
        self.script.age, self.script.loop = 0, None
        self.replaces = True

    def _deliver(self, frames: Frames, before: RootState) -> None:
        """Let a token's frames (1, T), which began at a root state, wait to be taken, turned and blended as need be."""
        steering = self.script.steering
        to_turn = steering.angle
        if not steering.is_idle:
            frames = steering.apply(frames, self._root)
        self._places.append(_Place(before, to_turn - steering.angle))
        rotations, root = frames.rotations[0], frames.root[0]
        if self._before is not None:
            self._seam, self._seam_at = blend.seam(rotations, root, *self._before, BLEND), 0
            self._before = None
        if self._seam is not None:
            rotations, root = self._seam.apply(rotations, root, self._seam_at)
            self._seam_at += len(rotations)
            self._seam = None if self._seam_at >= BLEND else self._seam
        obeys = [self.script.number] * len(root)
        first = self.character.add(made_of(rotations, root, frames.contacts[0], obeys))
        for spoken in self._unanswered:
            spoken.answer(first)
        self._unanswered.clear()
        if self.script.steering.has_arrived(self._root):
            self.script.steering.goal = None
            self._note("arrived", self._next_seq)
            self._follow(self.script.arrive())

    def _wrote(self, code: Tensor) -> None:
        self._codes.append(code)
        self._unrefined += 1

    def _go_on(self, row: Tensor, speed: float, ended: bool) -> None:
        """Take note of a token that the model wrote, and begin what follows where it was the last."""
        if self.script.wrote(row, speed, ended, self.block.options.min_tokens):
            follows = self.script.after()
            if follows is not None:
                self._note("ended", self._next_seq)
                self._follow(follows)

    def _take_up(self) -> None:
        """Drop what waits, and let the next frames follow on the last that was taken."""
        before = self.character.drop()
        self.replaces, realigns, self._realigns = False, self._realigns, False
        if self._landing is not None:
            self._before, self._landing = self._landing, None
            return
        if not before:
            return
        rotations = torch.from_numpy(np.stack([frame.rotations for frame in before]))
        root = torch.from_numpy(np.stack([frame.root for frame in before]))
        # A few frames of a token are skipped, or of one taken back were seen: its feet stand where they stood, so
        # that the seam makes up for it by going a little faster or slower, and they do not slide.
        if realigns:
            self._root = RootState(heading_angle(rotations[-1:, 0]), root[-1:, [0, 2]])
        self._before = rotations, root

    def _note(self, name: str, seq: int) -> None:
        self.character.events.append(StreamEvent(name, seq, self.script.number, self.script.text))


def perform(block: Block, performers: list[Performer]) -> None:
    """Let characters of one block go on by a token: those that loop repeat, the others write."""
    writing = [performer for performer in performers if performer.script.loop is None]
    ended = np.zeros(block.size, dtype=bool)
    written = torch.zeros(0)
    if writing:
        for performer in writing:
            performer.prepare()
        codes, ended, written = block.step([performer.item for performer in writing])
        for performer in writing:
            performer._wrote(codes[performer.item])
    rows = torch.stack([_row(performer, written) for performer in performers])  # (n, T, D)
    speeds = rows[..., features.LAYOUT["velocity"]].norm(dim=-1).mean(dim=1).tolist()
    for performer in performers:
        if performer.replaces:
            performer._take_up()
    roots = RootState(
        torch.cat([performer._root.heading for performer in performers]),
        torch.cat([performer._root.position for performer in performers]),
    )
    frames = features.step(rows, roots)  # all at once: one by one takes twice the time of the model's step
    for n, performer in enumerate(performers):
        one, loops = slice(n, n + 1), performer.script.loop is not None
        before, performer._root = performer._root, RootState(roots.heading[one], roots.position[one])
        performer._deliver(Frames(frames.rotations[one], frames.root[one], frames.contacts[one]), before)
        if not loops:
            performer._go_on(rows[n], speeds[n], bool(ended[performer.item]))


def _row(performer: Performer, written: Tensor) -> Tensor:
    loop = performer.script.loop
    return written[performer.item] if loop is None else loop.next(performer.frames_per_token)
