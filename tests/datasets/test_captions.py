"""Captions: plain wordings, disjoint held-out ones, sides that are right."""

import itertools

import pytest
import torch

from motiongen.evaluation.geometry import describe_motion
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22
from motiongen_datasets import cc0_labels
from motiongen_datasets.captions import KNOWN, CaptionSet, Labels, captions_for, mirror_caption
from motiongen_datasets.captions.contents import (
    ACTIONS,
    FOOT_CONTENTS,
    HAND_CONTENTS,
    MIRRORED_LABELS,
    SIDED_LABELS,
    STANDING_LEG_CONTENTS,
)
from motiongen_datasets.captions.inflect import ing_form, third_person
from motiongen_datasets.captions.styles import STYLES

LABELS = sorted(set(ACTIONS) | set(SIDED_LABELS) | set(MIRRORED_LABELS))


def captions(content: str, style: str | None, measured: dict[str, str] | None = None) -> CaptionSet:
    """The captions of a dataset that labels directions."""
    return captions_for(Labels(content=content, style=style, has_directions=True), measured)


def everything(styles=(None, *STYLES)):
    for content, style in itertools.product(LABELS, styles):
        has_side = content in HAND_CONTENTS | FOOT_CONTENTS | STANDING_LEG_CONTENTS
        for side in (None, "left", "right", "both") if has_side else (None,):
            yield captions(content, style, {"hand": side, "foot": side} if side else {})


@pytest.mark.slow
def test_held_out_sentences_are_in_no_training_set_of_the_corpus():
    sets = list(everything())
    train = {s for c in sets for s in (*c.train, *c.mirrored_train)}
    held_out = {s for c in sets for s in (*c.held_out, *c.mirrored_held_out)}
    assert not train & held_out
    assert len(train) > 10_000 and len(held_out) > 5_000


@pytest.mark.parametrize(
    "content", ["walk", "bow", "wave-right-hand", "raise-up-both-hands", "walk-turn-right", "dash"]
)
@pytest.mark.parametrize("style", [None, "normal", "angry", "elderly"])
def test_every_label_has_enough_wordings(content, style):
    found = captions(content, style)
    assert 15 <= len(found.train) <= 30 and 5 <= len(found.held_out) <= 8
    assert len(set(found.train)) == len(found.train)


@pytest.mark.parametrize(
    ("content", "style", "sentence"),
    [
        ("bow", "normal", "a person bows"),
        ("walk", "normal", "walk"),
        ("walk", "angry", "a person walks angrily"),
        ("wave-right-hand", "normal", "wave with the right hand"),
        ("raise-up-both-hands", "normal", "a person raises both hands"),
        ("walk-turn-right", "normal", "walk forward and turn right"),
    ],
)
def test_plain_wordings_that_users_write_are_trained(content, style, sentence):
    assert sentence in captions(content, style).train


def test_an_old_person_is_a_subject_and_an_adverb():
    train = captions("walk", "elderly").train
    assert any("old person walks" in s or "elderly person walks" in s or "old man walks" in s for s in train)
    assert any("like an old person" in s for s in train)


def test_captions_name_the_side_that_acts_and_never_the_other():
    for content, style in itertools.product(
        ["wave-left-hand", "raise-up-left-hand", "walk-turn-left"], STYLES
    ):
        found = captions(content, style)
        assert not any("right" in s for s in (*found.train, *found.held_out))
        assert all("left" in s for s in found.held_out)
        assert not any("left" in s for s in (*found.mirrored_train, *found.mirrored_held_out))


def test_a_measured_side_is_named_and_no_side_stays_unsaid():
    kick = captions("kick", "normal", {"foot": "right"})
    assert "a person kicks with the right leg" in kick.train and "a person kicks" in kick.train
    unknown = captions("kick", "normal")
    assert not any("left" in s or "right" in s or "{" in s for s in (*unknown.train, *unknown.held_out))


def test_same_labels_give_the_same_captions():
    assert captions_for(Labels(content="walk")) == captions_for(Labels(content="walk"))


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("wave with the left hand", "wave with the right hand"),
        ("Left then RIGHT", "Right then LEFT"),
        ("turn clockwise", "turn counterclockwise"),
        ("turn counter-clockwise", "turn clockwise"),
        ("walk-turn-left", "walk-turn-right"),
        ("stand upright, right away", "stand upright, right away"),
        ("a bright light", "a bright light"),
    ],
)
def test_mirror_swaps_sides(text, mirrored):
    assert mirror_caption(text) == mirrored


