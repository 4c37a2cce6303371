"""The C API, as include/diptych.h declares it. The only module that touches ctypes.

Three layers: declarations (checked against the header by tests/test_header.py), loading, and a few helpers through
which the other modules call: `lib.diptych_*` functions raise by themselves where a status says so; array
parameters take NumPy arrays of the right dtype or None; handle parameters take a Handle.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from ctypes import (
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
    sizeof,
)
from pathlib import Path
from typing import Any

import numpy as np

from . import errors
from ._arguments import INT32, UINT64, real, whole

VERSION = (0, 1, 0)
"""The version of the header that these declarations follow."""

# ---- Declarations: types ---------------------------------------------------------------------------------


class diptych_model(Structure):
    pass


class diptych_dataset(Structure):
    pass


class diptych_pairs(Structure):
    pass


class diptych_trainer(Structure):
    pass


class diptych_model_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("architecture", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("classes", c_int32),
        ("channels", c_int32),
        ("fc1_width", c_int32),
        ("fc2_width", c_int32),
        ("head_width", c_int32),
        ("mlp_width1", c_int32),
        ("mlp_width2", c_int32),
        ("dropout", c_float),
        ("decision", c_int32),
        ("views", c_int32),
        ("seed", c_uint64),
    ]


class diptych_image_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("mode", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("polarity", c_int32),
        ("background", c_int32),
        ("max_height", c_int32),
        ("max_width", c_int32),
    ]


class diptych_prediction(Structure):
    _fields_ = [
        ("probability", c_float),
        ("marginal", c_float),
        ("first_digit", c_int32),
        ("second_digit", c_int32),
        ("first_confidence", c_float),
        ("second_confidence", c_float),
        ("less_or_equal", c_int32),
        ("agrees", c_int32),
    ]


class diptych_trainer_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epochs", c_int32),
        ("batch_size", c_int32),
        ("optimizer", c_int32),
        ("schedule", c_int32),
        ("shuffle", c_int32),
        ("threads", c_int32),
        ("learning_rate", c_float),
        ("momentum", c_float),
        ("beta1", c_float),
        ("beta2", c_float),
        ("epsilon", c_float),
        ("weight_decay", c_float),
        ("loss_ratio", c_float),
        ("seed", c_uint64),
        ("redraw", c_int32),
        ("label_smoothing", c_float),
        ("ema_decay", c_float),
        ("rotation", c_float),
        ("scale", c_float),
        ("shear", c_float),
        ("shift", c_float),
        ("elastic", c_float),
        ("stroke", c_float),
        ("reserved", c_int32),
    ]


class diptych_progress(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epoch", c_int32),
        ("epochs", c_int32),
        ("finished", c_int32),
        ("step", c_int64),
        ("steps", c_int64),
        ("loss", c_double),
        ("bce", c_double),
        ("auxiliary", c_double),
        ("train_error", c_double),
        ("learning_rate", c_double),
        ("seconds", c_double),
    ]


class diptych_evaluation(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_int32),
        ("count", c_int64),
        ("error", c_double),
        ("marginal_error", c_double),
        ("digit_error", c_double),
        ("bce", c_double),
        ("auxiliary", c_double),
        ("ece", c_double),
        ("marginal_ece", c_double),
    ]


class diptych_reliability_bin(Structure):
    _fields_ = [
        ("count", c_int64),
        ("mean_probability", c_double),
        ("frequency", c_double),
    ]


RELIABILITY_BINS = 15

diptych_progress_callback = ctypes.CFUNCTYPE(c_int32, POINTER(diptych_progress), c_void_p)

CHOICES: dict[str, tuple[str, dict[str, int]]] = {
    # the option's name: what the header's constants begin with, and the words for each of them
    "architecture": ("DIPTYCH_", {"siamese": 0, "rws": 1, "mlp": 2}),
    "decision": ("DIPTYCH_DECIDE_BY_", {"head": 0, "marginal": 1}),
    "mode": ("DIPTYCH_IMAGE_", {"digit": 0, "plain": 1}),
    "polarity": ("DIPTYCH_POLARITY_", {"auto": 0, "dark_ink": 1, "light_ink": 2}),
    "split": ("DIPTYCH_SAMPLE_", {"train": 0, "test": 1}),
    "optimizer": ("DIPTYCH_", {"adam": 0, "sgd": 1}),
    "recipe": ("DIPTYCH_RECIPE_", {"report": 0, "best": 1}),
    "schedule": ("DIPTYCH_SCHEDULE_", {"constant": 0, "cosine": 1, "one_cycle": 2}),
}


class Array:
    """A parameter that points to elements: takes a contiguous NumPy array of that type, or None for NULL."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.dtype = None if element is None else np.dtype(element)

    def from_param(self, value: Any) -> c_void_p | None:
        if value is None:
            return None
        fits = isinstance(value, np.ndarray) and value.flags.c_contiguous
        if not fits or (self.dtype is not None and self.dtype is not value.dtype and self.dtype != value.dtype):
            raise TypeError(f"expected a contiguous array of {self.dtype or 'anything'}, not {value!r:.60}")
        return c_void_p(value.ctypes.data)


