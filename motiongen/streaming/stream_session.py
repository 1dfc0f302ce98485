"""What stands between a character and its place in a batch: hears what is said, and turns tokens into frames."""

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
from motiongen.streaming.character import PendingCommand, StreamEvent, pending_frames
from motiongen.streaming.cycle import Cycle
from motiongen.streaming.prompt_plan import IDLE, MAX_QUEUED, WALK, PlannedPrompt
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.text_character import TextCharacter
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


class StreamSession:
    """A character's place in a batch.

    Attributes:
        replaces: whether its next frames take the place of those that wait to be taken.
    """

    def __init__(self, model: Model, batch: StreamBatch, item: int, character: TextCharacter) -> None:
        """Put a new character, at rest, in place `item` of a batch."""
        self.model, self.batch, self.item, self.character = model, batch, item, character
        self.plan = character.plan
        self.replaces = False
        self._root = features.init_state(1)  # where the next frame follows
        self._places: deque[_Place] = deque(maxlen=batch.spare)  # before each of the last tokens
        # Whether the next frames begin where the last taken one is, and not where they would.
        self._realigns = False
        self._codes: deque[Tensor] = deque(maxlen=REMEMBERED)  # (Q,) of the last tokens
        self._unrefined = 0  # tokens since the last that were refined
        self._later: list[PendingCommand] = []
        self._queued: dict[int, PendingCommand] = {}
        self._unanswered: list[PendingCommand] = []  # until the next frames are made
        self._seam: blend.Seam | None = None
        self._seam_at = 0  # frames since the seam
        self._before: tuple[Tensor, Tensor] | None = None  # taken frames that the next ones follow on from
        self._landing: tuple[Tensor, Tensor] | None = None  # a given pose that the next frames follow
        batch.reset(item)
        batch.guidance_scale[item] = batch.options.guidance_scale
        batch.set_text([item], model.text.encode([IDLE]))

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
        for command in waiting:
            command.fail(VerbError("closed", "the character is gone; open another"))

    def hear(self) -> None:
        """Do what was said; what makes no sense now is answered so."""
        while (command := self.character.next_command()) is not None:
            try:
                self._obey(command)
            except VerbError as error:
                command.fail(error)
            except Exception as error:
                command.fail(error)  # who asked must not wait for ever for what went wrong here
                raise
        next_frame = self.character.taken + self.character.ready + self.frames_per_token // 2
        while self._later and self._later[0].due <= next_frame:
            command = self._later.pop(0)
            assert isinstance(command.verb, Prompt)
            self._forget_plans()
            self._begin(PlannedPrompt(command.verb.text, command.number), command, now=False)

    def prepare(self) -> None:
        """Tell the batch what the next token is to be like."""
        self.batch.age[self.item] = self.plan.age + 1
        self.batch.remaining[self.item] = self.plan.remaining

    @property
    def _next_seq(self) -> int:
        return self.character.taken + self.character.ready

    def _obey(self, command: PendingCommand) -> None:
        """Do what one verb says; it is answered when its first frames are made."""
        plan, verb = self.plan, command.verb
        match verb:
            case Prompt() if verb.at > 0 and len(self._later) >= MAX_QUEUED:
                raise VerbError("not_now", f"prompt: expected at most {MAX_QUEUED} prompts for later; wait")
            case Prompt() if verb.at > 0:
                command.due = self.character.taken + round(verb.at * FPS)
                self._later.append(command)
                self._later.sort(key=lambda other: other.due)
                return
            case Prompt():
                self._forget_plans()
                self._begin(PlannedPrompt(verb.text, command.number), command, now=True)
                return
            case Then() if len(plan.queue) >= MAX_QUEUED:
                raise VerbError("not_now", f"then: expected at most {MAX_QUEUED} prompts in the queue; wait")
            case Then() if plan.holds:
                self._begin(PlannedPrompt(verb.text, command.number), command, now=True)
                return
            case Then():
                plan.queue.append(PlannedPrompt(verb.text, command.number))
                self._queued[command.number] = command
                return
            case Hold():
                self._forget_plans()
                self._begin(PlannedPrompt(IDLE, command.number, holds=True), command, now=True)
                plan.steering.angle = 0.0
                return
            case Goto():
                plan.steering.angle, plan.steering.goal = (
                    0.0,
                    np.array([verb.x, verb.z], dtype=np.float32),
                )
                if not plan.travels:
                    self._begin(PlannedPrompt(WALK, command.number), command, now=True)
                    return
            case Loop():
                self._loop(command)
            case Pose():
                self._pose(verb)
            case Finish() if plan.holds or plan.loop:
                raise VerbError("not_now", "finish: nothing is going on; say a prompt first")
            case Finish():
                tokens = round(verb.seconds * FPS / self.frames_per_token)
                plan.finish(tokens - self.character.ready // self.frames_per_token)
            case Turn():
                plan.steering.goal = None
                plan.steering.angle += verb.angle
            case Seed():
                self.batch.seed[self.item] = verb.seed
            case Strength():
                self.batch.guidance_scale[self.item] = verb.scale
        self._unanswered.append(command)

    def _forget_plans(self) -> None:
        """Go nowhere, and do nothing afterwards; who waits for that is told so."""
        self.plan.queue.clear()
        self.plan.steering.goal = None
        for command in self._queued.values():
            command.fail(VerbError("not_now", "then: something else was said before its turn; say it again"))
        self._queued.clear()

    def _begin(self, new: PlannedPrompt, command: PendingCommand | None, *, now: bool) -> None:
        """Change the prompt: from the next token on, which with `now` is the first that nothing was taken of."""
        loops = self.plan.loop is not None
        if now and not self.replaces and not loops:
            self._forget(self.character.ready // self.frames_per_token)
        self.replaces = self.replaces or now or loops
        self._realigns = self._realigns or loops  # the model has stood still meanwhile
        self.plan.begin(new)
        self.batch.set_text([self.item], self.model.text.encode([new.text]))
        if command is not None:
            self._unanswered.append(command)

    def _forget(self, tokens: int) -> None:
        """Take back the last tokens; what they turned by is still to be done."""
        self.batch.rewind(self.item, tokens)
        for _ in range(min(tokens, len(self._places))):
            place = self._places.pop()
            self._root = RootState(place.root.heading, place.root.position)
            self.plan.steering.angle += place.turned
        for _ in range(min(tokens, len(self._codes))):
            self._codes.pop()
        self._unrefined = max(0, self._unrefined - tokens)

    def refinable(self, kept: int) -> int:
        """Return how many of the last tokens can be written anew, while the frames of `kept` others are taken."""
        waiting = self.character.ready // self.frames_per_token - kept
        if self.replaces or self._seam is not None or self.plan.loop or not self.plan.steering.is_idle:
            return 0
        return min(waiting, self._unrefined, self.plan.age, self.batch.spare, len(self._codes) - 1)

    def refine(self, refiner: Refiner, tokens: int) -> None:
        """Let a refiner write the last tokens anew, and let their frames take the place of those that wait."""
        self._unrefined = 0
        codes = refiner.rewrite(torch.stack(list(self._codes)), tokens, self.plan.text)[-tokens:]
        if not self.character.drop_last(tokens * self.frames_per_token):
            return  # they were wanted sooner than thought
        plan = self.plan
        age = torch.arange(plan.age - tokens, plan.age) + 1
        self._forget(tokens)
        rows = self.batch.push(self.item, codes, age).split(self.frames_per_token)
        for _ in range(tokens):
            plan.phrase.pop()
        for code, row in zip(codes, rows, strict=True):
            self._codes.append(code)
            plan.phrase.append(row)
            before = RootState(self._root.heading, self._root.position)
            self._deliver(features.step(row[None], self._root), before)

    def _follow(self, follows: PlannedPrompt) -> None:
        """Begin what comes after."""
        self._begin(follows, self._queued.pop(follows.number, None), now=False)
        self._note("obeys", self._next_seq)

    def _loop(self, command: PendingCommand) -> None:
        if self.plan.holds or not self.plan.phrase:
            raise VerbError("not_now", "loop: there is nothing to repeat; say a prompt first")
        try:
            self.plan.loop = Cycle.find(torch.cat(list(self.plan.phrase)))
        except ValueError as error:
            raise VerbError("not_now", str(error)) from None
        self.plan.number = command.number
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
        self.batch.reset(self.item)
        self.batch.push(self.item, codes)
        self._codes = deque(codes.cpu(), maxlen=REMEMBERED)
        self._unrefined = 0
        self._root = features.end_of(still)
        self._landing = still.rotations[-1:], still.root[-1:]
        self.plan.age, self.plan.loop = 0, None
        self.replaces = True

    def _deliver(self, frames: Frames, before: RootState) -> None:
        """Let a token's frames (1, T), which began at a root state, wait to be taken, turned and blended as need be."""
        steering = self.plan.steering
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
        obeys = [self.plan.number] * len(root)
        first = self.character.add(pending_frames(rotations, root, frames.contacts[0], obeys))
        for command in self._unanswered:
            command.answer(first)
        self._unanswered.clear()
        if self.plan.steering.has_arrived(self._root):
            self.plan.steering.goal = None
            self._note("arrived", self._next_seq)
            self._follow(self.plan.arrive())

    def _wrote(self, code: Tensor) -> None:
        self._codes.append(code)
        self._unrefined += 1

    def _advance_plan(self, row: Tensor, speed: float, ended: bool) -> None:
        """Take note of a token that the model wrote, and begin what follows where it was the last."""
        if self.plan.wrote(row, speed, ended, self.batch.options.min_tokens):
            follows = self.plan.after()
            if follows is not None:
                self._note("ended", self._next_seq)
                self._follow(follows)

    def _splice(self) -> None:
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
        self.character.events.append(StreamEvent(name, seq, self.plan.number, self.plan.text))


def step_sessions(batch: StreamBatch, sessions: list[StreamSession]) -> None:
    """Let characters of one batch go on by a token: those that loop repeat, the others write."""
    writing = [session for session in sessions if session.plan.loop is None]
    ended = np.zeros(batch.size, dtype=bool)
    written = torch.zeros(0)
    if writing:
        for session in writing:
            session.prepare()
        codes, ended, written = batch.step([session.item for session in writing])
        for session in writing:
            session._wrote(codes[session.item])
    rows = torch.stack([_row(session, written) for session in sessions])  # (n, T, D)
    speeds = rows[..., features.LAYOUT["velocity"]].norm(dim=-1).mean(dim=1).tolist()
    for session in sessions:
        if session.replaces:
            session._splice()
    roots = RootState(
        torch.cat([session._root.heading for session in sessions]),
        torch.cat([session._root.position for session in sessions]),
    )
    frames = features.step(rows, roots)  # all at once: one by one takes twice the time of the model's step
    for n, session in enumerate(sessions):
        one, loops = slice(n, n + 1), session.plan.loop is not None
        before, session._root = session._root, RootState(roots.heading[one], roots.position[one])
        session._deliver(Frames(frames.rotations[one], frames.root[one], frames.contacts[one]), before)
        if not loops:
            session._advance_plan(rows[n], speeds[n], bool(ended[session.item]))


def _row(session: StreamSession, written: Tensor) -> Tensor:
    loop = session.plan.loop
    return written[session.item] if loop is None else loop.next(session.frames_per_token)