def test_mirroring_twice_is_nothing():
    texts = {s for c in everything([None]) for s in c.train}
    assert all(mirror_caption(mirror_caption(s)) == s for s in texts)


@pytest.mark.parametrize(
    ("phrase", "third", "ing"),
    [
        ("run", "runs", "running"),
        ("punch", "punches", "punching"),
        ("lie down", "lies down", "lying down"),
        ("carry a box and *go", "carries a box and goes", "carrying a box and going"),
        ("wave", "waves", "waving"),
        ("bow", "bows", "bowing"),
        ("squat", "squats", "squatting"),
    ],
)
def test_inflection(phrase, third, ing):
    assert (third_person(phrase), ing_form(phrase)) == (third, ing)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Melee_1H_Attack_Chop", "chop"),
        ("Walking_Backwards", "walk-back"),
        ("Jog_Fwd_Loop", "run"),
        ("Sit_Chair_StandUp", "stand-up"),
        ("Female_RunningJump", "jump-forward"),
        ("Push_Ups", "push-up"),
        ("Dodge_Left", "dodge-left"),
        ("Bow", "bow"),
        ("Ranged_Bow_Draw", "archery"),
        ("ZombieWalk", "walk"),
        ("jesse_dance", "dance"),
    ],
)
def test_animation_names(name, content):
    assert cc0_labels.labels(name).content == content


def test_real_sentences_are_cleaned_and_trained():
    found = captions_for(Labels(content="walk", sentences=("A person walks trough the room.",)))
    assert found.train[0] == "a person walks through the room"


def test_known_names_every_label_in_a_sentence():
    assert KNOWN["contents"]["wave-right-hand"] == "a person waves with the right hand"
    assert KNOWN["contents"]["walk-right"] == "a person walks to the right"
    assert KNOWN["styles"]["angry"] == "angrily"
    assert not any("{" in s or "*" in s for s in KNOWN["contents"].values())


def standing(frames=60):
    rotations = quat_identity(frames, SMPL22.num_joints).clone()
    root = torch.tensor([0.0, 1.0, 0.0]).repeat(frames, 1)
    # Arms hang: the T-pose's upper arms turn down about the forward axis.
    rotations[:, SMPL22.index("left_shoulder")] = quat_from_axis_angle(torch.tensor([0.0, 0.0, -1.3]))
    rotations[:, SMPL22.index("right_shoulder")] = quat_from_axis_angle(torch.tensor([0.0, 0.0, 1.3]))
    return rotations, root


def test_the_rising_wrist_is_the_acting_hand():
    rotations, root = standing()
    lift = torch.linspace(-1.3, 1.3, 60)[:, None] * torch.tensor([0.0, 0.0, 1.0])
    rotations[:, SMPL22.index("left_shoulder")] = quat_from_axis_angle(lift)
    motion = Motion(SMPL22, rotations, root, 30.0)
    assert describe_motion(motion)["hand"] == "left"
    assert describe_motion(motion.mirror())["hand"] == "right"


def test_turn_and_travel_are_those_of_the_root():
    rotations, root = standing()
    angle = torch.linspace(0, 1.5, 60)
    rotations[:, 0] = quat_from_axis_angle(angle[:, None] * torch.tensor([0.0, 1.0, 0.0]))
    forward = torch.stack([angle.sin(), torch.zeros(60), angle.cos()], dim=-1) * 0.03
    motion = Motion(SMPL22, rotations, root + forward.cumsum(0), 30.0)
    assert describe_motion(motion) == {"turn": "left", "travel": "forward"}
    assert describe_motion(motion.mirror()) == {"turn": "right", "travel": "forward"}


def test_walking_backward_is_measured_in_the_body_frame():
    rotations, root = standing()
    rotations[:, 0] = quat_from_axis_angle(torch.tensor([0.0, 3.14159, 0.0]))  # faces -Z
    root[:, 2] = torch.linspace(0, 2, 60)
    assert describe_motion(Motion(SMPL22, rotations, root, 30.0)) == {"travel": "backward"}
