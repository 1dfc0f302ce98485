"""Dance styles: one small set over all datasets."""

import pytest
import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_identity
from motiongen.skeleton import SMPL22
from motiongen_datasets.base import RawClip
from motiongen_datasets.dance_styles import AIST_GENRES, STYLES, dance_style
from motiongen_datasets.prepare import prepare_clip


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
    assert dance_style(source, f"{source}/{name}", content) == style
    assert style is None or style in STYLES


def test_styles_are_few_and_each_once():
    assert len(AIST_GENRES) == 10 and len(STYLES) == len(set(STYLES)) <= 20


@pytest.mark.parametrize(
    ("name", "meta"), [("J_Dance2_Salsa", {"dance_style": "salsa"}), ("B_LongKarate", {})]
)
def test_prepare_writes_the_style_of_dances_alone(name, meta):
    still = Motion(SMPL22, quat_identity(30, 22), torch.zeros(30, 3), 30.0)
    clip = RawClip(f"g1_moves/{name}", "g1_moves", "CC BY 4.0", lambda: still, "dance", meta={"name": name})
    assert prepare_clip(clip).record["meta"] == {"name": name} | meta
