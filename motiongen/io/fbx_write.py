"""Motion to FBX: limb nodes, a skinned mesh, its bind pose, and a curve for each angle, for Unreal, Unity and Maya.

In centimetres, Y up, facing +Z. Angles are in degrees in FBX's order XYZ, which turns about x first. A key a frame; the
angles go on without a jump from frame to frame, since readers interpolate each of them alone.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.atomic import atomic_path
from motiongen.io.fbx_document import CREATED, FILE_ID, VERSION, Int32, Record, class_name, to_bytes
from motiongen.io.fbx_surfaces import describe_material, describe_texture, describe_video, layers
from motiongen.io.gltf_write import stick_mesh
from motiongen.motion import Motion
from motiongen.rotation import euler_from_quat, quat_normalize
from motiongen.skinned_mesh import SkinnedMesh, Surface

CENTIMETRES = 100.0
SECOND = 46_186_158_000
"""FBX counts time in these parts of a second."""
RATES = {120.0: 1, 100.0: 2, 60.0: 3, 50.0: 4, 48.0: 5, 30.0: 6, 25.0: 10, 24.0: 11}
"""Frames a second -> FBX's time mode; others are a custom one."""
CUSTOM_RATE = 14
LINEAR = 4
_SCENE = 0
_FIRST = 1_000_000
"""Number of the first object."""


def write(motion: Motion, path: str | Path, *, mesh: SkinnedMesh | None = None) -> None:
    """Write a motion as binary FBX 7.4.

    Args:
        motion: the motion, at any rate; every frame becomes a key.
        path: a file to make or replace.
        mesh: the skinned mesh that the motion moves, with the joints of its skeleton; a stick for each bone if None.

    Raises:
        ValueError: the mesh has other joints than the motion.
    """
    mesh = stick_mesh(motion.skeleton) if mesh is None else mesh
    mesh.check(motion.skeleton)
    data = to_bytes(_Scene(motion, mesh).records())
    with atomic_path(path) as aside:
        aside.write_bytes(data)


