"""Characters: the user's own figure, as its file shows it, ready to be moved."""

from dataclasses import dataclass, replace
from pathlib import Path

from motiongen.humanoid import humanoid_map, read_roles
from motiongen.io import format_of, load, readable
from motiongen.io.gltf_mesh import foot_depths, read_character
from motiongen.io.options import note, notes_kept
from motiongen.motion import Motion
from motiongen.retargeting.body import Body
from motiongen.retargeting.t_pose import find_t_pose, upright
from motiongen.skeleton import Skeleton
from motiongen.skinned_mesh import SkinnedMesh

FIGURES = (".glb", ".gltf", ".vrm")
"""Extensions of files whose figure a GLB keeps as it is; an .fbx shows its mesh, all others have a skeleton alone."""


@dataclass(frozen=True, eq=False)
class Character:
    """A figure that motion is put on.

    Attributes:
        path: its file.
        body: its skeleton, the parts of its joints, its T-pose and its soles.
        mesh: what it looks like; None where the file has a skeleton alone.
    """

    path: Path
    body: Body
    mesh: SkinnedMesh | None = None

    @classmethod
    def load(cls, path: str | Path, *, mapping: Path | None = None) -> "Character":
        """Return the character in a file.

        Args:
            path: a .glb, .gltf, .vrm or .fbx, animated or not; or any file of motion, whose skeleton is taken.
            mapping: JSON file of the joints that play SMPL's parts, {"left_hip": "thigh_l", …}; null takes one out.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: an unknown extension, a broken file, or no humanoid.
        """
        path = Path(path)
        if path.suffix.lower() in FIGURES:
            if not path.is_file():
                raise FileNotFoundError(f"{path}: expected a character, got no such file; check the path")
            skeleton, mesh = read_character(path)
            motion = None
        elif path.suffix.lower() == ".fbx":
            skeleton, mesh = _fbx_character(path)
            motion = None
        elif path.suffix.lower() in readable():
            motion = _loaded(path)
            skeleton, mesh = motion.skeleton, None
        else:
            known = " ".join(dict.fromkeys((*FIGURES, *readable())))
            raise ValueError(
                f"{path}: expected a character in one of {known}, got {path.suffix or 'no extension'!r}"
            )
        if mapping is not None:
            told = dict(skeleton.roles or ()) | dict(read_roles(mapping, skeleton))
            skeleton = replace(skeleton, roles=tuple(told.items()))
        try:
            return cls(path, _body(skeleton, mesh, motion), mesh)
        except ValueError as error:
            raise ValueError(f"{path}: {error}".replace("--mapping", "--character-mapping")) from None

    @property
    def skeleton(self) -> Skeleton:
        """The joints."""
        return self.body.skeleton

    @property
    def is_figure(self) -> bool:
        """Whether the file shows a figure that a GLB can keep."""
        return self.path.suffix.lower() in FIGURES

    def save(self, motion: Motion, path: str | Path) -> None:
        """Write a motion that is on the character to a file, with the character's looks where the format keeps them.

        Args:
            motion: of the character's skeleton.
            path: a file to make or replace; its extension names the format.
        """
        spec = format_of(path)
        if self.is_figure and spec.takes_character:
            motion.save(path, character=self.path)
        else:
            motion.save(path, mesh=self.mesh if spec.takes_mesh else None)


def _fbx_character(path: Path) -> tuple[Skeleton, SkinnedMesh | None]:
    """Return skeleton and mesh of an FBX file, which need not be animated."""
    from motiongen.io.fbx import read_character

    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a character, got no such file; check the path")
    format_of(path).check_reads(path)
    return read_character(path)


def _loaded(path: Path) -> Motion:
    """Return the motion in a file; what was guessed is told without the options, which are those of the clip."""
    with notes_kept() as notes:
        motion = load(path)
    for words in notes:
        note(path, words.partition("; --")[0])
    return motion


def _body(skeleton: Skeleton, mesh: SkinnedMesh | None, motion: Motion | None) -> Body:
    roles = humanoid_map(skeleton)
    t_pose = find_t_pose(skeleton, roles, motion)
    depths = None
    if mesh is not None and {"left_ankle", "right_ankle"} <= roles.keys():
        ankles = skeleton.index(roles["left_ankle"]), skeleton.index(roles["right_ankle"])
        depths = foot_depths(mesh, skeleton, ankles, upright(skeleton.rest_positions, skeleton, roles))
    return Body(skeleton, roles, t_pose, depths)
