"""URDF files as text: frames and names of joints, and removal of meshes."""

import xml.etree.ElementTree as ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array


def without_meshes(text: str) -> str:
    """Return a URDF's text without the shapes that are read from files; it loads fast, for kinematics alone."""
    tree = ElementTree.fromstring(text)
    for link in tree.iterfind("link"):
        for shape in [*link.findall("visual"), *link.findall("collision")]:
            if shape.find("geometry/mesh") is not None:
                link.remove(shape)
    return ElementTree.tostring(tree, encoding="unicode")


def joint_frames(text: str, scale: float) -> dict[str, tuple[Element, Array, Array]]:
    """Return joint's name -> (element, position (3,), rotation of its link (4,)) in the zero pose.

    Args:
        text: of the URDF.
        scale: factor on its lengths.
    """
    elements = list(ElementTree.fromstring(text).iterfind("joint"))
    children = {_link(element, "child") for element in elements}
    known = {_link(e, "parent"): (np.zeros(3), quaternion.IDENTITY) for e in elements}
    known = {link: pose for link, pose in known.items() if link not in children}
    found: dict[str, tuple[Element, Array, Array]] = {}
    while len(found) < len(elements):
        for element in elements:
            name, parent = element.get("name", ""), _link(element, "parent")
            if name in found or parent not in known:
                continue
            position, turn = known[parent]
            position = position + scale * quaternion.rotate(turn, numbers_of(element, "origin", "xyz"))
            turn = quaternion.multiply(turn, turn_of(numbers_of(element, "origin", "rpy")))
            found[name] = element, position, turn
            known[_link(element, "child")] = position, turn
    return found


def joint_names(text: str) -> list[str]:
    """Return the names of all joints, in the order of the file."""
    return [element.get("name", "") for element in ElementTree.fromstring(text).iterfind("joint")]


def turn_of(angles: Array) -> Array:
    """Return the rotation (4,) of a URDF's roll, pitch and yaw: about fixed axes, x first."""
    about_x, about_y, about_z = (quaternion.exp(axis * a) for axis, a in zip(np.eye(3), angles, strict=True))
    return quaternion.multiply(quaternion.multiply(about_z, about_y), about_x)


def numbers_of(element: Element, tag: str, key: str, default: str = "0 0 0") -> Array:
    """Return the numbers in an attribute of a child element.

    Args:
        element: the parent.
        tag: of the child.
        key: of the attribute.
        default: its text where there is no such child or attribute.
    """
    found = element.find(tag)
    text = default if found is None else found.get(key, default)
    return np.array([float(word) for word in text.split()])


def _link(element: Element, tag: str) -> str:
    found = element.find(tag)
    return "" if found is None else found.get("link", "")
