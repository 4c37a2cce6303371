#!/usr/bin/env python3
"""Draw the pictures paper-*.png of this folder: digits by a pen on unevenly lit paper, as a phone would take them.

Needs Pillow and numpy. The same bytes come out every time with the same versions of both.
"""
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Strokes in a box of 100 x 100, as points that a smooth curve passes through.
STROKES = {
    0: [[(52, 4), (26, 18), (16, 52), (28, 88), (52, 97), (78, 84), (86, 48), (72, 14), (50, 4)]],
    1: [[(40, 24), (56, 6), (52, 52), (48, 97)]],
    2: [[(18, 26), (34, 6), (64, 4), (78, 26), (62, 56), (34, 78), (14, 95), (50, 91), (88, 94)]],
    3: [[(22, 12), (50, 3), (74, 16), (66, 40), (42, 48), (70, 56), (82, 78), (56, 97), (18, 88)]],
    4: [[(38, 4), (30, 30), (16, 58), (50, 56), (86, 52)], [(70, 22), (66, 60), (62, 98)]],
    5: [[(78, 6), (30, 8), (24, 42), (52, 38), (78, 54), (74, 84), (46, 97), (16, 86)]],
    6: [[(70, 4), (38, 24), (20, 62), (34, 94), (64, 94), (78, 72), (60, 54), (34, 62), (22, 76)]],
    7: [[(14, 10), (50, 8), (84, 8), (66, 40), (48, 70), (38, 98)]],
    8: [[(74, 18), (50, 4), (26, 18), (40, 42), (68, 62), (74, 86), (50, 98), (24, 84), (36, 60), (66, 40), (74, 18)]],
    9: [[(76, 22), (52, 6), (26, 22), (30, 46), (56, 50), (74, 24), (72, 60), (64, 97)]],
}

# name: digit, picture's size, digit's place and size in it, paper's grey and its slope, ink's colour, pen's width
PICTURES = {
    "paper-0": (0, (320, 240), (110, 70, 90, 110), 205, (0.10, 0.06), (40, 46, 60), 9),
    "paper-2": (2, (240, 240), (60, 50, 120, 130), 228, (-0.08, 0.10), (28, 40, 120), 11),
    "paper-3": (3, (300, 200), (40, 40, 90, 120), 190, (0.15, -0.05), (30, 30, 30), 10),
    "paper-4": (4, (200, 260), (50, 60, 100, 120), 215, (0.05, 0.15), (120, 24, 30), 9),
    "paper-5": (5, (260, 260), (120, 110, 80, 100), 200, (-0.15, -0.10), (32, 34, 44), 9),
    "paper-7": (7, (400, 300), (150, 60, 110, 160), 222, (0.12, 0.12), (24, 28, 80), 14),
    "paper-8": (8, (220, 220), (70, 50, 80, 130), 210, (0.08, -0.12), (20, 24, 24), 11),
    "board-9": (9, (300, 240), (100, 50, 100, 130), 52, (0.10, 0.08), (226, 228, 218), 13),
}


def curve(points, steps=16):
    """A Catmull-Rom spline through the points."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = [0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
             for a, b, c, d in zip(p, p[1:], p[2:], p[3:])]
    return np.concatenate([*parts, p[-1:]])


def draw(digit, size, box, grey, slope, ink, pen, seed):
    random = np.random.default_rng(seed)
    width, height = size
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, width), np.linspace(-0.5, 0.5, height))
    light = 1 + slope[0] * x + slope[1] * y
    scale = 4  # drawn larger and averaged: smooth edges
    mask = Image.new("L", (width * scale, height * scale))
    pencil = ImageDraw.Draw(mask)
    left, top, w, h = box
    for stroke in STROKES[digit]:
        points = (curve(stroke) / 100 * (w, h) + (left, top)) * scale
        for i, (px, py) in enumerate(points):
            r = pen * scale / 2 * (1 + 0.12 * np.sin(i / 9))  # a hand's pressure
            pencil.ellipse((px - r, py - r, px + r, py + r), fill=255)
        for a, b in zip(points, points[1:]):
            pencil.line((*a, *b), fill=255, width=round(pen * scale * 0.9))
    cover = np.asarray(mask.resize(size, Image.BOX).filter(ImageFilter.GaussianBlur(0.7)), float)[..., None] / 255
    paper = np.full((height, width, 3), float(grey)) * (1, 0.995, 0.97)
    picture = (paper * (1 - cover) + np.array(ink, float) * cover) * light[..., None]
    picture += random.normal(0, 1.5, (height, width, 1))
    return Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent
    for seed, (name, picture) in enumerate(PICTURES.items()):
        # 24 colours a picture: a fraction of the size, and no difference to the eye.
        draw(*picture, seed).quantize(24).save(folder / f"{name}.png", optimize=True)
