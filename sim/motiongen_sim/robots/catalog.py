"""ROBOTS: the registry of robots that a motion can drive. Adding one is a file with a `Robot`, and a line here."""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from motiongen import registry

if TYPE_CHECKING:
    from motiongen_sim.robots.robot import Robot


@dataclass(frozen=True, kw_only=True)
class RobotSpec:
    """A line of the registry.

    Attributes:
        entry_point: "module:name" of its `Robot`, imported when it is first used.
        description: for help texts.
    """

    entry_point: str
    description: str


ROBOTS: dict[str, RobotSpec] = {
    "humanoid": RobotSpec(
        entry_point="motiongen_sim.robots.humanoid:HUMANOID",
        description="PyBullet's humanoid",
    ),
    "g1": RobotSpec(
        entry_point="motiongen_sim.robots.g1:G1",
        description="Unitree's G1 (needs motiongen[g1])",
    ),
}
"""Name -> where its description is."""


def lookup(name: str) -> "Robot":
    """Return the robot of that name. Raises ValueError that lists the names."""
    module, _, attribute = registry.lookup("robot", ROBOTS, name).entry_point.partition(":")
    robot: Robot = getattr(importlib.import_module(module), attribute)
    return robot
