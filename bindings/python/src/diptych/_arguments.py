"""Checks of what callers pass, before it reaches C: every message names the argument, its value, what is allowed."""

from __future__ import annotations

import numbers
import operator
import os
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

PathLike = Union[str, "os.PathLike[str]"]
Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview]

INT32 = (-(2**31), 2**31 - 1)
UINT64 = (0, 2**64 - 1)
SIZE = (0, 2**63 - 1)


def whole(value: Any, name: str, allowed: tuple[int, int] = INT32) -> int:
    """value as an int that fits the C type, as otherwise its high bits would be lost without a word."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if not allowed[0] <= number <= allowed[1]:
        raise ValueError(f"{name} is {number}, but must be from {allowed[0]} to {allowed[1]}")
    return number


def real(value: Any, name: str) -> float:
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, not {value!r}")
    return float(value)


def path(value: PathLike, name: str) -> bytes:
    """A path as the file system's bytes."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path (str or os.PathLike), not {type(value).__name__}")
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ValueError(f"{name} is {os.fspath(value)!r}, but a path has no zero byte")
    return encoded


def is_bytes(value: object) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))


def data(value: Any, name: str) -> NDArray[np.uint8]:
    """The bytes of a bytes-like object, not copied where they are contiguous."""
    if not is_bytes(value):
        raise TypeError(f"{name} must be bytes, bytearray or memoryview, not {type(value).__name__}")
    view = memoryview(value)
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)


def _shaped(array: NDArray[Any], name: str, axes: str, shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape))
    if not fits:
        raise ValueError(f"{name} has shape {array.shape}, but must be {axes}")


def pixels(
    value: ArrayLike, name: str, axes: str, shape: tuple[int | None, ...], allow_uint8: bool = True
) -> NDArray[Any]:
    """Pixels as contiguous uint8 or float32; other floats are converted, other integers refused as ambiguous."""
    array = np.asarray(value)
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be uint8 or a float dtype, 0 to 255")
    _shaped(array, name, axes, shape)
    return np.ascontiguousarray(array, np.uint8 if allow_uint8 and array.dtype == np.uint8 else np.float32)


def floats(value: ArrayLike, name: str, axes: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """Real numbers (bool and integers too) as contiguous float32."""
    array = np.asarray(value)
    if array.dtype.kind not in "fbiu":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be of real numbers")
    _shaped(array, name, axes, shape)
    # reshape, as ascontiguousarray turns an array of no dimensions into one of one
    return np.ascontiguousarray(array, np.float32).reshape(array.shape)


def integers(value: ArrayLike, name: str, axes: str, shape: tuple[int | None, ...]) -> NDArray[np.int32]:
    """Integers as contiguous int32; those that would not fit are refused."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be of an integer dtype")
    _shaped(array, name, axes, shape)
    for extreme in (array.min(), array.max()) if array.size else ():
        whole(extreme, name)
    return np.ascontiguousarray(array, np.int32)
