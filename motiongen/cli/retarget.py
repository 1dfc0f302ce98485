"""``motiongen retarget CLIP AVATAR -o OUT``: put a clip on the user's own character."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import arguments
from motiongen.cli.figure import CharacterOptions
from motiongen.cli.reading import AS_IT_IS, FileOptions


@dataclass(frozen=True, kw_only=True)
class RetargetConfig:
    """Put a clip on your own character: bone lengths are the character's, and feet that stand stay where they stand.

    Read: {inputs}; a character may be a .vrm, too.

    The extension of an output says its format: {outputs}. A .glb keeps the character's meshes, materials and textures.
    """

    clip: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CLIP")]
    """Clip to put on it; a humanoid moves in it."""
    character: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="AVATAR")]
    """Your character: .glb, .gltf, .vrm, .fbx, or a skeleton in a file of motion."""
    output: arguments.Outputs = ()
    """File to write; may be given several times."""
    character_mapping: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: by names and tree)")
    ] = None
    """JSON file of the character's joints that play SMPL's: {"left_hip": "thigh_l", …}; null takes one out."""
    keep_hands: bool = False
    """Let hands that are near each other or near the body keep their distance."""
    plant_feet: bool = True
    """Hold feet that stand, on a floor at height 0; without, rotations alone are copied."""
    size: arguments.Size = None
    """Width and height of videos and images, pixels."""
    reading: FileOptions = AS_IT_IS

    def __post_init__(self) -> None:
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Retarget one clip."""
    config = arguments.parse(RetargetConfig, argv, "retarget")
    arguments.check_inputs(config.clip)
    arguments.check_outputs(config.output, arguments.known_outputs(), config.character)
    character = CharacterOptions(
        character=config.character, character_mapping=config.character_mapping
    ).load()
    assert character is not None
    from motiongen.motion import Motion

    motion = Motion.load(config.clip, config.reading)
    motion = motion.retarget(character, plant_feet=config.plant_feet, keep_hands=config.keep_hands)
    for path in config.output:
        arguments.write(motion, path, None, config.size, None, character=character)
    arguments.report(config.output, motion.licence)
