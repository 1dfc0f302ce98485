"""A session of a dancing character: reads its music, executes its commands, and turns slices into frames."""

import logging
from collections import deque
from collections.abc import Sequence

import torch

from motiongen import features
from motiongen.features import FPS, RootState
from motiongen.inference.dance_model import DanceModel
from motiongen.streaming.audio_queue import AudioQueue
from motiongen.streaming.character import StreamEvent
from motiongen.streaming.dance_character import DanceCharacter
from motiongen.streaming.dance_stream import DanceStream, dance_slices
from motiongen.streaming.music_reader import PREROLL_SECONDS, MusicChunk, MusicReader
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.pending_frame import pending_frames
from motiongen.streaming.verbs import Music, MusicEnd, Seed, Strength, Style, VerbError, internal_error

log = logging.getLogger(__name__)


class DanceSession:
    """The scheduler's side of a dancing character. It idles, to silence, while there is no music.

    Attributes:
        character: the character.
        stream: its dance.
    """

    def __init__(self, model: DanceModel, character: DanceCharacter, delay_frames: int) -> None:
        """Begin to idle.

        Args:
            model: head and space.
            character: a new character.
            delay_frames: frames from the arrival of live sound to the frame that shows it.
        """
        self.character, self._delay_frames = character, delay_frames
        self.stream, self._device = DanceStream(model), model.head.device
        self._root = features.init_state(1)
        self._reader: MusicReader | None = None
        self._made = 0  # frames, in all
        self._skipped_frames = 0  # frames of the next slice that are not shown
        self._ahead = 0  # frames whose music the stream has and that are not made
        self._is_stalled = False  # whether live sound has stayed away
        self._shift: int | None = None  # samples between frames and music, of the last event "dances"
        self._obeys: deque[tuple[int, int]] = deque([(0, 0)])  # (frame from which, number of the command)
        self._unanswered: list[PendingCommand] = []

    def is_due(self, frames: int) -> bool:
        """Return whether few frames wait to be taken.

        Args:
            frames: count of frames that is few.
        """
        return self.character.ready <= frames

    def align_with(self, other: "DanceSession") -> None:
        """Begin with a part of a slice, so that slices are due together with another's: live sound fixes when.

        Args:
            other: a session of the same scheduler.
        """
        if self._made == 0 and self.character.audio is None:
            self._skipped_frames = -other.character.ready % self.stream.slice_frames

    def close(self) -> None:
        """Fail all commands that wait for an answer."""
        for command in [*self._unanswered, *self.character.clear_commands()]:
            command.fail(VerbError("closed", "the character is gone; open another"))

    def fail(self, error: Exception) -> None:
        """Close the character because of an error; the other sessions go on.

        Args:
            error: the reason.
        """
        log.error("event=character_failed character=%d", self.character.number, exc_info=error)
        self.character.fail(error)

    def drain_commands(self) -> None:
        """Execute all commands that wait. A command that fails is answered with its error."""
        while (command := self.character.next_command()) is not None:
            try:
                self._execute(command)
            except Exception as error:
                log.exception(
                    "event=command_failed character=%d verb=%s",
                    self.character.number,
                    type(command.verb).__name__,
                )
                command.fail(internal_error(error))

    def _execute(self, command: PendingCommand) -> None:
        match command.verb:
            case Music() | MusicEnd():  # done when they were submitted; the event "dances" tells the rest
                command.answer(self._made)
                return
            case Seed():
                self.stream.reseed(command.verb.seed)
            case Strength():
                self.stream.guidance_scale = command.verb.scale
            case Style():
                self.stream.style = command.verb.name
        self._unanswered.append(command)

    def read_music(self) -> None:
        """Read the music of the next slice as far as it has come. Music that cannot be read is ended."""
        try:
            self._read_music()
        except Exception:
            log.exception("character %d: its music failed; it stands idle", self.character.number)
            if self.character.audio is not None:
                self.character.audio.end(now=True)
            self._reader = None

    def _read_music(self) -> None:
        self._begin_piece()
        while self._reader is not None and self._ahead < self.stream.slice_frames:
            reader = self._reader
            if reader.audio.is_live and reader.audio.queued:
                self._keep_delay(reader)
            chunk = reader.read()
            if chunk is not None:
                self._add_chunk(reader.audio, chunk)
            if reader.is_over:
                self._emit("ended", reader.audio.number)
                self._reader = None
            elif chunk is None:
                return

    def prepare_slice(self, last_frames: int) -> bool:
        """Return whether the next slice can be made: its music is known, or there is none.

        Music that has not come is taken for silence where few frames wait; sound that comes later is danced later.

        Args:
            last_frames: frames that wait, at which the session cannot wait for music any longer.
        """
        if self.stream.is_ready:
            return True
        if self._reader is not None and not self.is_due(last_frames):
            return False
        self._is_stalled = self._reader is not None
        self._add_silence(self.stream.slice_frames - self._ahead)
        return True

    def _begin_piece(self) -> None:
        """Turn to the piece that was begun last, once enough of it has come."""
        audio = self.character.audio
        if audio is None or audio.start_frame is None or audio.number <= self._obeys[-1][1]:
            return
        has_preroll = audio.received >= PREROLL_SECONDS * audio.sample_rate
        if not (audio.is_live or audio.is_over or has_preroll):
            return
        if audio.is_live:  # its first sound is shown when the promised delay has passed, and no sooner
            self._add_silence(audio.start_frame + self._delay_frames - self._made - self._ahead)
        self._reader, self._shift, self._is_stalled = MusicReader(audio), None, False
        self._obeys.append((self._made + self._ahead, audio.number))

    def _keep_delay(self, reader: MusicReader) -> None:
        """Keep the promised delay of live sound: danced no later, and after a stall no sooner."""
        # The frame of the sound that came last.
        shown = self._made + self._ahead + reader.unread_frames - reader.largest_part_frames
        late = shown - self.character.taken - self._delay_frames
        reader.catch_up(late)
        if self._is_stalled:
            self._add_silence(round(-late))
            self._is_stalled = False

    def _add_chunk(self, audio: AudioQueue, chunk: MusicChunk) -> None:
        self._report_position(audio, chunk.sample)
        self.stream.add_music(chunk.features.to(self._device), chunk.beats.to(self._device))
        self._ahead += len(chunk.features)

    def _add_silence(self, frames: int) -> None:
        if frames > 0:
            silence = self.stream.model.silence(frames)
            self.stream.add_music(silence.features[0], silence.beats[0])
            self._ahead += frames

    def _report_position(self, audio: AudioQueue, sample: int) -> None:
        """Emit "dances" where a frame shows another sample than the last such event tells."""
        shift = sample - round((self._made + self._ahead) * audio.sample_rate / FPS)
        if self._shift is None or abs(shift - self._shift) > 1:  # rounding is off by one
            self._emit("dances", audio.number, sample)
            self._shift = shift

    def _emit(self, name: str, number: int, sample: int | None = None) -> None:
        seq = self._made + self._ahead
        self.character.events.append(StreamEvent(name, seq, number, sample=sample))

    def deliver(self, frames: features.Frames, root: RootState) -> None:
        """Append a slice's frames, and answer the commands that they obey.

        Args:
            frames: (1, T).
            root: root state after them.
        """
        self._root = root
        skipped, self._skipped_frames = self._skipped_frames, 0
        numbers = []
        for seq in range(self._made, self._made + self.stream.slice_frames - skipped):
            while len(self._obeys) > 1 and self._obeys[1][0] <= seq:
                self._obeys.popleft()
            numbers.append(self._obeys[0][1])
        rotations, positions, contacts = (
            x[0, skipped:] for x in (frames.rotations, frames.root, frames.contacts)
        )
        first = self.character.append_frames(pending_frames(rotations, positions, contacts, numbers))
        self._made += len(numbers)
        self._ahead -= self.stream.slice_frames
        for command in self._unanswered:
            command.answer(first)
        self._unanswered.clear()

    @property
    def root(self) -> RootState:
        """Root state that the next frame follows."""
        return self._root


def step_dance_sessions(sessions: Sequence[DanceSession]) -> None:
    """Advance sessions by a slice, all together.

    A session whose frames cannot be made fails alone; an error of the batched step is the caller's.

    Args:
        sessions: of one model, whose next slice is prepared.
    """
    slices = torch.stack(dance_slices([session.stream for session in sessions]))  # (n, T, 140)
    roots = RootState(
        torch.cat([session.root.heading for session in sessions]),
        torch.cat([session.root.position for session in sessions]),
    )
    frames = features.step(slices, roots)
    for n, session in enumerate(sessions):
        one = slice(n, n + 1)
        own = features.Frames(frames.rotations[one], frames.root[one], frames.contacts[one])
        try:
            session.deliver(own, RootState(roots.heading[one], roots.position[one]))
        except Exception as error:
            session.fail(error)
