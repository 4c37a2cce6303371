"""Models: create, load, save, predict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arguments, _library, errors
from ._arguments import PathLike, Source, whole
from ._library import lib
from ._resource import Resource
from .data import Pairs
from .options import ModelOptions, PixelOptions
from .prediction import Prediction, Predictions

if TYPE_CHECKING:
    from typing_extensions import Unpack

_PAIRS_A_CALL = 4096  # predict returns to Python this often, so that Ctrl-C is heard


class Model(Resource):
    """A network with its weights, and the mean and standard deviation of the pixels that it was trained on.

    Any number of threads may predict with, evaluate, describe or save one model at once (calls run in parallel),
    as long as none trains or calibrates it, or sets its tensors, temperatures or views meanwhile. Pickling keeps everything.
    """

    _geometry: tuple[int, int, int] | None = None

    @classmethod
    def default(cls) -> Model:
        """A copy of the model inside the library: siamese, trained on all 60,000 of MNIST's training digits."""
        return cls._of(_library.create(lib.diptych_model_default))

    @classmethod
    def create(cls, recipe: Literal["report", "best"] | None = None, **options: Unpack[ModelOptions]) -> Model:
        """A new, untrained model; see ModelOptions for the options and their ranges. recipe: whose dropout, decision
        and views are the defaults, to go with the same of Trainer or train.

        `Model.create(architecture="mlp", height=28, width=28, classes=10, seed=1)`. Raises InvalidArgumentError,
        LimitError (over 2**28 parameters), OutOfMemoryError.
        """
        filled = _library.options(_library.diptych_model_options, options, recipe=recipe)
        return cls._of(_library.create(lib.diptych_model_create, filled))

    @classmethod
    def load(cls, path: PathLike) -> Model:
        """Load a safetensors file, Diptych's own or a saved PyTorch state_dict of the same names and shapes.

        Raises NotFoundError, FormatError, CorruptError, InputOutputError.
        """
        return cls._of(_library.create(lib.diptych_model_load_file, _arguments.path(path, "path")))

    @classmethod
    def load_bytes(cls, data: bytes | bytearray | memoryview) -> Model:
        """Load the bytes of a safetensors file. Raises FormatError, CorruptError."""
        content = _arguments.data(data, "data")
        return cls._of(_library.create(lib.diptych_model_load_memory, content, content.size))

    def save(self, path: PathLike) -> None:
        """Save as a safetensors file, which replaces path in one step or not at all."""
        lib.diptych_model_save_file(self._open(), _arguments.path(path, "path"))

    def to_bytes(self) -> bytes:
        """The bytes that save would write."""
        handle = self._open()
        content = np.empty(_library.size(lib.diptych_model_save_memory, handle, None, 0), np.uint8)
        _library.size(lib.diptych_model_save_memory, handle, content, content.size)
        return content.tobytes()

    def __reduce__(self) -> tuple[Any, ...]:
        return Model.load_bytes, (self.to_bytes(),)

    @property
    def parameter_count(self) -> int:
        """The number of trainable parameters."""
        return int(lib.diptych_model_parameter_count(self._open()))

    def describe(self) -> dict[str, Any]:
        """What the model is: architecture, height, width, classes, parameters, multiply_adds of a pair, dropout,
        views, decision, mean, standard_deviation, head_temperature, class_temperature, layers (name, kind, input and output
        shape, parameters, multiply_adds) and tensors (name, shape)."""
        handle = self._open()
        text = np.empty(_library.size(lib.diptych_model_describe, handle, None, 0) + 1, "S1")
        _library.size(lib.diptych_model_describe, handle, text, text.size)
        described: dict[str, Any] = json.loads(text[:-1].tobytes())
        return described

    @property
    def architecture(self) -> str:
        """ "siamese", "rws" or "mlp"."""
        return str(self.describe()["architecture"])

    @property
    def height(self) -> int:
        """Of an image in pixels."""
        return self._shape()[0]

    @property
    def width(self) -> int:
        """Of an image in pixels."""
        return self._shape()[1]

    @property
    def classes(self) -> int:
        """The number of classes that an image may be of."""
        return self._shape()[2]

    def _shape(self) -> tuple[int, int, int]:
        self._open()
        if self._geometry is None:
            described = self.describe()
            self._geometry = described["height"], described["width"], described["classes"]
        return self._geometry

    def predict(self, pairs: ArrayLike, threads: int = 1, class_probabilities: bool = False) -> Predictions:
        """Classify pairs [n, 2, height, width], uint8 or float, 0 (background) to 255 (ink), finite.

        threads: 1 runs on the calling thread, 0 takes the CPUs that the process may use, more takes that many, up
        to 256. The answer for a pair does not depend on the others, or on threads. class_probabilities=True adds
        [n, 2, classes]. Arrays that are not contiguous, and floats other than float32, are copied.

        Raises TypeError and ValueError for a wrong dtype or shape, InvalidArgumentError for NaN and infinity.
        """
        handle = self._open()
        height, width, classes = self._shape()
        pixels = _arguments.pixels(pairs, "pairs", f"[n, 2, {height}, {width}]", (None, 2, height, width))
        threads = whole(threads, "threads")
        n = len(pixels)
        answers = np.empty(n, _library.PREDICTIONS.dtype)
        shares = np.empty((n, 2, classes), np.float32) if class_probabilities else None
        function = lib.diptych_predict_u8 if pixels.dtype == np.uint8 else lib.diptych_predict
        for start in range(0, n, _PAIRS_A_CALL):
            part = slice(start, start + _PAIRS_A_CALL)
            into = None if shares is None else shares[part]
            function(handle, pixels[part], len(answers[part]), threads, answers[part], into)
        return Predictions(answers, shares)

    def classify(self, first: Source, second: Source, **options: Unpack[PixelOptions]) -> Prediction:
        """Compare two PNGs: both paths, or both the files' bytes. Options are load_png's but for the size, which is
        the model's. Raises what load_png raises, naming the file."""
        handle = self._open()
        without = ("height", "width")
        filled = _library.options(_library.diptych_image_options, options, without)
        answer = np.empty(1, _library.PREDICTIONS.dtype)
        if _arguments.is_bytes(first) != _arguments.is_bytes(second):
            raise TypeError("first and second must both be paths, or both be bytes")
        if _arguments.is_bytes(first):
            a, b = _arguments.data(first, "first"), _arguments.data(second, "second")
            lib.diptych_classify_png_memory(handle, a, a.size, b, b.size, filled, answer)
        else:
            paths = _arguments.path(first, "first"), _arguments.path(second, "second")  # type: ignore[arg-type]
            lib.diptych_classify_png_files(handle, *paths, filled, answer)
        return Predictions(answer)[0]

    @property
    def views(self) -> int:
        """Over how many views of a pair predict averages the logits (see ModelOptions): 1, 5 or 9; may be set, and is saved
        with the model."""
        return int(self.describe()["views"])

    @views.setter
    def views(self, value: int) -> None:
        lib.diptych_model_views_set(self._open(), _arguments.whole(value, "views"))

    @property
    def temperatures(self) -> Temperatures:
        """What predicting divides the logits by, (head, classes); (1, 1) where the model is not calibrated. Set it
        to copy another model's: `model.temperatures = other.temperatures`; each is from 0.05 to 20."""
        return Temperatures(*_library.temperatures(self._open()))

    @temperatures.setter
    def temperatures(self, value: tuple[float, float]) -> None:
        head, classes = (_arguments.real(one, "temperature") for one in value)
        lib.diptych_model_temperatures_set(self._open(), head, classes)

    def calibrate(self, pairs: Pairs, threads: int = 0) -> Temperatures:
        """Fit the temperatures to pairs that the model was not trained on, and set them (Guo et al., 2017): each
        is the one with the least negative log likelihood, the head's of the targets, the classes' of the digits.

        Without digits the classes' stays. A temperature is 1 where the pairs do not tell it, as where the model
        answers without one mistake. threads: as in predict. Raises MismatchError where the sizes differ.
        """
        handles = self._open(), Pairs._borrow(pairs, "pairs")
        lib.diptych_model_calibrate(*handles, whole(threads, "threads"))
        return self.temperatures

    @property
    def tensors(self) -> Tensors:
        """The weights by name, to read and to set: `model.tensors["fc1.weight"]`."""
        self._open()
        return Tensors(self)

    def state_dict(self) -> dict[str, NDArray[np.float32]]:
        """A copy of every tensor by name, in PyTorch's order and shapes."""
        return dict(self.tensors)

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Set every tensor. Raises ValueError, before any is set, where names or shapes differ from the model's."""
        shapes = self.tensors.shapes
        missing, unknown = sorted(shapes.keys() - state.keys()), sorted(state.keys() - shapes.keys())
        if missing or unknown:
            raise ValueError(f"state does not fit the model: missing {missing}, unknown {unknown}")
        values = {name: _tensor(value, name, shapes[name]) for name, value in state.items()}
        for name, value in values.items():
            self.tensors[name] = value

    def _summary(self) -> str:
        height, width, classes = self._shape()
        return f"{self.architecture} {height}x{width}, {classes} classes, {self.parameter_count} parameters"


