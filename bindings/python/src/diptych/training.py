"""Training: Trainer, whose loop is yours, and train, which is that loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Literal

from . import _arguments, _library, errors
from ._arguments import PathLike, whole
from ._library import Handle, lib
from ._resource import Resource
from .data import Pairs
from .model import Model
from .options import TrainerOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass(frozen=True)
class Progress:
    """Where training stands, after a step or an epoch. Losses are means over the step's pairs, or the epoch's."""

    epoch: int
    """Epochs begun, 1 to epochs."""
    epochs: int
    finished: bool
    """Whether this was the last step of the last epoch."""
    step: int
    """Steps done."""
    steps: int
    """Steps in all."""
    loss: float
    """The whole loss."""
    bce: float
    """Its binary cross entropy."""
    auxiliary: float
    """Its cross entropies, before loss_ratio; 0 without digits or with loss_ratio 0."""
    train_error: float
    """Share of those pairs that the head decided wrongly, as trained (with dropout); 0 to 1."""
    learning_rate: float
    """Of the last step."""
    seconds: float
    """Spent in this trainer's steps so far."""


class Trainer(Resource):
    """A training run, and an iterator over its epochs:

        for progress in Trainer(model, pairs, epochs=25, seed=1):
            print(progress.epoch, progress.loss)

    Ends after the last epoch, or after cancel(); leave the loop when you like, and begin another to go on. Ctrl-C
    stops between two steps with KeyboardInterrupt; model and trainer stay usable. Calls from several threads wait
    for one another, but for cancel(). The model may predict between the calls, not during them.
    """

    model: Model
    """The model that is trained."""

    def __init__(
        self,
        model: Model,
        pairs: Pairs,
        recipe: Literal["report", "best"] | None = None,
        **options: Unpack[TrainerOptions],
    ) -> None:
        """Begin to train model on pairs; see TrainerOptions for the options and their ranges. recipe: whose options are
        the defaults; "report" is the same as none.

        A fresh run sets the model's standardisation to the pairs' mean and standard deviation, and its temperatures to
        1. Raises MismatchError where the sizes differ, where a digit is not below the model's classes, where loss_ratio
        is not 0 and the pairs have no digits, or where redraw is True and they have none, or a target other than first
        <= second; InvalidArgumentError for an option out of range.
        """
        filled = _library.options(_library.diptych_trainer_options, options, recipe=recipe)
        arguments = Model._borrow(model, "model"), Pairs._borrow(pairs, "pairs"), filled
        handle = _library.create(lib.diptych_trainer_create, *arguments)
        self._begin(model, handle)

    def _begin(self, model: Model, handle: Handle) -> None:
        self.model = model
        self._handle = handle
        self._lock = threading.Lock()
        self._latest: Progress | None = None

    @classmethod
    def resume(cls, path: PathLike, pairs: Pairs, epochs: int = 0, threads: int = 0) -> Trainer:
        """Go on from what save wrote, with the same pairs, to the same bits as if the run had never stopped.

        epochs: a new number of epochs, or 0 for the saved one; threads: as in TrainerOptions. `trainer.model` is a
        new model. Raises NotFoundError, FormatError, CorruptError, MismatchError (other pairs).
        """
        arguments = whole(epochs, "epochs"), whole(threads, "threads")
        model, handle = _library.resume(_arguments.path(path, "path"), Pairs._borrow(pairs, "pairs"), *arguments)
        trainer = cls.__new__(cls)
        trainer._begin(Model._of(model), handle)
        return trainer

    def save(self, path: PathLike) -> None:
        """Write all that the run needs to go on: weights, moments, options, position."""
        with self._lock:
            lib.diptych_trainer_save(self._open(), _arguments.path(path, "path"))

    def step(self) -> Progress:
        """Train one batch. Raises FinishedError after the last epoch, Cancelled after cancel(), DivergedError."""
        with self._lock:
            return self._advance(lib.diptych_trainer_step, self._open())

    def epoch(self) -> Progress:
        """Train to the end of the current epoch. Raises as step does."""
        handle = self._open()
        if threading.current_thread() is threading.main_thread():
            return self._interruptible_epoch(handle)
        with self._lock:
            return self._advance(lib.diptych_trainer_epoch, handle)

    def _interruptible_epoch(self, handle: Handle) -> Progress:
        """An epoch during which Ctrl-C is heard: Python handles signals on its main thread, between bytecodes, so the
        call goes to a thread of its own while the main one waits."""
        results: list[Progress] = []
        failures: list[BaseException] = []
        done, abandoned = threading.Event(), threading.Event()

        def run() -> None:
            try:
                with self._lock:
                    if not abandoned.is_set():
                        results.append(self._advance(lib.diptych_trainer_epoch, handle))
            except BaseException as error:
                failures.append(error)
            finally:
                done.set()

        try:
            threading.Thread(target=run, name="diptych-epoch", daemon=True).start()
            done.wait()
        except BaseException:
            abandoned.set()
            lib.diptych_trainer_cancel(handle)
            with self._lock:  # until the running step is over
                if not failures:  # the cancel came too late: use it up, so that it does not stop the next call
                    with suppress(errors.DiptychError):
                        lib.diptych_trainer_step(handle, None)
            raise
        if failures:
            raise failures[0]
        return results[0]

    def _advance(self, function: Any, handle: Handle) -> Progress:
        into = _library.progress()
        function(handle, into)
        members = _library.members(into)
        members["finished"] = bool(members["finished"])
        self._latest = Progress(**members)
        return self._latest

    def cancel(self) -> None:
        """Make the running or the next step or epoch stop between two steps, from any thread. A further call goes
        on."""
        lib.diptych_trainer_cancel(self._open())

    @property
    def progress(self) -> Progress | None:
        """What the latest step or epoch came to; None before the first."""
        return self._latest

    def __iter__(self) -> Iterator[Progress]:
        return self

    def __next__(self) -> Progress:
        try:
            return self.epoch()
        except (errors.Cancelled, errors.FinishedError):
            raise StopIteration from None

    def _summary(self) -> str:
        at = self._latest
        if at is None:
            return "not begun"
        return f"epoch {at.epoch} of {at.epochs}, step {at.step} of {at.steps}, loss {at.loss:.4g}"


def train(
    model: Model,
    pairs: Pairs,
    callback: Callable[[Progress], bool | None] | None = None,
    recipe: Literal["report", "best"] | None = None,
    **options: Unpack[TrainerOptions],
) -> list[Progress]:
    """The whole run in one call; returns every epoch's progress.

    callback(progress) is called after every epoch; a true result stops the training, an exception stops it and is
    raised, as is Ctrl-C: the model keeps what it has learned. Options and errors are Trainer's.
    """
    history = []
    with Trainer(model, pairs, recipe, **options) as trainer:
        for progress in trainer:
            history.append(progress)
            if callback is not None and callback(progress):
                break
    return history
