"""Mutations of files: of their bytes, their numbers, and what is inside containers."""

import io
import json
import lzma
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Rng = np.random.Generator
Mutation = Callable[[bytes, Rng], bytes]

WORDS = (
    b"nan",
    b"inf",
    b"-inf",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"0",
    b"-1",
    b"1e9",
    b"99999999999",
    b"x",
    b"",
    b"0x1F",
)
"""What a number in a text becomes."""
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 10**12, 10**30, 0.5, 1e308, -1e-320, float("nan"), float("inf"), "", "x", "../../x",
    "/etc/hostname", "%2e%2e/x", [], {}, [0], [[]], {"a": 1}, [1e9, 1e9], "nan", "9" * 5000,
)  # fmt: skip
"""What a value in JSON becomes."""
CELLS = tuple(
    struct.pack(form, value)
    for form, value in (
        ("<f", float("nan")), ("<f", float("inf")), ("<f", 3e38), ("<f", 1e-40), ("<d", float("nan")), ("<d", 1e300),
        ("<i", -1), ("<i", 2**31 - 1), ("<q", 2**62), ("<q", -1), ("<i", 0), ("<q", 10**9),
    )
)  # fmt: skip
"""What some bytes become."""


def mutated(data: bytes, suffix: str, rng: Rng) -> bytes:
    """Return the bytes of a file of a kind, changed in one to three ways."""
    special = _INSIDE.get(suffix, ())
    for _ in range(int(rng.integers(1, 4))):
        is_special = special and rng.random() < 0.6
        pool = special if is_special else _PLAIN
        try:
            data = pool[int(rng.integers(len(pool)))](data, rng)
        except Exception:  # a container that the change before has broken
            data = _flip(data, rng)
    return data


def _place(data: bytes, rng: Rng) -> int:
    return int(rng.integers(len(data) + 1))


def _flip(data: bytes, rng: Rng) -> bytes:
    if not data:
        return b"\0"
    place = int(rng.integers(len(data)))
    return data[:place] + bytes([data[place] ^ (1 << int(rng.integers(8)))]) + data[place + 1 :]


def _overwrite(data: bytes, rng: Rng) -> bytes:
    place, cell = _place(data, rng), CELLS[int(rng.integers(len(CELLS)))]
    return data[:place] + cell + data[place + len(cell) :]


def _delete(data: bytes, rng: Rng) -> bytes:
    place = _place(data, rng)
    return data[:place] + data[place + int(rng.integers(1, 64)) :]


def _repeat(data: bytes, rng: Rng) -> bytes:
    place = _place(data, rng)
    return (
        data[:place]
        + data[place : place + int(rng.integers(1, 256))] * int(rng.integers(2, 5))
        + data[place:]
    )


def _cut(data: bytes, rng: Rng) -> bytes:
    return data[: _place(data, rng)]


def _insert(data: bytes, rng: Rng) -> bytes:
    place = _place(data, rng)
    return data[:place] + rng.bytes(int(rng.integers(1, 16))) + data[place:]


def _number(data: bytes, rng: Rng) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?(e-?\d+)?", data[:200_000]))
    if not found:
        return _flip(data, rng)
    # Half of them among the first: those of headers.
    one = found[int(rng.integers(min(len(found), 40) if rng.random() < 0.5 else len(found)))]
    return data[: one.start()] + WORDS[int(rng.integers(len(WORDS)))] + data[one.end() :]


def _word(data: bytes, rng: Rng) -> bytes:
    found = list(re.finditer(rb"\S+", data[:200_000]))
    if len(found) < 2:
        return _flip(data, rng)
    one, other = sorted(
        (found[int(i)] for i in rng.choice(len(found), 2, replace=False)), key=lambda m: m.start()
    )
    return data[: one.start()] + other[0] + data[one.end() : other.start()] + one[0] + data[other.end() :]


def _line(data: bytes, rng: Rng) -> bytes:
    lines = data.split(b"\n")
    one, other = (int(i) for i in rng.integers(len(lines), size=2))
    if rng.random() < 0.5:
        lines.insert(one, lines[other])
    else:
        del lines[one]
    return b"\n".join(lines)


def _json(data: bytes, rng: Rng) -> bytes:
    """Replace, remove or add a value anywhere in a JSON document."""
    document = json.loads(data)
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        item = waiting.pop()
        keys = item if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            places.append((item, key))
            waiting.append(item[key])
    holder, key = places[int(rng.integers(len(places)))]
    kind, value = rng.random(), VALUES[int(rng.integers(len(VALUES)))]
    if kind < 0.6:
        holder[key] = value
    elif kind < 0.8:
        del holder[key]
    else:  # one value in the place of another
        other, key2 = places[int(rng.integers(len(places)))]
        holder[key] = (
            json.loads(json.dumps(other[key2])) if key2 in other or isinstance(other, list) else value
        )
    return json.dumps(document).encode()


def _json_lines(data: bytes, rng: Rng) -> bytes:
    lines = data.splitlines()
    one = int(rng.integers(len(lines)))
    lines[one] = _json(lines[one], rng)
    return b"\n".join(lines)


def _xz(data: bytes, rng: Rng) -> bytes:
    text = lzma.decompress(data)
    change = _json_lines if rng.random() < 0.7 else _PLAIN[int(rng.integers(len(_PLAIN)))]
    return lzma.compress(change(text, rng), preset=0)


