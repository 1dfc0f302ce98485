"""Prompts that a model will hardly do are told from others by their words, and by their distance."""

import pytest

from motiongen import load
from motiongen.inference.prompt_notes import word_note
from tests.core.inference.tiny import save_tiny

KNOWN = ["a person walks forward", "a person climbs", "a person sits and drives a vehicle"]


@pytest.mark.parametrize(
    ("prompt", "note"),
    [
        ("a person does not walk", "says 'not'"),
        ("a person doesn't jump", 'says "doesn\'t"'),
        ("she never stops", "says 'never'"),
        ("a person walks without moving the arms", "says 'without'"),
        ("a person climbs stairs", "names 'stairs'"),
        ("a person goes Upstairs", "names 'Upstairs'"),
        ("someone rides a bicycle", "names 'bicycle'"),
        ("a person walks", ""),
        ("a person ties a knot", ""),
        ("a person shakes the head as if to say no", ""),
        ("a person walks notably", ""),
        ("a person sits on a chair", ""),
    ],
)
def test_denials_and_things_of_a_scene_get_a_note(prompt, note):
    found = word_note(prompt, KNOWN)
    assert found.startswith(note) if note else found == ""


def test_a_thing_that_the_model_was_trained_with_gets_none():
    assert word_note("a person climbs a ladder", [*KNOWN, "a person climbs a ladder"]) == ""


def test_the_note_names_the_prompt_and_the_nearest_that_is_known(tmp_path):
    model = load("mogo", save_tiny(tmp_path), "cpu")
    note = model.note("a person does not walk")
    assert note.startswith("'a person does not walk' says 'not', and this model may do what is denied")
    assert note.endswith(f"the nearest that it knows is {model.nearest_known('a person does not walk')[0]!r}")
    assert model.note("a person walks") == ""
    assert len(model.note("a person does not " + "walk " * 30)) < 250


def test_a_model_that_knows_no_contents_says_nothing(tmp_path):
    model = load("mogo", save_tiny(tmp_path), "cpu")
    model.about = {}
    assert model.note("a person does not walk") == ""
