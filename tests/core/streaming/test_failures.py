"""Failures in a scheduler: a bug is answered to the caller, ends one character alone, and is reported."""

from dataclasses import replace

import pytest

from motiongen import load
from motiongen.streaming.dance_scheduler import DanceScheduler
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.ticker import Ticker, TickReport
from motiongen.streaming.verbs import VerbError
from tests.core.inference.tiny import save_tiny
from tests.core.streaming.dancers import tiny_dance_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


class BrokenEncoder:
    """A text encoder that has a bug: one sentence breaks it."""

    def __init__(self, text):
        self._text = text

    def encode(self, prompts):
        if "explode" in prompts:
            raise RuntimeError("no vector")
        return self._text.encode(prompts)

    def knows(self, text):
        return self._text.knows(text)


def play(scheduler, character, count):
    frames = []
    while len(frames) < count:
        frame = character.take()
        frames += [frame] if frame is not None else []
        if frame is None:
            scheduler.tick()
    return frames


@pytest.mark.parametrize("verb", ["prompt", "then"])
def test_a_bug_in_a_verb_fails_its_answer_and_no_tick(model, verb):
    scheduler = StreamScheduler(replace(model, text=BrokenEncoder(model.text)), batch_sizes=(2,))
    one, other = scheduler.open(seed=1), scheduler.open(prompt="walk", seed=2)
    play(scheduler, one, 4)
    answer = one.submit(verb, text="explode")
    play(scheduler, other, 12)
    with pytest.raises(VerbError, match="the command failed") as caught:
        answer.result(0)
    assert caught.value.code == "internal" and str(caught.value.__cause__) == "no vector"
    play(scheduler, one, 12)


def test_a_bug_in_a_deferred_prompt_fails_its_answer_when_it_starts(model):
    scheduler = StreamScheduler(replace(model, text=BrokenEncoder(model.text)), batch_sizes=(2,))
    character = scheduler.open(prompt="walk", seed=1)
    answer = character.submit("prompt", text="explode", at=0.5)
    play(scheduler, character, 30)
    with pytest.raises(VerbError, match="the command failed"):
        answer.result(0)


def test_a_bug_in_a_characters_frames_ends_it_alone_and_is_raised_to_its_reader(model):
    scheduler = StreamScheduler(model, batch_sizes=(2,))
    one, other = scheduler.open(seed=1), scheduler.open(seed=2)
    play(scheduler, one, 4)
    one.submit("prompt", text="walk")
    answer = one.submit("then", text="bow")  # after the walk
    one.plan.advance = None
    play(scheduler, other, 30)
    with pytest.raises(RuntimeError, match=r"character 1: it failed: .* open another"):
        play(scheduler, one, 30)
    with pytest.raises(VerbError, match="gone"):
        answer.result(0)
    assert scheduler.open() is not None and len(scheduler.workers[0]) == 2


def test_a_character_that_cannot_begin_fails_alone(model, monkeypatch):
    scheduler = StreamScheduler(model, batch_sizes=(2,))
    other = scheduler.open(seed=2)
    play(scheduler, other, 4)
    make_session = scheduler.workers[0]._make_session
    monkeypatch.setattr(scheduler.workers[0], "_make_session", None)
    one = scheduler.open(prompt="walk", seed=1)
    scheduler.tick()
    monkeypatch.setattr(scheduler.workers[0], "_make_session", make_session)
    play(scheduler, other, 30)
    with pytest.raises(RuntimeError, match="it failed"):
        one.take()


def test_a_bug_in_a_dancers_verb_or_frames_ends_nobody_elses_dance():
    scheduler = DanceScheduler(tiny_dance_model(), allowance=4)
    one, other = scheduler.open(seed=1), scheduler.open(seed=2)
    play(scheduler, one, 4), play(scheduler, other, 4)
    session = scheduler._sessions[one.number]
    session.stream.reseed = None
    answer = one.submit("seed", seed=3)
    scheduler.tick()
    with pytest.raises(VerbError, match="the command failed") as caught:
        answer.result(0)
    assert caught.value.code == "internal"
    session._obeys = None
    play(scheduler, other, 30)
    with pytest.raises(RuntimeError, match="it failed"):
        play(scheduler, one, 60)


def test_a_tick_that_fails_is_reported_and_followed_by_others():
    reports, ticks = [], []
    ticker = Ticker(reports.append)

    def tick():
        ticks.append(1)
        if len(ticks) == 1:
            raise RuntimeError("no step")
        return TickReport(1, 0.0)

    ticker.start(tick)
    while len(ticks) < 3:
        ticker.woken.wait(0.01)
    ticker.stop()
    assert [str(report.error) for report in reports] == ["no step"]
