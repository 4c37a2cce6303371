"""Answers: Prediction for one pair, Predictions for many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """The answer for one pair. "Digit" means class wherever the images are of something else."""

    probability: float
    """The head's P(first <= second), or of what the targets meant in training; 0 to 1."""
    marginal: float
    """The sum over i <= j of P(first = i) P(second = j)."""
    first_digit: int
    """The most probable class of the first image."""
    second_digit: int
    first_confidence: float
    """That class's probability, 1 / classes to 1."""
    second_confidence: float
    less_or_equal: bool
    """The decision, by the model's rule (head or marginal)."""
    agrees: bool
    """Whether head and marginal decide alike; False warns of images unlike the training's."""

    def __str__(self) -> str:
        return f"{self.first_digit} {'<=' if self.less_or_equal else '>'} {self.second_digit}"


class Predictions:
    """The answers for n pairs: each attribute an array of n, each element a Prediction.

    `array` holds the same as a NumPy structured array with the fields of Prediction.
    """

    def __init__(self, array: NDArray[np.void], class_probabilities: NDArray[np.float32] | None = None) -> None:
        self.array = array
        self.class_probabilities = class_probabilities
        """[n, 2, classes], float32: each image's probability of each class; None where it was not asked for."""

    @property
    def probability(self) -> NDArray[np.float32]:
        """[n]: the head's P(first <= second)."""
        return self.array["probability"]

    @property
    def marginal(self) -> NDArray[np.float32]:
        """[n]: P(first <= second) from both images' class probabilities."""
        return self.array["marginal"]

    @property
    def first_digit(self) -> NDArray[np.int32]:
        """[n]: the most probable class of the first image."""
        return self.array["first_digit"]

    @property
    def second_digit(self) -> NDArray[np.int32]:
        """[n]: the most probable class of the second image."""
        return self.array["second_digit"]

    @property
    def first_confidence(self) -> NDArray[np.float32]:
        """[n]: the probability of first_digit."""
        return self.array["first_confidence"]

    @property
    def second_confidence(self) -> NDArray[np.float32]:
        """[n]: the probability of second_digit."""
        return self.array["second_confidence"]

    @property
    def less_or_equal(self) -> NDArray[np.bool_]:
        """[n]: the decisions, by the model's rule."""
        return self.array["less_or_equal"].astype(np.bool_)

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """[n]: whether head and marginal decide alike."""
        return self.array["agrees"].astype(np.bool_)

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...

    @overload
    def __getitem__(self, index: slice) -> Predictions: ...

    def __getitem__(self, index: int | slice) -> Prediction | Predictions:
        if isinstance(index, slice):
            classes = self.class_probabilities
            return Predictions(self.array[index], None if classes is None else classes[index])
        answer = dict(zip(self.array.dtype.names or (), self.array[index].item()))
        answer.update(less_or_equal=bool(answer["less_or_equal"]), agrees=bool(answer["agrees"]))
        return Prediction(**answer)

    def __iter__(self) -> Iterator[Prediction]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        shown = ", ".join(str(answer) for answer in self[:5])
        return f"<diptych.Predictions of {len(self)} pairs: {shown}{', ...' if len(self) > 5 else ''}>"
