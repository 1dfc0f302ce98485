"""Streams of a small random model: continuity, independence, every verb and what it answers when it makes no sense."""

from collections import defaultdict
from functools import partial

import numpy as np
import pytest
import torch

import motiongen
from motiongen import features, load
from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.prompt_plan import IDLE, MAX_QUEUED, WALK, PlannedPrompt, PromptPlan, planned
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.verbs import VerbError
from tests.core.inference.tiny import save_tiny
from tests.core.motions import t_pose


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(weights):
    return load("mogo", weights, "cpu")


@pytest.fixture
def scheduler(model):
    return StreamScheduler(model, max_characters=8, batch_sizes=(4,))


def play(scheduler, characters, frames):
    """Take frames of each character at the same pace; the answer is a list of frames a character."""
    played = [[] for _ in characters]
    for _ in range(frames):
        for character, own in zip(characters, played, strict=True):
            while (frame := character.take()) is None:
                assert scheduler.tick().stepped, "a character that is out of frames is due"
            own.append(frame)
    return played


def tell(scheduler, character, verb, **arguments):
    """Say something, and let it be heard at once."""
    answer = character.submit(verb, **arguments)
    scheduler.tick()
    return answer


def poses(frames):
    return np.stack([np.concatenate([f.rotations.ravel(), f.root]) for f in frames])


def test_frames_are_numbered_without_gaps_and_obey_the_last_verb(scheduler):
    character = scheduler.open(prompt="walk", seed=1)
    frames = play(scheduler, [character], 41)[0]
    answer = tell(scheduler, character, "prompt", text="bow")
    frames += play(scheduler, [character], 39)[0]
    assert [frame.seq for frame in frames] == list(range(80))
    first = next(frame.seq for frame in frames if frame.obeys == answer.result().number)
    assert first == answer.result().seq == 41, "a prompt takes the place of what waits to be taken"


def overhear(scheduler):
    """Return what the characters' blocks draw from now on: place in a batch -> codes (Q,) in order."""
    worker, codes = scheduler.workers[0], defaultdict(list)
    worker._update_sessions()

    def overheard(active, batch, step):
        made = step(active)
        for item in active:
            codes[worker._batches.index(batch), item].append(made[0][item])
        return made

    for batch in worker._batches:
        batch.step = partial(overheard, batch=batch, step=batch.step)
    return codes


def test_streamed_frames_are_the_batch_of_their_codes(model):
    # From codes to frames through every buffer and state of the scheduler, against the whole clip at once.
    scheduler = StreamScheduler(model, max_characters=1, batch_sizes=(2,))
    character = scheduler.open(seed=3)
    codes = overhear(scheduler)
    frames = play(scheduler, [character], 100)[0]
    with torch.no_grad():
        whole = features.decode(model.tokenizer.decode(torch.stack(codes[0, 0])[None])[0])[:100]
    expected = [
        StreamFrame(0, *pose, 0, 0) for pose in zip(whole.rotations.numpy(), whole.root.numpy(), strict=True)
    ]
    np.testing.assert_allclose(poses(frames), poses(expected), atol=1e-5)


def test_a_stream_is_the_same_alone_and_among_others_that_come_and_go(model):
    alone = StreamScheduler(model, max_characters=8, batch_sizes=(4,))
    expected = play(alone, [alone.open(prompt="walk", seed=5)], 120)[0]
    crowd = StreamScheduler(model, max_characters=8, batch_sizes=(4,))
    others = [crowd.open(prompt="bow", seed=n) for n in range(3)]
    mine, made = crowd.open(prompt="walk", seed=5), []
    for turn in range(12):
        made += play(crowd, [mine, *others], 10)[0]
        others[turn % 3].submit("prompt", text="bow" if turn % 2 else "walk")
        if turn == 6:
            others[0].close()
            others[0] = crowd.open(seed=9)
    np.testing.assert_allclose(poses(made), poses(expected), atol=1e-5)


