"""The last step of a frame, when it is taken: it is bent to what is wished of path, feet, pose, hands and gaze."""

import math

import numpy as np

from motiongen.streaming.drive import Drive, rotate_floor
from motiongen.streaming.looking import Looking
from motiongen.streaming.pending_frame import PendingFrame
from motiongen.streaming.pose_ahead import PoseAhead
from motiongen.streaming.reaching import Reaching
from motiongen.streaming.single_pose import Vector, multiply, yaw
from motiongen.streaming.stance import Stance
from motiongen.streaming.tempo import Tempo
from motiongen.streaming.upper_body import ARMS, UpperBody


class Bend:
    """Bends the frames of one character. Frames go through in order, on the thread that takes them.

    Attributes:
        drive: where the character goes.
        tempo: how fast its frames are played.
        pose: the pose that it comes to; None for none.
        hands: "left" and "right" -> where each hand is led.
        gaze: where the head is turned.
        points: what is led -> a point beside the character, metres to its left, up and ahead: it goes along.
    """

    def __init__(self) -> None:
        """Begin with nothing wished: frames stay as they come, bit for bit."""
        self.drive, self.tempo = Drive(), Tempo()
        self.pose: PoseAhead | None = None
        self.hands, self.gaze = {side: Reaching(side) for side in ARMS}, Looking()
        self.points: dict[Reaching | Looking, Vector] = {}
        self.newest: PendingFrame | None = None
        self._stance = Stance()
        self._is_moved = False  # whether frames are elsewhere than they come

    @property
    def is_idle(self) -> bool:
        """Whether frames stay as they come."""
        return not (self._is_moved or self.drive.is_active or self.pose is not None or self._led())

    def _led(self) -> list[Reaching | Looking]:
        parts: tuple[Reaching | Looking, ...] = (*self.hands.values(), self.gaze)
        return [one for one in parts if not one.is_idle]

    def world(self, point: Vector) -> Vector:
        """Return a point beside the character, metres to its left, up and ahead, in the world.

        Args:
            point: metres.
        """
        x, z = rotate_floor(point[0], point[2], self.drive.heading)
        return self.drive.x + x, point[1], self.drive.z + z

    def apply(self, frame: PendingFrame) -> PendingFrame:
        """Return the next frame, bent.

        Args:
            frame: as the head and the seams make it.
        """
        self.newest = bent = self._bent(frame)
        return bent

    def _bent(self, frame: PendingFrame) -> PendingFrame:
        if frame.cuts:
            self.drive.cut()
            self._stance.cut()
            self._is_moved = False
        self.tempo.follow(self.drive.stride)
        quat, root = frame.rotations[0].tolist(), frame.root.astype(np.float64)
        heading = 2 * math.atan2(quat[1], quat[3])
        turned, x, z = self.drive.place(heading, float(root[0]), float(root[2]))
        if self.is_idle:
            return frame
        led, pose = self._led(), self.pose
        rotations, contacts = frame.rotations.copy(), frame.contacts
        if self._is_moved or self.drive.is_active:
            rotations[0] = multiply(yaw(turned - heading), (quat[0], quat[1], quat[2], quat[3]))
            root[0], root[2] = x, z
            self._is_moved = True
        if pose is not None:
            pose.apply(rotations, root, self.drive.heading)
            self.pose = None if pose.is_over else self.pose
        if self.drive.is_active or pose is not None or not self._stance.is_home:
            settles = pose is not None and pose.settles
            contacts = self._stance.apply(
                rotations, root, contacts, self.drive.slip, self.drive.pace, settles=settles
            )
        else:
            self._stance.cut()
        if led:
            body = UpperBody(rotations, root)
            for one in led:
                if one in self.points:
                    one.goal = self.world(self.points[one])
                one.apply(body)
        return PendingFrame(rotations, root.astype(np.float32), contacts, frame.obeys, frame.cuts)
