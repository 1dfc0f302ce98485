"""Safe reader of pickled arrays, which calls no function that a pickle names.

Reading a pickle calls the functions that it names, so a downloaded one can run any code. This reader knows only the few
names with which NumPy writes an array, replaces each by a class of this file that stores its arguments, and refuses
every other name: no function chosen by the pickle, not even one of NumPy's, is called.
"""

import io
import math
import pickle
from typing import Any, Self

import numpy as np

_NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}
# Errors that pickle documents for broken data, and those of the classes below for invalid arguments.
_BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_arrays(data: bytes, name: str) -> dict[str, Any]:
    """Return a pickled dict of arrays and numbers.

    Args:
        data: bytes of the pickle.
        name: name of the file, for messages.

    Raises:
        ValueError: the pickle is broken, or has anything but a dict of arrays and numbers.
    """
    try:
        found = _Unpickler(io.BytesIO(data)).load()
        if type(found) is not dict:
            raise pickle.UnpicklingError(f"a {type(found).__name__}")
        return {str(key): _value(value) for key, value in found.items()}
    except _BROKEN as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"{name}: expected a pickled dict of arrays, got {said}; is this file as published?"
        ) from error


class _Dtype:
    """Replacement of numpy.dtype: a type of number and its byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype[Any]:
        """Return NumPy's dtype."""
        if self.code not in _NUMBERS or self.order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"an array of {self.code!r}")
        return np.dtype(self.code).newbyteorder(self.order)


class _Array:
    """Replacement of numpy.ndarray, and of the function that makes an empty one whose state follows."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, raw = state
        self.state = (shape, dtype, "F" if is_fortran else "C", raw)

    def array(self) -> np.ndarray[Any, Any]:
        """Return a NumPy array, a copy of the data."""
        shape, dtype, order, raw = self.state
        kind = dtype.dtype()
        if order not in ("C", "F") or len(raw) != kind.itemsize * math.prod(shape):
            raise pickle.UnpicklingError(f"{len(raw)} bytes for an array of shape {shape}")
        return np.frombuffer(raw, kind).reshape(shape, order=order).copy()


class _Buffer(_Array):
    """Replacement of numpy's _frombuffer, with which protocol 5 writes an array."""

    def __init__(self, raw: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> None:
        self.state = (shape, dtype, order, raw)


class _Scalar(_Array):
    """Replacement of numpy's scalar."""

    def __init__(self, dtype: Any, raw: Any) -> None:
        self.state = ((), dtype, "C", raw)


class _Latin1(bytes):
    """Replacement of codecs.encode, with which protocol 2 writes bytes."""

    def __new__(cls, text: str, encoding: str) -> Self:
        """Return the bytes of a text."""
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"text in {encoding!r}")
        return super().__new__(cls, text.encode("latin1"))


_REPLACEMENTS: dict[tuple[str, str], type] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _Latin1,
}
for _core in ("numpy.core", "numpy._core"):  # NumPy 1 and 2
    _REPLACEMENTS[_core + ".multiarray", "_reconstruct"] = _Array
    _REPLACEMENTS[_core + ".multiarray", "scalar"] = _Scalar
    _REPLACEMENTS[_core + ".numeric", "_frombuffer"] = _Buffer


class _Unpickler(pickle.Unpickler):
    """Unpickler that knows the names in _REPLACEMENTS alone."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return the replacement of a name.

        Raises:
            pickle.UnpicklingError: it has none.
        """
        if (module_name, global_name) not in _REPLACEMENTS:
            raise pickle.UnpicklingError(f"a call of {module_name}.{global_name}")
        # A new subclass for each use: the pickle may set attributes of the class.
        base = _REPLACEMENTS[module_name, global_name]
        return type(base.__name__, (base,), {})


def _value(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.array()
    if isinstance(value, (int, float)) or value is None:
        return value
    raise pickle.UnpicklingError(f"a {type(value).__name__}")