@pytest.mark.slow
def test_ten_thousand_tokens_are_the_same_alone_and_among_a_hundred(model):
    def write(scheduler, codes, numbers):
        characters = [scheduler.open(prompt=("walk", "bow")[n % 2], seed=n) for n in numbers]
        codes = overhear(scheduler) if codes is None else codes
        play(scheduler, characters, 400)
        for character in characters:
            character.close()
        return codes

    among = write(StreamScheduler(model, max_characters=100, batch_sizes=(10,)), None, range(100))
    scheduler, codes = StreamScheduler(model, max_characters=1, batch_sizes=(10,)), None
    for n in range(100):
        codes = write(scheduler, codes, [n])
        alone, other = codes.pop((0, 0)), among[n // 10, n % 10]
        assert torch.equal(torch.stack(alone[:100]), torch.stack(other[:100])), f"character {n}"


def test_the_same_seed_and_verbs_give_the_same_frames(model):
    runs = []
    for _ in range(2):
        scheduler = StreamScheduler(model, batch_sizes=(2,))
        character = scheduler.open(prompt="walk", seed=2)
        first = play(scheduler, [character], 20)[0]
        character.submit("prompt", text="bow")
        runs.append(poses(first + play(scheduler, [character], 20)[0]))
    assert np.array_equal(*runs)


def test_a_prompt_for_later_begins_at_its_time(scheduler):
    character = scheduler.open(prompt="walk", seed=1)
    play(scheduler, [character], 10)
    answer = character.submit("prompt", text="bow", at=1.0)
    play(scheduler, [character], 60)
    assert abs(answer.result().seq - 40) <= 4


def test_then_waits_for_the_end_and_starts_at_once_when_idle(scheduler):
    character = scheduler.open(seed=1)
    play(scheduler, [character], 8)
    assert character.submit("then", text="walk") is not None
    play(scheduler, [character], 8)
    assert character.plan.text == "walk"
    queued = character.submit("then", text="bow")
    character.submit("finish", seconds=1.0)
    play(scheduler, [character], 60)
    assert 16 < queued.result().seq <= 16 + 30 + 12
    assert {"ended", "obeys"} <= {event.name for event in character.events}


@pytest.mark.parametrize(("verb", "arguments"), [("prompt", {"text": "walk"}), ("hold", {})])
def test_a_then_that_loses_its_turn_is_told_so(scheduler, verb, arguments):
    character = scheduler.open(prompt="walk", seed=1)
    play(scheduler, [character], 8)
    queued = tell(scheduler, character, "then", text="bow")
    tell(scheduler, character, verb, **arguments)
    with pytest.raises(VerbError, match="something else was said before its turn"):
        queued.result(timeout=1)


def test_prompts_for_later_are_bounded_and_forget_the_goal(scheduler):
    character = scheduler.open(prompt="walk", seed=1)
    play(scheduler, [character], 8)
    tell(scheduler, character, "goto", x=50.0, z=50.0)
    answers = [tell(scheduler, character, "prompt", text="bow", at=0.5) for _ in range(MAX_QUEUED + 1)]
    with pytest.raises(VerbError, match="at most 16 prompts for later"):
        answers[-1].result(timeout=1)
    assert character.bend.drive.way is not None
    play(scheduler, [character], 30)
    assert character.bend.drive.way is None and answers[0].result(timeout=1)


def test_hold_stands_idle_but_goes_on(scheduler):
    character = scheduler.open(prompt="walk", seed=1)
    play(scheduler, [character], 20)
    character.submit("hold")
    frames = play(scheduler, [character], 60)[0]
    assert character.plan.text == IDLE and len({frame.root.tobytes() for frame in frames}) > 30


def test_a_loop_comes_round_again(scheduler):
    character = scheduler.open(prompt="walk", seed=1)
    play(scheduler, [character], 90)
    answer = tell(scheduler, character, "loop")
    frames = play(scheduler, [character], 150)[0]
    assert answer.result().seq == 90
    cycle = len(character.plan.loop.features)
    first = np.stack([frame.rotations[1:] for frame in frames[20 : 20 + cycle]])
    again = np.stack([frame.rotations[1:] for frame in frames[20 + cycle : 20 + 2 * cycle]])
    np.testing.assert_allclose(first[: len(again)], again, atol=1e-4)


def test_a_pose_is_where_the_stream_goes_on(scheduler):
    character = scheduler.open(prompt="walk", seed=1)
    frames = play(scheduler, [character], 20)[0]
    answer = tell(scheduler, character, "pose", rotations=frames[3].rotations, root=[2.0, 0.95, -1.0])
    after = play(scheduler, [character], 8)[0]
    assert answer.result().seq == 20
    assert np.abs(after[0].root - [2.0, 0.95, -1.0]).max() < 0.05
    assert np.abs((after[0].rotations * frames[3].rotations).sum(axis=1)).min() > 0.99


def test_a_turn_turns_by_the_angle(model):
    headings = []
    for angle in (0.0, 1.0):
        scheduler = StreamScheduler(model, batch_sizes=(1,))
        character = scheduler.open(seed=4)
        play(scheduler, [character], 20)
        if angle:
            character.submit("turn", angle=angle)
        play(scheduler, [character], 90)
        headings.append(float(scheduler.workers[0]._sessions[1].delivery.root.heading))
    assert headings[1] - headings[0] == pytest.approx(1.0, abs=1e-3)


def test_a_turn_that_nobody_saw_is_still_to_be_done(model):
    scheduler = StreamScheduler(model, batch_sizes=(2,))
    character = scheduler.open(prompt="walk", seed=1)
    play(scheduler, [character], 20)
    tell(scheduler, character, "turn", angle=1.0)
    while scheduler.tick().stepped:  # frames that turn are made, and wait
        pass
    assert character.plan.steering.angle < 1.0
    tell(scheduler, character, "prompt", text="bow")
    first_step = 4 * 1.8 / 30  # of the token that was written since
    assert character.plan.steering.angle == pytest.approx(1.0 - first_step)


def test_a_switch_goes_on_from_where_the_kept_token_ends(model):
    # Two frames of a token were seen when the prompt changes: the path goes on from its end, and only fades there.
    def path(switches):
        scheduler = StreamScheduler(model, batch_sizes=(1,))
        character = scheduler.open(prompt="walk", seed=5)
        frames = play(scheduler, [character], 42)[0]
        if switches:
            tell(scheduler, character, "prompt", text="walk")
        return frames + play(scheduler, [character], 40)[0]

    switched, straight = poses(path(True))[:, -3:], poses(path(False))[:, -3:]
    np.testing.assert_array_equal(switched[:42], straight[:42])
    steps = np.linalg.norm(np.diff(switched, axis=0), axis=1)
    assert steps[41] < 2.5 * steps[30:41].max() + 0.01, "no jump"


def test_goto_arrives_and_stands(scheduler):
    character = scheduler.open(seed=4)
    play(scheduler, [character], 8)
    here = character.recent[-1].root
    character.submit("goto", x=float(here[0]) + 0.1, z=float(here[2]))
    play(scheduler, [character], 90)
    assert "arrived" in {event.name for event in character.events} and character.plan.is_idle


def test_a_seed_and_a_strength_are_taken(model):
    made = []
    for seed in (7, 8):
        scheduler = StreamScheduler(model, batch_sizes=(1,))
        made.append(
            poses(play(scheduler, [scheduler.open(prompt="walk", seed=seed, guidance_scale=2.5)], 40)[0])
        )
    assert not np.array_equal(*made) and scheduler.workers[0]._batches[0].guidance_scale[0] == 2.5


@pytest.mark.parametrize("verb", ["loop", "finish"])
def test_what_makes_no_sense_now_is_answered_so(scheduler, verb):
    character = scheduler.open(seed=1)
    answer = character.submit(verb, **({"seconds": 1.0} if verb == "finish" else {}))
    play(scheduler, [character], 4)
    with pytest.raises(VerbError, match=verb) as refused:
        answer.result(timeout=1)
    assert refused.value.code == "not_now"


@pytest.mark.parametrize(
    ("verb", "arguments", "message"),
    [
        ("dance", {}, "verb: expected one of prompt, then"),
        ("prompt", {"text": " "}, "prompt: expected words"),
        ("prompt", {"text": "walk", "at": -1}, "at: expected a number 0..600"),
        ("prompt", {"text": 3}, "text: expected a sentence, got int"),
        ("prompt", {}, "prompt: expected text, at, got none"),
        ("turn", {"angle": float("nan")}, "angle: expected a number"),
        ("turn", {"angle": True}, "angle: expected a number"),
        ("goto", {"x": 1, "z": 2, "y": 3}, "goto: expected x, z, heading, seconds, got 'y'"),
        ("pose", {"rotations": [[0, 0, 0, 1]]}, "rotations: expected 22 x 4 finite numbers"),
        ("pose", {"rotations": np.zeros((22, 4))}, "rotations: expected unit quaternions"),
        ("seed", {"seed": -1}, "seed: expected a whole number"),
        ("strength", {"scale": 50}, "scale: expected a number 1..10"),
    ],
)
def test_nonsense_is_refused_at_once(scheduler, verb, arguments, message):
    with pytest.raises(VerbError, match=message):
        scheduler.open(seed=1).submit(verb, **arguments)


def test_a_full_scheduler_says_so_and_has_room_again(model):
    scheduler = StreamScheduler(model, max_characters=2, batch_sizes=(2,))
    first, _ = scheduler.open(), scheduler.open()
    with pytest.raises(VerbError, match="at most 2 characters") as refused:
        scheduler.open()
    assert refused.value.code == "full"
    first.close()
    waiting = scheduler.open()
    play(scheduler, [waiting], 4)
    with pytest.raises(VerbError, match="gone"):
        first.submit("hold")


def test_who_leaves_leaves_nobody_waiting(scheduler):
    character = scheduler.open(prompt="walk")
    play(scheduler, [character], 4)
    answer = character.submit("then", text="bow")
    character.close()
    scheduler.tick()
    with pytest.raises(VerbError, match="gone"):
        answer.result(timeout=1)


def test_a_character_that_nobody_watches_stands_still(scheduler):
    watched, idle = scheduler.open(seed=1), scheduler.open(seed=2)
    play(scheduler, [watched], 100)
    assert idle.ready <= 16 and idle.taken == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_it_ticks_in_threads_of_its_own(model, workers):
    with StreamScheduler(model, batch_sizes=(2,), workers=workers) as scheduler:
        characters = [scheduler.open(prompt="walk") for _ in range(4)]
        answers = [character.submit("prompt", text="bow") for character in characters]
        assert {answer.result(timeout=20).seq for answer in answers} == {0}
        assert all(character.ready for character in characters)


def test_what_is_said_in_threads_is_heard_in_order_though_sentences_take_time_to_read(model):
    with StreamScheduler(model, batch_sizes=(2,)) as scheduler:
        character = scheduler.open(prompt="walk")
        texts = [f"walk {n} metres" for n in range(4)]
        answers = [character.submit("prompt", text=text) for text in texts] + [
            character.submit("seed", seed=1)
        ]
        numbers = [answer.result(timeout=20).number for answer in answers]
        assert numbers == sorted(numbers) and character.plan.text == texts[-1]
        assert all(model.text.knows(text) for text in texts)


def test_one_call_streams(weights):
    frames = list(motiongen.stream("walk", then="bow", seconds=2.0, weights=weights, device="cpu"))
    again = list(motiongen.stream("walk", then=["bow"], seconds=2.0, weights=weights, device="cpu"))
    assert len(frames) == 60 and np.array_equal(poses(frames), poses(again))
    with pytest.raises(ValueError, match="model: expected a head that streams, got BAMM"):
        motiongen.stream("walk", head="bamm", weights=weights, device="cpu")


def test_what_waits_is_refined_without_a_seam(model, weights):
    refiner = Refiner(load("bamm", weights, "cpu"), guard_tokens=2, min_tokens=2)
    scheduler = StreamScheduler(model, batch_sizes=(2,), lead_tokens=8, refiner=refiner)
    character, codes = scheduler.open(prompt="walk", seed=1), []
    rewrite = refiner.rewrite
    refiner.rewrite = lambda *asked: codes.append(rewrite(*asked)) or codes[-1]
    frames = play(scheduler, [character], 8)[0]
    while scheduler.tick().stepped:
        pass
    assert codes, "it had time"
    frames += play(scheduler, [character], character.ready)[0]
    with torch.no_grad():
        whole = features.decode(model.tokenizer.decode(codes[0][None])[0])
    made = torch.from_numpy(np.stack([frame.rotations[1:] for frame in frames]))
    count = min(len(made), whole.num_frames)
    np.testing.assert_allclose(made[:count].abs(), whole.rotations[:count, 1:].abs(), atol=1e-4)


def test_a_sentence_of_several_acts_queues_its_parts(scheduler):
    character = scheduler.open(seed=1)
    play(scheduler, [character], 8)
    answer = tell(scheduler, character, "prompt", text="a person walks, then bows, then jumps twice")
    assert character.plan.text == "a person walks"
    assert [prompt.text for prompt in character.plan.queue] == ["a person bows", "a person jumps"]
    assert character.plan.queue[1].part.repeats == 2
    character.submit("finish", seconds=0.5)
    play(scheduler, [character], 40)
    assert character.plan.number == answer.result().number and character.plan.text != "a person walks"
    with pytest.raises(VerbError, match="expected at most 16 prompts in the queue"):
        tell(scheduler, character, "then", text=", then ".join(["bow"] * 17)).result(timeout=1)


def test_a_turn_in_a_sentence_turns_the_stream_and_ends(model):
    headings = []
    for text in ("walk forward", "walk in a circle, then stop"):
        scheduler = StreamScheduler(model, batch_sizes=(1,))
        character = scheduler.open(prompt=text, seed=4)
        play(scheduler, [character], 400)
        headings.append((character.plan.text, character.plan.is_idle, character.plan.steering.angle))
    assert headings[1] == ("stand idle", True, 0.0)


def test_who_is_to_turn_in_place_in_a_stream_walks_round():
    (turn,) = planned("a person turns around", 3)
    assert turn.text == WALK and turn.number == 3 and turn.part.turn == pytest.approx(np.pi)
    (slow,) = planned("a person walks slowly", 1)
    assert slow.text == "a person walks slowly"
    (plain,) = planned("a person walks", 1)
    assert plain == PlannedPrompt("a person walks", 1)


def test_a_new_prompt_forgets_the_turn_of_the_one_before(scheduler):
    character = scheduler.open(prompt="walk in a circle", seed=1)
    play(scheduler, [character], 8)
    assert character.plan.steering.angle > 5 and character.plan.steering.is_curve
    tell(scheduler, character, "prompt", text="bow")
    assert character.plan.steering.angle == 0 and not character.plan.steering.is_curve


def test_steps_end_a_motion_and_a_count_asks_again():
    plan = PromptPlan()
    (jump,) = planned("a person jumps three times", 1)
    plan.start(jump)
    still = features.encode(t_pose(8))
    assert not plan.advance(still[:4], 0.0, False, 4)
    again = plan.next_prompt()  # the head ended before any was seen: one try is used up
    assert again.text == "a person jumps" and again.part.repeats == 2
    plan.start(again)
    plan.advance(still[:4], 0.0, False, 4)
    last = plan.next_prompt()
    plan.start(last)
    plan.advance(still[:4], 0.0, False, 4)
    assert last.part.repeats == 1 and plan.next_prompt().text == IDLE
