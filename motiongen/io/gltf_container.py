"""The container of glTF 2.0: GLB and .gltf bytes to JSON and arrays, and back."""

import base64
import binascii
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongen import limits
from motiongen.files import beside

GLB_MAGIC, GLB_VERSION = 0x46546C67, 2
JSON_CHUNK, BIN_CHUNK = 0x4E4F534A, 0x004E4942
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class GltfReader:
    """The JSON of a glTF file and its accessors as arrays.

    Args:
        path: a .glb, or a .gltf with its buffers embedded or beside it.

    Raises:
        ValueError: the file is not glTF 2.0, is cut short or contradicts itself; one line that says where.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        limits.check_file_size(self.path)
        data = self.path.read_bytes()
        self._embedded: bytes | None = None
        text = self._open_glb(data) if data[:4] == b"glTF" else data
        try:
            self.json: dict[str, Any] = json.loads(text)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise self.broken("JSON", f"{type(error).__name__} at byte {getattr(error, 'pos', 0)}") from None
        if not isinstance(self.json, dict) or not isinstance(self.json.get("asset"), dict):
            raise self.broken("an object with 'asset'", "something else")
        if not str(self.json["asset"].get("version", "")).startswith("2."):
            raise self.broken("version 2.x", repr(self.json["asset"].get("version")))
        self._buffers: dict[int, bytes] = {}
        self._lists: dict[str, list[dict[str, Any]]] = {}

    def broken(self, expected: str, got: str) -> ValueError:
        """Return the error for a broken file."""
        return ValueError(f"{self.path}: expected {expected}, got {got}; export the file again as glTF 2.0")

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return one of the top-level lists, such as `nodes`; empty when the file has none."""
        if kind not in self._lists:
            found = self.json.get(kind, [])
            if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
                raise self.broken(f"a list of objects {kind!r}", "something else")
            self._lists[kind] = found
        return self._lists[kind]

    def item(self, kind: str, index: Any) -> dict[str, Any]:
        """Return one entry of a top-level list, its index checked."""
        found = self.items(kind)
        if type(index) is not int or not 0 <= index < len(found):
            raise self.broken(f"an index into {len(found)} {kind}", repr(index))
        return found[index]

    def accessor(self, index: Any) -> NDArray[Any]:
        """Return an accessor's elements (count, width): float32, normalised integers as float32, or integers."""
        accessor = self.item("accessors", index)
        try:
            dtype = np.dtype(COMPONENTS[accessor["componentType"]])
            width, count = WIDTHS[accessor["type"]], int(accessor["count"])
        except (KeyError, TypeError, ValueError):
            raise self.broken(f"accessor {index} of a known type", "another") from None
        if "bufferView" in accessor:
            offset = int(accessor.get("byteOffset", 0))
            values = self._view(f"accessor {index}", accessor["bufferView"], offset, dtype, count, width)
        elif extensions := accessor.get("extensions"):
            raise self._compressed(f"accessor {index}", extensions)
        else:  # zeros, as the format has it
            limits.check_expanded(max(0, count) * width * dtype.itemsize, self.path.stat().st_size)
            values = np.zeros((max(0, count), width), dtype)
        if sparse := accessor.get("sparse"):
            self._replace(f"accessor {index}", values, sparse)
        if accessor.get("normalized") and dtype.kind in "iu":
            return np.maximum(values.astype(np.float32) / np.iinfo(dtype).max, -1.0).astype(np.float32)
        return values

    def _view(
        self, what: str, index: Any, offset: int, dtype: "np.dtype[Any]", count: int, width: int
    ) -> NDArray[Any]:
        """Return elements (count, width) that begin at a byte of a buffer view."""
        view = self.item("bufferViews", index)
        if extensions := view.get("extensions"):
            raise self._compressed(what, extensions)
        start = int(view.get("byteOffset", 0)) + offset
        stride = int(view.get("byteStride", 0)) or dtype.itemsize * width
        data = self.buffer(view.get("buffer"))
        end = start + stride * (count - 1) + dtype.itemsize * width if count > 0 else start
        if count < 0 or start < 0 or stride < 1 or end > len(data):
            raise self.broken(f"{what} inside its buffer of {len(data)} bytes", f"bytes {start} to {end}")
        if count == 0:
            return np.zeros((0, width), dtype)
        return np.ndarray((count, width), dtype, data, start, (stride, dtype.itemsize)).copy()

    def view_bytes(self, index: Any) -> bytes:
        """Return the bytes of a buffer view."""
        view = self.item("bufferViews", index)
        data, start = self.buffer(view.get("buffer")), int(view.get("byteOffset", 0))
        end = start + int(view.get("byteLength", 0))
        if not 0 <= start <= end <= len(data):
            raise self.broken(
                f"view {index} inside its buffer of {len(data)} bytes", f"bytes {start} to {end}"
            )
        return data[start:end]

    def uri_bytes(self, uri: str, what: str) -> bytes:
        """Return the bytes of a buffer or an image (`what`) that lie in its URI, or in a file beside this one."""
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except binascii.Error:
                raise self.broken("a base64 data URI", "broken base64") from None
        path = beside(self.path.parent, uri, is_uri=True)
        if not path.is_file():
            raise ValueError(
                f"{self.path}: expected its {what} {uri[:200]!r} beside it, got no such file; copy it there"
            )
        limits.check_file_size(path)
        return path.read_bytes()

    def _replace(self, what: str, values: NDArray[Any], sparse: dict[str, Any]) -> None:
        """Put the values of a sparse accessor at their places."""
        places, items = sparse["indices"], sparse["values"]
        kind, count = np.dtype(COMPONENTS[places["componentType"]]), int(sparse["count"])
        offset = int(places.get("byteOffset", 0))
        at = self._view(f"{what}, indices", places["bufferView"], offset, kind, count, 1)[:, 0]
        offset, width = int(items.get("byteOffset", 0)), values.shape[1]
        new = self._view(f"{what}, values", items["bufferView"], offset, values.dtype, count, width)
        if kind.kind != "u" or (count and int(at.max()) >= len(values)):
            raise self.broken(f"sparse indices below {len(values)} in {what}", str(at.max(initial=0)))
        values[at] = new

    def _compressed(self, what: str, extensions: Any) -> ValueError:
        """Return the error for data in an extension's own form, which names the extension."""
        names = ", ".join(extensions) if isinstance(extensions, dict) else str(extensions)
        return ValueError(
            f"{self.path}: expected plain data, got {what} compressed by {names[:80]}; export the file again without "
            "that compression"
        )

    def _open_glb(self, data: bytes) -> bytes:
        if len(data) < 20:
            raise self.broken("a GLB header of 20 bytes", f"{len(data)} bytes")
        _, version, length = struct.unpack_from("<III", data)
        if version != GLB_VERSION:
            raise self.broken("GLB version 2", str(version))
        if length > len(data):
            raise self.broken(f"{length} bytes as its header says", f"{len(data)} (cut short?)")
        chunks: dict[int, bytes] = {}
        position = 12
        while position + 8 <= length:
            size, kind = struct.unpack_from("<II", data, position)
            if position + 8 + size > length:
                raise self.broken(
                    f"a chunk of {size} bytes at {position}", f"{length - position - 8} (cut short?)"
                )
            chunks.setdefault(kind, data[position + 8 : position + 8 + size])
            position += 8 + size
        if JSON_CHUNK not in chunks:
            raise self.broken("a JSON chunk", "none")
        self._embedded = chunks.get(BIN_CHUNK)
        return chunks[JSON_CHUNK]

    def buffer(self, index: Any) -> bytes:
        """Return the bytes of a buffer."""
        buffer = self.item("buffers", index)
        if index not in self._buffers:
            self._buffers[index] = self._load(index, buffer.get("uri"))
        return self._buffers[index]

    def _load(self, index: int, uri: str | None) -> bytes:
        if uri is None:
            if self._embedded is None or index > 0:
                raise ValueError(
                    f"{self.path}: expected buffer {index} with its data, got no uri and no binary chunk; export "
                    "the file as .glb, or as .gltf with its .bin beside it"
                )
            return self._embedded
        return self.uri_bytes(uri, "buffer")


