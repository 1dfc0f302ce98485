import re

import numpy as np
import pytest
import torch

from motiongen.body.smpl import SmplBody
from motiongen.rotation import axis_angle_from_quat, quat_identity, quat_normalize
from motiongen.skeleton import SMPL22
from tests.core.body.synthetic_smpl import model_arrays, write_model

smplx = pytest.importorskip("smplx")

NAMES = [
    "nose",
    "reye",
    "leye",
    "rear",
    "lear",
    "LBigToe",
    "LSmallToe",
    "LHeel",
    "RBigToe",
    "RSmallToe",
    "RHeel",
]
FINGERS = [side + finger for side in "lr" for finger in ("thumb", "index", "middle", "ring", "pinky")]


@pytest.fixture(params=["smpl", "smplh", "smplx"])
def kind(request):
    return request.param


@pytest.fixture
def path(tmp_path, kind):
    write_model(tmp_path / "model.npz", kind)
    return tmp_path / "model.npz"


def random_pose(frames=3):
    generator = torch.Generator().manual_seed(0)
    noise = 0.3 * torch.randn(frames, 22, 4, generator=generator)
    return quat_normalize(quat_identity(frames, 22) + noise), torch.randn(frames, 3, generator=generator)


def test_kind_is_told_by_the_number_of_joints(path, kind):
    assert SmplBody(path).kind == {"smpl": "SMPL", "smplh": "SMPL-H", "smplx": "SMPL-X"}[kind]


def test_t_pose_is_the_template_with_the_pelvis_at_the_root(tmp_path):
    write_model(tmp_path / "model.npz", "smpl")
    vertices = SmplBody(tmp_path / "model.npz").vertices(
        quat_identity(1, 22), torch.tensor([[1.0, 2.0, 3.0]])
    )
    expected = model_arrays("smpl")["v_template"] + [1.0, 2.0, 3.0]
    torch.testing.assert_close(vertices[0], torch.from_numpy(expected).float(), rtol=0, atol=1e-5)


def test_first_joints_are_those_of_the_skeleton(path):
    body = SmplBody(path, betas=[1.5, -0.5])
    rotations, root = random_pose()
    _, expected = body.skeleton.fk(rotations, root)
    torch.testing.assert_close(body.joints(rotations, root)[:, :22], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["smpl", "smplh"], indirect=True)
def test_vertices_equal_those_of_the_smplx_class(path, kind):
    rotations, root = random_pose()
    betas = torch.tensor([[0.7, -1.2] + [0.0] * 8])
    options = {"model_path": "", "batch_size": 3, "vertex_ids": dict.fromkeys(NAMES + FINGERS, 0)}
    data = smplx.utils.Struct(**model_arrays(kind))
    model = (
        smplx.SMPL(data_struct=data, **options)
        if kind == "smpl"
        else smplx.SMPLH(data_struct=data, use_pca=False, **options)
    )
    pose = axis_angle_from_quat(rotations)
    body_pose = torch.nn.functional.pad(pose[:, 1:].flatten(1), (0, 6 if kind == "smpl" else 0))
    root_joint = SmplBody(path, betas[0]).rest_joints[0]
    theirs = model(
        betas=betas.expand(3, -1), global_orient=pose[:, 0], body_pose=body_pose, transl=root - root_joint
    )
    ours = SmplBody(path, betas[0]).vertices(rotations, root)
    torch.testing.assert_close(ours, theirs.vertices.detach(), rtol=0, atol=1e-5)


def test_betas_change_the_shape_by_the_files_directions(tmp_path):
    write_model(tmp_path / "model.npz", "smpl")
    plain, shaped = (SmplBody(tmp_path / "model.npz", betas) for betas in (None, [2.0]))
    moved = shaped.vertices(quat_identity(1, 22), shaped.rest_joints[:1]) - plain.vertices(
        quat_identity(1, 22), plain.rest_joints[:1]
    )
    expected = 2.0 * torch.from_numpy(model_arrays("smpl")["shapedirs"][..., 0]).float()
    torch.testing.assert_close(moved[0], expected, rtol=0, atol=1e-5)


def test_mesh_has_shares_of_one_on_smpl22(path):
    mesh = SmplBody(path).mesh()
    assert mesh.names == SMPL22.names
    assert mesh.vertices[:, 1].min() == 0.0
    assert int(mesh.joint_indices.max()) < 22
    torch.testing.assert_close(mesh.joint_weights.sum(1), torch.ones(len(mesh.vertices)))


def test_pickle_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ValueError, match=r"pickle, which can run any code; convert"):
        SmplBody(tmp_path / "SMPL_NEUTRAL.pkl")


def test_object_arrays_are_never_unpickled(tmp_path):
    arrays = model_arrays("smpl")
    np.savez(tmp_path / "model.npz", **{**arrays, "J_regressor": np.array({"sparse": 1}, dtype=object)})
    with pytest.raises(ValueError, match="plain arrays"):
        SmplBody(tmp_path / "model.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": None}, "got no weights"),
        ({"weights": np.zeros((3, 24))}, "expected weights (144, 24), got (3, 24)"),
        ({"J_regressor": np.zeros((16, 144))}, "expected 24, 52, 55 joints, got 16"),
        ({"f": np.array([[0, 1, 999]])}, "the file is broken"),
    ],
)
def test_broken_model_is_one_line(tmp_path, change, message):
    arrays = {name: array for name, array in (model_arrays("smpl") | change).items() if array is not None}
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(ValueError, match=re.escape(message)):
        SmplBody(tmp_path / "model.npz")


def test_truncated_file_is_one_line(tmp_path):
    write_model(tmp_path / "model.npz")
    whole = (tmp_path / "model.npz").read_bytes()
    (tmp_path / "model.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="plain arrays"):
        SmplBody(tmp_path / "model.npz")


def test_too_many_betas_are_counted(tmp_path):
    write_model(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="at most 10 finite numbers, got 11"):
        SmplBody(tmp_path / "model.npz", [0.0] * 11)
