"""PyBullet's humanoid, the body of DeepMimic (Peng et al. 2018): 45 kg, 8 ball joints, knees and elbows as hinges."""

import math
from pathlib import Path

import pybullet_data

from motiongen_sim.robots.robot import Motor, Robot, Segment

_HALF = math.sqrt(0.5)


def _urdf() -> str:
    text = (Path(pybullet_data.getDataPath()) / "humanoid" / "humanoid.urdf").read_text(encoding="utf-8")
    text = text[: text.rindex(">") + 1]  # a zero byte ends the file
    # The file's world is y up; turned under its root, the base is as all the other robots' is.
    before, after = text.split('<child link="root" />')
    upright = after.replace('rpy = "0 0 0"', f'rpy = "{math.pi / 2} 0 0"', 1)
    return f'{before}<child link="root" />{upright}'


HUMANOID = Robot(
    name="humanoid",
    read_urdf=_urdf,
    segments=(
        Segment("pelvis", "", ()),
        Segment("spine3", "pelvis", ("chest",)),
        Segment("head", "spine3", ("neck",)),
        *(
            segment
            for side in ("left", "right")
            for segment in (
                Segment(f"{side}_hip", "pelvis", (f"{side}_hip",)),
                Segment(f"{side}_knee", f"{side}_hip", (f"{side}_knee",)),
                Segment(f"{side}_ankle", f"{side}_knee", (f"{side}_ankle",)),
                Segment(f"{side}_shoulder", "spine3", (f"{side}_shoulder",)),
                Segment(f"{side}_elbow", f"{side}_shoulder", (f"{side}_elbow",)),
                Segment(f"{side}_wrist", f"{side}_elbow", (), at=f"{side}_wrist"),
            )
        ),
    ),
    # DeepMimic's own gains and torque limits.
    motors={
        "chest": Motor(1000.0, 200.0),
        "neck": Motor(100.0, 50.0),
        "hip": Motor(500.0, 200.0),
        "knee": Motor(500.0, 150.0),
        "ankle": Motor(400.0, 90.0),
        "shoulder": Motor(400.0, 100.0),
        "elbow": Motor(300.0, 60.0),
    },
    feet=("left_ankle", "right_ankle"),
    trunk=("root", "chest", "neck"),
    end_effectors=("left_ankle", "right_ankle", "left_wrist", "right_wrist"),
    scale=0.25,
    has_data=False,  # placeholders
    # Arms out to the sides: from there no pose of an arm is near a half turn, where rotation vectors jump.
    neutral={"left_shoulder": (-_HALF, 0.0, 0.0, _HALF), "right_shoulder": (_HALF, 0.0, 0.0, _HALF)},
    colour=(0.42, 0.62, 0.82),
)
