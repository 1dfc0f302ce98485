"""What CMU's many ways to describe a trial come to."""

import pytest

from motiongen_datasets.accad_labels import labels as accad_labels
from motiongen_datasets.captions import KNOWN, captions_for
from motiongen_datasets.cmu_fbx_labels import labels, normalised
from motiongen_datasets.cmu_fbx_rows import ROWS
from motiongen_datasets.registry import clips_of
from motiongen_datasets.rocketbox_labels import labels as rocketbox_labels


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("HurtLegWalk", "hurt leg walk"),
        ("StretchesAndJumps001", "stretches and jumps"),
        ("monkey (human subject)", "monkey"),
        ("LeftTightTurn         CleanedGRS", "left tight turn"),
        ("walk forward 90 degree left turn", "walk forward 90 degree left turn"),
    ],
)
def test_descriptions_are_written_out(description, text):
    assert normalised(description) == text


@pytest.mark.parametrize(
    ("description", "content", "style", "phrase"),
    [
        ("SadWalk", "walk", "sad", "walk in a sad way"),
        ("Walk Backwards on Toes Crouched", "walk-back", None, "walk backward on the toes, crouched"),
        ("walk, 90-degree left turn", "walk-turn-left", None, None),
        ("AttitudeWalkRightAngleTurns", "wander", None, "walk with turns at right angles"),
        ("Old Man Coffee Mug", "drink", "old", "drink coffee like an old man"),
        ("elephant (human subject)", "animal", None, "move like an elephant"),
        ("A pulls B by the elbow; B resists (2 subjects - subject A)", "pull", None, None),
        ("closing a box", "open-box", None, None),
        ("360 jumps", "jump-turn", None, None),
        ("Scared", "walk", None, "walk in a scared way"),
        ("direct traffic, wave, point", "traffic", None, None),
        ("run/jog, 90-degree right turn", "run-turn-right", None, None),
    ],
)
def test_a_description_has_its_content(description, content, style, phrase):
    found = labels(description)
    assert (found.content, found.style) == (content, style)
    assert phrase is None or phrase in found.phrases


def test_a_medley_has_no_content_but_its_list():
    found = labels("walking, jumping, jumping jacks, jumping on one foot, punching, chopping,")
    assert found.content is None
    assert found.sentences[0].startswith("a person moves: walking, jumping")


def test_every_content_has_words_of_the_grammar():
    contents = {content for _, content, _, _ in ROWS if content is not None}
    assert contents - {"wave"} <= set(KNOWN["contents"])  # which hand waves is measured


def test_phrases_become_sentences():
    train = captions_for(labels("Graceful Lady Pick Up")).train
    assert "a person picks something up like a graceful lady" in train


def test_sources_of_names_have_contents_of_the_grammar():
    for found in (
        rocketbox_labels("run_injured", "a man runs"),
        accad_labels("A08_CrouchToLie", "a woman lies"),
    ):
        assert found.content in KNOWN["contents"]


@pytest.mark.shared_data
def test_most_real_trials_have_a_content_and_all_known_ones_training_words(shared_data):
    if not list(shared_data.glob("cmu_fbx*/clips.csv")):
        pytest.skip("needs the folders cmu_fbx_*, unpacked")
    clips = clips_of(f"cmu_fbx={shared_data}")
    named = [clip for clip in clips if clip.labels.content is not None]
    assert len(named) > 0.9 * len(clips)
    assert all(captions_for(clip.labels).train for clip in named)
