"""A session: one text character in a slot of a batch, from its current prompt to its frames."""

import logging

import torch
from torch import Tensor

from motiongen import features
from motiongen.features import Frames, RootState
from motiongen.inference.model import Model
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from motiongen.streaming.character import StreamEvent
from motiongen.streaming.frame_delivery import FrameDelivery
from motiongen.streaming.gait_library import AGE, PREFIX, GaitLibrary, pose_features
from motiongen.streaming.gaits import SIDE, Gait, gait_for
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.prompt_plan import IDLE, PlannedPrompt
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.token_history import TokenHistory
from motiongen.streaming.verbs import VerbError

log = logging.getLogger(__name__)

GAIT_FRAMES = 6
"""Frames that a gait is kept at least."""
BRAKING = 0.6
"""Share of the speed that a character still has for which its legs walk on while it stops."""
REPLACED_FRAMES = 1
"""Frames that a character counts as having while those that wait are to be replaced: only fewer is more urgent."""


class StreamSession:
    """The scheduler's side of a text character. All of it belongs to one thread.

    Attributes:
        model: head, tokenizer and text encoder.
        batch: the batch.
        slot: the character's slot in it.
        character: the character.
        plan: its plan.
        history: its last tokens.
        delivery: makes its frames.
        replaces_waiting: whether the next frames replace those that wait to be taken.
        realigns: whether the next frames begin where the last taken one is, and not where the head left the root.
        deferred: prompts for a later frame, the soonest first.
        queued: number of a command -> a `then` that waits for its turn.
        own_gait: how a character that is driven went before; None where it goes as it is told.
        unanswered: commands that are answered when the next frames are made.
    """

    def __init__(
        self, model: Model, batch: StreamBatch, slot: int, character: TextCharacter, gaits: GaitLibrary
    ) -> None:
        """Put a new character, at rest, into a slot.

        Args:
            model: head, tokenizer and text encoder.
            batch: the batch.
            slot: a free slot of it.
            character: the character.
            gaits: how the model moves when it is driven.
        """
        self._gaits, self._gait_began = gaits, 0
        self.own_gait: Gait | None = None
        self.model, self.batch, self.slot, self.character = model, batch, slot, character
        self.plan = character.plan
        self.history = TokenHistory(batch.rewind_limit)
        self.delivery = FrameDelivery(character, self.history)
        self.replaces_waiting = self.realigns = False
        self.deferred: list[PendingCommand] = []
        self.queued: dict[int, PendingCommand] = {}
        self.unanswered: list[PendingCommand] = []
        batch.reset(slot)
        batch.guidance_scale[slot] = batch.options.guidance_scale
        self._set_text(IDLE, seed=0)  # the slot's seed still is that of the character before

    @property
    def frames_per_token(self) -> int:
        """Frames that a step makes."""
        return self.model.frames_per_token

    @property
    def waiting(self) -> int:
        """Frames that wait to be taken. Those to be replaced count as few, but more than those that are missing."""
        return min(self.character.ready, REPLACED_FRAMES) if self.replaces_waiting else self.character.ready

    @property
    def next_seq(self) -> int:
        """Number of the next frame that is made."""
        return self.character.taken + self.character.ready

    def is_due(self, frames: int) -> bool:
        """Return whether few frames wait, or are to be replaced.

        Args:
            frames: count of frames that is few.
        """
        return self.waiting <= frames

    def close(self) -> None:
        """Fail all commands that wait for an answer."""
        waiting = [*self.deferred, *self.unanswered, *self.queued.values(), *self.character.clear_commands()]
        for command in waiting:
            command.fail(VerbError("closed", "the character is gone; open another"))

    def fail(self, error: Exception) -> None:
        """Close the character because of an error; the other sessions go on.

        Args:
            error: the reason.
        """
        log.error("event=character_failed character=%d", self.character.number, exc_info=error)
        self.character.fail(error)

    def prepare_step(self) -> None:
        """Set the batch's inputs of the next token."""
        self.batch.age[self.slot] = self.plan.age + 1
        self.batch.remaining[self.slot] = self.plan.remaining

    def choose(self, rows: Tensor) -> int:
        """Return which of N candidates the character's reward prefers.

        Args:
            rows: features (N, T, D) of what would come next.

        Raises:
            RewardError: the reward failed.
        """
        assert self.character.guide is not None
        if self.plan.gait is not None and self.plan.gait.is_mirrored:
            rows = features.mirror(rows)
        root = self.delivery.root
        start = RootState(root.heading.expand(len(rows)), root.position.expand(len(rows), 2))
        frames = features.step(rows, start)
        return self.character.guide.best(list(SMPL22.fk(frames.rotations, frames.root)[1]))

    def start_prompt(self, prompt: PlannedPrompt, command: PendingCommand | None, *, now: bool) -> None:
        """Change the prompt from the next token on.

        Args:
            prompt: the new prompt.
            command: answered when the first frames that obey are made; None for nobody.
            now: whether the first token whose frames nobody took is the next.
        """
        loops = self.plan.loop is not None
        if now and not self.replaces_waiting and not loops:
            self.rewind(self.character.ready // self.frames_per_token)
        self.replaces_waiting = self.replaces_waiting or now or loops
        self.realigns = self.realigns or loops  # the head has stood still meanwhile
        self.plan.start(prompt)
        self.character.bend.drive.release()
        self.own_gait = None
        self._set_text(prompt.text, int(self.batch.seed[self.slot]))
        if command is not None:
            self.unanswered.append(command)

    def keep_gait(self) -> None:
        """Let the legs of a driven character walk as fast, and to the side, as is wished."""
        drive, plan = self.character.bend.drive, self.plan
        if not drive.is_driven:
            return
        if plan.gait is None:  # it was said while a prompt began
            drive.release()
            return
        if drive.way is not None and drive.way.is_over:
            self._arrive()
            return
        if self.character.taken < self._gait_began + GAIT_FRAMES:
            return
        speed, angle = drive.demand(BRAKING)
        own, is_lost = self.own_gait, plan.has_lost_gait and not self.replaces_waiting
        if own is not None:
            if 0.4 * own.speed < speed < 2.0 * own.speed and abs(angle) < SIDE and not is_lost:
                return
            self.own_gait = None
        gait = gait_for(speed, angle, plan.gait)
        if gait is not plan.gait or is_lost:
            self.start_gait(gait, plan.number)

    def keep_own_gait(self, own: Gait) -> None:
        """Go on as a character that is driven from now on goes already, while that is as fast as is asked.

        Args:
            own: how it goes.
        """
        self.own_gait = self.plan.gait = own
        self.character.bend.drive.legs = own.speed
        self._gait_began = self.character.taken

    def _arrive(self) -> None:
        """Go on with what follows at the end of a way."""
        self.emit("arrived")
        self.follow(self.plan.prompt_on_arrival())

    def start_gait(self, gait: Gait, number: int) -> None:
        """Go on with a gait under way: the next frames replace those that wait.

        Args:
            gait: the gait.
            number: number of the command that drives.
        """
        self.plan.start(PlannedPrompt(gait.text, number))
        self._set_text(gait.text, int(self.batch.seed[self.slot]))
        newest = self.character.newest
        if newest is not None:
            pose = pose_features(newest.rotations, newest.contacts)
            codes = self._gaits[gait].start(pose, is_mirrored=gait.is_mirrored)
            self.batch.reset(self.slot)
            self.batch.push(self.slot, codes, torch.arange(AGE - PREFIX, AGE) + 1)
            self.history.replace(codes.cpu())
            self.replaces_waiting = self.realigns = True
        self.character.bend.drive.legs = gait.speed
        self.plan.gait, self.plan.age, self.plan.is_extended, self.plan.speed = gait, AGE, True, gait.speed
        self._gait_began = self.character.taken

    def _set_text(self, text: str, seed: int) -> None:
        """Set the sentence, with clips of the memory that a seed draws."""
        generators = [torch.Generator().manual_seed(each) for each in self.batch.seeds_of(seed)]
        condition = self.model.condition([text] * len(generators), generators)
        self.batch.set_text([self.slot], condition)

    def follow(self, prompt: PlannedPrompt) -> None:
        """Start a prompt that was planned before, and emit the event "obeys".

        Args:
            prompt: the prompt.
        """
        self.start_prompt(prompt, self.queued.pop(prompt.number, None), now=False)
        self.emit("obeys")

    def cancel_plans(self) -> None:
        """Forget the queue; commands that wait for their turn fail."""
        self.plan.queue.clear()
        for command in self.queued.values():
            command.fail(VerbError("not_now", "then: something else was said before its turn; say it again"))
        self.queued.clear()

    def rewind(self, tokens: int) -> None:
        """Take back the last tokens.

        Args:
            tokens: count of tokens.
        """
        self.batch.rewind(self.slot, tokens)
        self.delivery.rewind(tokens)

    def jump_to(self, motion: Motion, codes: Tensor) -> None:
        """Continue from a given motion: the next frames replace those that wait.

        Args:
            motion: of SMPL-22.
            codes: its codes (n, Q).
        """
        self.batch.reset(self.slot)
        self.batch.push(self.slot, codes)
        self.history.replace(codes.cpu())
        self.delivery.jump_to(motion)
        self.plan.age, self.plan.loop = 0, None
        self.replaces_waiting = True

    def deliver(self, frames: Frames, start: RootState) -> None:
        """Append a token's frames, and answer the commands that they obey.

        Args:
            frames: (1, T), which end at the delivery's root state.
            start: root state before them.
        """
        first = self.delivery.deliver(frames, start)
        for command in self.unanswered:
            command.answer(first)
        self.unanswered.clear()

    def advance(self, token: Tensor, speed: float, ended: bool) -> None:
        """Record a token that the head wrote, and start the next prompt where the motion ends with it.

        Args:
            token: features (frames, D).
            speed: mean speed of the root, m/s.
            ended: whether the head says that the motion has ended.
        """
        if self.plan.advance(token, speed, ended, self.batch.options.min_tokens):
            prompt = self.plan.next_prompt()
            if prompt is not None:
                self.emit("ended")
                self.follow(prompt)

    def emit(self, name: str) -> None:
        """Add an event at the next frame.

        Args:
            name: name of the event.
        """
        self.character.events.append(StreamEvent(name, self.next_seq, self.plan.number, self.plan.text))
