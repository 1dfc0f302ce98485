"""Footing: where a motion has the feet of a robot stand, brought within reach of where the robot is.

A robot that keeps its balance walks more slowly than a person does: the motion's path is moved back to it.
"""

from dataclasses import dataclass, replace

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import connect
from motiongen_sim.robots.dynamics import Dynamics
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.soles import Sole, Soles
from motiongen_sim.robots.trajectory import RobotState

GAP = 0.04
"""Least distance between the feet, in metres."""
KICK = 0.12
"""Height over the other foot from which on a foot of the motion is not stepping, but kicking, in metres."""
TRAVELS, PACE_OVER = 0.25, 0.5
"""Speed of a motion's path, in m/s, from which on feet stand under its pelvis, not where its own stand; and the time
that it is averaged over, in seconds."""
LEASH = 0.3
"""Greatest distance between the feet and those of the motion, in metres; the motion's path is moved by what is more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Home:
    """Where a foot should stand.

    Attributes:
        place: (2,) metres.
        yaw: radians about z.
    """

    place: Array
    yaw: float


class Footing:
    """Where a motion has the feet of a robot stand.

    Args:
        robot: its description.
    """

    def __init__(self, robot: Robot) -> None:
        self._body = Body(connect(), robot, is_bare=True)
        self._dynamics = Dynamics(self._body)
        self._soles = Soles(self._body, self._dynamics)
        flat = self._soles.at(self._dynamics.motions())
        self.apart = float(min(np.ptp(sole.corners[:, 1]) for sole in flat)) + GAP
        self._half = float(flat[0].centre[1] - flat[1].centre[1]) / 2
        self._shift, self._root, self._pace = np.zeros(2), np.zeros(2), np.zeros(2)
        self.homes: list[Home] = []
        self.centre = np.zeros(2)

    def aim(self, goal: RobotState, seconds: float) -> None:
        """Take the state of the motion that is so many seconds after the last one."""
        self._body.set_state(goal)
        motions = self._dynamics.motions()
        soles = self._soles.at(motions)
        root = goal.root[:2]
        if self.homes:
            part = min(seconds / PACE_OVER, 1.0)
            self._pace = self._pace + part * ((root - self._root) / seconds - self._pace)
        self._root = root
        if float(np.linalg.norm(self._pace)) > TRAVELS:
            yaw = float(quaternion.yaw_of(goal.rotation))
            aside = np.array([-np.sin(yaw), np.cos(yaw)])
            homes = [Home(place=root + side * self._half * aside, yaw=yaw) for side in (1.0, -1.0)]
            self.centre = root + self._shift
        else:
            floor = min(sole.centre[2] for sole in soles)
            places = [sole.centre[:2] for sole in soles]
            for foot, sole in enumerate(soles):
                if sole.centre[2] > floor + KICK and self.homes:
                    places[foot] = self.homes[foot].place - self._shift
            places = self._parted(places, soles)
            homes = [Home(place=p, yaw=s.yaw) for p, s in zip(places, soles, strict=True)]
            self.centre = self._dynamics.centre_of_mass(motions)[:2] + self._shift
        self.homes = [replace(home, place=home.place + self._shift) for home in homes]

    def _parted(self, places: list[Array], soles: list[Sole]) -> list[Array]:
        """Return places (2,) of the feet that are at least `apart` from each other, sideways."""
        ahead = soles[0].turn[:2, 0] + soles[1].turn[:2, 0]
        left = np.array([-ahead[1], ahead[0]]) / max(float(np.linalg.norm(ahead)), 1e-9)
        short = max(self.apart + GAP - float((places[0] - places[1]) @ left), 0.0)
        return [places[0] + short / 2 * left, places[1] - short / 2 * left]

    def pull(self, soles: list[Sole]) -> None:
        """Move the motion's path to where the feet are, as far as the leash is too short."""
        lag = (self.homes[0].place + self.homes[1].place - (soles[0].centre + soles[1].centre)[:2]) / 2
        far = float(np.linalg.norm(lag))
        if far > LEASH:
            back = lag * (1 - LEASH / far)
            self._shift -= back
            self.centre = self.centre - back
            self.homes = [replace(home, place=home.place - back) for home in self.homes]
