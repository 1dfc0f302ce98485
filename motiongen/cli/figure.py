"""Options of the commands that write motion: the user's own character, on which it is put."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments

if TYPE_CHECKING:
    from motiongen.motion import Motion
    from motiongen.retargeting import Character


@dataclass(frozen=True, kw_only=True)
class CharacterOptions:
    """The character that moves."""

    character: Annotated[
        Path | None, tyro.conf.arg(metavar="AVATAR", help_behavior_hint="(default: the shipped body)")
    ] = None
    """Your own character: .glb, .gltf, .vrm, .fbx, or a skeleton in a file of motion. A .glb keeps its looks;
    of an .fbx it has mesh, colours and pictures."""
    character_mapping: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: by names and tree)")
    ] = None
    """JSON file of the character's joints that play SMPL's: {"left_hip": "thigh_l", …}; null takes one out."""
    keep_hands: bool = False
    """Let hands that are near each other or near the body keep their distance on the character."""

    def __post_init__(self) -> None:
        if self.character is None and (self.character_mapping is not None or self.keep_hands):
            raise UsageError("character-mapping, keep-hands: expected --character AVATAR with them, got none")

    def load(self, body: Path | None = None) -> "Character | None":
        """Return the character, or None where none is given.

        Args:
            body: what `--body` says, which cannot be given beside a character.

        Raises:
            UsageError: no such file, or two bodies.
            ValueError: the file is broken, or shows no humanoid.
        """
        arguments.check_inputs(self.character, self.character_mapping)
        if self.character is None:
            return None
        if body is not None:
            raise UsageError("character: expected one body, got --body and --character; leave one out")
        from motiongen.retargeting import Character

        return Character.load(self.character, mapping=self.character_mapping)

    def moved(self, motion: "Motion", character: "Character | None") -> "Motion":
        """Return a motion on the character; as it is where there is none."""
        return motion if character is None else motion.retarget(character, keep_hands=self.keep_hands)


NOBODY = CharacterOptions()
"""No character: motion stays on its own skeleton."""
