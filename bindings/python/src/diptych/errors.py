"""The exceptions: one for each of the library's statuses, all of them DiptychError.

Each also inherits the built-in exception that a Python program would expect, so `except FileNotFoundError` and
`except ValueError` work as anywhere else.
"""

from __future__ import annotations

from typing import ClassVar


class DiptychError(Exception):
    """A failure that the library reported. str() is its sentence: the argument, its value and what is allowed."""

    status: int = 0
    """The library's diptych_status, a negative number."""

    _classes: ClassVar[dict[int, type[DiptychError]]] = {}

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status

    def __init_subclass__(cls) -> None:
        if "status" in cls.__dict__:
            DiptychError._classes.setdefault(cls.status, cls)

    def __str__(self) -> str:
        return self.message

    @property
    def name(self) -> str:
        """The status as the header spells it, such as "DIPTYCH_ERROR_CORRUPT"."""
        return STATUS_NAMES.get(self.status, "unknown status")


class InvalidArgumentError(DiptychError, ValueError):
    """An argument is out of range, not finite, or too small; or the object is closed."""

    status = -1


class OutOfMemoryError(DiptychError, MemoryError):
    """The memory that was asked for could not be had."""

    status = -2


class NotFoundError(DiptychError, FileNotFoundError):
    """No such file or folder."""

    status = -3


class TensorNotFoundError(DiptychError, KeyError):
    """The model has no tensor of that name."""

    status = -3


class InputOutputError(DiptychError, OSError):
    """The system failed to read or write a file."""

    status = -4


class FormatError(DiptychError, ValueError):
    """Not the kind of file that was expected."""

    status = -5


class CorruptError(DiptychError, ValueError):
    """The right kind of file, but damaged or cut off."""

    status = -6


class LimitError(DiptychError, ValueError):
    """An image, a file or a network larger than its stated limit."""

    status = -7


class BlankImageError(DiptychError, ValueError):
    """An image without any ink."""

    status = -8


class MismatchError(DiptychError, ValueError):
    """Parts that do not fit together: a model and pairs of another size."""

    status = -9


class DivergedError(DiptychError, ArithmeticError):
    """Training reached a loss that is not finite."""

    status = -10


class FinishedError(DiptychError):
    """A step was asked of a trainer whose last epoch is over."""

    status = -11


class SystemResourceError(DiptychError, OSError):
    """The system refused a resource, such as a thread."""

    status = -12


class Cancelled(DiptychError):
    """An outcome rather than an error: training stopped as asked, and the trainer and its model stay usable."""

    status = -13


class LibraryError(ImportError):
    """The shared library could not be found or loaded, or is of another version; `import diptych` raises it."""


STATUS_NAMES = {
    0: "DIPTYCH_OK",
    -1: "DIPTYCH_ERROR_INVALID_ARGUMENT",
    -2: "DIPTYCH_ERROR_OUT_OF_MEMORY",
    -3: "DIPTYCH_ERROR_NOT_FOUND",
    -4: "DIPTYCH_ERROR_IO",
    -5: "DIPTYCH_ERROR_FORMAT",
    -6: "DIPTYCH_ERROR_CORRUPT",
    -7: "DIPTYCH_ERROR_LIMIT",
    -8: "DIPTYCH_ERROR_BLANK_IMAGE",
    -9: "DIPTYCH_ERROR_MISMATCH",
    -10: "DIPTYCH_ERROR_DIVERGED",
    -11: "DIPTYCH_ERROR_FINISHED",
    -12: "DIPTYCH_ERROR_SYSTEM",
    -13: "DIPTYCH_CANCELLED",
}


def from_status(status: int, message: str) -> DiptychError:
    """The exception for a status; a plain DiptychError for one that this version does not know."""
    return DiptychError._classes.get(status, DiptychError)(message, status)
