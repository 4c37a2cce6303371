"""Make the bundled sample of MNIST digits, bit for bit as it is committed.

Usage: python3 scripts/make_sample.py MNIST_FOLDER [--shades 8] [--out FILE]

MNIST_FOLDER holds the four IDX files, plain or .gz (scripts/download_mnist.sh fetches them). Needs Python 3.8, nothing
else, and about a minute.

5,000 training and 2,500 test digits: those whose SHA-256 of "diptych sample SPLIT INDEX" is smallest, in the order of
that sum. Shades are rounded to 8 levels (7 steps of 255 / 7). After 2x2 pooling that changes a pixel by 2.0 of 255
(root mean square), against a standard deviation of 71.5.

The file, read by Sources/Diptych/Data/SampleDecoder.swift:
  bytes 0-3   "DPS1"
  byte 4      shades S; byte 5 height; byte 6 width; byte 7 zero
  bytes 8-11  number of training digits, of test digits (16 bits each, little-endian)
  the rest    one stream of an adaptive binary arithmetic coder: for every digit its label, then its pixels by rows
The training digits come first, so that reading them does not need the rest.
"""
import argparse
import gzip
import hashlib
import pathlib
import struct

TRAIN_COUNT, TEST_COUNT = 5000, 2500
LIMIT = 120  # of the count of observations: the slowest rate of learning is 1 / (LIMIT + 1.5)
LABEL_BITS = 4


class Encoder:
    """Arithmetic coder: [low, high] is narrowed by each bit's probability, and leading bytes that agree are written."""

    def __init__(self, contexts):
        self.low, self.high, self.out = 0, 0xFFFFFFFF, bytearray()
        self.probability = [1 << 15] * contexts  # of a one, in 65536ths
        self.seen = [0] * contexts

    def bit(self, context, bit):
        p, n = self.probability[context], self.seen[context]
        middle = self.low + ((self.high - self.low) * p >> 16)
        if bit:
            self.high = middle
            p += (65535 - p) * 2 // (2 * n + 3)
        else:
            self.low = middle + 1
            p -= p * 2 // (2 * n + 3)
        self.probability[context] = min(max(p, 16), 65520)
        if n < LIMIT:
            self.seen[context] = n + 1
        while (self.low ^ self.high) >> 24 == 0:
            self.out.append(self.high >> 24)
            self.low = self.low << 8 & 0xFFFFFFFF
            self.high = self.high << 8 & 0xFFFFFFFF | 0xFF

    def tree(self, first, bits, value):
        """A number of so many bits, the highest first, each in the context of those before it."""
        node = 1
        for shift in range(bits - 1, -1, -1):
            bit = value >> shift & 1
            self.bit(first + node, bit)
            node = 2 * node + bit

    def finish(self):
        self.out += struct.pack(">I", self.low)
        return bytes(self.out)


def encode(digits, shades):
    """digits: [(label, rows of shades)]."""
    top, bits = shades - 1, (shades - 1).bit_length()
    nodes = 2 + (1 << bits)
    label_context = shades * shades * 256 * nodes
    coder = Encoder(label_context + (1 << LABEL_BITS))
    quarter = [0 if s == 0 else 3 if s == top else 1 if 2 * s < shades else 2 for s in range(shades)]
    for label, rows in digits:
        coder.tree(label_context, LABEL_BITS, label)
        # Two blank rows above, two blank columns on the left, one on the right: no pixel lacks a neighbour.
        width = len(rows[0])
        above2 = above = [0] * (width + 3)
        for row in rows:
            row = [0, 0, *row, 0]
            for x in range(2, width + 2):
                s = row[x]
                context = row[x - 1] * shades + above[x]
                for neighbour in (above[x - 1], above[x + 1], row[x - 2], above2[x]):
                    context = context * 4 + quarter[neighbour]
                context *= nodes
                coder.bit(context, s == 0)
                if s:
                    coder.bit(context + 1, s == top)
                    if s != top:
                        coder.tree(context + 2, bits, s)
            above2, above = above, row
    return coder.finish()


def read_idx(folder, name):
    """The shape and the bytes of an IDX file of unsigned bytes."""
    plain, packed = folder / name, folder / (name + ".gz")
    raw = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    if raw[:3] != b"\0\0\x08":
        raise SystemExit(f"{folder / name}: not an IDX file of unsigned bytes")
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    return shape, raw[4 + 4 * raw[3]:]


def draw(folder, split, count, shades):
    (total, height, width), pixels = read_idx(folder, f"{split}-images-idx3-ubyte")
    _, labels = read_idx(folder, f"{split}-labels-idx1-ubyte")
    order = sorted(range(total), key=lambda i: hashlib.sha256(f"diptych sample {split} {i}".encode()).digest())
    level = [(p * (shades - 1) + 127) // 255 for p in range(256)]
    for i in order[:count]:
        image = pixels[i * height * width:(i + 1) * height * width].translate(bytes(level))
        yield labels[i], [image[y * width:(y + 1) * width] for y in range(height)]


def main():
    asset = pathlib.Path(__file__).resolve().parents[1] / "Sources/CDiptychPlatform/assets/sample.bin"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=pathlib.Path, metavar="MNIST_FOLDER")
    parser.add_argument("--shades", type=int, default=8, choices=range(3, 17), metavar="3..16")
    parser.add_argument("--out", type=pathlib.Path, default=asset)
    args = parser.parse_args()
    digits = [digit for split, count in (("train", TRAIN_COUNT), ("t10k", TEST_COUNT))
              for digit in draw(args.mnist, split, count, args.shades)]
    rows = digits[0][1]
    header = struct.pack("<4s4B2H", b"DPS1", args.shades, len(rows), len(rows[0]), 0, TRAIN_COUNT, TEST_COUNT)
    data = header + encode(digits, args.shades)
    args.out.write_bytes(data)
    print(f"{args.out}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
