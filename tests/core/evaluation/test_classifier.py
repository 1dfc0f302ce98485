"""The classifier: learns what statistics show, and survives saving."""

import pytest
import torch

from motiongen.evaluation.classifier import MIN_CLIPS, UNKNOWN, fit, load, save
from motiongen.evaluation.labels import balance, mirror_label
from motiongen.evaluation.statistics import statistics
from motiongen.features import encode
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22


def clip(side, speed, frames=40):
    """Return features of an arm that swings `speed` times as wide."""
    rotations = quat_identity(frames, 22).clone()
    swing = speed * torch.linspace(0, 6, frames).sin()[:, None] * torch.tensor([0.0, 0.0, 1.0])
    rotations[:, SMPL22.index(f"{side}_shoulder")] = quat_from_axis_angle(swing)
    return encode(Motion(SMPL22, rotations, torch.tensor([[0.0, 1.0, 0.0]]).repeat(frames, 1), 30.0))


def dataset(count=8):
    clips, contents, styles = [], [], []
    for i in range(count):
        for side in ("left", "right"):
            for style, width in (("calm", 0.3), ("wild", 1.0)):
                clips.append(clip(side, width + 0.02 * i, frames=30 + i))
                contents.append(f"swing-{side}")
                styles.append(style)
    return clips, contents, styles


def test_statistics_have_one_size_for_any_length():
    assert statistics(clip("left", 1.0, 8)).shape == statistics(clip("left", 1.0, 200)).shape
    assert torch.isfinite(statistics(clip("left", 1.0, 1))).all()


def test_held_out_clips_are_recognised(tmp_path):
    clips, contents, styles = dataset()
    model = fit(torch.stack([statistics(c) for c in clips]), contents, styles, steps=60)
    save(model, tmp_path)
    found = load(tmp_path).recognise([clip("left", 0.35, 47), clip("right", 0.95, 33)])
    assert found == (["swing-left", "swing-right"], ["calm", "wild"])


def test_the_same_clips_give_the_same_bits():
    clips, contents, styles = dataset(2)
    rows = torch.stack([statistics(clip) for clip in clips])
    first, second = (fit(rows, contents, styles, steps=5) for _ in range(2))  # of one global generator
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)


def test_rare_and_missing_labels_are_not_learned():
    clips, contents, styles = dataset()
    contents[0], styles[:4] = "once", [None] * 4
    model = fit(torch.stack([statistics(c) for c in clips]), contents, styles, steps=2)
    assert model.config.contents == ("swing-left", "swing-right") and MIN_CLIPS > 1 and UNKNOWN < 0


def test_mirrored_labels_change_sides():
    assert mirror_label("walk-turn-left") == "walk-turn-right"
    assert mirror_label("bow") == "bow" and mirror_label(None) is None


def test_balance_is_by_the_root_of_the_count():
    assert balance(["a", "a", "a", "a", "b"]) == pytest.approx([0.5] * 4 + [1.0])
