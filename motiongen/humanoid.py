"""A map from SMPL's 22 joints to those of any humanoid skeleton: names propose, the tree decides.

A limb is the chain of joints whose names fit its parts best, in their order from the body outwards. The pelvis is the
joint at which both legs meet, the chest that at which the arms do, and what is between them is the spine, whatever
its names. rigs.json has the names; bridge/web/src/figures/bones.ts does the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from motiongen.files import read_json
from motiongen.registry import suggest
from motiongen.rig_names import JointName, read_names, table
from motiongen.skeleton import SMPL22, Skeleton

NEEDED = (
    "pelvis",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")),
)
"""Joints without which a skeleton is no humanoid."""
_SURE = 3.0
"""Weight of a name that stands for one joint alone."""


@dataclass(frozen=True)
class HumanoidMatch:
    """The joints of a skeleton that play the parts of SMPL's.

    Attributes:
        roles: SMPL joint name -> the skeleton's, in SMPL's order; parts that it lacks are left out.
        left_out: joints of the skeleton that play no part.
        confidence: 0 to 1, the mean over SMPL's 22 joints: 1 where a name that has one meaning was found, 0.9 and
            0.8 where the tree alone told which of two or where there was no known name, 0 for a missing one.
    """

    roles: dict[str, str]
    left_out: tuple[str, ...]
    confidence: float

    @property
    def missing(self) -> tuple[str, ...]:
        """SMPL's joints that the skeleton lacks."""
        return tuple(name for name in SMPL22.names if name not in self.roles)

    @property
    def is_humanoid(self) -> bool:
        """Whether all that makes a humanoid was found."""
        return all(name in self.roles for name in NEEDED)


def humanoid_map(skeleton: Skeleton) -> dict[str, str]:
    """Return SMPL joint name -> name in `skeleton` for every joint that is recognised, or that its `roles` give.

    Raises:
        ValueError: hips, knees, shoulders or elbows are not recognised: the skeleton is no known humanoid.
    """
    if skeleton.roles is None and set(SMPL22.names) <= set(skeleton.names):
        return {name: name for name in SMPL22.names}
    found = humanoid_match(skeleton)
    if not found.is_humanoid:
        missing = [name for name in NEEDED if name not in found.roles]
        raise ValueError(
            f"skeleton: expected a humanoid, found no joint for {', '.join(missing)} among "
            f'{", ".join(skeleton.names[:8])}…; name them in a JSON file, {{"left_hip": "joint", …}}, and give it '
            "as --mapping FILE (in Python mapping=)"
        )
    return dict(found.roles)


def humanoid_match(skeleton: Skeleton) -> HumanoidMatch:
    """Return which joints of a skeleton play the parts of SMPL's 22, how sure that is, and what was left out."""
    found = match(skeleton.names, skeleton.parents)
    if skeleton.roles is None:
        return found
    told = {name: joint for name, joint in skeleton.roles if joint}
    dropped = {name for name, joint in skeleton.roles if not joint}
    kept = {
        n: j for n, j in found.roles.items() if n not in dropped and n not in told and j not in told.values()
    }
    kept |= told
    sure = found.confidence + sum(1 / len(SMPL22.names) for name in told if name not in found.roles)
    roles = {name: kept[name] for name in SMPL22.names if name in kept}
    left_out = tuple(name for name in skeleton.names if name not in roles.values())
    return HumanoidMatch(roles, left_out, min(1.0, sure))


def read_roles(path: str | Path, skeleton: Skeleton) -> tuple[tuple[str, str], ...]:
    """Return the roles in a JSON file, {SMPL joint name: joint name or null}, checked; null takes a joint out.

    Raises:
        ValueError: no JSON object, or a name that is no joint of SMPL's or of the skeleton; the nearest is named.
    """
    told = read_json(path, "a JSON object of SMPL's joints and the skeleton's")
    for role, joint in told.items():
        if role not in SMPL22.names:
            hint = suggest(role, SMPL22.names) or ", ".join(SMPL22.names)
            raise ValueError(f"{path}: expected joints of SMPL-22, got {role!r}; did you mean {hint}?")
        if joint is not None and joint not in skeleton.names:
            hint = suggest(str(joint), skeleton.names) or ", ".join(skeleton.names[:30])
            raise ValueError(
                f"{path}: {role}: expected a joint of the clip, got {joint!r}; did you mean {hint}?"
            )
    return tuple((role, joint or "") for role, joint in told.items())


