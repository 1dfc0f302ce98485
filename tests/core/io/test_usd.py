"""USD: poses as usd-core itself computes them, and all that readers silently need."""

import pytest
import torch
from torch.testing import assert_close

from motiongen import io
from motiongen.io.gltf_write import stick_mesh
from motiongen.io.usd import ANIMATION, BODY, SKELETON
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.motions import wobble

Usd = pytest.importorskip("pxr.Usd")
from pxr import Gf, UsdGeom, UsdSkel  # noqa: E402


def stage_of(motion, folder, extension=".usda"):
    motion.save(folder / f"clip{extension}")
    return Usd.Stage.Open(str(folder / f"clip{extension}"))


def query_of(stage):
    root = UsdSkel.Root(stage.GetDefaultPrim())
    cache = UsdSkel.Cache()
    cache.Populate(root, Usd.PrimDefaultPredicate)
    return cache.GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath(SKELETON)))


@pytest.mark.parametrize("extension", [".usda", ".usdc"])
def test_usd_computes_the_same_joints(tmp_path, extension):
    motion = wobble(5, fps=24.0)
    stage = stage_of(
        motion, tmp_path, extension
    )  # a query of a stage that is gone answers with the rest pose
    query = query_of(stage)
    for frame in range(5):
        matrices = query.ComputeJointSkelTransforms(Usd.TimeCode(frame))
        places = torch.tensor([list(matrix.ExtractTranslation()) for matrix in matrices])
        assert_close(places.float(), motion.positions()[frame], atol=2e-4, rtol=0)


def test_the_stage_says_its_unit_axis_rate_and_length(tmp_path):
    stage = stage_of(wobble(5, fps=24.0).licensed("CC BY 4.0"), tmp_path)
    assert (UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.GetStageUpAxis(stage)) == (1.0, "Y")
    assert (stage.GetTimeCodesPerSecond(), stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (
        24.0,
        0.0,
        4.0,
    )
    assert stage.GetMetadata("comment") == "CC BY 4.0"


def test_what_freezes_other_readers_is_there(tmp_path):
    stage = stage_of(wobble(4), tmp_path)
    animation = UsdSkel.Animation(stage.GetPrimAtPath(ANIMATION))
    skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath(SKELETON))
    joints = list(skeleton.GetJointsAttr().Get())
    assert joints == list(animation.GetJointsAttr().Get())
    assert joints[SMPL22.index("left_knee")] == "pelvis/left_hip/left_knee"
    assert len(animation.GetScalesAttr().Get()) == len(joints) == 22
    assert animation.GetTranslationsAttr().GetTimeSamples() == [0.0, 1.0, 2.0, 3.0]
    assert len(skeleton.GetRestTransformsAttr().Get()) == len(skeleton.GetBindTransformsAttr().Get()) == 22


def test_the_body_moves_as_the_mesh_does(tmp_path):
    motion = wobble(3)
    mesh = stick_mesh(SMPL22)
    io.save(motion, tmp_path / "clip.usda", mesh=mesh)
    stage = Usd.Stage.Open(str(tmp_path / "clip.usda"))
    assert UsdSkel.BakeSkinning(UsdSkel.Root(stage.GetDefaultPrim()), Gf.Interval(0, 2))
    points = UsdGeom.Mesh(stage.GetPrimAtPath(BODY)).GetPointsAttr()
    expected = mesh.skin(motion)
    for frame in range(3):
        baked = torch.tensor([list(point) for point in points.Get(frame)])
        assert_close(baked, expected[frame], atol=5e-4, rtol=0)


def test_names_that_usd_does_not_allow_are_changed_and_stay_apart(tmp_path):
    offsets = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.3, 0.0], [0.0, 0.3, 0.1]])
    skeleton = Skeleton(("root bone", "arm:1", "arm 1"), (-1, 0, 0), offsets)
    motion = wobble(2)
    motion = type(motion)(skeleton, motion.rotations[:, :3], motion.root, 30.0)
    stage = stage_of(motion, tmp_path)
    joints = list(UsdSkel.Skeleton(stage.GetPrimAtPath(SKELETON)).GetJointsAttr().Get())
    assert joints == ["root_bone", "root_bone/arm_1", "root_bone/arm_1_"]


def test_a_mesh_of_other_joints_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="mesh: expected the joints of the motion"):
        io.save(
            wobble(2), tmp_path / "clip.usda", mesh=stick_mesh(Skeleton(("a",), (-1,), torch.zeros(1, 3)))
        )
    assert not list(tmp_path.iterdir())
