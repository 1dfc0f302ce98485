"""XArm6: the arm of BlockPush, with a round stick at its wrist that it moves over a table."""

import math
import re
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pybullet_data
from numpy.typing import NDArray

from motiongen_sim.robots.bullet import SIMULATION_RATE, silence

STICK_RADIUS = 0.02
STICK_LENGTH = 0.055
# The arm's own dimensions (its URDF), as (outward, up) from joint to joint while joint 4 is at zero, which keeps
# the whole arm in one vertical plane.
SHOULDER_HEIGHT = 0.267
UPPER_ARM = (0.0535, 0.2845)
FOREARM = (0.0775, -0.3425)
WRIST = (0.076, -0.097)
UPPER_LENGTH = math.hypot(*UPPER_ARM)
FORE_LENGTH = math.hypot(*FOREARM)
REACH = 0.999 * (UPPER_LENGTH + FORE_LENGTH)
# By joint, N m: the URDF's own limits.
TORQUES = (50.0, 50.0, 32.0, 32.0, 32.0, 20.0)

_STICK = """
  <link name="stick">
    <inertial>
      <origin xyz="0 0 {middle}"/><mass value="0.1"/>
      <inertia ixx="1e-4" ixy="0" ixz="0" iyy="1e-4" iyz="0" izz="1e-4"/>
    </inertial>
    <visual>
      <origin xyz="0 0 {middle}"/><geometry><cylinder length="{length}" radius="{radius}"/></geometry>
      <material name="Stick"><color rgba="0.2 0.2 0.22 1"/></material>
    </visual>
    <collision>
      <origin xyz="0 0 {middle}"/><geometry><cylinder length="{length}" radius="{radius}"/></geometry>
    </collision>
  </link>
  <joint name="stick_joint" type="fixed">
    <parent link="link6"/><child link="stick"/><origin xyz="0 0 0"/>
  </joint>
</robot>"""


def joint_angles(position: NDArray[np.float64], height: float) -> tuple[float, ...]:
    """Return the six joint angles that put the wrist's flange at a position, pointing straight down.

    In closed form: joint 4 rests at zero, so the arm is a planar chain of two links, turned about the vertical by
    joint 1; joint 5 keeps the tool down and joint 6 its heading. A position beyond the reach gives the nearest one
    in the same direction.

    Args:
        position: x and y (2,) of the flange, in metres.
        height: z of the flange, in metres.
    """
    x, y = float(position[0]), float(position[1])
    outward, up = math.hypot(x, y) - WRIST[0], height - WRIST[1] - SHOULDER_HEIGHT
    if math.hypot(outward, up) > REACH:
        outward = math.sqrt(REACH**2 - up**2)
    distance = math.hypot(outward, up)
    cosine = (UPPER_LENGTH**2 + distance**2 - FORE_LENGTH**2) / (2 * UPPER_LENGTH * distance)
    # Headings are angles from straight up towards outward; the elbow is the one above.
    upper = math.atan2(outward, up) - math.acos(min(max(cosine, -1.0), 1.0))
    elbow = (UPPER_LENGTH * math.sin(upper), UPPER_LENGTH * math.cos(upper))
    fore = math.atan2(outward - elbow[0], up - elbow[1]) % math.tau
    turn, shoulder = math.atan2(y, x), upper - math.atan2(*UPPER_ARM)
    pitch = fore - math.atan2(*FOREARM)  # of the forearm, from its pose at zero
    return turn, shoulder, pitch - shoulder, 0.0, -pitch, turn


class XArm6:
    """PyBullet's xArm6, fixed at the origin, whose stick's tip is moved in a horizontal plane.

    Args:
        client: the physics server (`bullet.connect`).
        flange_height: height of the wrist's flange over the table, in metres; the stick hangs from it.
        coarse: draw it by its collision shapes, which takes a fifth of the time and looks much the same from afar.
    """

    def __init__(self, client: Any, flange_height: float, *, coarse: bool = False) -> None:
        self._client = client
        self._height = flange_height
        self.body: int = _load(client, coarse)
        names = [client.getJointInfo(self.body, j)[1] for j in range(client.getNumJoints(self.body))]
        self._joints = [names.index(f"joint{number}".encode()) for number in range(1, 7)]
        self.stick: int = names.index(b"stick_joint")
        # Only the stick touches things: the arm passes over all that stands on the table.
        for link in range(-1, len(names)):
            if link != self.stick:
                client.setCollisionFilterGroupMask(self.body, link, 0, 0)
        client.changeDynamics(self.body, self.stick, lateralFriction=0.3)

    def set_position(self, position: NDArray[np.float64]) -> None:
        """Set the position (2,) of the stick, in metres, at rest."""
        angles = joint_angles(position, self._height)
        for joint, angle in zip(self._joints, angles, strict=True):
            self._client.resetJointState(self.body, joint, angle, 0.0)
        self._drive(angles, angles)

    def move(self, start: NDArray[np.float64], end: NDArray[np.float64], steps: int) -> None:
        """Simulate physics steps while the commanded position of the stick moves evenly.

        Args:
            start: (2,) metres.
            end: (2,) metres.
            steps: physics steps.
        """
        path = [
            joint_angles(start + (end - start) * (step / steps), self._height) for step in range(steps + 1)
        ]
        for before, after in pairwise(path):
            self._drive(before, after)
            self._client.stepSimulation()

    def position(self) -> NDArray[np.float64]:
        """Return the position of the stick (2,), in metres."""
        return np.array(self._client.getLinkState(self.body, self.stick, computeForwardKinematics=1)[4][:2])

    def _drive(self, before: tuple[float, ...], after: tuple[float, ...]) -> None:
        """Set the motors for one physics step: to the angles `after`, at the speed from `before`."""
        speeds = [(b - a) * SIMULATION_RATE for a, b in zip(before, after, strict=True)]
        self._client.setJointMotorControlArray(
            self.body,
            self._joints,
            self._client.POSITION_CONTROL,
            targetPositions=after,
            targetVelocities=speeds,
            forces=TORQUES,
        )


def _load(client: Any, coarse: bool) -> int:
    """Load the arm with the stick as its last link: one body, so the stick does not hang from a soft constraint."""
    data = Path(pybullet_data.getDataPath()) / "xarm"
    text = (data / "xarm6_robot_white.urdf").read_text(encoding="utf-8")
    stick = _STICK.format(length=STICK_LENGTH, radius=STICK_RADIUS, middle=STICK_LENGTH / 2)
    text = text.replace("package://", f"{data.as_posix()}/").replace("</robot>", stick)
    if coarse:
        text = re.sub(r"visual/(\w+)\.stl", r"collision/\1_vhacd.obj", text)
        text = text.replace("link2_vhacd.obj", "link2_vhacd2.obj")  # its finer one: it is bent
    with tempfile.TemporaryDirectory() as folder, silence():
        path = Path(folder) / "xarm6_stick.urdf"
        path.write_text(text, encoding="utf-8")
        return int(client.loadURDF(str(path), useFixedBase=True))
