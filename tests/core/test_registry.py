"""Registries: the lookup's errors, and suggestions that are a slip away or not made."""

from pathlib import Path

import pytest

from motiongen.io import FORMATS, format_of
from motiongen.registry import edit_distance, lookup, suggest
from motiongen.render import picture_of
from motiongen.skeleton import SMPL22


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("walk", "walk", 0),
        ("walk", "wlak", 1),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
    ],
)
def test_edit_distance_by_hand(a, b, distance):
    # "ca" to "abc" is 3 where no part is edited twice, as here; 2 in the unrestricted form.
    assert edit_distance(a, b) == edit_distance(b, a) == distance


@pytest.mark.parametrize(
    ("name", "known", "nearest"),
    [
        ("genrate", ("generate", "evaluate"), "generate"),
        ("PUSHT", ("BlockPush", "PushT"), "PushT"),
        ("left_rist", SMPL22.names, "left_wrist"),
        (".bvp", (".bvh", ".npz"), ".bvh"),
        ("hause", ("house", "trance"), "house"),
        ("left_hand", SMPL22.names, None),  # four edits to left_ankle: no slip
        ("dance", ("evaluate", "train"), None),
        ("x", ("y",), None),
        ("", ("a",), None),
        ("a", (), None),
    ],
)
def test_a_suggestion_is_a_slip_away_or_none(name, known, nearest):
    assert suggest(name, known) == nearest


def test_of_equally_close_names_the_first_is_suggested():
    assert suggest("bats", ("cats", "hats")) == "cats"


def test_lookup_lists_the_names_and_suggests():
    assert lookup("number", {"one": 1, "two": 2}, "two") == 2
    with pytest.raises(
        ValueError, match=r"number: expected one of one, three, got 'thre'; did you mean three\?"
    ):
        lookup("number", {"one": 1, "three": 3}, "thre")
    with pytest.raises(ValueError, match=r"expected one of one, three, got 'cat'; pick one"):
        lookup("number", {"one": 1, "three": 3}, "cat")


def refusal(call, *arguments) -> str:
    with pytest.raises(ValueError) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_video_is_no_misspelt_motion_file():
    assert "did you mean" not in refusal(format_of, "walk.mp4")
    assert all(ext in refusal(format_of, "walk.mp4") for ext in FORMATS["gltf"].extensions)


def test_a_motion_file_is_no_misspelt_video():
    assert "did you mean" not in refusal(picture_of, "walk.bvh")


def test_a_joint_that_smpl_lacks_is_no_misspelt_joint():
    message = refusal(SMPL22.index, "tail_03")
    assert "the nearest" not in message
    assert "left_wrist" in message, "it lists the names instead"


def test_an_unknown_dataset_is_no_misspelt_dataset(tmp_path: Path):
    from motiongen_datasets import clips_of

    message = refusal(clips_of, f"imagenet={tmp_path}")
    assert "did you mean" not in message
    assert "bvh_folder" in message
