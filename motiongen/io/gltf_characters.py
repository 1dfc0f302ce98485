"""The characters in a glTF file: which skins belong to one body, and which joints play its parts."""

from collections.abc import Collection
from typing import Any

from motiongen.humanoid import match
from motiongen.io.gltf_container import GltfReader
from motiongen.io.options import note

Character = tuple[list[int], list[dict[str, Any]]]
"""Nodes that are joints, and the skins that they are of."""

_VRM = {
    "hips": "pelvis", "spine": "spine1", "chest": "spine2", "upperChest": "spine3", "neck": "neck", "head": "head",
    "Shoulder": "collar", "UpperArm": "shoulder", "LowerArm": "elbow", "Hand": "wrist",
    "UpperLeg": "hip", "LowerLeg": "knee", "Foot": "ankle", "Toes": "foot",
}  # fmt: skip
"""VRM's bones -> SMPL's joints; those of a side without it."""


def choose(
    reader: GltfReader, parents: dict[int, int], index: int | None, moving: Collection[int]
) -> Character:
    """Return the joints of one character of a file.

    Args:
        reader: the file.
        parents: node -> its parent.
        index: number of the character, from 0; if None the first of which a joint is among `moving`.
        moving: nodes that move.

    Raises:
        ValueError: no joints, or no character of that number.
    """
    found = _characters(reader, parents)
    if not found:
        raise ValueError(f"{reader.path}: expected a skin or animated nodes, got none; export the rig too")
    if index is not None and index >= len(found):
        raise ValueError(
            f"{reader.path}: expected a character-index below {len(found)}, the number of characters, got {index}"
        )
    if index is None:
        moved = set(moving)
        index = next((i for i, (nodes, _) in enumerate(found) if not moved.isdisjoint(nodes)), 0)
        if len(found) > 1:
            nodes = reader.items("nodes")
            names = ", ".join(str(nodes[joints[0]].get("name", joints[0])) for joints, _ in found[:8])
            note(
                reader.path,
                f"{len(found)} characters ({names}); {index} is read, --character-index says otherwise",
            )
    return found[index]


def _characters(reader: GltfReader, parents: dict[int, int]) -> list[Character]:
    """Return the characters: groups of skins that hang together, humanoids alone where there are any.

    Where no group is a humanoid but all together are, they are the pieces of one: shirt and trousers that share no
    joint. Else the largest group comes first.
    """
    groups = _groups(reader, parents) or _animated(reader, parents)
    bodies = [group for group in groups if _is_humanoid(reader, parents, group[0])]
    if bodies or len(groups) < 2:
        return bodies or groups
    whole = [node for nodes, _ in groups for node in nodes], [skin for _, skins in groups for skin in skins]
    if _is_humanoid(reader, parents, whole[0]) or not reader.items("skins"):
        return [whole]
    return sorted(groups, key=lambda group: -len(group[0]))


def _groups(reader: GltfReader, parents: dict[int, int]) -> list[Character]:
    """Return the skins that hang together: that share a joint, or of which one hangs from a joint of the other."""
    skins = reader.items("skins")
    group_of: dict[int, int] = {}  # joint -> its skin, then its group
    same = list(range(len(skins)))

    def first(group: int) -> int:
        while same[group] != group:
            group = same[group]
        return group

    for number, skin in enumerate(skins):
        for node in skin["joints"]:
            reader.item("nodes", node)
            same[first(number)] = first(group_of.setdefault(node, number))
    for node, number in group_of.items():
        over = parents.get(node)
        while over is not None and over not in group_of:
            over = parents.get(over)
        if over is not None:
            low, high = sorted((first(number), first(group_of[over])))
            same[high] = low
    found: dict[int, Character] = {}
    for number, skin in enumerate(skins):
        nodes, own = found.setdefault(first(number), ([], []))
        known = set(nodes)
        nodes += dict.fromkeys(node for node in skin["joints"] if node not in known)
        own.append(skin)
    return [group for group in found.values() if group[0]]


def _animated(reader: GltfReader, parents: dict[int, int]) -> list[Character]:
    """Return the nodes that animations turn or move, a group for each tree; morph targets are no joints."""
    trees: dict[int, dict[int, None]] = {}
    for item in reader.items("animations"):
        for channel in item["channels"]:
            node = channel["target"].get("node")
            if node is None or channel["target"].get("path") not in ("rotation", "translation", "scale"):
                continue
            reader.item("nodes", node)
            top = node
            while top in parents:
                top = parents[top]
            trees.setdefault(top, {})[node] = None
    return [(sorted(nodes), []) for nodes in trees.values()]


def _is_humanoid(reader: GltfReader, parents: dict[int, int], joints: list[int]) -> bool:
    """Return whether the names of joints and the tree between them are a body's."""
    nodes = reader.items("nodes")
    inside = set(joints)
    for node in (
        joints
    ):  # what lies between two joints is one, too; so are their ancestors, of which the legs need one
        while (node := parents.get(node, -1)) >= 0 and node not in inside:
            inside.add(node)
    order: list[int] = []
    place: dict[int, int] = {}
    waiting = [node for node in inside if parents.get(node) not in inside]
    while waiting:
        node = waiting.pop()
        place[node] = len(order)
        order.append(node)
        waiting += [child for child in nodes[node].get("children", []) if child in inside]
    names = tuple(str(nodes[node].get("name") or f"node{node}") for node in order)
    return match(names, tuple(place.get(parents.get(node, -1), -1) for node in order)).is_humanoid


def vrm_roles(document: dict[str, Any], names: dict[int, str]) -> tuple[tuple[str, str], ...] | None:
    """Return SMPL's joints and their names as a VRM says, for the nodes in `names`; None for a file that is no VRM."""
    extensions = document.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    if "VRMC_vrm" in extensions:  # 1.0
        bones = {
            bone: item.get("node") for bone, item in extensions["VRMC_vrm"]["humanoid"]["humanBones"].items()
        }
    elif "VRM" in extensions:  # 0.x
        bones = {item.get("bone"): item.get("node") for item in extensions["VRM"]["humanoid"]["humanBones"]}
    else:
        return None
    parts = dict(_VRM)
    if "upperChest" not in bones:  # the last of the spine is SMPL's spine3
        parts |= {"chest": "spine3"} if "chest" in bones else {"spine": "spine3"}
    roles = {}
    for bone, node in bones.items():
        side = next((side for side in ("left", "right") if str(bone).startswith(side)), "")
        part = parts.get(str(bone).removeprefix(side))
        if part is not None and node in names:
            roles[f"{side}_{part}" if side else part] = names[node]
    return tuple(roles.items()) or None