def stands_along_z(skeleton: Skeleton) -> bool:
    """Return whether a skeleton is a humanoid that stands along z in its rest pose, as in a z-up world."""
    try:
        found = humanoid_map(skeleton)
    except ValueError:
        return False
    rest = {name: skeleton.rest_positions[skeleton.index(joint)] for name, joint in found.items()}
    up = rest["left_shoulder"] + rest["right_shoulder"] - rest["left_hip"] - rest["right_hip"]
    legs = rest["left_hip"] + rest["right_hip"] - rest["left_knee"] - rest["right_knee"]
    return all(float(part[2]) > 0.85 * float(part.norm()) for part in (up, legs))


@lru_cache(maxsize=256)
def match(names: tuple[str, ...], parents: tuple[int, ...]) -> HumanoidMatch:
    """Return which joints of a tree play the parts of SMPL's 22.

    Args:
        names: of the joints.
        parents: index of each joint's parent, which comes before it; -1 for a root.
    """
    rig = _Rig(names, parents)
    found: dict[str, tuple[int, float]] = {}  # role -> joint, how sure
    for side in ("left", "right"):
        for roles in table()["limbs"].values():
            found |= {f"{side}_{role}": pair for role, pair in rig.limb(side, roles).items()}
    found |= rig.trunk(found)
    joints = {role: names[joint] for role, (joint, _) in found.items()}
    return HumanoidMatch(
        roles={role: joints[role] for role in SMPL22.names if role in joints},
        left_out=tuple(name for name in names if name not in joints.values()),
        confidence=round(sum(sure for _, sure in found.values()) / len(SMPL22.names), 3),
    )


