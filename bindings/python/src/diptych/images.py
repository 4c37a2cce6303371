"""PNG files as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import _arguments, _library
from ._arguments import Source
from ._library import lib
from .options import ImageOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


def load_png(source: Source, **options: Unpack[ImageOptions]) -> NDArray[np.float32]:
    """Read a PNG (any colour type, depth, interlacing, transparency) as a network's input.

    source is a path, or the file's bytes. Options: mode, height, width, polarity, background, max_height,
    max_width; see ImageOptions. Returns [height, width] float32, 0 (background) to 255 (ink).

    Raises NotFoundError, FormatError (no PNG), CorruptError, LimitError (too large), BlankImageError (digit mode
    found no ink), InvalidArgumentError (an option out of range).
    """
    filled = _library.options(_library.diptych_image_options, options)
    if _arguments.is_bytes(source):
        data = _arguments.data(source, "source")
        function, given = lib.diptych_image_load_png_memory, (data, data.size)
    else:
        function, given = lib.diptych_image_load_png_file, (_arguments.path(source, "source"),)  # type: ignore
    # The defaults above are within range, so a size that C would refuse is refused by it, not by NumPy.
    pixels = np.empty(max(0, filled.height) * max(0, filled.width), np.float32)
    _library.size(function, *given, filled, pixels, pixels.size)
    return pixels.reshape(filled.height, filled.width)
