"""The robots that a motion can drive. Adding one is a file with a `Robot`, and a line here."""

from motiongen import registry
from motiongen_sim.robots.g1 import G1
from motiongen_sim.robots.humanoid import HUMANOID
from motiongen_sim.robots.robot import Robot

ROBOTS: dict[str, Robot] = {robot.name: robot for robot in (HUMANOID, G1)}
"""Name -> robot; what it needs is read when it is first used."""


def lookup(name: str) -> Robot:
    """Return the robot of that name. Raises ValueError that lists the names."""
    return registry.lookup("robot", ROBOTS, name)
