"""Binary FBX 7.4 as a tree of records: names, typed properties, records inside; and its bytes.

After a header each record says where it ends, its properties follow, then its children, closed by an empty record. The
last bytes are a signature that belongs to `FILE_ID` and `CREATED`.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HEADER = b"Kaydara FBX Binary  \x00\x1a\x00"
VERSION = 7400
CREATED = "1970-01-01 10:00:00:000"
_SIGNATURE = bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")
_END = bytes.fromhex("f85a8c6adef5d97eece90ce3758f290b")
_EMPTY = b"\0" * 13
_ARRAYS = {"float32": b"f", "float64": b"d", "int64": b"l", "int32": b"i"}
_COMPRESSED_FROM = 128
"""Bytes from which an array is compressed."""


@dataclass
class Record:
    """A named record.

    Attributes:
        name: its kind.
        properties: str, bytes, Raw, bool, int (64 bits), Int32, float (64 bits), or arrays of the types in `_ARRAYS`.
        children: records inside.
    """

    name: str
    properties: tuple[Any, ...] = ()
    children: list["Record"] = field(default_factory=list)

    def add(self, name: str, *properties: Any) -> "Record":
        """Append a record, and return it."""
        self.children.append(Record(name, properties))
        return self.children[-1]

    def add_table(self, rows: Iterable[tuple[Any, ...]]) -> "Record":
        """Append a Properties70 record with a P record a row: name, type, label, flags, values."""
        table = self.add("Properties70")
        for row in rows:
            table.add("P", *row)
        return table


class Int32(int):
    """An integer that is stored in 32 bits."""


class Raw(bytes):
    """Bytes that are no text."""


FILE_ID = Raw.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")


def class_name(name: str, kind: str) -> bytes:
    """Return the name of an object as FBX stores it, with its class behind it."""
    return name.encode() + b"\x00\x01" + kind.encode()


def to_bytes(records: Iterable[Record]) -> bytes:
    """Return the bytes of a file with these records."""
    data = bytearray(HEADER + struct.pack("<I", VERSION))
    for record in records:
        _append(data, record)
    data += _EMPTY + _SIGNATURE + b"\0" * 4
    data += b"\0" * (16 - len(data) % 16)
    return bytes(data + struct.pack("<I", VERSION) + b"\0" * 120 + _END)


def _append(data: bytearray, record: Record) -> None:
    start, name = len(data), record.name.encode()
    properties = b"".join(map(_property, record.properties))
    data += b"\0" * 12 + bytes([len(name)]) + name + properties
    for child in record.children:
        _append(data, child)
    if record.children or not record.properties:
        data += _EMPTY
    struct.pack_into("<III", data, start, len(data), len(record.properties), len(properties))


def _property(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, str):
        value = value.encode()
        return b"S" + struct.pack("<I", len(value)) + value
    if isinstance(value, bytes):  # names with their class are strings, too
        kind = b"R" if isinstance(value, Raw) else b"S"
        return kind + struct.pack("<I", len(value)) + value
    if isinstance(value, bool):
        return b"C" + struct.pack("<?", value)
    if isinstance(value, Int32):
        return b"I" + struct.pack("<i", value)
    if isinstance(value, int):
        return b"L" + struct.pack("<q", value)
    assert isinstance(value, float), value
    return b"D" + struct.pack("<d", value)


def _array(values: "np.ndarray[Any, Any]") -> bytes:
    code = _ARRAYS[values.dtype.name]
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    is_compressed = len(raw) >= _COMPRESSED_FROM
    stored = zlib.compress(raw, 1) if is_compressed else raw
    return code + struct.pack("<III", values.size, int(is_compressed), len(stored)) + stored