ANY, BYTES, FLOATS, INTS, COUNTS = Array(None), Array(c_uint8), Array(c_float), Array(c_int32), Array(c_uint64)
CHARACTERS, PREDICTIONS, BINS = Array(ctypes.c_char), Array(diptych_prediction), Array(diptych_reliability_bin)
MODEL, DATASET, PAIRS, TRAINER = map(POINTER, (diptych_model, diptych_dataset, diptych_pairs, diptych_trainer))
IMAGE_OPTIONS = POINTER(diptych_image_options)
SIZE_OUT, INT_OUT, FLOAT_OUT = POINTER(c_size_t), POINTER(c_int32), POINTER(c_float)

# ---- Declarations: functions -----------------------------------------------------------------------------

SIGNATURES: dict[str, tuple[Any, ...]] = {
    # the result first, then the arguments
    "diptych_version": (c_int32,),
    "diptych_version_string": (c_char_p,),
    "diptych_build_info": (c_char_p,),
    "diptych_status_name": (c_char_p, c_int32),
    "diptych_last_error": (c_char_p,),
    "diptych_model_options_init": (c_int32, POINTER(diptych_model_options), c_size_t),
    "diptych_model_options_recipe": (c_int32, POINTER(diptych_model_options), c_size_t, c_int32),
    "diptych_model_create": (c_int32, POINTER(diptych_model_options), POINTER(MODEL)),
    "diptych_model_default": (c_int32, POINTER(MODEL)),
    "diptych_model_load_file": (c_int32, c_char_p, POINTER(MODEL)),
    "diptych_model_load_memory": (c_int32, ANY, c_size_t, POINTER(MODEL)),
    "diptych_model_save_file": (c_int32, MODEL, c_char_p),
    "diptych_model_save_memory": (c_int32, MODEL, ANY, c_size_t, SIZE_OUT),
    "diptych_model_parameter_count": (c_uint64, MODEL),
    "diptych_model_describe": (c_int32, MODEL, CHARACTERS, c_size_t, SIZE_OUT),
    "diptych_model_tensor_get": (c_int32, MODEL, c_char_p, FLOATS, c_size_t, SIZE_OUT),
    "diptych_model_tensor_set": (c_int32, MODEL, c_char_p, FLOATS, c_size_t),
    "diptych_model_views_set": (c_int32, MODEL, c_int32),
    "diptych_model_temperatures_get": (c_int32, MODEL, FLOAT_OUT, FLOAT_OUT),
    "diptych_model_temperatures_set": (c_int32, MODEL, c_float, c_float),
    "diptych_model_free": (None, MODEL),
    "diptych_image_options_init": (c_int32, IMAGE_OPTIONS, c_size_t),
    "diptych_image_load_png_file": (c_int32, c_char_p, IMAGE_OPTIONS, FLOATS, c_size_t, SIZE_OUT),
    "diptych_image_load_png_memory": (c_int32, ANY, c_size_t, IMAGE_OPTIONS, FLOATS, c_size_t, SIZE_OUT),
    "diptych_predict": (c_int32, MODEL, FLOATS, c_size_t, c_int32, PREDICTIONS, FLOATS),
    "diptych_predict_u8": (c_int32, MODEL, BYTES, c_size_t, c_int32, PREDICTIONS, FLOATS),
    "diptych_classify_png_files": (c_int32, MODEL, c_char_p, c_char_p, IMAGE_OPTIONS, PREDICTIONS),
    "diptych_classify_png_memory": (c_int32, MODEL, ANY, c_size_t, ANY, c_size_t, IMAGE_OPTIONS, PREDICTIONS),
    "diptych_dataset_open_idx": (c_int32, c_char_p, c_char_p, POINTER(DATASET)),
    "diptych_dataset_open_folder": (c_int32, c_char_p, IMAGE_OPTIONS, POINTER(DATASET)),
    "diptych_dataset_from_memory": (c_int32, BYTES, INTS, c_size_t, c_int32, c_int32, POINTER(DATASET)),
    "diptych_dataset_sample": (c_int32, c_int32, POINTER(DATASET)),
    "diptych_dataset_count": (c_size_t, DATASET),
    "diptych_dataset_get": (c_int32, DATASET, INT_OUT, INT_OUT, BYTES, INTS),
    "diptych_dataset_free": (None, DATASET),
    "diptych_pairs_draw": (c_int32, DATASET, c_size_t, c_int32, c_int32, c_uint64, POINTER(PAIRS)),
    "diptych_pairs_from_memory": (c_int32, FLOATS, FLOATS, INTS, c_size_t, c_int32, c_int32, POINTER(PAIRS)),
    "diptych_pairs_count": (c_size_t, PAIRS),
    "diptych_pairs_get": (c_int32, PAIRS, INT_OUT, INT_OUT, FLOATS, FLOATS, INTS),
    "diptych_pairs_free": (None, PAIRS),
    "diptych_trainer_options_init": (c_int32, POINTER(diptych_trainer_options), c_size_t),
    "diptych_trainer_options_recipe": (c_int32, POINTER(diptych_trainer_options), c_size_t, c_int32),
    "diptych_trainer_create": (c_int32, MODEL, PAIRS, POINTER(diptych_trainer_options), POINTER(TRAINER)),
    "diptych_trainer_step": (c_int32, TRAINER, POINTER(diptych_progress)),
    "diptych_trainer_epoch": (c_int32, TRAINER, POINTER(diptych_progress)),
    "diptych_trainer_cancel": (None, TRAINER),
    "diptych_trainer_save": (c_int32, TRAINER, c_char_p),
    "diptych_trainer_resume": (c_int32, c_char_p, PAIRS, c_int32, c_int32, POINTER(MODEL), POINTER(TRAINER)),
    "diptych_trainer_free": (None, TRAINER),
    "diptych_train": (c_int32, MODEL, PAIRS, POINTER(diptych_trainer_options), diptych_progress_callback, c_void_p),
    "diptych_evaluate": (c_int32, MODEL, PAIRS, c_int32, POINTER(diptych_evaluation), COUNTS),
    "diptych_model_calibrate": (c_int32, MODEL, PAIRS, c_int32),
    "diptych_reliability": (c_int32, MODEL, PAIRS, c_int32, BINS, BINS),
}

