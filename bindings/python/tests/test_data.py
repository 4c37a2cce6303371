"""Datasets and pairs."""

import gzip
import pickle
import struct

import numpy as np
import pytest
from helpers import png

import diptych

IMAGES = np.random.default_rng(7).integers(0, 256, (12, 9, 11), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], np.int32)


def idx(array):
    """An IDX file of bytes, as MNIST's page defines it."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def test_sample():
    train, test = diptych.Dataset.sample("train"), diptych.Dataset.sample("test")
    assert (len(train), len(test)) == (5000, 2500)
    for sample in (train, test):
        assert sample.images.shape == (len(sample), 28, 28) and sample.images.dtype == np.uint8
        assert sample.labels.dtype == np.int32
        # Every digit has about a tenth of MNIST; the rarest, 5, has 9 %.
        assert (np.bincount(sample.labels, minlength=10) > 0.07 * len(sample)).all()
    assert repr(train) == "<diptych.Dataset 5000 images of 28x28, labelled>"


@pytest.mark.parametrize("compress", [lambda data: data, gzip.compress])
def test_idx(tmp_path, compress):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(compress(idx(IMAGES)))
    labels.write_bytes(compress(idx(LABELS)))
    with diptych.Dataset.open_idx(images, labels) as dataset:
        assert (len(dataset), dataset.height, dataset.width) == (12, 9, 11)
        assert np.array_equal(dataset.images, IMAGES) and np.array_equal(dataset.labels, LABELS)


def test_idx_of_different_lengths(tmp_path):
    (tmp_path / "images").write_bytes(idx(IMAGES))
    (tmp_path / "labels").write_bytes(idx(LABELS[:5]))
    with pytest.raises(diptych.MismatchError):
        diptych.Dataset.open_idx(tmp_path / "images", tmp_path / "labels")


def test_folder(tmp_path):
    for number, image in enumerate(IMAGES):
        folder = tmp_path / str(number % 3)
        folder.mkdir(exist_ok=True)
        (folder / f"{number:02}.png").write_bytes(png(image))
    dataset = diptych.Dataset.open_folder(tmp_path, mode="plain", height=9, width=11)
    order = [number for digit in range(3) for number in range(digit, 12, 3)]
    assert np.array_equal(dataset.images, IMAGES[order])
    assert dataset.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_folder_names_the_image_that_fails(tmp_path):
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "broken.png").write_bytes(png(IMAGES[0])[:60])
    with pytest.raises(diptych.CorruptError, match="broken.png"):
        diptych.Dataset.open_folder(tmp_path)


def test_arrays():
    dataset = diptych.Dataset.from_arrays(IMAGES[:, ::-1], LABELS.astype(np.int64))
    assert np.array_equal(dataset.images, IMAGES[:, ::-1]) and np.array_equal(dataset.labels, LABELS)
    assert dataset.images is dataset.images
    with pytest.raises(ValueError, match="read-only"):
        dataset.images[0] = 0
    bare = diptych.Dataset.from_arrays(IMAGES)
    assert bare.labels is None and "no labels" in repr(bare)


@pytest.mark.parametrize(
    "images, labels, error, message",
    [
        (IMAGES.astype(float), LABELS, TypeError, "images has dtype float64, but must be uint8"),
        (IMAGES[0], LABELS, ValueError, r"images has shape \(9, 11\)"),
        (IMAGES, LABELS[:5], ValueError, r"labels has shape \(5,\), but must be \[12\]"),
        (IMAGES, LABELS.astype(float), TypeError, "labels has dtype float64, but must be of an integer dtype"),
        (IMAGES, LABELS.astype(np.int64) + 2**32, ValueError, "labels is 4294967297"),
        (IMAGES, LABELS - 2, ValueError, "-1"),
        (IMAGES, LABELS + 995, ValueError, "1000|1001|1004|1003"),
        (IMAGES[:0], LABELS[:0], ValueError, "0"),
    ],
)
def test_wrong_arrays_are_refused(images, labels, error, message):
    with pytest.raises(error, match=message):
        diptych.Dataset.from_arrays(images, labels)


def test_draw():
    dataset = diptych.Dataset.sample("train")
    pairs = diptych.Pairs.draw(dataset, 2500, seed=5)
    assert len(pairs) == 2500 and (pairs.height, pairs.width) == (14, 14)
    assert pairs.images.shape == (2500, 2, 14, 14) and pairs.images.dtype == np.float32
    assert np.array_equal(pairs.targets, pairs.digits[:, 0] <= pairs.digits[:, 1])
    # Without replacement: 2500 pairs use every one of the 5000 images once. 2x2 means of bytes are exact.
    pooled = dataset.images.reshape(5000, 14, 2, 14, 2).mean(axis=(2, 4), dtype=np.float32)
    drawn = pairs.images.reshape(5000, 14, 14)
    assert sorted(image.tobytes() for image in pooled) == sorted(image.tobytes() for image in drawn)
    label = {image.tobytes(): int(digit) for image, digit in zip(pooled, dataset.labels)}
    assert [label[image.tobytes()] for image in drawn] == pairs.digits.reshape(-1).tolist()
    assert np.array_equal(diptych.Pairs.draw(dataset, 2500, seed=5).images, pairs.images)
    assert not np.array_equal(diptych.Pairs.draw(dataset, 2500, seed=6).images, pairs.images)
    assert repr(pairs) == "<diptych.Pairs 2500 pairs of 14x14, with digits>"


def test_draw_refuses():
    dataset = diptych.Dataset.sample("test")
    for count in (0, 1251, 2**63 - 1):
        with pytest.raises(diptych.InvalidArgumentError):
            diptych.Pairs.draw(dataset, count)
    with pytest.raises(ValueError, match="count is -1"):
        diptych.Pairs.draw(dataset, -1)
    with pytest.raises(ValueError, match="seed is -1"):
        diptych.Pairs.draw(dataset, 1, seed=-1)
    with pytest.raises(diptych.MismatchError, match="labels"):
        diptych.Pairs.draw(diptych.Dataset.from_arrays(IMAGES), 1)


def test_own_pairs():
    images = np.random.default_rng(1).normal(size=(5, 2, 8, 9))
    digits = np.array([[1, 2], [2, 1], [3, 3], [0, 999], [999, 0]])
    pairs = diptych.Pairs.from_arrays(images, digits=digits)
    assert np.array_equal(pairs.images, images.astype(np.float32))
    assert pairs.targets.tolist() == [1, 0, 1, 1, 0] and pairs.digits.tolist() == digits.tolist()
    bare = diptych.Pairs.from_arrays(images.astype(np.uint8), targets=np.array([True, False, True, True, False]))
    assert bare.digits is None and bare.targets.tolist() == [1, 0, 1, 1, 0] and "no digits" in repr(bare)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"images": np.zeros((5, 3, 8, 8))}, ValueError, r"images has shape \(5, 3, 8, 8\)"),
        ({"images": np.zeros((5, 2, 8, 8), np.int32)}, TypeError, "images has dtype int32"),
        ({"images": np.full((5, 2, 8, 8), np.nan)}, diptych.InvalidArgumentError, "images"),
        ({"targets": np.zeros(4)}, ValueError, r"targets has shape \(4,\), but must be \[5\]"),
        ({"targets": np.full(5, 0.5)}, diptych.InvalidArgumentError, "targets"),
        ({"targets": None}, diptych.InvalidArgumentError, "targets and digits"),
        ({"digits": np.zeros(5, int)}, ValueError, r"digits has shape \(5,\), but must be \[5, 2\]"),
        ({"digits": np.full((5, 2), 1000)}, diptych.InvalidArgumentError, "digits"),
        ({"digits": np.full((5, 2), -1)}, diptych.InvalidArgumentError, "digits"),
    ],
)
def test_wrong_pairs_are_refused(change, error, message):
    right = {"images": np.zeros((5, 2, 8, 8)), "targets": np.zeros(5), "digits": None}
    with pytest.raises(error, match=message):
        diptych.Pairs.from_arrays(**{**right, **change})


def test_pickle():
    dataset = pickle.loads(pickle.dumps(diptych.Dataset.from_arrays(IMAGES, LABELS)))
    assert np.array_equal(dataset.images, IMAGES) and np.array_equal(dataset.labels, LABELS)
    pairs = diptych.Pairs.from_arrays(np.ones((2, 2, 4, 5)), targets=[0, 1])
    again = pickle.loads(pickle.dumps(pairs))
    assert np.array_equal(again.images, pairs.images) and again.targets.tolist() == [0, 1] and again.digits is None


def test_closed():
    dataset = diptych.Dataset.from_arrays(IMAGES, LABELS)
    images = dataset.images
    pairs = diptych.Pairs.draw(dataset, 2, height=4, width=4)
    dataset.close()
    assert len(pairs) == 2 and np.array_equal(images, IMAGES)  # both live on
    for use in (lambda: len(dataset), lambda: dataset.images, lambda: diptych.Pairs.draw(dataset, 1)):
        with pytest.raises(diptych.InvalidArgumentError, match="this Dataset is closed"):
            use()
    pairs.close()
    with pytest.raises(diptych.InvalidArgumentError, match="this Pairs is closed"):
        pairs.images
    assert repr(pairs) == "<diptych.Pairs closed>"
