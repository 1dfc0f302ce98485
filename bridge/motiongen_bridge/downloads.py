"""Files of what characters have just done, `/motion/KEY.EXTENSION`, and of the server's avatars, `/avatars/NAME`."""

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from websockets.http11 import Response

from motiongen.io import FORMATS
from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.stream import to_motion
from motiongen_bridge.avatars import AVATARS, Avatar
from motiongen_bridge.pages import respond
from motiongen_bridge.subscription import LiveCharacter

log = logging.getLogger(__name__)

PREFIX = "/motion/"
MEDIA_TYPES = {
    ".glb": "model/gltf-binary",
    ".vrm": "model/gltf-binary",
    ".vrma": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".bvh": "text/plain; charset=utf-8",
}
MAX_WAITING = 8
"""Files that are asked for at once; one is written at a time, since frames are more urgent."""


class Downloads:
    """Writes the last half minute of a character as a file. Who knows a character's key may have it."""

    def __init__(
        self, characters: Mapping[str, LiveCharacter], licence: str, avatars: Mapping[str, Avatar]
    ) -> None:
        """Make a writer.

        Args:
            characters: key -> living character.
            licence: of the weights, which goes into the files.
            avatars: name -> avatar that motion may be put on.
        """
        self._characters, self._licence, self._avatars = characters, licence, avatars
        self._turn, self._waiting = asyncio.Lock(), 0

    async def answer(self, path: str, query: str) -> Response:
        """Return the response to a request for a file.

        Args:
            path: of the request; it begins with PREFIX or AVATARS.
            query: of the request; `avatar=NAME` puts the motion on an avatar.
        """
        if path.startswith(AVATARS):
            return await self._figure(path)
        name = parse_qs(query).get("avatar", [""])[0]
        avatar = self._avatars.get(name)
        if name and avatar is None:
            text = f"Expected an avatar of {', '.join(self._avatars) or 'a server that has some'}.\n"
            return respond(HTTPStatus.NOT_FOUND, text.encode())
        key, _, ending = path.removeprefix(PREFIX).partition(".")
        live, extension = self._characters.get(key), f".{ending}"
        writers = [spec.write for spec in FORMATS.values() if extension in spec.extensions and spec.write]
        frames = [] if live is None else list(live.character.recent)
        if not writers or not frames:
            known = " ".join(name for spec in FORMATS.values() if spec.write for name in spec.extensions)
            text = f"Expected {PREFIX}KEY with one of {known}, and the key of a living character.\n"
            return respond(HTTPStatus.NOT_FOUND, text.encode())
        if self._waiting >= MAX_WAITING:
            return respond(HTTPStatus.SERVICE_UNAVAILABLE, b"Too many files at once; try again later.\n")
        self._waiting += 1
        try:
            async with self._turn:
                body = await asyncio.to_thread(self._write, frames, extension, avatar)
        finally:
            self._waiting -= 1
        kind = MEDIA_TYPES.get(extension, "application/octet-stream")
        headers = {
            "Content-Disposition": f'attachment; filename="motiongen{extension}"',
            "Cache-Control": "no-store",
        }
        return respond(HTTPStatus.OK, body, kind, headers)

    async def _figure(self, path: str) -> Response:
        """Return the file of an avatar that is a figure."""
        for avatar in self._avatars.values():
            if avatar.file == path:
                body = await asyncio.to_thread(avatar.figure)
                return respond(HTTPStatus.OK, body, MEDIA_TYPES[".glb"], {"Cache-Control": "no-cache"})
        return respond(HTTPStatus.NOT_FOUND, b"Expected a file that hello.avatars names.\n")

    def _write(self, frames: list[StreamFrame], extension: str, avatar: Avatar | None) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"motiongen{extension}"
            motion = to_motion(frames).licensed(self._licence)
            if avatar is None:
                motion.save(path)
            else:
                avatar.character.save(motion.retarget(avatar.character), path)
            return path.read_bytes()
