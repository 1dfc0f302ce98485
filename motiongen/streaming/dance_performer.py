"""What stands between a dancer and its stream: hears what is said and played, and turns slices into frames."""

from collections import deque
from collections.abc import Sequence

import torch

from motiongen import features
from motiongen.features import FPS, RootState
from motiongen.inference.dance_model import DanceModel
from motiongen.streaming.dance_stream import DanceStream, dance_slices
from motiongen.streaming.dancer import Dancer
from motiongen.streaming.listener import PREROLL, Listener
from motiongen.streaming.streamed import Spoken, StreamEvent, made_of
from motiongen.streaming.verbs import Music, MusicEnd, Seed, Strength, Style, VerbError


class DancePerformer:
    """A dancer's place at its model. It stands idle, under silence, whenever there is no music."""

    def __init__(self, model: DanceModel, dancer: Dancer, delay: int) -> None:
        """Take a new dancer, and how many frames after its sound a live piece is danced."""
        self.dancer, self._delay = dancer, delay
        self.stream, self._device = DanceStream(model), model.head.device
        self._root = features.init_state(1)
        self._listener: Listener | None = None
        self._made = 0  # frames, in all
        self._skips = 0  # frames of the next slice that nobody is to see
        self._ahead = 0  # frames whose music the stream has heard, and that are not made
        self._stalled = False  # whether live sound has stayed away
        self._shift: int | None = None  # samples between frames and music, as was told last
        self._obeys: deque[tuple[int, int]] = deque([(0, 0)])  # (frame from which, verb)
        self._unanswered: list[Spoken] = []

    def wants(self, frames: int) -> bool:
        """Whether at most so many frames wait to be taken."""
        return self.dancer.ready <= frames

    def keep_step(self, other: "DancePerformer") -> None:
        """Begin with a part of a slice, so that slices are due together with another's: live sound fixes when."""
        frames = self.stream.slice_frames
        if self._made == 0 and self.dancer.piece is None:
            self._skips = -other.dancer.ready % frames

    def leave(self) -> None:
        """Let nobody wait for an answer any longer."""
        for spoken in [*self._unanswered, *self.dancer.unheard()]:
            spoken.fail(VerbError("closed", "the character is gone; open another"))

    def hear(self) -> None:
        """Do what was said."""
        while (spoken := self.dancer.next_said()) is not None:
            match spoken.verb:
                case Music() | MusicEnd():  # done when they were said; the event "dances" tells the rest
                    spoken.answer(self._made)
                    continue
                case Seed():
                    self.stream.reseed(spoken.verb.seed)
                case Strength():
                    self.stream.guidance_scale = spoken.verb.scale
                case Style():
                    self.stream.style = spoken.verb.name
            self._unanswered.append(spoken)

    def listen(self) -> None:
        """Hear the music of the next slice, as far as it has come."""
        self._attend()
        while self._listener is not None and self._ahead < self.stream.slice_frames:
            listener = self._listener
            if listener.piece.is_live and listener.piece.waiting:
                self._keep_pace(listener)
            heard = listener.hear()
            if heard is not None:
                self._tell(heard.sample)
                self.stream.hear(heard.features.to(self._device), heard.beats.to(self._device))
                self._ahead += len(heard.features)
            if listener.is_over:
                self._note("ended", listener.piece.number)
                self._listener = None
            elif heard is None:
                return

    def silence(self) -> None:
        """Listen no more to the music that is played."""
        if self.dancer.piece is not None:
            self.dancer.piece.end(now=True)
        self._listener = None

    def prepare(self, must: int) -> bool:
        """Return whether the next slice can be made: its music was heard, or there is none.

        Where music that plays has not come, and only `must` frames wait, it is taken for silence, and what comes of it
        later is danced later.
        """
        if self.stream.is_ready:
            return True
        if self._listener is not None and not self.wants(must):
            return False
        self._stalled = self._listener is not None
        self._hear_silence(self.stream.slice_frames - self._ahead)
        return True

    def _attend(self) -> None:
        """Turn to the piece that was begun last, once there is enough of it."""
        piece = self.dancer.piece
        if piece is None or piece.begun_at is None or piece.number <= self._obeys[-1][1]:
            return
        if not (piece.is_live or piece.is_over or piece.came >= PREROLL * piece.rate):
            return
        if piece.is_live:  # its first sound is shown when its promised time has passed, and no sooner
            self._hear_silence(piece.begun_at + self._delay - self._made - self._ahead)
        self._listener, self._shift, self._stalled = Listener(piece), None, False
        self._obeys.append((self._made + self._ahead, piece.number))

    def _keep_pace(self, listener: Listener) -> None:
        """Let live sound be danced as long after its coming as was promised: no later, and after a stall no sooner."""
        shown = self._made + self._ahead + listener.unheard - listener.longest  # the frame of what came last
        late = shown - self.dancer.taken - self._delay
        listener.catch_up(late)
        if self._stalled:
            self._hear_silence(round(-late))
            self._stalled = False

    def _hear_silence(self, frames: int) -> None:
        if frames > 0:
            silence = self.stream.model.silence(frames)
            self.stream.hear(silence.features[0], silence.beats[0])
            self._ahead += frames

    def _tell(self, sample: int) -> None:
        """Say which sample the next frame that hears music shows, where that does not follow from what was said."""
        assert self._listener is not None
        piece, seq = self._listener.piece, self._made + self._ahead
        shift = sample - round(seq * piece.rate / FPS)
        if self._shift is None or abs(shift - self._shift) > 1:  # rounding is off by one
            self._note("dances", piece.number, sample)
            self._shift = shift

    def _note(self, name: str, number: int, sample: int | None = None) -> None:
        seq = self._made + self._ahead
        self.dancer.events.append(StreamEvent(name, seq, number, sample=sample))

    def _deliver(self, frames: features.Frames) -> None:
        """Let a slice's frames (1, T) wait to be taken."""
        skipped, self._skips = self._skips, 0
        numbers = []
        for seq in range(self._made, self._made + self.stream.slice_frames - skipped):
            while len(self._obeys) > 1 and self._obeys[1][0] <= seq:
                self._obeys.popleft()
            numbers.append(self._obeys[0][1])
        rotations, root, contacts = (x[0, skipped:] for x in (frames.rotations, frames.root, frames.contacts))
        first = self.dancer.add(made_of(rotations, root, contacts, numbers))
        self._made += len(numbers)
        self._ahead -= self.stream.slice_frames
        for spoken in self._unanswered:
            spoken.answer(first)
        self._unanswered.clear()


def dance(performers: Sequence[DancePerformer]) -> None:
    """Let dancers whose next slice is prepared go on by it, all together."""
    slices = torch.stack(dance_slices([performer.stream for performer in performers]))  # (n, T, 140)
    roots = RootState(
        torch.cat([performer._root.heading for performer in performers]),
        torch.cat([performer._root.position for performer in performers]),
    )
    frames = features.step(slices, roots)
    for n, performer in enumerate(performers):
        one = slice(n, n + 1)
        performer._root = RootState(roots.heading[one], roots.position[one])
        performer._deliver(features.Frames(frames.rotations[one], frames.root[one], frames.contacts[one]))