class Temperatures(NamedTuple):
    """What a model's logits are divided by before they become probabilities."""

    head: float
    classes: float


class Tensors(Mapping[str, NDArray[np.float32]]):
    """A model's tensors by PyTorch's names ([out, in] for dense layers, [out, in, ky, kx] for convolutions).

    Reading copies a tensor out; assigning copies one in, which must have the same shape and be finite.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.shapes = {tensor["name"]: tuple(tensor["shape"]) for tensor in model.describe()["tensors"]}
        """Every tensor's shape by its name."""

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        values = np.empty(self._known(name), np.float32)
        _library.size(lib.diptych_model_tensor_get, self._model._open(), name.encode(), values, values.size)
        return values

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        values = _tensor(value, name, self._known(name))
        lib.diptych_model_tensor_set(self._model._open(), name.encode(), values, values.size)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"<diptych.Tensors {', '.join(f'{name} {list(shape)}' for name, shape in self.shapes.items())}>"

    def _known(self, name: str) -> tuple[int, ...]:
        if name not in self.shapes:
            raise errors.TensorNotFoundError(f"there is no tensor {name!r}; these are: {', '.join(self.shapes)}")
        return self.shapes[name]


def _tensor(value: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return _arguments.floats(value, name, str(list(shape)), shape)
