"""Diptych: learn to compare two small images, and answer in microseconds.

>>> import diptych
>>> model = diptych.Model.default()
>>> print(model.classify("seven.png", "four.png"))  # doctest: +SKIP
7 > 4
"""

from . import _library
from .data import Dataset, Pairs
from .errors import (
    BlankImageError,
    Cancelled,
    CorruptError,
    DiptychError,
    DivergedError,
    FinishedError,
    FormatError,
    InputOutputError,
    InvalidArgumentError,
    LibraryError,
    LimitError,
    MismatchError,
    NotFoundError,
    OutOfMemoryError,
    SystemResourceError,
    TensorNotFoundError,
)
from .evaluation import Evaluation, Reliability, evaluate, reliability
from .images import load_png
from .model import Model, Temperatures, Tensors
from .options import ImageOptions, ModelOptions, PixelOptions, TrainerOptions
from .prediction import Prediction, Predictions
from .training import Progress, Trainer, train

__version__ = "0.1.0"


def library_version() -> str:
    """The version of the library that runs, such as "0.1.0"."""
    return _library.text(_library.lib.diptych_version_string())


def build_info() -> str:
    """One line about the library in use: version, compiler, instruction set, libpng and zlib."""
    return _library.text(_library.lib.diptych_build_info())


__all__ = [
    "BlankImageError",
    "Cancelled",
    "CorruptError",
    "Dataset",
    "DiptychError",
    "DivergedError",
    "Evaluation",
    "FinishedError",
    "FormatError",
    "ImageOptions",
    "InputOutputError",
    "InvalidArgumentError",
    "LibraryError",
    "LimitError",
    "MismatchError",
    "Model",
    "ModelOptions",
    "NotFoundError",
    "OutOfMemoryError",
    "Pairs",
    "PixelOptions",
    "Prediction",
    "Predictions",
    "Progress",
    "Reliability",
    "SystemResourceError",
    "Temperatures",
    "Tensors",
    "TensorNotFoundError",
    "Trainer",
    "TrainerOptions",
    "build_info",
    "evaluate",
    "library_version",
    "load_png",
    "reliability",
    "train",
]
