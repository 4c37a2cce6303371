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
    """By what predict answers, the model's temperatures applied. Errors are shares, 0 to 1; what cannot be known
    without digits is NaN."""

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
    ece: float
    """Expected calibration error of the head's probability; see reliability."""
    marginal_ece: float
    """Of the marginal."""
    confusion: NDArray[np.uint64] | None = None
    """[classes, classes] counts, true digit by predicted digit; None where it was not asked for."""


def evaluate(model: Model, pairs: Pairs, threads: int = 0, confusion: bool = False) -> Evaluation:
    """Measure model on pairs. threads: as in Model.predict. Raises MismatchError where the sizes differ."""
    handles = Model._borrow(model, "model"), Pairs._borrow(pairs, "pairs")
    result = _library.evaluation()
    counts = np.zeros((model.classes, model.classes), np.uint64) if confusion else None
    lib.diptych_evaluate(*handles, whole(threads, "threads"), result, counts)
    return Evaluation(**_library.members(result), confusion=counts)


@dataclass(frozen=True)
class Reliability:
    """Reliability diagrams: structured arrays of 15 bins, bin i for probabilities from i/15 to (i+1)/15.

    The fields: count, the pairs in the bin; mean_probability, the mean of their predicted probabilities; frequency, the
    share of them whose target is 1. Both are NaN in an empty bin.
    """

    head: NDArray[np.void]
    marginal: NDArray[np.void]
    """Empty bins where the pairs have no digits."""


def reliability(model: Model, pairs: Pairs, threads: int = 0) -> Reliability:
    """How far the head's probability and the marginal can be believed. Evaluation.ece is the mean of
    |frequency - mean_probability| over the bins, weighted by count (Naeini et al., 2015)."""
    handles = Model._borrow(model, "model"), Pairs._borrow(pairs, "pairs")
    head, marginal = (np.empty(_library.RELIABILITY_BINS, _library.BINS.dtype) for _ in range(2))
    lib.diptych_reliability(*handles, whole(threads, "threads"), head, marginal)
    return Reliability(head, marginal)