class _Scene:
    """The objects of a file and their connections."""

    def __init__(self, motion: Motion, mesh: SkinnedMesh) -> None:
        self.motion, self.mesh = motion, mesh
        self.objects, self.connections = Record("Objects"), Record("Connections")
        self._next = _FIRST
        self.models = self._add_skeleton()
        body = self._add_body()
        self._add_bind_pose(body)
        self._add_animation()

    def records(self) -> list[Record]:
        """Return the records of the file."""
        return [
            *_header(self.motion),
            _settings(self.motion),
            _documents(),
            Record("References"),
            _definitions(self.objects),
            self.objects,
            self.connections,
        ]

    def _object(self, kind: str, name: bytes, subclass: str) -> tuple[int, Record]:
        self._next += 1
        return self._next, self.objects.add(kind, self._next, name, subclass)

    def _connect(self, child: int, parent: int, to: str = "") -> None:
        self.connections.add("C", "OP" if to else "OO", child, parent, *([to] if to else []))

    def _add_skeleton(self) -> list[int]:
        skeleton, models = self.motion.skeleton, list[int]()
        offsets, _ = self.mesh.rest_pose(skeleton)
        angles = _angles(skeleton.rest_rotations[None])[0]
        for joint, name in enumerate(skeleton.names):
            number, model = self._object("Model", class_name(name, "Model"), "LimbNode")
            model.add("Version", Int32(232))
            model.add_table(
                [
                    ("RotationActive", "bool", "", "", Int32(1)),
                    ("InheritType", "enum", "", "", Int32(1)),
                    _vector("Lcl Translation", (offsets[joint] * CENTIMETRES).tolist()),
                    _vector("Lcl Rotation", angles[joint].tolist()),
                    _vector("Lcl Scaling", [1.0, 1.0, 1.0]),
                ]
            )
            model.add("Shading", True)
            model.add("Culling", "CullingOff")
            attribute, node = self._object("NodeAttribute", class_name(name, "NodeAttribute"), "LimbNode")
            node.add("TypeFlags", "Skeleton")
            self._connect(attribute, number)
            parent = skeleton.parents[joint]
            self._connect(number, _SCENE if parent < 0 else models[parent])
            models.append(number)
        return models

    def _add_body(self) -> int:
        mesh = self.mesh
        number, model = self._object("Model", class_name("body", "Model"), "Mesh")
        model.add("Version", Int32(232))
        model.add_table([_vector("Lcl Scaling", [1.0, 1.0, 1.0])])
        geometry, shape = self._object("Geometry", class_name("body", "Geometry"), "Mesh")
        faces = mesh.faces.int().numpy()
        corners = faces.copy()
        corners[:, -1] = ~corners[:, -1]  # the last corner of a polygon is marked
        shape.add("GeometryVersion", Int32(124))
        shape.add("Vertices", (mesh.vertices.double() * CENTIMETRES).numpy().ravel())
        shape.add("PolygonVertexIndex", corners.ravel().astype(np.int32))
        shape.children += layers(mesh)
        self._connect(geometry, number)
        pictures: dict[bytes, int] = {}
        for surface in (Surface("body"),) if mesh.look is None else mesh.look.surfaces:
            self._add_surface(number, surface, pictures)
        self._connect(number, _SCENE)
        self._add_skin(geometry)
        return number

    def _add_surface(self, body: int, surface: Surface, pictures: dict[bytes, int]) -> None:
        """Add the material of a surface, and its picture where `pictures`, the textures so far, do not have it."""
        material, record = self._object("Material", class_name(surface.name, "Material"), "")
        describe_material(record, surface)
        self._connect(material, body)
        if (picture := surface.picture) is None:
            return
        if picture not in pictures:
            name = f"picture{len(pictures)}"
            pictures[picture], record = self._object("Texture", class_name(name, "Texture"), "")
            describe_texture(record, name, picture)
            video, record = self._object("Video", class_name(name, "Video"), "Clip")
            describe_video(record, name, picture)
            self._connect(video, pictures[picture])
        self._connect(pictures[picture], material, "DiffuseColor")
        if surface.is_cut:
            self._connect(pictures[picture], material, "TransparentColor")

    def _add_skin(self, geometry: int) -> None:
        skin, record = self._object("Deformer", class_name("skin", "Deformer"), "Skin")
        record.add("Version", Int32(101))
        record.add("Link_DeformAcuracy", 50.0)  # so spelled
        self._connect(skin, geometry)
        weights = self.mesh.joint_weights.double()
        weights = weights / weights.sum(dim=1, keepdim=True)
        for joint, (name, bind) in enumerate(zip(self.mesh.names, self._binds(), strict=True)):
            moved = torch.where(self.mesh.joint_indices == joint, weights, 0.0).sum(dim=1)  # (V,)
            vertices = moved.nonzero()[:, 0]
            number, cluster = self._object("Deformer", class_name(name, "SubDeformer"), "Cluster")
            cluster.add("Version", Int32(100))
            cluster.add("UserData", "", "")
            if len(vertices):
                cluster.add("Indexes", vertices.int().numpy())
                cluster.add("Weights", moved[vertices].numpy())
            cluster.add("Transform", np.linalg.inv(bind).ravel())
            cluster.add("TransformLink", bind.ravel())
            self._connect(number, skin)
            self._connect(self.models[joint], number)

    def _binds(self) -> NDArray[np.float64]:
        """Return the matrices (J, 4, 4) of the joints at rest, which multiply rows from the left, in centimetres."""
        _, world = self.mesh.rest_pose(self.motion.skeleton)
        world[:, :3, 3] *= CENTIMETRES
        return np.ascontiguousarray(world.mT)

    def _add_bind_pose(self, body: int) -> None:
        _, pose = self._object("Pose", class_name("bind", "Pose"), "BindPose")
        nodes = [(body, np.eye(4)), *zip(self.models, self._binds(), strict=True)]
        pose.add("Type", "BindPose")
        pose.add("Version", Int32(100))
        pose.add("NbPoseNodes", Int32(len(nodes)))
        for number, matrix in nodes:
            node = pose.add("PoseNode")
            node.add("Node", number)
            node.add("Matrix", matrix.ravel())

    def _add_animation(self) -> None:
        motion = self.motion
        times = np.round(np.arange(motion.num_frames) * (SECOND / motion.fps)).astype(np.int64)
        stack, record = self._object("AnimationStack", class_name("motion", "AnimStack"), "")
        span = ("Start", 0), ("Stop", int(times[-1]))
        record.add_table(
            [_time(f"{kind}{end}", time) for kind in ("Local", "Reference") for end, time in span]
        )
        layer, _ = self._object("AnimationLayer", class_name("motion", "AnimLayer"), "")
        self._connect(layer, stack)
        angles = unrolled(_angles(motion.rotations)).numpy()  # (T, J, 3)
        for joint, model in enumerate(self.models):
            self._add_curves(layer, model, "R", "Lcl Rotation", angles[:, joint], times)
        places = [(0, motion.root)]
        if motion.translations is not None:
            places += [(joint, motion.translations[:, joint]) for joint in range(1, len(self.models))]
        for joint, path in places:
            moved = (path.double() * CENTIMETRES).numpy()
            self._add_curves(layer, self.models[joint], "T", "Lcl Translation", moved, times)

    def _add_curves(
        self,
        layer: int,
        model: int,
        name: str,
        to: str,
        values: NDArray[np.float64],
        times: NDArray[np.int64],
    ) -> None:
        """Add the curves of a joint's three values (T, 3)."""
        node, record = self._object("AnimationCurveNode", class_name(name, "AnimCurveNode"), "")
        first = zip("XYZ", values[0].tolist(), strict=True)
        record.add_table((f"d|{axis}", "Number", "", "A", value) for axis, value in first)
        self._connect(node, layer)
        self._connect(node, model, to)
        for axis, column in zip("XYZ", values.T, strict=True):
            number, curve = self._object("AnimationCurve", class_name("", "AnimCurve"), "")
            curve.add("Default", float(column[0]))
            curve.add("KeyVer", Int32(4008))
            curve.add("KeyTime", times)
            curve.add("KeyValueFloat", column.astype(np.float32))
            curve.add("KeyAttrFlags", np.array([LINEAR], np.int32))
            curve.add("KeyAttrDataFloat", np.zeros(4, np.float32))
            curve.add("KeyAttrRefCount", np.array([len(times)], np.int32))
            self._connect(number, node, f"d|{axis}")


