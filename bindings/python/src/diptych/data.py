"""Labelled images, and pairs of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arguments, _library
from ._arguments import SIZE, UINT64, PathLike, whole
from ._library import lib
from ._resource import Resource
from .options import ImageOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Dataset(Resource):
    """Labelled images, all of one size, as bytes. Immutable: any number of threads may use one at once."""

    _copy: tuple[NDArray[np.uint8], NDArray[np.int32] | None] | None = None

    @classmethod
    def open_idx(cls, images_path: PathLike, labels_path: PathLike) -> Dataset:
        """Open an IDX pair, as MNIST comes; each file plain or gzip-compressed.

        Raises NotFoundError, FormatError, CorruptError, LimitError (over 4 GiB of pixels), MismatchError.
        """
        paths = _arguments.path(images_path, "images_path"), _arguments.path(labels_path, "labels_path")
        return cls._of(_library.create(lib.diptych_dataset_open_idx, *paths))

    @classmethod
    def open_folder(cls, path: PathLike, **options: Unpack[ImageOptions]) -> Dataset:
        """Open a folder with one folder of PNGs for each class, named by its number: 0/x.png, 1/y.png, ...

        Options are load_png's. In digit mode images are kept as 28x28, in plain mode as height x width. An image
        that cannot be read fails the call and is named.
        """
        filled = _library.options(_library.diptych_image_options, options)
        return cls._of(_library.create(lib.diptych_dataset_open_folder, _arguments.path(path, "path"), filled))

    @classmethod
    def from_arrays(cls, images: ArrayLike, labels: ArrayLike | None = None) -> Dataset:
        """Copy arrays: images [n, height, width] uint8; labels [n] integers, 0 to 999, or None."""
        pixels = np.asarray(images)
        if pixels.dtype != np.uint8:
            raise TypeError(f"images has dtype {pixels.dtype}, but must be uint8")
        pixels = _arguments.pixels(pixels, "images", "[n, height, width]", (None, None, None))
        n, height, width = pixels.shape
        numbers = None if labels is None else _arguments.integers(labels, "labels", f"[{n}]", (n,))
        create = lib.diptych_dataset_from_memory
        return cls._of(_library.create(create, pixels, numbers, n, whole(height, "height"), whole(width, "width")))

    @classmethod
    def sample(cls, split: Literal["train", "test"] = "train") -> Dataset:
        """The digits inside the library, 28x28: 5,000 of MNIST's training digits, or 2,500 of its test digits."""
        return cls._of(_library.create(lib.diptych_dataset_sample, _library.choice("split", split)))

    def __len__(self) -> int:
        return int(lib.diptych_dataset_count(self._open()))

    @property
    def height(self) -> int:
        """Of an image in pixels."""
        return _library.height_and_width(lib.diptych_dataset_get, self._open())[0]

    @property
    def width(self) -> int:
        """Of an image in pixels."""
        return _library.height_and_width(lib.diptych_dataset_get, self._open())[1]

    @property
    def images(self) -> NDArray[np.uint8]:
        """[n, height, width] uint8, 0 background to 255 ink; a read-only copy, made once."""
        return self._arrays()[0]

    @property
    def labels(self) -> NDArray[np.int32] | None:
        """[n] int32, a read-only copy, made once; None where the images have no labels."""
        return self._arrays()[1]

    def _arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int32] | None]:
        handle = self._open()
        if self._copy is None:
            images = np.empty((len(self), self.height, self.width), np.uint8)
            labels = np.empty(len(images), np.int32)
            lib.diptych_dataset_get(handle, None, None, images, labels)
            self._copy = _fixed(images), _fixed(labels) if (labels >= 0).all() else None
        return self._copy

    def close(self) -> None:
        super().close()
        self._copy = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Dataset.from_arrays, (self.images, self.labels)

    def _summary(self) -> str:
        labelled = "labelled" if self.labels is not None else "no labels"
        return f"{len(self)} images of {self.height}x{self.width}, {labelled}"


class Pairs(Resource):
    """Pairs of images to train on or to test with. Immutable: any number of threads may use one at once."""

    _copy: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32] | None] | None = None

    @classmethod
    def draw(cls, dataset: Dataset, count: int, height: int = 14, width: int = 14, seed: int = 0) -> Pairs:
        """Draw count pairs without replacement: 2 * count different images in random order by seed.

        Images are averaged by area to height x width. The target is 1 where the first label is less than or equal
        to the second. Raises MismatchError where the dataset has no labels, InvalidArgumentError where it has fewer
        than 2 * count images.
        """
        arguments = whole(height, "height"), whole(width, "width"), whole(seed, "seed", UINT64)
        count = whole(count, "count", SIZE)
        source = Dataset._borrow(dataset, "dataset")
        return cls._of(_library.create(lib.diptych_pairs_draw, source, count, *arguments))

    @classmethod
    def from_arrays(cls, images: ArrayLike, targets: ArrayLike | None = None, digits: ArrayLike | None = None) -> Pairs:
        """Copy the caller's own pairs.

        images [n, 2, height, width], uint8 or float, any unit, finite; targets [n], each 0 or 1 (or bool), meaning
        whatever is to be learned; digits [n, 2], classes from 0 to 999 for the auxiliary loss, or None. Without
        targets the target is first digit <= second digit. At least one of targets and digits is needed.
        """
        shape = (None, 2, None, None)
        pixels = _arguments.pixels(images, "images", "[n, 2, height, width]", shape, allow_uint8=False)
        n, _, height, width = pixels.shape
        wanted = None if targets is None else _arguments.floats(targets, "targets", f"[{n}]", (n,))
        classes = None if digits is None else _arguments.integers(digits, "digits", f"[{n}, 2]", (n, 2))
        size = n, whole(height, "height"), whole(width, "width")
        return cls._of(_library.create(lib.diptych_pairs_from_memory, pixels, wanted, classes, *size))

    def __len__(self) -> int:
        return int(lib.diptych_pairs_count(self._open()))

    @property
    def height(self) -> int:
        """Of an image in pixels."""
        return _library.height_and_width(lib.diptych_pairs_get, self._open())[0]

    @property
    def width(self) -> int:
        """Of an image in pixels."""
        return _library.height_and_width(lib.diptych_pairs_get, self._open())[1]

    @property
    def images(self) -> NDArray[np.float32]:
        """[n, 2, height, width] float32; a read-only copy, made once."""
        return self._arrays()[0]

    @property
    def targets(self) -> NDArray[np.float32]:
        """[n] float32, each 0 or 1; a read-only copy, made once."""
        return self._arrays()[1]

    @property
    def digits(self) -> NDArray[np.int32] | None:
        """[n, 2] int32, a read-only copy, made once; None where the pairs have none."""
        return self._arrays()[2]

    def _arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32] | None]:
        handle = self._open()
        if self._copy is None:
            images = np.empty((len(self), 2, self.height, self.width), np.float32)
            targets = np.empty(len(images), np.float32)
            digits = np.empty((len(images), 2), np.int32)
            lib.diptych_pairs_get(handle, None, None, images, targets, digits)
            self._copy = _fixed(images), _fixed(targets), _fixed(digits) if (digits >= 0).all() else None
        return self._copy

    def close(self) -> None:
        super().close()
        self._copy = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Pairs.from_arrays, (self.images, self.targets, self.digits)

    def _summary(self) -> str:
        digits = "with digits" if self.digits is not None else "no digits"
        return f"{len(self)} pairs of {self.height}x{self.width}, {digits}"


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
