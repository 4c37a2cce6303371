"""How well a model does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import _library
from ._arguments import whole
from ._library import lib
from .data import Pairs
from .model import Model


@dataclass(frozen=True)
class Evaluation:
    """Errors are shares, 0 to 1; what cannot be known without digits is NaN."""

    count: int
    """Pairs."""
    error: float
    """Pairs that the head decides wrongly."""
    marginal_error: float
    """Pairs that the marginal decides wrongly."""
    digit_error: float
    """Images whose digit is wrong."""
    bce: float
    """Mean binary cross entropy of the head."""
    auxiliary: float
    """Mean sum of both digits' cross entropies."""
    confusion: NDArray[np.uint64] | None = None
    """[classes, classes] counts, true digit by predicted digit; None where it was not asked for."""


def evaluate(model: Model, pairs: Pairs, threads: int = 0, confusion: bool = False) -> Evaluation:
    """Measure model on pairs. threads: as in Model.predict. Raises MismatchError where the sizes differ."""
    handles = Model._borrow(model, "model"), Pairs._borrow(pairs, "pairs")
    result = _library.evaluation()
    counts = np.zeros((model.classes, model.classes), np.uint64) if confusion else None
    lib.diptych_evaluate(*handles, whole(threads, "threads"), result, counts)
    return Evaluation(**_library.members(result), confusion=counts)
