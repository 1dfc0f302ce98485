"""The licence of a motion goes with it: through what is done to it, and through the files that can keep it."""

import numpy as np
import pygltflib
import pytest

from motiongen import Motion
from motiongen.skeleton import SMPL22
from tests.core.motions import wobble

TERMS = "CC BY-NC 4.0, for it was trained on data under that licence"


@pytest.mark.parametrize("extension", ["npz", "glb", "gltf"])
def test_a_file_keeps_the_licence(extension, tmp_path):
    path = tmp_path / f"a.{extension}"
    wobble(8).licensed(TERMS).save(path)
    assert Motion.load(path).licence == TERMS
    wobble(8).save(path)
    assert Motion.load(path).licence == ""


def test_other_programs_find_it_where_they_look(tmp_path):
    wobble(8).licensed(TERMS).save(tmp_path / "a.npz")
    assert str(np.load(tmp_path / "a.npz")["licence"]) == TERMS
    wobble(8).licensed(TERMS).save(tmp_path / "a.glb")
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    assert document.asset.copyright == TERMS and document.animations[0].extras["licence"] == TERMS


def test_what_is_done_to_a_motion_keeps_it_and_a_second_one_is_added():
    motion = wobble(8).licensed(TERMS)
    kept = motion[2:6].resample(60.0).grounded().mirror().with_locked_feet().retarget(SMPL22)
    assert kept.licence == TERMS
    assert motion.licensed(TERMS).licence == TERMS and motion.licensed("").licence == TERMS
    assert motion.licensed("MIT").licence == f"{TERMS}; MIT"
