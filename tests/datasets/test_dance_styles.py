"""Dance styles: one small set over all datasets."""

import numpy as np
import pytest

from motiongen_datasets import aistpp, bandai_namco, cc0_labels, cmu_labels, g1_moves
from motiongen_datasets.dance_styles import STYLES, label_dance_style
from motiongen_datasets.prepare import prepare_clip
from tests.datasets.folders import g1_rows


@pytest.mark.parametrize(
    ("source", "name", "content", "style"),
    [
        ("cmu", "60_01", "salsa dance", "salsa"),
        ("cmu", "60_01", "salsa", "salsa"),  # as a cache keeps it
        ("cmu", "55_02", "lambada dance", "lambada"),
        ("cmu", "05_02", "dance - expressive arms, pirouette", "ballet"),
        ("cmu", "05_02", "ballet", "ballet"),
        ("cmu", "94_04", "Indian dance (subject title; trial has no own description)", "indian"),
        ("cmu", "94_04", "indian-dance", "indian"),
        ("cmu", "01_03", "playground - climb, hang, swing", None),
        ("g1_moves", "J_Dance4_Broadway", "dance", "jazz"),
        ("g1_moves", "J_ShortDance14_Disco", "dance", "disco"),
        ("g1_moves", "J_Dance1_Modern", "dance", "modern"),
        ("g1_moves", "J_Dance5_Hype", "dance", "street"),
        ("g1_moves", "B_LongDance", "dance", "freestyle"),
        ("g1_moves", "B_LongKarate", "karate", None),
        ("bandai_namco", "dataset-1_dance-short_normal_001", "dance-short", "street"),
        ("bandai_namco", "dataset-1_walk_normal_001", "walk", None),
        ("cc0", "Robot/Robot_Dance", None, "freestyle"),
        ("cc0", "dab/dab", "dab", "freestyle"),
        ("cc0", "Robot/Robot_Walking", None, None),
        ("aistpp", "gHO_sBM_cAll_d20_mHO5_ch13", "house-dance", "house"),
        ("bvh_folder", "take1", "street jazz dance", "street jazz"),
        ("bvh_folder", "dance_03", "dance", "freestyle"),
        ("bvh_folder", "take2", "modernise", None),
        ("react_idle", "x", "idle", None),
        ("hdm05", "x", None, None),
    ],
)
def test_the_style_of_a_clip(source, name, content, style):
    assert dance_style(source, name, content) == style
    assert style is None or style in STYLES


def dance_style(source, name, content):
    """The style by the rule of a clip's own dataset; without one, by its label alone."""
    rules = {
        "cmu": lambda: cmu_labels.dance_style(content),
        "g1_moves": lambda: g1_moves.dance_style(name),
        "bandai_namco": lambda: bandai_namco.dance_style(content),
        "cc0": lambda: cc0_labels.dance_style(cc0_labels.labels(name.rpartition("/")[2])),
        "aistpp": lambda: aistpp.GENRES[name[1:3]],
    }
    return rules.get(source, lambda: label_dance_style(content))()


def test_styles_are_few_and_each_once():
    assert len(aistpp.GENRES) == 10 and len(STYLES) == len(set(STYLES)) <= 20
    assert tuple(aistpp.GENRES.values()) == STYLES[:10]


@pytest.mark.parametrize(
    ("name", "meta"), [("J_Dance2_Salsa", {"dance_style": "salsa"}), ("B_LongKarate", {})]
)
def test_prepare_writes_the_style_of_dances_alone(name, meta, tmp_path):
    (tmp_path / "dance").mkdir()
    np.savetxt(tmp_path / "dance" / f"{name}.csv", g1_rows(), delimiter=",")
    (clip,) = g1_moves.clips(tmp_path)
    assert prepare_clip(clip).record["meta"] == {"name": name} | meta