# ---- Loading ---------------------------------------------------------------------------------------------


def candidates() -> list[str]:
    """Where the library is looked for, in order. DIPTYCH_LIBRARY, where it is set, is the only place."""
    given = os.environ.get("DIPTYCH_LIBRARY")
    if given:
        return [given]
    mac = sys.platform == "darwin"
    name = "libdiptych.dylib" if mac else "libdiptych.so"
    here = Path(__file__).resolve().parent
    repository = here.parents[3]
    places = [str(here / name)]
    if (repository / "include" / "diptych.h").is_file():
        places.append(str(repository / "build" / name))
    # A bare name: the system's own search path.
    return places + ["libdiptych.0.dylib" if mac else "libdiptych.so.0"]


def load() -> Any:
    """Load the first candidate that is there, declare its functions, and check its version."""
    failures = []
    for place in candidates():
        if os.sep in place and not os.path.exists(place):
            failures.append(f"{place}: no such file")
            continue
        try:
            return _declared(ctypes.CDLL(place), place)
        except OSError as error:
            failures.append(f"{place}: {error}")
    hint = (
        "DIPTYCH_LIBRARY names it"
        if os.environ.get("DIPTYCH_LIBRARY")
        else "build it with `make library`, or set DIPTYCH_LIBRARY to its path"
    )
    raise errors.LibraryError(f"the Diptych library was not found ({hint}); tried:\n  " + "\n  ".join(failures))


def _declared(loaded: ctypes.CDLL, place: str) -> ctypes.CDLL:
    try:
        version = loaded.diptych_version
        version.restype, version.argtypes = c_int32, []
        _check_version(version(), place)
        for name, (result, *arguments) in SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
            if result is c_int32:
                function.errcheck = _raise_failure
    except AttributeError as error:
        raise errors.LibraryError(f"{place} is not a complete Diptych library: {error}") from None
    return loaded


