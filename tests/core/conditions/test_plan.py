import math

import pytest

from motiongen.conditions.plan import Part, explain, plan, plan_all
from motiongen.evaluation.directions import PROMPTS

UNTOUCHED = """
a person walks
a person picks up something and throws it
a person does it right away
a person lifts the left leg
a person turns on the light
a person turns the wheel
a person turns his head to the left
a person moves the arms in a circle
a person spins around with a weapon
a person does not jump twice
a person walks without stopping
a person never walks, then waves
a person walks now and then
a person jumps at once
a person runs two times faster
a person walks up the steps
a person walks with her left hand raised
a person walks and waves
a person stands before the table
an old, tired person walks
a person dances around
A person,  oddly   spaced, waves .
""".strip().splitlines()[:21]


@pytest.mark.parametrize("sentence", [line for line in UNTOUCHED if "never" not in line])
def test_a_sentence_that_needs_nothing_stays_as_it_is(sentence):
    (part,) = plan(sentence)
    assert part.is_plain and part.text == sentence == part.clause


ACTS = {
    "a person walks, then waves": ["a person walks", "a person waves"],
    "A man walks forward. Then he sits down.": ["A man walks forward", "A man sits down"],
    "someone jumps and then someone bows!": ["someone jumps", "someone bows"],
    "a person bows before sitting down": ["a person bows", "a person sits down"],
    "before waving, a person walks": ["a person walks", "a person waves"],
    "after jumping, a person bows": ["a person jumps", "a person bows"],
    "a person bows after running": ["a person runs", "a person bows"],
    "a person walks, turns his head, and waves": ["a person walks", "a person turns his head", "a person waves"],
    "walk, jump, wave": ["walk", "jump", "wave"],
    "walk forward, then wave": ["walk forward", "wave"],
    "a person is walking, then waving": ["a person is walking", "a person waves"],
    "a person walks forward, followed by a wave": ["a person walks forward", "a person waves"],
    "a person walks there, then back": ["a person walks there", "a person walks back"],
    "two people walk, then wave": ["two people walk", "two people wave"],
    "first, a person jumps; next, they kick; finally, they bow.": ["a person jumps", "a person kicks", "a person bows"],
    "a person lifts the right arm, then the left arm": ["a person lifts the right arm", "a person lifts the left arm"],
    "a person picks up and throws it, after that waves": ["a person picks up and throws it", "a person waves"],
    "an old, tired person walks then stumbles": ["an old, tired person walks", "an old, tired person stumbles"],
    "a person walks then moonwalks": ["a person walks", "a person moonwalks"],
    "a person crouches, and then slowly rises": ["a person crouches", "a person rises"],
}  # fmt: skip


@pytest.mark.parametrize("sentence", ACTS)
def test_acts_follow_each_other_with_the_subject_carried_over(sentence):
    assert [part.text for part in plan(sentence)] == ACTS[sentence]


COUNTS = {
    "a person jumps twice": ("a person jumps", 2),
    "a person waves three times": ("a person waves", 3),
    "a person claps once": ("a person claps", 1),
    "someone does three jumping jacks": ("someone does jumping jacks", 3),
    "a person does 5 push-ups": ("a person does push-ups", 5),
    "do two jumps": ("jump", 2),
    "a person does two high kicks with the left foot": ("a person does a high kick with the left foot", 2),
    "a person bends down and stands up four times in a row": ("a person bends down and stands up", 4),
    "a person jumps 99 times": ("a person jumps", 20),
}


@pytest.mark.parametrize("sentence", COUNTS)
def test_counts_become_repetitions(sentence):
    (part,) = plan(sentence)
    assert (part.text, part.repeats, part.clause) == (*COUNTS[sentence], sentence)


STEPS = {
    "a person takes three steps forward": ("a person walks forward", 3),
    "a person takes a few steps back": ("a person walks backward", 3),
    "a person walks two steps": ("a person walks forward", 2),
    "a person walks forward four steps": ("a person walks forward", 4),
    "take a step": ("walk forward", 1),
}


@pytest.mark.parametrize("sentence", STEPS)
def test_who_has_taken_the_last_step_stands(sentence):
    walk, rest = plan(sentence)
    assert (walk.text, walk.steps) == STEPS[sentence]
    assert rest.rests and rest.text.endswith(("stands idle", "stand idle"))


TEMPI = {
    "a person walks slowly": ("a person walks", 0.7),
    "a person slowly walks to the door": ("a person walks to the door", 0.7),
    "a person runs fast": ("a person runs", 1.35),
    "a person walks very slowly": ("a person walks", 0.7**1.5),
    "a person jumps in slow motion": ("a person jumps", 0.5),
    "a person walks extremely quickly": ("a person walks", 1.35**1.5),
}


@pytest.mark.parametrize("sentence", TEMPI)
def test_words_for_speed_become_tempo(sentence):
    (part,) = plan(sentence)
    assert (part.text, part.tempo) == (TEMPI[sentence][0], pytest.approx(TEMPI[sentence][1]))
    assert 0.5 <= part.tempo <= 1.8


TURNS = {
    "a person turns around": 180,
    "a person turns around to the right": -180,
    "a person turns left": 90,
    "turn to your right": -90,
    "a person walks forward and turns left": 90,
    "a person makes a right turn": -90,
    "a person turns 45 degrees to the right": -45,
    "a person does a half turn": 180,
    "a person spins around": 360,
    "a person spins twice": 720,
    "a person walks in a circle": 360,
    "a person walks in a circle clockwise": -360,
    "a person runs counter-clockwise": 360,
    "a person walks in a half circle to the right": -180,
    "a person walks in two circles": 720,
    "a person walks to the left": 90,
}


@pytest.mark.parametrize("sentence", TURNS)
def test_turns_are_read_with_their_side(sentence):
    (part,) = plan(sentence)
    assert math.degrees(part.turn) == pytest.approx(TURNS[sentence])


def test_sides_stay_with_their_part():
    kick, wave = plan("a person kicks with the left leg twice, then waves the right hand")
    assert (kick.text, kick.repeats) == ("a person kicks with the left leg", 2)
    assert wave.text == "a person waves the right hand" and wave.is_plain


def test_two_acts_at_once_are_one_part():
    (part,) = plan("a person waves while walking")
    assert (part.text, part.beside) == ("a person walks", "a person waves")


def test_stopping_is_a_rest():
    walk, rest = plan("a person walks and stops")
    assert walk.is_plain and rest == Part(text="a person stands idle", clause="a person stops", rests=True)


def test_a_negated_clause_is_split_but_not_shaped():
    parts = plan("a person walks without turning around, then jumps twice")
    assert [part.turn for part in parts] == [0, 0] and parts[1].repeats == 2


def test_a_plan_in_words():
    parts = plan_all(["a person walks in a circle slowly", "a person jumps twice, then stops"])
    assert explain(parts) == (
        "1. a person walks in a circle · at 0.7 of its speed · turned by 360° to the left\n"
        "2. a person jumps · twice\n"
        "3. a person stands idle · for 1.5 s"
    )


def test_planning_a_plan_changes_nothing():
    for prompt in PROMPTS:
        texts = [part.text for part in plan(prompt.text)]
        assert [part.text for part in plan_all(texts)] == texts


@pytest.mark.parametrize(
    "sentence", ["a person \0 walks", "\0 walks", "then half it ; and", "; ; a", "\ud800 bows"]
)
def test_no_sentence_breaks_the_plan(sentence):
    assert plan(sentence)