class GltfBuilder:
    """Builder of a glTF document: JSON and arrays, written as GLB or .gltf.

    Args:
        generator: what the file says of who made it.
        document: JSON to begin with, which is changed; an empty one if None.
        binary: the bytes of its buffer.
    """

    def __init__(
        self, generator: str = "motiongen", *, document: dict[str, Any] | None = None, binary: bytes = b""
    ) -> None:
        self.json = document or {"asset": {"version": "2.0", "generator": generator}}
        self._binary = bytearray(binary)
        self._pad()

    def add(self, kind: str, item: dict[str, Any]) -> int:
        """Append to a top-level list, such as `nodes`, and return the index."""
        self.json.setdefault(kind, []).append(item)
        return len(self.json[kind]) - 1

    def add_accessor(
        self,
        values: NDArray[Any],
        kind: str,
        *,
        target: int | None = None,
        bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        """Store an array and return its accessor's index.

        Args:
            values: (count,) or (count, width) of float32, uint8, uint16 or uint32.
            kind: SCALAR, VEC2, VEC3, VEC4 or MAT4.
            target: ARRAY_BUFFER or ELEMENT_ARRAY_BUFFER for data of a mesh.
            bounds: whether to write min and max, which glTF requires of positions and key times.
            normalized: whether integers stand for 0 to 1.
        """
        codes = {dtype: code for code, dtype in COMPONENTS.items()}
        stored = np.ascontiguousarray(values.reshape(len(values), WIDTHS[kind]))
        dtype = stored.dtype.newbyteorder("<")
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": stored.nbytes}
        if target is not None:
            view["target"] = target
        self._binary += stored.astype(dtype).tobytes()
        self._pad()
        component = codes["<" + stored.dtype.str[1:]]
        accessor: dict[str, Any] = {
            "bufferView": self.add("bufferViews", view),
            "componentType": component,
            "count": len(stored),
            "type": kind,
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:
            accessor["min"], accessor["max"] = stored.min(0).tolist(), stored.max(0).tolist()
        return self.add("accessors", accessor)

    def add_bytes(self, data: bytes) -> int:
        """Store bytes, such as an image's, and return the index of their buffer view."""
        view = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(data)}
        self._binary += data
        self._pad()
        return self.add("bufferViews", view)

    def _pad(self) -> None:
        self._binary += b"\0" * (-len(self._binary) % 4)  # each view begins on a multiple of 4

    def to_json(self) -> bytes:
        """Return the bytes of a .gltf: JSON with the binary data embedded."""
        uri = "data:application/octet-stream;base64," + base64.b64encode(self._binary).decode()
        self.json["buffers"] = [{"byteLength": len(self._binary), "uri": uri}]
        return json.dumps(self.json, indent=1).encode()

    def to_bytes(self) -> bytes:
        """Return the bytes of a GLB: header, JSON chunk, binary chunk."""
        self.json["buffers"] = [{"byteLength": len(self._binary)}]
        text = json.dumps(self.json, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self._binary)
        header = struct.pack("<III", GLB_MAGIC, GLB_VERSION, length)
        chunks = struct.pack("<II", len(text), JSON_CHUNK) + text
        return header + chunks + struct.pack("<II", len(self._binary), BIN_CHUNK) + bytes(self._binary)
