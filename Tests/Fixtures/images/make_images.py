#!/usr/bin/env python3
"""Writes the fixtures of the image tests beside itself, always the same bytes for one version of zlib and Pillow.

    python3 make_images.py path/to/t10k-images-idx3-ubyte.gz path/to/t10k-labels-idx1-ubyte.gz

formats.txt: one PNG a line, every colour type, bit depth, interlacing and transparency: name, width, height, background,
the file in hex, and in hex the grey bytes it must decode to. The encoder here is an independent one, over zlib alone; the
lines "pillow-..." are encoded by Pillow (pip install pillow).

digits.txt: the first twenty MNIST test digits: label, and 28x28 bytes in hex.
"""
import gzip
import io
import random
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).parent
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
NAMES = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", RGBA: "rgba"}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(samples, depth):
    """Samples of one row as bytes."""
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(rows, bytes_per_pixel):
    """Every row with the next one of the five filters."""
    out, previous = b"", bytes(len(rows[0])) if rows else b""
    for number, row in enumerate(rows):
        kind = number % 5
        line = bytearray([kind])
        for i, value in enumerate(row):
            left = row[i - bytes_per_pixel] if i >= bytes_per_pixel else 0
            corner = previous[i - bytes_per_pixel] if i >= bytes_per_pixel else 0
            guess = (0, left, previous[i], (left + previous[i]) // 2, paeth(left, previous[i], corner))[kind]
            line.append((value - guess) & 255)
        out += bytes(line)
        previous = row
    return out


def encode(pixels, width, height, colour, depth, interlaced, extra):
    """pixels[y][x] is a tuple of samples."""
    bytes_per_pixel = max(1, CHANNELS[colour] * depth // 8)
    data = b""
    for left, top, step_x, step_y in ADAM7 if interlaced else ((0, 0, 1, 1),):
        rows = [pack([s for x in range(left, width, step_x) for s in pixels[y][x]], depth)
                for y in range(top, height, step_y)] if left < width else []
        data += filtered(rows, bytes_per_pixel)
    compressed = zlib.compress(data, 9)
    half = len(compressed) // 2
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
            + chunk(b"tEXt", b"Comment\0ignored") + extra
            + chunk(b"IDAT", compressed[:half]) + chunk(b"IDAT", compressed[half:]) + chunk(b"IEND", b""))


def grey(red, green, blue, alpha, background):
    """Samples from 0 to 1."""
    shade = 255 * (0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return round(shade * alpha + background * (1 - alpha))


def image(rng, width, height, colour, depth, interlaced, transparent, background):
    top = (1 << depth) - 1
    pixels = [[tuple(rng.randint(0, top) for _ in range(CHANNELS[colour])) for _ in range(width)] for _ in range(height)]
    extra, palette, alphas, key = b"", None, None, None
    if colour == PALETTE:
        palette = [tuple(rng.randint(0, 255) for _ in range(3)) for _ in range(top + 1)]
        extra += chunk(b"PLTE", bytes(v for entry in palette for v in entry))
        alphas = [255] * (top + 1)
        if transparent:
            count = top // 2 + 1
            alphas[:count] = [rng.randint(0, 255) for _ in range(count)]
            extra += chunk(b"tRNS", bytes(alphas[:count]))
    elif transparent:
        key = pixels[0][0]
        pixels[height - 1][width - 1] = key
        extra += chunk(b"tRNS", b"".join(struct.pack(">H", s) for s in key))
    expected = []
    for row in pixels:
        for p in row:
            if colour == PALETTE:
                shade = grey(*(v / 255 for v in palette[p[0]]), alphas[p[0]] / 255, background)
            else:
                s = [v / top for v in p]
                colours = s[:3] if colour in (RGB, RGBA) else s[:1] * 3
                alpha = s[-1] if colour in (GREY_ALPHA, RGBA) else 0 if p == key else 1
                shade = grey(*colours, alpha, background)
            expected.append(shade)
    return encode(pixels, width, height, colour, depth, interlaced, extra), bytes(expected)


def formats():
    rng = random.Random(20240607)
    for width, height in ((11, 9), (1, 1), (3, 2)):
        for colour, depths in DEPTHS.items():
            for depth in depths:
                for interlaced in (False, True):
                    for transparent in (False, True) if colour in (GREY, RGB, PALETTE) else (False,):
                        if (width, height) != (11, 9) and (transparent or depth not in (1, 8)):
                            continue
                        background = 255 if rng.random() < 0.5 else rng.randint(0, 254)
                        png, expected = image(rng, width, height, colour, depth, interlaced, transparent, background)
                        name = f"{NAMES[colour]}-{depth}{'-interlaced' * interlaced}{'-trns' * transparent}-{width}x{height}"
                        yield name, width, height, background, png, expected
    yield from pillow_formats(rng)


def pillow_formats(rng):
    from PIL import Image
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        width, height, background = 7, 5, 200
        colour = Image.frombytes("RGBA", (width, height), bytes(rng.randint(0, 255) for _ in range(4 * width * height)))
        if mode == "I;16":
            values = [rng.randint(0, 65535) for _ in range(width * height)]
            picture = Image.frombytes(mode, (width, height), struct.pack(f"<{len(values)}H", *values))
            expected = bytes(round(v / 257) for v in values)
        else:
            picture = colour.convert(mode) if mode in ("LA", "RGBA") else colour.convert("RGB").convert(mode)
            back = picture.convert("RGBA").tobytes()
            expected = bytes(grey(*(v / 255 for v in back[i:i + 4]), background) for i in range(0, len(back), 4))
        file = io.BytesIO()
        picture.save(file, "PNG")
        yield f"pillow-{mode}", width, height, background, file.getvalue(), expected


def digits(images_path, labels_path):
    images, labels = gzip.open(images_path).read()[16:], gzip.open(labels_path).read()[8:]
    for i in range(20):
        yield labels[i], images[784 * i:784 * (i + 1)]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    (HERE / "formats.txt").write_text("".join(
        f"{name} {width} {height} {background} {png.hex()} {expected.hex()}\n"
        for name, width, height, background, png, expected in formats()))
    (HERE / "digits.txt").write_text("".join(f"{label} {pixels.hex()}\n" for label, pixels in digits(*sys.argv[1:])))
