"""Avatars: characters of the server's own that frames are put on, for the clients that ask for one (PROTOCOL.md).

A frame costs nearly as much for one character as for a hundred, so that all are done together: whoever's turn comes
first has everybody's next frame prepared. A command may replace a frame that was prepared and not sent yet; it is then
done again, from the state before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import numpy as np

from motiongen.io.gltf_write import rigged
from motiongen.retargeting import Character, Retargeter
from motiongen.retargeting.planting import PlantingState
from motiongen.skeleton import Skeleton
from motiongen.streaming.character import RECENT_FRAMES
from motiongen.streaming.frame_ring import FrameRing, StreamFrame

AVATARS = "/avatars/"
"""Path of the files of avatars."""
WHOLE_FILES = (".glb", ".vrm")
"""Extensions of figures that are one file, which a page can show."""


class Pose(Protocol):
    """A frame on the scheduler's skeleton, taken or not."""

    @property
    def rotations(self) -> np.ndarray:
        """Local rotations (J, 4), xyzw."""
        ...

    @property
    def root(self) -> np.ndarray:
        """Position (3,) of the first joint, metres."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame on an avatar that may still be replaced.

    Attributes:
        of: the rotations that it was made of, by which it is known.
        rotations: (J', 4) float32, local, xyzw.
        root: (3,) float32, metres.
        after: state of retargeting behind it.
    """

    of: np.ndarray
    rotations: np.ndarray
    root: np.ndarray
    after: PlantingState


class Avatar:
    """A character that frames are put on.

    Attributes:
        name: by which clients ask for it.
        character: the character.
        joints: numbers of those of its joints that frames carry: all that turn, and those above them.
    """

    def __init__(self, name: str, character: Character, source: Skeleton, fps: float) -> None:
        """Prepare the retargeting.

        Args:
            name: by which clients ask for it.
            character: the character.
            source: skeleton of the scheduler's frames, on a floor at y = 0.
            fps: frames a second.

        Raises:
            ValueError: the character is no humanoid.
        """
        self.name, self.character = name, character
        self._retargeter = Retargeter(source, character, fps=fps)
        self.joints = _with_parents(character.skeleton, self._retargeter.joints)

    @property
    def file(self) -> str | None:
        """Path of its file on the server, for pages; None where there is no figure that is one file."""
        suffix = self.character.path.suffix.lower()
        if not self.character.is_figure and self.character.mesh is not None:
            suffix = ".glb"  # of its mesh
        return AVATARS + quote(self.name) + suffix if suffix in WHOLE_FILES else None

    def figure(self) -> bytes:
        """Return the bytes of the file at `file`: its own, or a GLB of the mesh of a file that pages do not read."""
        character = self.character
        if character.is_figure or character.mesh is None:
            return character.path.read_bytes()
        return rigged(character.skeleton, character.mesh).to_bytes()

    @property
    def entry(self) -> dict[str, Any]:
        """Its entry in the protocol's hello."""
        return {"name": self.name, "file": self.file}

    @property
    def about(self) -> dict[str, Any]:
        """What clients are told of it when they get its frames: skeleton and parts."""
        whole, joints = self.character.skeleton, self.joints
        place = {joint: number for number, joint in enumerate(joints)}
        names = [whole.names[joint] for joint in joints]
        return {
            **self.entry,
            "skeleton": {
                "names": names,
                "parents": [place.get(whole.parents[joint], -1) for joint in joints],
                "offsets": [[round(x, 6) for x in whole.offsets[joint].tolist()] for joint in joints],
                "rest": [[round(x, 6) for x in whole.rest_rotations[joint].tolist()] for joint in joints],
                "root": names[0],
            },
            "parts": {part: joint for part, joint in self.character.body.mapping.items() if joint in names},
        }

    def init_state(self) -> PlantingState:
        """Return the state of one character before its first frame."""
        return self._retargeter.init_state()

    def prepare(self, waiting: "Sequence[tuple[AvatarStream, Pose]]") -> None:
        """Prepare the next frame of several characters at once.

        Args:
            waiting: their streams on this avatar, and the poses that come next.
        """
        state = PlantingState.joined([stream.state for stream, _ in waiting])
        rotations, root = self._retargeter.step(
            np.stack([pose.rotations for _, pose in waiting])[:, None],
            np.stack([pose.root for _, pose in waiting])[:, None],
            state,
        )
        turned = rotations[:, 0, self.joints]
        for n, ((stream, pose), after) in enumerate(zip(waiting, state.split(), strict=True)):
            stream.prepared = PreparedFrame(pose.rotations, turned[n], root[n, 0], after)


class AvatarStream:
    """The frames of one character on an avatar.

    Attributes:
        avatar: the avatar.
        recent: the last frames, as many as of the character itself.
        state: state of retargeting behind the last of them.
        prepared: the next frame, if no command replaces it; None while it is not made.
    """

    def __init__(self, avatar: Avatar) -> None:
        """Begin with the character's next frame.

        Args:
            avatar: the avatar.
        """
        self.avatar = avatar
        self.recent = FrameRing(RECENT_FRAMES, len(avatar.joints))
        self.state = avatar.init_state()
        self.prepared: PreparedFrame | None = None

    def is_prepared_for(self, frame: StreamFrame) -> bool:
        """Return whether a frame was prepared, and not replaced since."""
        return self.prepared is not None and self.prepared.of is frame.rotations

    def append(self, frame: StreamFrame) -> None:
        """Add a frame that was taken.

        Args:
            frame: of the character, prepared.
        """
        assert self.prepared is not None and self.prepared.of is frame.rotations, "prepare it first"
        moved, self.prepared = self.prepared, None
        self.state = moved.after
        self.recent.append(StreamFrame(frame.seq, moved.rotations, moved.root, frame.contacts, frame.obeys))


def _with_parents(skeleton: Skeleton, joints: Sequence[int]) -> list[int]:
    """Return joints and all joints above them, a parent before its children."""
    found = set(joints)
    for joint in joints:
        while (joint := skeleton.parents[joint]) >= 0:
            found.add(joint)
    return sorted(found)
