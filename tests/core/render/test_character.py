import numpy as np
import pytest
import torch

from motiongen.body import load
from motiongen.motion import Motion
from motiongen.render.character import Bones, Skinned, SmplCharacter, character_of, smpl22_joints
from motiongen.rotation import quat_identity
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.body.synthetic_smpl import write_model


def test_smpl22_gets_the_body_that_skin_gives(motion):
    character = character_of(motion)
    assert isinstance(character, Skinned)
    vertices, normals = character.pose(3)
    expected = load().skin(motion)[3].numpy()
    np.testing.assert_allclose(vertices - vertices.mean(0), expected - expected.mean(0), atol=5e-3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-5)


def test_longer_smpl_skeleton_moves_the_same_body(motion):
    longer = Skeleton(
        names=(*SMPL22.names, "left_hand"),
        parents=(*SMPL22.parents, 20),
        offsets=torch.cat([SMPL22.offsets, torch.tensor([[0.08, 0, 0]])]),
    )
    assert smpl22_joints(longer) == list(range(22))
    more = Motion(
        skeleton=longer,
        rotations=torch.cat([motion.rotations, quat_identity(6, 1)], dim=1),
        root=motion.root,
        fps=30.0,
    )
    np.testing.assert_allclose(character_of(more).pose(2)[0], character_of(motion).pose(2)[0], atol=1e-6)


def test_other_skeleton_is_drawn_bone_by_bone(chain):
    character = character_of(chain)
    assert isinstance(character, Bones)
    vertices, normals = character.pose(4)
    assert vertices.shape == normals.shape == (len(character.colours), 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-5)
    for joint in chain.positions()[4].numpy():
        assert np.linalg.norm(vertices - joint, axis=1).min() < 0.06


def test_bones_of_no_length_stay_finite(chain):
    flat = Skeleton(names=("a", "b"), parents=(-1, 0), offsets=torch.zeros(2, 3))
    motion = Motion(skeleton=flat, rotations=quat_identity(1, 2), root=torch.zeros(1, 3), fps=30.0)
    assert np.isfinite(Bones(motion).pose(0)[0]).all()


def test_single_joint_has_no_bone_to_draw():
    point = Skeleton(names=("a",), parents=(-1,), offsets=torch.zeros(1, 3))
    with pytest.raises(ValueError, match="expected a bone to draw"):
        Bones(Motion(skeleton=point, rotations=quat_identity(1, 1), root=torch.zeros(1, 3), fps=30.0))


def test_model_file_is_the_body(tmp_path, motion):
    pytest.importorskip("smplx")
    write_model(tmp_path / "model.npz")
    character = character_of(motion, tmp_path / "model.npz")
    assert isinstance(character, SmplCharacter)
    assert character.pose(5)[0].shape == (6 * 24, 3)
    np.testing.assert_array_equal(
        character.pose(1)[0], character_of(motion, tmp_path / "model.npz").pose(1)[0]
    )
