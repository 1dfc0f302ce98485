"""Motion to USD (UsdSkel): a skinned body, its skeleton and an animation, by usd-core; text (.usda) or binary (.usdc).

All that readers silently need is authored: rotations, translations and scales of every joint in every frame, joints as
whole paths, rest and bind transforms, the unit, the axis that is up and the rate.
"""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiongen.atomic import atomic_path
from motiongen.io.gltf_write import stick_mesh
from motiongen.motion import Motion
from motiongen.rotation import matrix_from_quat, quat_normalize, quat_unroll
from motiongen.skeleton import Skeleton
from motiongen.skinned_mesh import SkinnedMesh

CHARACTER, SKELETON, ANIMATION, BODY = (
    "/Character",
    "/Character/Skeleton",
    "/Character/Animation",
    "/Character/Body",
)


def write(motion: Motion, path: str | Path, *, mesh: SkinnedMesh | None = None) -> None:
    """Write a motion as a USD stage.

    Args:
        motion: the motion, at any rate; every frame becomes a time sample.
        path: a .usda or .usdc file to make or replace.
        mesh: the skinned mesh that the motion moves, with the joints of its skeleton; a stick for each bone if None.

    Raises:
        ValueError: the mesh has other joints than the motion.
    """
    from pxr import Sdf, Tf, Usd, UsdGeom, UsdSkel

    skeleton = motion.skeleton
    mesh = stick_mesh(skeleton) if mesh is None else mesh
    mesh.check(skeleton)
    # Anonymous, since a layer that was opened under a path is kept by it.
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(motion.fps)
    stage.SetFramesPerSecond(motion.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(motion.num_frames - 1)
    root = UsdSkel.Root.Define(stage, CHARACTER)
    stage.SetDefaultPrim(root.GetPrim())
    if motion.licence:
        stage.SetMetadata("comment", motion.licence)
    paths = joint_paths(skeleton)
    _add_skeleton(stage, skeleton, mesh, paths)
    _add_animation(stage, motion, paths)
    _add_body(stage, mesh)
    for prim in (SKELETON, BODY):
        UsdSkel.BindingAPI.Apply(stage.GetPrimAtPath(prim))
    UsdSkel.BindingAPI(stage.GetPrimAtPath(SKELETON)).CreateAnimationSourceRel().SetTargets(
        [Sdf.Path(ANIMATION)]
    )
    UsdSkel.BindingAPI(stage.GetPrimAtPath(BODY)).CreateSkeletonRel().SetTargets([Sdf.Path(SKELETON)])
    with atomic_path(path) as aside:
        try:
            is_written = stage.GetRootLayer().Export(str(aside))
        except Tf.ErrorException:  # of several lines, none of which says what the machine said
            is_written = False
        if not is_written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def joint_paths(skeleton: Skeleton) -> list[str]:
    """Return the path of each joint from the root, such as "pelvis/left_hip", of names that USD allows, each once."""
    from pxr import Tf

    paths: list[str] = []
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        above = "" if parent < 0 else paths[parent] + "/"
        valid = Tf.MakeValidIdentifier(name)
        while above + valid in paths:
            valid += "_"
        paths.append(above + valid)
    return paths


def _matrices(columns: torch.Tensor) -> Any:
    """Return matrices (J, 4, 4) as USD's, which multiply rows from the left."""
    from pxr import Gf, Vt

    return Vt.Matrix4dArray([Gf.Matrix4d(*matrix.mT.flatten().tolist()) for matrix in columns])


def _add_skeleton(stage: Any, skeleton: Skeleton, mesh: SkinnedMesh, paths: list[str]) -> None:
    from pxr import UsdSkel

    offsets, world = mesh.rest_pose(skeleton)
    rest = torch.eye(4, dtype=torch.float64).repeat(skeleton.num_joints, 1, 1)
    rest[:, :3, :3] = matrix_from_quat(quat_normalize(skeleton.rest_rotations.double()))
    rest[:, :3, 3] = offsets
    prim = UsdSkel.Skeleton.Define(stage, SKELETON)
    prim.CreateJointsAttr(paths)
    prim.CreateJointNamesAttr(list(skeleton.names))
    prim.CreateRestTransformsAttr(_matrices(rest))
    prim.CreateBindTransformsAttr(_matrices(world))


def _add_animation(stage: Any, motion: Motion, paths: list[str]) -> None:
    from pxr import UsdSkel, Vt

    count = motion.skeleton.num_joints
    animation = UsdSkel.Animation.Define(stage, ANIMATION)
    animation.CreateJointsAttr(paths)
    if motion.translations is None:
        translations = motion.skeleton.offsets.expand(motion.num_frames, count, 3).clone()
        translations[:, 0] = motion.root
    else:
        translations = motion.translations
    # Signs are continuous, since readers interpolate between samples.
    rotations = quat_unroll(quat_normalize(motion.rotations.double())).float()
    places, turns = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    animation.CreateScalesAttr(Vt.Vec3hArray.FromNumpy(np.ones((count, 3), dtype=np.float16)))
    for frame in range(motion.num_frames):
        places.Set(Vt.Vec3fArray.FromNumpy(translations[frame].float().numpy()), frame)
        turns.Set(Vt.QuatfArray.FromNumpy(rotations[frame].numpy()), frame)  # x, y, z, w, as NumPy sees them


def _add_body(stage: Any, mesh: SkinnedMesh) -> None:
    from pxr import Gf, UsdGeom, UsdSkel, Vt

    body = UsdGeom.Mesh.Define(stage, BODY)
    body.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(mesh.vertices.float().numpy()))
    body.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(mesh.normals.float().numpy()))
    body.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    body.CreateFaceVertexCountsAttr([3] * len(mesh.faces))
    body.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(mesh.faces.int().flatten().numpy()))
    body.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    colours = UsdGeom.PrimvarsAPI(body).CreatePrimvar("displayColor", _colour_type(), UsdGeom.Tokens.vertex)
    colours.Set(Vt.Vec3fArray.FromNumpy(mesh.colours.float().numpy()))
    body.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(body.GetPointsAttr().Get()))
    binding = UsdSkel.BindingAPI(body)
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))
    weights = mesh.joint_weights.float() / mesh.joint_weights.float().sum(dim=1, keepdim=True)
    width = mesh.joint_indices.shape[1]
    joints = mesh.joint_indices.int().flatten().numpy()
    binding.CreateJointIndicesPrimvar(False, width).Set(Vt.IntArray.FromNumpy(joints))
    binding.CreateJointWeightsPrimvar(False, width).Set(Vt.FloatArray.FromNumpy(weights.flatten().numpy()))


def _colour_type() -> Any:
    from pxr import Sdf

    return Sdf.ValueTypeNames.Color3fArray
