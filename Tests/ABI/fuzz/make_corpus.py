#!/usr/bin/env python3
"""Write corpus/png: a small PNG of every colour type, depth and interlacing, with fixed random pixels.

    Tests/ABI/fuzz/make_corpus.py [FOLDER]
"""

import random
import struct
import sys
import zlib
from pathlib import Path

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 4, 8], 4: [8, 16], 6: [8, 16]}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
WIDTH, HEIGHT = 12, 9


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rows(source: random.Random, colour: int, depth: int, width: int, height: int) -> bytes:
    size = (width * CHANNELS[colour] * depth + 7) // 8
    mask = 0x11 if colour == 3 else 0xFF  # few indices, so that they lie within the palette
    return b"".join(bytes([source.randrange(5)]) + bytes(source.randrange(256) & mask for _ in range(size)) for _ in range(height))


def png(source: random.Random, colour: int, depth: int, interlaced: bool) -> bytes:
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b"".join(
        rows(source, colour, depth, (WIDTH - x + dx - 1) // dx, (HEIGHT - y + dy - 1) // dy) for x, y, dx, dy in passes
    )
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, interlaced))
    if colour == 3:
        file += chunk(b"PLTE", bytes(source.randrange(256) for _ in range(3 << depth))) + chunk(b"tRNS", b"\x00\x80")
    if colour == 0:
        file += chunk(b"tRNS", b"\x00\x01")
    return file + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "corpus" / "png"
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(1)
    for colour, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                name = f"type{colour}-depth{depth}" + ("-interlaced" if interlaced else "")
                (folder / name).write_bytes(png(source, colour, depth, interlaced))


if __name__ == "__main__":
    main()
