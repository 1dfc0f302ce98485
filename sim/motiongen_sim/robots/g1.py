"""Unitree's G1 with 29 degrees of freedom, by its URDF in the package example-robot-data (BSD-3)."""

import xml.etree.ElementTree as ElementTree

from motiongen_datasets.g1_robot import urdf_path
from motiongen_sim.robots.robot import Motor, Robot, Segment

_WEIGHTLESS = """
<inertial>
  <mass value="1e-3"/>
  <inertia ixx="1e-7" ixy="0" ixz="0" iyy="1e-7" iyz="0" izz="1e-7"/>
</inertial>"""


def _urdf() -> str:
    path = urdf_path()
    # package://example-robot-data/robots/g1_description/meshes/…
    packages = path.parents[3].as_posix()
    tree = ElementTree.fromstring(
        path.read_text(encoding="utf-8").replace("package://example-robot-data", packages)
    )
    for link in tree.iterfind("link"):
        # PyBullet takes a link without a mass, such as a camera's frame, for one of 1 kg.
        if link.find("inertial") is None:
            link.append(ElementTree.fromstring(_WEIGHTLESS))
    return ElementTree.tostring(tree, encoding="unicode")


def _side(side: str) -> tuple[Segment, ...]:
    def hinges(*names: str) -> tuple[str, ...]:
        return tuple(f"{side}_{name}_joint" for name in names)

    shoulder = hinges("shoulder_pitch", "shoulder_roll", "shoulder_yaw")
    wrist = hinges("wrist_roll", "wrist_pitch", "wrist_yaw")
    return (
        Segment(
            f"{side}_hip", "pelvis", hinges("hip_pitch", "hip_roll", "hip_yaw"), at=f"{side}_hip_roll_joint"
        ),
        Segment(f"{side}_knee", f"{side}_hip", hinges("knee")),
        Segment(f"{side}_ankle", f"{side}_knee", hinges("ankle_pitch", "ankle_roll")),
        Segment(f"{side}_shoulder", "spine3", shoulder, at=f"{side}_shoulder_roll_joint"),
        Segment(f"{side}_elbow", f"{side}_shoulder", hinges("elbow")),
        Segment(f"{side}_wrist", f"{side}_elbow", wrist, at=f"{side}_wrist_pitch_joint"),
    )


G1 = Robot(
    name="g1",
    read_urdf=_urdf,
    segments=(
        Segment("pelvis", "", ()),
        Segment(
            "spine3",
            "pelvis",
            ("waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint"),
            at="waist_pitch_joint",
        ),
        *_side("left"),
        *_side("right"),
    ),
    # Torques are the URDF's limits; stiffness is ours, for stable PD.
    motors={
        "hip_pitch_joint": Motor(300.0, 88.0),
        "hip_roll_joint": Motor(300.0, 139.0),
        "hip_yaw_joint": Motor(200.0, 88.0),
        "knee_joint": Motor(300.0, 139.0),
        "ankle_pitch_joint": Motor(150.0, 35.0),
        "ankle_roll_joint": Motor(150.0, 35.0),
        "waist_yaw_joint": Motor(300.0, 88.0),
        "waist_roll_joint": Motor(300.0, 35.0),
        "waist_pitch_joint": Motor(300.0, 35.0),
        "shoulder_pitch_joint": Motor(100.0, 25.0),
        "shoulder_roll_joint": Motor(100.0, 25.0),
        "shoulder_yaw_joint": Motor(60.0, 25.0),
        "elbow_joint": Motor(60.0, 25.0),
        "wrist_roll_joint": Motor(20.0, 25.0),
        "wrist_pitch_joint": Motor(20.0, 5.0),
        "wrist_yaw_joint": Motor(20.0, 5.0),
    },
    feet=("left_ankle_roll_link", "right_ankle_roll_link"),
    trunk=("torso_link", "head_link", "pelvis_contour_link"),
    end_effectors=(
        "left_ankle_roll_link",
        "right_ankle_roll_link",
        "left_wrist_yaw_link",
        "right_wrist_yaw_link",
    ),
)
