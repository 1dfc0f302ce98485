"""A raw websocket client and raw HTTP requests, for tests of the server."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from itertools import count

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from motiongen_bridge.frames import HEADER


class Client:
    """A raw websocket; frames that come while an answer is waited for are kept."""

    def __init__(self, socket):
        self.socket, self.frames, self.events, self._ids = socket, [], [], count(1)

    async def hear(self):
        """Take in one message; return it where it is an answer."""
        data = await self.socket.recv()
        if isinstance(data, bytes):
            self.frames.append((*HEADER.unpack_from(data), data[HEADER.size :]))
            return None
        message = json.loads(data)
        if message["type"] == "event":
            self.events.append(message)
            return None
        return message

    async def send(self, data):
        """Send anything, and return the answer that comes next."""
        await self.socket.send(data)
        while (answer := await self.hear()) is None:
            pass
        return answer

    async def ask(self, kind, **content):
        """Send a message with an id, and return its answer."""
        return await self.send(json.dumps({"type": kind, "id": next(self._ids), **content}))

    async def watch(self, frames):
        """Return so many frames more: (kind, format, flags, contacts, character, joints, seq, obeys, time, body)."""
        before = len(self.frames)
        while len(self.frames) < before + frames:
            await self.hear()
        return self.frames[before:]

    async def closed(self):
        """Read on until the end; return its code and reason."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def client(server, query="", **options):
    url = f"ws://127.0.0.1:{server.port}/ws{query}"
    async with connect(url, compression=None, close_timeout=0.2, **options) as socket:
        one = Client(socket)
        one.hello = await one.hear()
        yield one


async def get(server, path, method="GET", **headers):
    """Return the status, head and body of a raw GET or another request, whatever the path."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = {"Host": f"127.0.0.1:{server.port}"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), head.decode("latin-1"), body


def seqs(frames):
    return [frame[6] for frame in frames]


async def eventually(claim):
    while not claim():
        await asyncio.sleep(0.01)


async def silent_sockets(server, number):
    return [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(number)]
