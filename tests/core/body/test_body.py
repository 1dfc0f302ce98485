"""The shipped body: closed, well rigged, standing, and skinned as linear blend skinning says."""

import pytest
import torch

import motiongen_assets
from motiongen import body
from motiongen.body import generate
from motiongen.io.gltf_write import rigged
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_identity, quat_rotate
from motiongen.skeleton import SMPL22, Skeleton


def posed(**turns):
    rotations = quat_identity(1, 22)
    for name, turn in turns.items():
        rotations[0, SMPL22.index(name)] = quat_from_axis_angle(torch.tensor(turn))
    return Motion(SMPL22, rotations, body.load().joints[None, 0], 30.0)


def test_the_file_is_small_and_its_mesh_light():
    path = motiongen_assets.path("body/mannequin.glb")
    assert path.stat().st_size < 1_000_000
    assert 5_000 <= len(body.load().vertices) <= 10_000


def test_the_surface_is_closed():
    faces = body.load().faces
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = (sorted(map(tuple, pairs.tolist())) for pairs in (edges, edges.flip(1)))
    assert there == back  # each edge is used as often in one direction as in the other


def test_it_stands_on_the_floor_with_its_nose_in_front():
    vertices, joints = body.load().vertices, body.load().joints
    assert vertices[:, 1].min().item() == pytest.approx(0.0, abs=0.005)
    assert vertices[:, 1].max().item() == pytest.approx(1.72, abs=0.03)
    head = vertices[vertices[:, 1] > joints[SMPL22.index("head"), 1]]
    nose = head[head[:, 2].argmax()]
    assert nose[2] > 0.1
    assert abs(nose[0]) < 0.01


def test_weights_sum_to_one_and_never_cross_the_body():
    mesh = body.load()
    torch.testing.assert_close(mesh.joint_weights.sum(1), torch.ones(len(mesh.vertices)), rtol=0, atol=1e-5)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        owned = torch.tensor([name.startswith(side) for name in mesh.names])[mesh.joint_indices]
        strays = owned & (mesh.joint_weights > 0) & (mesh.vertices[:, None, 0] * sign < 0)
        assert not strays.any()


def test_no_leg_moves_a_vertex_of_the_arms_or_head():
    mesh = body.load()
    legs = torch.tensor([name.endswith(("hip", "knee", "ankle", "foot")) for name in mesh.names])
    strays = legs[mesh.joint_indices] & (mesh.joint_weights > 0) & (mesh.vertices[:, None, 1] > 1.2)
    assert not strays.any()


def test_the_rest_pose_gives_the_mesh_itself():
    torch.testing.assert_close(body.skin(posed())[0], body.load().vertices, rtol=0, atol=1e-5)


def test_a_vertex_of_one_bone_turns_rigidly_with_it():
    mesh, turn = body.load(), (0.0, 0.0, -1.2)
    shoulder = SMPL22.index("left_shoulder")
    alone = (mesh.joint_indices[:, 0] == shoulder) & (mesh.joint_weights[:, 0] == 1.0)
    assert alone.sum() > 50
    offset = mesh.vertices[alone] - mesh.joints[shoulder]
    expected = mesh.joints[shoulder] + quat_rotate(quat_from_axis_angle(torch.tensor(turn)), offset)
    moved = body.skin(posed(left_shoulder=turn))[0]
    torch.testing.assert_close(moved[alone], expected, rtol=0, atol=1e-5)
    untouched = mesh.vertices[:, 0] < 0
    torch.testing.assert_close(moved[untouched], mesh.vertices[untouched], rtol=0, atol=1e-5)


def test_bent_limbs_keep_most_of_their_volume():
    faces = body.load().faces

    def volume(vertices):
        a, b, c = vertices[faces].unbind(1)
        return (a * torch.linalg.cross(b, c)).sum() / 6

    bent = posed(left_knee=(1.5, 0.0, 0.0), right_elbow=(0.0, 1.5, 0.0), left_shoulder=(0.0, 0.0, -1.3))
    assert volume(body.skin(bent)[0]) > 0.95 * volume(body.load().vertices)


def test_another_skeleton_is_refused_in_one_line():
    other = Motion(Skeleton(("a",), (-1,), torch.zeros(1, 3)), quat_identity(1, 1), torch.zeros(1, 3), 30.0)
    with pytest.raises(ValueError, match=r"^body: expected .*SMPL-22, got 1 joints; call motion.retarget"):
        body.skin(other)


@pytest.mark.slow
def test_the_script_makes_the_shipped_body():
    made, shipped = generate.generate(), body.load()
    assert made.faces.shape == shipped.faces.shape
    torch.testing.assert_close(made.vertices, shipped.vertices, rtol=0, atol=1e-4)
    assert len(rigged(SMPL22, made).to_bytes()) < 1_000_000