def unrolled(angles: Tensor) -> Tensor:
    """Return angles (T, J, 3), degrees about x, y, z, of the same rotations, each as near as can be to those before.

    A rotation Rz Ry Rx has two sets of angles, and whole turns of each; the nearest to the frame before is taken.
    """
    nearest = angles.clone()
    for frame in range(1, len(angles)):
        before, one = nearest[frame - 1], angles[frame]
        other = torch.stack([one[:, 0] + 180, 180 - one[:, 1], one[:, 2] + 180], dim=-1)
        sets = torch.stack([one, other])  # (2, J, 3)
        sets = sets + 360 * ((before - sets) / 360).round()
        pick = (sets - before).abs().sum(dim=-1).argmin(dim=0)  # (J,)
        nearest[frame] = sets[pick, torch.arange(len(pick))]
    return nearest


def _angles(rotations: Tensor) -> Tensor:
    """Return FBX's angles (..., 3), degrees about x, y, z, of quaternions (..., 4): x turns first."""
    return euler_from_quat(quat_normalize(rotations.double()), "ZYX").flip(-1).rad2deg()


def _vector(name: str, values: list[float]) -> tuple[object, ...]:
    return (name, name, "", "A", *values)


def _time(name: str, value: int) -> tuple[object, ...]:
    return (name, "KTime", "Time", "", value)


def _header(motion: Motion) -> list[Record]:
    header = Record("FBXHeaderExtension")
    header.add("FBXHeaderVersion", Int32(1003))
    header.add("FBXVersion", Int32(VERSION))
    header.add("EncryptionType", Int32(0))
    header.add("Creator", "motiongen")
    about = header.add("SceneInfo", class_name("GlobalInfo", "SceneInfo"), "UserData")
    about.add("Type", "UserData")
    about.add("Version", Int32(100))
    meta = about.add("MetaData")
    meta.add("Version", Int32(100))
    meta.add("Title", "")
    meta.add("Comment", motion.licence)
    return [
        header,
        Record("FileId", (FILE_ID,)),
        Record("CreationTime", (CREATED,)),
        Record("Creator", ("motiongen",)),
    ]


def _settings(motion: Motion) -> Record:
    settings = Record("GlobalSettings")
    settings.add("Version", Int32(1000))
    mode = next((mode for rate, mode in RATES.items() if abs(rate - motion.fps) < 1e-6), CUSTOM_RATE)
    length = round((motion.num_frames - 1) * SECOND / motion.fps)
    settings.add_table(
        [
            *(
                (name, "int", "Integer", "", Int32(value))
                for name, value in (
                    ("UpAxis", 1), ("UpAxisSign", 1), ("FrontAxis", 2), ("FrontAxisSign", 1), ("CoordAxis", 0),
                    ("CoordAxisSign", 1), ("OriginalUpAxis", 1), ("OriginalUpAxisSign", 1),
                )
            ),
            ("UnitScaleFactor", "double", "Number", "", 1.0),
            ("OriginalUnitScaleFactor", "double", "Number", "", 1.0),
            ("TimeMode", "enum", "", "", Int32(mode)),
            _time("TimeSpanStart", 0),
            _time("TimeSpanStop", length),
            ("CustomFrameRate", "double", "Number", "", float(motion.fps)),
        ]
    )  # fmt: skip
    return settings


def _documents() -> Record:
    documents = Record("Documents")
    documents.add("Count", Int32(1))
    document = documents.add("Document", _FIRST, "", "Scene")
    document.add_table(
        [("SourceObject", "object", "", ""), ("ActiveAnimStackName", "KString", "", "", "motion")]
    )
    document.add("RootNode", _SCENE)
    return documents


def _definitions(objects: Record) -> Record:
    """Return how many objects there are of each kind."""
    kinds = [record.name for record in objects.children]
    definitions = Record("Definitions")
    definitions.add("Version", Int32(100))
    definitions.add("Count", Int32(len(kinds) + 1))
    for kind in ("GlobalSettings", *dict.fromkeys(kinds)):
        definitions.add("ObjectType", kind).add("Count", Int32(max(1, kinds.count(kind))))
    return definitions
