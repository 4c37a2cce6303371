"""What Model, Dataset, Pairs and Trainer share: a handle of the library, and an end to its use."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

from . import errors
from ._library import Handle

Self = TypeVar("Self", bound="Resource")


class Resource:
    """Owns a handle. Memory is freed by close(), at the end of a with block, or by the garbage collector."""

    _handle: Handle | None = None

    @classmethod
    def _of(cls: type[Self], handle: Handle) -> Self:
        made = cls.__new__(cls)
        made._handle = handle
        return made

    def _open(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise errors.InvalidArgumentError(f"this {type(self).__name__} is closed")
        return handle

    @classmethod
    def _borrow(cls, value: object, name: str) -> Handle:
        """The handle of an argument that must be of this class."""
        if not isinstance(value, cls):
            raise TypeError(f"{name} must be a diptych.{cls.__name__}, not {type(value).__name__}")
        return value._open()

    @property
    def closed(self) -> bool:
        """Whether close() has been called. Any further use of a closed object raises InvalidArgumentError."""
        return self._handle is None

    def close(self) -> None:
        """Free the memory now, or as soon as the calls that other threads are in have returned. Twice is fine."""
        self._handle = None

    def __enter__(self: Self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<diptych.{type(self).__name__} {'closed' if self.closed else self._summary()}>"

    def _summary(self) -> str:
        raise NotImplementedError