class _Rig:
    """The tree of a rig, and what its names say."""

    def __init__(self, names: tuple[str, ...], parents: tuple[int, ...]) -> None:
        self.parents = parents
        self.said, self.has_axes = read_names(names)

    def limb(self, side: str, roles: dict[str, dict[str, float]]) -> dict[str, tuple[int, float]]:
        """Return role -> (joint, how sure) of the chain of joints that fits best, from the body outwards.

        The best sum of weights over all chains in which roles follow each other outwards, each word once; of equals
        the first, nearest to the body, for what follows in a limb of segments only continues it. A robot has a joint
        for each axis, of which the last carries the whole rotation.
        """
        order = list(roles)
        best: dict[
            tuple[int, int], tuple[float, tuple[tuple[int, int], ...]]
        ] = {}  # (joint, role) -> sum, chain
        top: tuple[float, tuple[tuple[int, int], ...]] = (0.0, ())
        for joint, said in enumerate(self.said):
            if said.side != side or said.is_helper:
                continue
            for place, role in enumerate(order):
                weight = roles[role].get(said.word)
                if weight is None:
                    continue
                before: tuple[float, tuple[tuple[int, int], ...]] = (0.0, ())
                for above in self._above(joint):
                    for earlier in range(place):
                        option = best.get((above, earlier))
                        if (
                            option
                            and self.said[above].word != said.word
                            and self._beats(option[0], before[0])
                        ):
                            before = option
                best[joint, place] = (before[0] + weight, (*before[1], (joint, place)))
                if self._beats(best[joint, place][0], top[0]):
                    top = best[joint, place]
        found = {
            order[place]: (joint, 1.0 if roles[order[place]][self.said[joint].word] >= _SURE else 0.9)
            for joint, place in top[1]
        }
        return found | self._apart(side, roles, found)

    def _apart(
        self, side: str, roles: dict[str, dict[str, float]], found: dict[str, tuple[int, float]]
    ) -> dict[str, tuple[int, float]]:
        """Return ankles and wrists outside the chain: feet hang from the root in rigs for inverse kinematics."""
        taken = {joint for joint, _ in found.values()}
        apart = {}
        for role in {"ankle", "wrist"} & (roles.keys() - found.keys()) if found else ():
            words = roles[role]
            for joint, said in enumerate(self.said):
                if (
                    said.side == side
                    and not said.is_helper
                    and joint not in taken
                    and words.get(said.word, 0) >= _SURE
                ):
                    apart[role] = (joint, 0.8)
                    break
        return apart

    def _beats(self, one: float, other: float) -> bool:
        return one >= other > 0 or one > other if self.has_axes else one > other

    def trunk(self, limbs: dict[str, tuple[int, float]]) -> dict[str, tuple[int, float]]:
        """Return role -> (joint, how sure) of pelvis, spine, neck and head, given the limbs."""
        if not {"left_hip", "right_hip"} <= limbs.keys():
            return {}
        pelvis = self._meet(limbs["left_hip"][0], limbs["right_hip"][0])
        if pelvis is None:
            return {}
        above = self.parents[pelvis]
        if self._said(pelvis, "spine") and above >= 0 and self._said(above, "pelvis"):
            pelvis = above  # thighs on the first bone of the spine, as in an old Biped
        found = {"pelvis": (pelvis, 1.0 if self._said(pelvis, "pelvis") else 0.8)}
        tops = [limbs.get(f"{side}_collar") or limbs.get(f"{side}_shoulder") for side in ("left", "right")]
        if tops[0] is None or tops[1] is None:
            return found
        chest = self._meet(tops[0][0], tops[1][0])
        if chest is not None and self._said(chest, "neck"):  # collars on the neck, as in a Biped
            chest = self.parents[chest]
        if chest is None or chest < 0:
            return found
        start = self._meet(pelvis, chest, inclusive=True)
        spine = [joint for joint in self._between(start, chest) if not self.said[joint].is_helper]
        spine = spine[:-1] if spine and spine[-1] == pelvis else spine
        picks = {1: ("spine3",), 2: ("spine1", "spine3")}.get(len(spine), ("spine1", "spine2", "spine3"))
        places = {1: [0], 2: [0, 1]}.get(len(spine), [0, len(spine) // 2, len(spine) - 1]) if spine else []
        for role, place in zip(picks, places, strict=False):
            found[role] = (spine[place], 1.0 if self._said(spine[place], "spine") else 0.8)
        return found | self._neck(chest)

    def _neck(self, chest: int) -> dict[str, tuple[int, float]]:
        """Return neck and head over the chest, by their names, else as the chain that goes on as the spine does."""
        middle = [
            joint
            for joint in range(chest + 1, len(self.said))
            if not self.said[joint].side and not self.said[joint].is_helper and chest in self._above(joint)
        ]
        head = next((joint for joint in middle if self._said(joint, "head")), None)
        if head is not None:
            neck = next((j for j in self._between(chest, head)[:-1] if not self.said[j].is_helper), None)
            if neck is None:
                neck = next((joint for joint in middle if self._said(joint, "neck")), None)
            sure = 0.0 if neck is None else 1.0 if self._said(neck, "neck") else 0.8
            return {"head": (head, 1.0)} | ({} if neck is None else {"neck": (neck, sure)})
        chain = [joint for joint in middle if self._said(joint, "neck")]
        if not chain:
            chain = [joint for joint in middle if self.said[joint].word == self.said[chest].word]
        if not chain:
            return {}
        found = {"neck": (chain[0], 0.8)}
        return found | ({"head": (chain[-1], 0.8)} if len(chain) > 1 else {})

    def _said(self, joint: int, kind: str) -> bool:
        said: JointName = self.said[joint]
        return not said.side and said.word in table()[kind]

    def _above(self, joint: int) -> Iterator[int]:
        """Yield the ancestors of a joint, from the root down."""
        line = []
        while (joint := self.parents[joint]) >= 0:
            line.append(joint)
        return reversed(line)

    def _between(self, start: int | None, end: int) -> list[int]:
        """Return the joints below `start` on the way to `end`, which is the last."""
        line = [*self._above(end), end]
        return line[line.index(start) + 1 :] if start in line else []

    def _meet(self, one: int, other: int, *, inclusive: bool = False) -> int | None:
        """Return the lowest common ancestor of two joints."""
        line: Sequence[int] = [*self._above(one), *([one] if inclusive else [])]
        other_line = {*self._above(other), *([other] if inclusive else [])}
        return next((joint for joint in reversed(line) if joint in other_line), None)
