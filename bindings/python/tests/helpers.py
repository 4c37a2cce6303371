"""What several tests need: PNG files without a library, a small model, the library that is in use."""

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np

import diptych
from diptych import _library

ROOT = Path(__file__).resolve().parents[3]
HEADER = ROOT / "include" / "diptych.h"
LIBRARY = _library.lib._name

SMALL = dict(height=8, width=8, channels=4, fc1_width=32, fc2_width=16, head_width=8)
"""A siamese network that trains in milliseconds."""


def png(pixels):
    """An 8-bit grey PNG of pixels [height, width] (PNG specification, section 5)."""
    pixels = np.asarray(pixels, np.uint8)
    height, width = pixels.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def small_pairs(count=200, seed=3):
    with diptych.Dataset.sample("train") as digits:
        return diptych.Pairs.draw(digits, count, height=8, width=8, seed=seed)


def run_python(code, **environment):
    """Run code in a fresh interpreter that can import this diptych and loads this library."""
    paths = [str(Path(diptych.__file__).parents[1]), str(Path(__file__).parent)]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DIPTYCH_LIBRARY": LIBRARY, **environment}
    return subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True)
