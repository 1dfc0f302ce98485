"""Which joints of a rig play the parts of a body: names propose, the tree decides.

A limb is the chain of joints whose names fit its parts best, in their order from the body outwards. The pelvis is the
joint at which both legs meet, the chest that at which the arms do, and what is between them is the spine, whatever
its names. rigs.json has the names; bridge/web/src/figures/bones.ts does the same.

Of the standard library alone, and with a relative import: the Blender add-on carries this file.
"""

from collections.abc import Iterator, Sequence

from .rig_names import JointName, read_names, table

_SURE = 3.0
"""Weight of a name that stands for one joint alone."""


def find_roles(names: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, tuple[int, float]]:
    """Return SMPL joint name -> (joint, how sure that is) for the joints of a tree that play its parts.

    Args:
        names: of the joints.
        parents: index of each joint's parent, which comes before it; -1 for a root.
    """
    rig = _Rig(names, parents)
    found: dict[str, tuple[int, float]] = {}
    for side in ("left", "right"):
        for roles in table()["limbs"].values():
            found |= {f"{side}_{role}": pair for role, pair in rig.limb(side, roles).items()}
    return found | rig.trunk(found)


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
