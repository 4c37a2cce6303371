"""The options of models, images and training, by the header's names, for type checkers and for reading.

All are keyword arguments; what is not given keeps the library's default. A value out of range raises
InvalidArgumentError (a ValueError), an unknown name TypeError.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class ModelOptions(TypedDict, total=False):
    """The shape of a network. The defaults are the siamese network for 14x14 digits."""

    architecture: Literal["siamese", "rws", "mlp"]
    """Default "siamese"."""
    height: int
    """Of an image in pixels, 4 to 256; default 14."""
    width: int
    """Likewise."""
    classes: int
    """2 to 1000; default 10."""
    channels: int
    """Of both convolutions, 1 to 256; default 32."""
    fc1_width: int
    """1 to 4096; default 64."""
    fc2_width: int
    """1 to 4096; default 64."""
    head_width: int
    """Of fc4, 1 to 4096; default 16."""
    mlp_width1: int
    """Of the MLP's l1, 1 to 65536; 0, the default, is channels * height * width."""
    mlp_width2: int
    """Of the MLP's l2, likewise; 0 is channels * (height // 2) * (width // 2)."""
    dropout: float
    """Probability of zeroing a unit in training, 0 <= dropout < 1; default 0.5."""
    decision: Literal["head", "marginal"]
    """Which answer decides; "marginal" takes a model that was trained with digit labels. Default "head"."""
    views: Literal[1, 5, 9]
    """Test-time augmentation: predict averages the logits over so many views of each pair, as it is, then both images
    moved by a pixel up, down, left and right, then diagonally, where pixels of value 0 come in; it takes as many times
    as long. Default 1."""
    seed: int
    """Of the initial weights, 0 to 2**64 - 1; default 0."""


class PixelOptions(TypedDict, total=False):
    """How a PNG becomes pixels."""

    mode: Literal["digit", "plain"]
    """"digit", the default, is MNIST's recipe for a photo or drawing of one digit: ink found and made high, cropped,
    fitted into 20x20, centred in 28x28, averaged to the size. "plain" is grey resampled by area, nothing else."""
    polarity: Literal["auto", "dark_ink", "light_ink"]
    """Default "auto": in digit mode the border's shade is paper; in plain mode the same as "light_ink"."""
    background: int
    """Grey that transparent pixels are composited on, 0 to 255; default 255, white."""
    max_height: int
    """A larger image is refused before it is decoded, 1 to 32768; default 4096."""
    max_width: int
    """Likewise."""


class ImageOptions(PixelOptions, total=False):
    """How a PNG becomes an array of a given size."""

    height: int
    """Of the result in pixels, 1 to 256; default 14."""
    width: int
    """Likewise."""


class TrainerOptions(TypedDict, total=False):
    """The defaults are the report's recipe, or those of recipe=."""

    epochs: int
    """1 to 1,000,000; default 25."""
    batch_size: int
    """Pairs a step, 1 to 65536; default 100."""
    optimizer: Literal["adam", "sgd"]
    """Default "adam"."""
    schedule: Literal["constant", "cosine", "one_cycle"]
    """Of the learning rate; default "constant"."""
    shuffle: bool
    """True: new batches every epoch; False, the default: the same ones, in the pairs' order."""
    threads: int
    """0, the default: the CPUs that the process may use; at most 256. The result does not depend on it."""
    learning_rate: float
    """Above 0, at most 100; default 0.005."""
    momentum: float
    """SGD's, 0 <= momentum < 1; default 0.9."""
    beta1: float
    """Adam's, 0 <= beta1 < 1; default 0.9."""
    beta2: float
    """Adam's, 0 <= beta2 < 1; default 0.999."""
    epsilon: float
    """Adam's, above 0, at most 1; default 1e-8."""
    weight_decay: float
    """0 to 10; default 0."""
    loss_ratio: float
    """Weight of the digits' cross entropies in the loss, 0 to 1000; default 0.7. 0 needs no digits."""
    seed: int
    """Of dropout, shuffling and augmentation, 0 to 2**64 - 1; default 0."""
    redraw: bool
    """True: new pairs every epoch, of all training images (includes shuffle); takes pairs with digits whose target is
    first <= second. Default False."""
    label_smoothing: float
    """0 <= label_smoothing < 1; default 0."""
    ema_decay: float
    """Above 0: the model holds the exponential moving average of the weights, of this decay a step; below 1; default
    0, none."""
    rotation: float
    """Augmentation: each image is turned by up to so many degrees in each step, 0 to 180; default 0."""
    scale: float
    """Grows or shrinks by up to this share, 0 to 0.9; default 0."""
    shear: float
    """Slants by up to this share of the height, 0 to 10; default 0."""
    shift: float
    """Moves by up to so many pixels in each direction, 0 to 256; default 0."""
    elastic: float
    """Deforms: each node of a 4x4 grid moves by up to so many pixels, 0 to 256; default 0."""
    stroke: float
    """Thickens or thins strokes by up to this share of the way to the 3x3 maximum or minimum, 0 to 1; default 0."""