def _glb(data: bytes, rng: Rng) -> bytes:
    size = struct.unpack_from("<I", data, 12)[0]
    text = _json(data[20 : 20 + size], rng)
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    return data[:8] + struct.pack("<III", 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def _safetensors(data: bytes, rng: Rng) -> bytes:
    size = struct.unpack_from("<Q", data)[0]
    text = _json(data[8 : 8 + size], rng)
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def _npz(data: bytes, rng: Rng) -> bytes:
    """Change the values, the shape, the type or the header of an array of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[int(rng.integers(len(members)))]
    kind = rng.random()
    if kind < 0.4:
        members[name] = _PLAIN[int(rng.integers(len(_PLAIN)))](members[name], rng)
    elif kind < 0.5:
        del members[name]
    else:
        members[name] = _array_bytes(np.load(io.BytesIO(members[name]), allow_pickle=False), rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _array_bytes(array: Any, rng: Rng) -> bytes:
    kind = int(rng.integers(5))
    flat = array.reshape(-1).copy()
    if kind == 0 and array.dtype.kind == "f":
        flat[int(rng.integers(len(flat)))] = rng.choice([np.nan, np.inf, 3e38, 0, -1, 1e-40])
        array = flat.reshape(array.shape)
    elif kind == 1:
        array = flat[: int(rng.integers(len(flat) + 1))]
    elif kind == 2:
        array = array[None]
    elif kind == 3 and array.dtype.kind in "fi":
        with np.errstate(all="ignore"):
            array = array.astype(rng.choice(["<i2", "<f2", "<c8", "<U3", "?"]))
    else:
        array = array[:0] if array.ndim else array
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npy(data: bytes, rng: Rng) -> bytes:
    return _array_bytes(np.load(io.BytesIO(data), allow_pickle=False), rng)


def _call(data: bytes, rng: Rng) -> bytes:
    """Put a call, or another name to call, into a pickle: one that runs what it names ends the process."""
    names = (
        b"cbuiltins\nexec\n",
        b"cos\n_exit\n",
        b"\x8c\x08builtins\x8c\x04exec\x93",
        b"cnumpy.core.multiarray\n_reconstruct\n",
        b"cnumpy\nndarray\n",
        b"c_codecs\nencode\n",
    )
    arguments = (b"(S'raise SystemExit(3)'\ntR", b"(I3\ntR", b"(tR", b"]b", b"}b", b"(I1\nI2\nI3\nI4\nI5\ntb")
    place = _place(data, rng)
    call = names[int(rng.integers(len(names)))] + arguments[int(rng.integers(len(arguments)))]
    return data[:place] + call + (data[place:] if rng.random() < 0.5 else b"0" + data[place:])


def _length(data: bytes, rng: Rng) -> bytes:
    """Change the length of something in a pickle to one that no machine has."""
    code, form = ((b"B", "<I"), (b"X", "<I"), (b"\x8e", "<Q"), (b"j", "<I"), (b"r", "<I"))[
        int(rng.integers(5))
    ]
    found = [match.start() for match in re.finditer(re.escape(code), data)]
    if not found:
        return _flip(data, rng)
    place, size = found[int(rng.integers(len(found)))] + 1, struct.calcsize(form)
    return data[:place] + struct.pack(form, 2 ** int(rng.integers(8 * size))) + data[place + size :]


def _cell(data: bytes, rng: Rng) -> bytes:
    """Change a cell of a table of text, or its quotes."""
    lines = data.split(b"\n")
    one = int(rng.integers(len(lines)))
    cells = lines[one].split(b",")
    values = (
        *WORDS,
        b'"',
        b'""',
        b"../a.bvh",
        b"/etc/hostname",
        b"a,b",
        b"\xff\xfe",
        "ü".encode("utf-16"),
        b"\r",
    )
    cells[int(rng.integers(len(cells)))] = values[int(rng.integers(len(values)))]
    lines[one] = b",".join(cells)
    return b"\n".join(lines)


def _parquet(data: bytes, rng: Rng) -> bytes:
    """Change a value, or the type, of a column of a table."""
    table = pq.read_table(io.BytesIO(data))
    number = int(rng.integers(table.num_columns))
    values = table.column(number).to_pylist()
    value = VALUES[int(rng.integers(len(VALUES)))]
    values = [value] * len(values) if rng.random() < 0.3 else values
    values[int(rng.integers(len(values)))] = value
    try:
        column = pa.array(values, table.column(number).type)
    except (pa.ArrowException, OverflowError):
        column = pa.array([str(item)[:50] for item in values])
    file = io.BytesIO()
    pq.write_table(table.set_column(number, table.column_names[number], column), file)
    return file.getvalue()


_PLAIN: tuple[Mutation, ...] = (_flip, _overwrite, _delete, _repeat, _cut, _insert, _number, _word, _line)
_INSIDE: dict[str, tuple[Mutation, ...]] = {
    ".bvh": (_number, _word, _line),
    ".asf": (_number, _word, _line),
    ".amc": (_number, _word, _line),
    ".json": (_json,),
    ".gltf": (_json,),
    ".jsonl": (_json_lines,),
    ".glb": (_glb,),
    ".npz": (_npz,),
    ".xz": (_xz,),
    ".safetensors": (_safetensors, _overwrite),
    ".parquet": (_parquet,),
    ".npy": (_npy,),
    ".pkl": (_call, _length, _overwrite),
    ".csv": (_cell, _number),
}
