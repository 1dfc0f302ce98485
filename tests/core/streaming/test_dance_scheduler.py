"""Dancers of a small random model: frames without end, music at the right frame, stalls, limits, every verb."""

import time

import numpy as np
import pytest

from motiongen.music.stream import MusicStream
from motiongen.streaming.audio_queue import MAX_QUEUED_SECONDS
from motiongen.streaming.dance_room import DanceRoom
from motiongen.streaming.dance_scheduler import JITTER, MUSIC_DELAY, DanceScheduler
from motiongen.streaming.verbs import VerbError
from tests.core.streaming.dancers import FRAME, RATE, SLICE, tiny_dance_model, tone


@pytest.fixture
def scheduler():
    return DanceScheduler(tiny_dance_model(), max_characters=4, allowance=4)


def take(scheduler, dancers, count, each=lambda: None):
    """Take frames of each dancer at the same pace; `each` is called before every frame."""
    taken = [[] for _ in dancers]
    for _ in range(count):
        each()
        scheduler.tick()
        for dancer, own in zip(dancers, taken, strict=True):
            while (frame := dancer.take()) is None:
                assert scheduler.tick().stepped, "a dancer that is out of frames is due"
            own.append(frame)
    return taken


def poses(frames):
    return np.stack([np.concatenate([frame.rotations.ravel(), frame.root]) for frame in frames])


def named(dancer, name):
    return [event for event in dancer.events if event.name == name]


