"""Subjects that say nothing about a motion, and those that do."""

import pytest

from motiongen.conditions.subject import about_a_person


@pytest.mark.parametrize(
    ("prompt", "plain"),
    [
        ("a woman tiptoes carefully", "a person tiptoes carefully"),
        ("Someone waves", "a person waves"),
        ("the young man is running", "a person is running"),
        ("he sits down", "a person sits down"),
        ("a human being walks", "a person walks"),
        ("a person walks", "a person walks"),
        ("a zombie shuffles", "a zombie shuffles"),
        ("an old man walks", "an old man walks"),
        ("a man", "a man"),
        ("mankind waves", "mankind waves"),
        ("walk to the man", "walk to the man"),
        ("a figure skater spins", "a figure skater spins"),
        ("figure skates backwards", "figure skates backwards"),
        ("human beings walk", "human beings walk"),
        ("woman walks", "a person walks"),
        ("the character is happy", "a person is happy"),
        ("the man's arm rises", "the man's arm rises"),
        ("someone", "someone"),
        ("he", "he"),
        ("a man " * 30, "a man " * 30),
    ],
)
def test_who_does_it_is_said_as_captions_say_it(prompt, plain):
    assert about_a_person(prompt) == plain