def _check_version(version: int, place: str) -> None:
    """The same major version, and at least this minor one; before 1.0 the minor version must be the same too."""
    major, minor = version // 10000, version // 100 % 100
    fits = major == VERSION[0] and (minor == VERSION[1] if major == 0 else minor >= VERSION[1])
    if not fits:
        raise errors.LibraryError(
            f"{place} is version {major}.{minor}.{version % 100}, but this package needs {VERSION[0]}.{VERSION[1]}"
        )


def _raise_failure(result: int, function: Any, arguments: tuple[Any, ...]) -> int:
    if result < 0:
        raise errors.from_status(result, lib.diptych_last_error().decode("utf-8", "replace"))
    return result


lib: Any = load()

# ---- Helpers ---------------------------------------------------------------------------------------------


class Handle:
    """A pointer of the library's, freed when nothing refers to it any more.

    Every call holds a reference while it runs, so closing an object on one thread cannot pull its memory from
    under a call on another.
    """

    __slots__ = ("_as_parameter_", "_free")

    def __init__(self, pointer: Any) -> None:
        self._as_parameter_ = pointer
        self._free = getattr(lib, f"{type(pointer)._type_.__name__}_free")

    def __del__(self) -> None:
        self._free(self._as_parameter_)


def create(function: Any, *arguments: Any) -> Handle:
    """Call a function whose last parameter is the handle that it makes."""
    pointer = function.argtypes[-1]._type_()
    function(*arguments, pointer)
    return Handle(pointer)


def resume(path: bytes, pairs: Handle, epochs: int, threads: int) -> tuple[Handle, Handle]:
    """diptych_trainer_resume: the model and the trainer."""
    model, trainer = MODEL(), TRAINER()
    lib.diptych_trainer_resume(path, pairs, epochs, threads, model, trainer)
    return Handle(model), Handle(trainer)


def size(function: Any, *arguments: Any) -> int:
    """Call a function whose last parameter is a size that it reports."""
    out = c_size_t()
    function(*arguments, out)
    return out.value


def height_and_width(function: Any, handle: Handle) -> tuple[int, int]:
    """The image size of a dataset or of pairs, from their _get function."""
    height, width = c_int32(), c_int32()
    function(handle, height, width, *[None] * (len(function.argtypes) - 3))
    return height.value, width.value


def temperatures(model: Handle) -> tuple[float, float]:
    """diptych_model_temperatures_get: the head's and the classes'."""
    head, classes = c_float(), c_float()
    lib.diptych_model_temperatures_get(model, head, classes)
    return head.value, classes.value


def progress() -> diptych_progress:
    return diptych_progress(struct_size=sizeof(diptych_progress))


def evaluation() -> diptych_evaluation:
    return diptych_evaluation(struct_size=sizeof(diptych_evaluation))


def members(result: Any) -> dict[str, Any]:
    """A result struct as a dict, without its housekeeping."""
    return {name: getattr(result, name) for name in names(type(result))}


def names(struct: Any) -> list[str]:
    """The members of a struct that mean something to a user."""
    return [field[0] for field in struct._fields_ if field[0] not in ("struct_size", "reserved")]


def choice(name: str, value: Any) -> int:
    """The constant for a word, such as "adam" for the option optimizer."""
    words = CHOICES[name][1]
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(map(repr, words))}, not {value!r}")
    if value not in words:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(map(repr, words))}")
    return words[value]


def options(struct: Any, given: Mapping[str, Any], without: tuple[str, ...] = (), recipe: str | None = None) -> Any:
    """The library's defaults, or a recipe's, with those that were given; names in without are not allowed."""
    filled = struct()
    if recipe is None:
        getattr(lib, f"{struct.__name__}_init")(filled, sizeof(struct))
    else:
        getattr(lib, f"{struct.__name__}_recipe")(filled, sizeof(struct), choice("recipe", recipe))
    types = dict(struct._fields_)
    allowed = [name for name in names(struct) if name not in without]
    for name, value in given.items():
        if name not in allowed:
            raise TypeError(f"{name!r} is no option here; these are: {', '.join(allowed)}")
        setattr(filled, name, _member(name, value, types[name]))
    return filled


def _member(name: str, value: Any, kind: Any) -> Any:
    if name in CHOICES:
        return choice(name, value)
    if kind is c_float:
        return real(value, name)
    return whole(value, name, UINT64 if kind is c_uint64 else INT32)


def text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