def test_frames_go_on_without_music_and_without_gaps(scheduler):
    frames = take(scheduler, [scheduler.open(seed=1)], 40)[0]
    assert [frame.seq for frame in frames] == list(range(40))
    assert {frame.obeys for frame in frames} == {0}
    lengths = np.linalg.norm([frame.rotations for frame in frames], axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_two_dancers_take_one_step_and_are_the_same_alone(scheduler):
    first = scheduler.open(seed=1)
    early = take(scheduler, [first], 4)[0]
    second = scheduler.open(seed=2)
    both = take(scheduler, [first, second], 30)
    steps = [scheduler.tick().stepped for _ in range(SLICE) if take(scheduler, [first, second], 1)]
    assert set(steps) <= {0, 2}, "their slices are due together"
    other = DanceScheduler(tiny_dance_model(), allowance=4)
    alone, also = (poses(take(other, [other.open(seed=seed)], 36)[0]) for seed in (1, 2))
    np.testing.assert_allclose(alone[:34], poses(early + both[0]), atol=1e-4)
    # Of the second one's first slice a part is left out, so that it is due with the first one's.
    left_out = int(np.abs(also[:SLICE] - poses(both[1])[0]).max(axis=1).argmin())
    np.testing.assert_allclose(also[left_out : left_out + 30], poses(both[1]), atol=1e-4)
    assert np.abs(poses(both[0]) - poses(both[1])).max() > 1e-3


def test_a_whole_piece_begins_with_the_next_frame_that_is_made_and_ends_with_its_last(scheduler):
    dancer = scheduler.open(seed=1)
    take(scheduler, [dancer], 20)
    said = dancer.submit("music")
    dancer.play(tone(3), RATE)
    dancer.submit("music_end")
    begins = dancer.taken + dancer.ready
    frames = take(scheduler, [dancer], 140)[0]
    number = said.result().number
    assert [(event.seq, event.number, event.sample) for event in named(dancer, "dances")] == [
        (begins, number, 0)
    ]
    assert [event.seq for event in named(dancer, "ended")] == [begins + 90]
    assert next(frame.seq for frame in frames if frame.obeys == number) == begins


def test_what_is_danced_depends_on_the_music(scheduler):
    pair = [scheduler.open(seed=1), scheduler.open(seed=1)]
    take(scheduler, pair, 1)
    for dancer, sound in zip(pair, (tone(3), 0 * tone(3)), strict=True):
        dancer.submit("music")
        dancer.play(sound, RATE)
    loud, silent = take(scheduler, pair, 60)
    assert np.abs(poses(loud) - poses(silent)).max() > 1e-3


def test_a_song_is_danced_at_the_pace_of_the_frames_with_a_small_lead(scheduler):
    dancer = scheduler.open()
    dancer.submit("music")
    dancer.play(tone(9), RATE)
    take(scheduler, [dancer], 5)
    for _ in range(20):
        scheduler.tick()
    assert dancer.ready <= scheduler.urgent_frames + 2 * SLICE
    assert dancer.audio.queued == 0 or dancer.audio.queued > 7 * RATE


def live(scheduler, dancer, seconds, *, late=None):
    """Play live sound, a frame's at each frame; `late(n)` says how many frames the n-th part is held back."""
    sound = tone(seconds).reshape(-1, FRAME)
    begun, sent = dancer.taken, 0

    def each():
        nonlocal sent
        now = dancer.taken - begun
        while sent < len(sound) and sent + (late(sent) if late else 0) <= now:
            dancer.play(sound[sent], RATE)
            sent += 1

    take(scheduler, [dancer], len(sound) + 80, each)
    return begun


@pytest.mark.slow
def test_live_sound_is_danced_as_long_after_its_coming_as_is_stated(scheduler):
    dancer = scheduler.open()
    take(scheduler, [dancer], 17)
    dancer.submit("music", live=True)
    begun = live(scheduler, dancer, 3)
    dances = named(dancer, "dances")[0]
    assert (dances.seq - begun, dances.sample) == (scheduler.delay_frames, 0)
    assert scheduler.describe()["audio"]["delay_seconds"] == round(scheduler.delay_frames / 30, 3) <= 3


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_the_stated_delay_has_room_for_what_features_look_ahead(rate):
    assert MusicStream(rate).delay <= MUSIC_DELAY


@pytest.mark.slow
def test_live_sound_that_jitters_within_the_slack_leaves_no_silence(scheduler):
    dancer = scheduler.open()
    take(scheduler, [dancer], 17)
    dancer.submit("music", live=True)
    live(scheduler, dancer, 4, late=lambda n: n * 7 % (JITTER - 2))
    assert len(named(dancer, "dances")) == 1


@pytest.mark.slow
def test_live_sound_that_stays_away_is_silence_and_then_as_late_as_stated_again(scheduler):
    dancer = scheduler.open()
    take(scheduler, [dancer], 17)
    dancer.submit("music", live=True)
    # From frame 60 on nothing comes for two seconds, then all of it at once, as from a network that hung.
    begun = live(scheduler, dancer, 8, late=lambda n: max(0, 120 - n) if n >= 60 else 0)
    last = named(dancer, "dances")[-1]
    assert len(named(dancer, "dances")) > 1
    assert abs(last.seq - begun - last.sample / FRAME - scheduler.delay_frames) <= JITTER


@pytest.mark.slow
def test_a_piece_that_stalls_is_followed_by_idling_and_goes_on_where_it_was(scheduler):
    dancer = scheduler.open()
    dancer.submit("music")
    dancer.play(tone(3), RATE)
    frames = take(scheduler, [dancer], 150)[0]
    dancer.play(tone(3, seed=1), RATE)
    frames += take(scheduler, [dancer], 60)[0]
    first, again = named(dancer, "dances")
    assert [frame.seq for frame in frames] == list(range(210))
    assert first.sample == 0 and 2 * RATE < again.sample <= 3 * RATE
    assert again.seq - first.seq > again.sample / FRAME, "what it stood still for"


def test_too_much_sound_is_refused_and_can_be_sent_later(scheduler):
    dancer = scheduler.open()
    dancer.submit("music")
    dancer.play(tone(MAX_QUEUED_SECONDS), RATE)
    with pytest.raises(VerbError, match="expected at most 10 s of sound to wait") as caught:
        dancer.play(tone(0.1), RATE)
    assert caught.value.code == "busy" and dancer.audio.received == MAX_QUEUED_SECONDS * RATE
    take(scheduler, [dancer], 40)
    dancer.play(tone(0.1), RATE)


def test_of_too_much_live_sound_the_oldest_is_left_out_and_said_so(scheduler):
    dancer = scheduler.open()
    dancer.submit("music", live=True)
    for _ in range(13):
        dancer.play(tone(1), RATE)
    assert (dancer.audio.queued, dancer.audio.skipped) == (MAX_QUEUED_SECONDS * RATE, 3 * RATE)
    take(scheduler, [dancer], scheduler.delay_frames + 10)
    assert named(dancer, "dances")[0].sample >= 3 * RATE


@pytest.mark.parametrize(
    ("rate", "first", "said"),
    [
        (7999, 0, "expected 8000..96000 samples a second, got 7999"),
        (96001, 0, "expected 8000..96000 samples a second, got 96001"),
        (2 * RATE, FRAME, f"expected {RATE} samples a second as before"),
        (RATE, FRAME + 1, f"expected sample {FRAME} to be the next, got {FRAME + 1}"),
        (RATE, 0, f"expected sample {FRAME} to be the next, got 0"),
    ],
)
def test_sound_that_does_not_follow_on_is_refused(scheduler, rate, first, said):
    dancer = scheduler.open()
    with pytest.raises(VerbError, match="say music first"):
        dancer.play(tone(1), RATE)
    dancer.submit("music")
    dancer.play(tone(1 / 30), RATE)
    with pytest.raises(VerbError, match=said):
        dancer.play(tone(1), rate, first)


def test_music_that_is_ended_now_is_soon_forgotten(scheduler):
    dancer = scheduler.open()
    dancer.submit("music")
    dancer.play(tone(9), RATE)
    take(scheduler, [dancer], 30)
    dancer.submit("music_end", now=True)
    take(scheduler, [dancer], 5)
    assert named(dancer, "ended")[0].seq < dancer.taken + 60
    with pytest.raises(VerbError, match="music_end: no music is played"):
        dancer.submit("music_end")


def test_new_music_takes_the_place_of_the_old(scheduler):
    dancer = scheduler.open()
    dancer.submit("music")
    dancer.play(tone(6), RATE)
    take(scheduler, [dancer], 30)
    number = dancer.submit("music")
    dancer.play(tone(6), 2 * RATE)
    take(scheduler, [dancer], 60)
    last = named(dancer, "dances")[-1]
    assert (last.number, last.sample) == (number.result().number, 0)


def test_seed_strength_and_style_act_from_the_frame_that_the_answer_names(scheduler):
    dancer = scheduler.open(seed=1)
    take(scheduler, [dancer], 20)
    said = [("style", {"name": "pop"}), ("strength", {"scale": 4}), ("seed", {"seed": 9})]
    answers = [dancer.submit(verb, **arguments) for verb, arguments in said]
    changed = poses(take(scheduler, [dancer], 40)[0])
    twin = DanceScheduler(tiny_dance_model(), allowance=4)
    same = poses(take(twin, [twin.open(seed=1)], 60)[0][20:])
    seq = answers[2].result().seq - 20
    np.testing.assert_allclose(changed[:seq], same[:seq], atol=1e-4)
    assert np.abs(changed[seq:] - same[seq:]).max() > 1e-3


def test_what_a_dancer_does_not_know_is_refused_in_a_line(scheduler):
    dancer = scheduler.open()
    with pytest.raises(
        VerbError, match="expected one of music, music_end, style, seed, strength, got 'prompt'"
    ):
        dancer.submit("prompt", text="walk")
    with pytest.raises(VerbError, match="style: expected one of break, pop, got 'polka'"):
        dancer.submit("style", name="polka")
    with pytest.raises(VerbError, match="live: expected true or false, got 1"):
        dancer.submit("music", live=1)


def test_those_beyond_the_limit_are_refused_until_one_leaves(scheduler):
    dancers = [scheduler.open() for _ in range(4)]
    scheduler.tick()
    with pytest.raises(VerbError, match="at most 4 characters now"):
        scheduler.open()
    waiting = dancers[0].submit("seed", seed=1)
    dancers[0].close()
    scheduler.open()
    scheduler.tick()
    with pytest.raises(VerbError, match="the character is gone"):
        waiting.result(0)


def test_a_thread_makes_frames_and_measures_how_long_they_take():
    with DanceScheduler(tiny_dance_model()) as scheduler:
        dancer = scheduler.open()
        dancer.submit("strength", scale=3).result(20)
        assert dancer.take() is not None
        assert scheduler.delay_frames <= 90 and 1 <= scheduler.room <= scheduler.max_characters == 256


def test_the_room_follows_the_machine_when_it_was_busy_at_the_start():
    # Slices of 1 s: 0.7 s of it may be used. Alone 0.6 s and 0.2 s for each more: one dancer. Four times as fast,
    # 0.15 s and 0.05 s: 1 + floor((0.7 - 0.15) / 0.05 = 11.0) = 12, with a little more time against rounding.
    room = DanceRoom(1.001, 0.6, 0.2)
    assert room.count == 1
    for _ in range(4):
        room.add(1, 0.15)
    assert room.count == 1  # too few to believe
    room.add(1, 0.15)
    assert room.count == 12
    for _ in range(5):
        room.add(2, 4 * (0.6 + 0.2))  # busy again, whatever the size of the step
    assert room.count == 1


def test_a_dancer_that_was_refused_on_a_busy_machine_is_taken_in_when_it_is_free_again():
    scheduler = DanceScheduler(tiny_dance_model())
    scheduler.start()
    scheduler._room = DanceRoom(
        600.0, 1000.0, 1000.0
    )  # as if measured on a very busy machine; the slices are long
    try:
        dancer = scheduler.open()
        with pytest.raises(VerbError, match="at most 1 characters now"):
            scheduler.open()
        end = time.monotonic() + 30
        while scheduler.room == 1 and time.monotonic() < end:
            dancer.take() or time.sleep(0.001)
        scheduler.open()
    finally:
        scheduler.stop()
