"""PNG files: as arrays, and classified."""

import numpy as np
import pytest
from helpers import png

import diptych


@pytest.fixture(scope="module")
def examples():
    """50 test digits, 28x28, and what they are."""
    with diptych.Dataset.sample("test") as sample:
        return sample.images[:50], sample.labels[:50]


def test_plain_mode_is_the_image(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 256, (20, 30), np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(png(pixels))
    same = diptych.load_png(path, mode="plain", height=20, width=30)
    assert same.shape == (20, 30) and same.dtype == np.float32
    assert np.array_equal(same, pixels)
    assert np.array_equal(diptych.load_png(path.read_bytes(), mode="plain", height=20, width=30), pixels)
    half = diptych.load_png(str(path), mode="plain", height=10, width=15)
    # Means of four bytes; 0.01 leaves room for any order and precision of the sum.
    assert np.allclose(half, pixels.reshape(10, 2, 15, 2).mean(axis=(1, 3)), atol=0.01)
    dark = diptych.load_png(path, mode="plain", height=20, width=30, polarity="dark_ink")
    assert np.array_equal(dark, 255 - pixels.astype(np.float32))


def test_digit_mode_finds_the_ink(examples):
    images, _ = examples
    for image in images[:5]:
        light, dark = diptych.load_png(png(image)), diptych.load_png(png(255 - image))
        assert light.shape == (14, 14) and light.max() > 128 and light[0].max() < 64
        assert np.allclose(light, dark, atol=1)  # a grey level of rounding


def test_classify_files_and_bytes(tmp_path, examples, trained):
    images, labels = examples
    paths = []
    for number, image in enumerate(images):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(png(255 - image))
    answers = [trained.model.classify(a, b) for a, b in zip(paths, paths[1:])]
    from_bytes = [trained.model.classify(a.read_bytes(), b.read_bytes()) for a, b in zip(paths, paths[1:])]
    assert answers == from_bytes
    loaded = np.stack([np.stack([diptych.load_png(a), diptych.load_png(b)]) for a, b in zip(paths, paths[1:])])
    assert answers == list(trained.model.predict(loaded))
    # After 8 epochs most digits are known (9 in 10 and better); a wrong orientation or polarity knows 1 in 10.
    right = np.mean([answer.first_digit == label for answer, label in zip(answers, labels)])
    assert right > 0.7


def test_classify_takes_the_models_size(examples):
    image = png(examples[0][0])
    with diptych.Model.create(height=20, width=9) as model:
        loaded = diptych.load_png(image, mode="plain", height=20, width=9)
        assert model.classify(image, image, mode="plain") == model.predict([[loaded, loaded]])[0]
        with pytest.raises(TypeError, match="'height' is no option here"):
            model.classify(image, image, height=20)


BLANK = png(np.full((30, 30), 200))
DIGIT = png(np.pad(np.full((10, 4), 255), 10))


@pytest.mark.parametrize(
    "data, options, error",
    [
        (b"", {}, diptych.FormatError),
        (b"GIF89a and more than eight bytes", {}, diptych.FormatError),
        (DIGIT[:-20], {}, diptych.CorruptError),
        (DIGIT[:45] + bytes([DIGIT[45] ^ 255]) + DIGIT[46:], {}, diptych.CorruptError),
        (BLANK, {}, diptych.BlankImageError),
        (DIGIT, {"max_width": 23}, diptych.LimitError),
        (DIGIT, {"max_height": 29}, diptych.LimitError),
        (DIGIT, {"height": 0}, diptych.InvalidArgumentError),
        (DIGIT, {"height": -1, "width": -1}, diptych.InvalidArgumentError),
        (DIGIT, {"width": 257}, diptych.InvalidArgumentError),
        (DIGIT, {"background": 256}, diptych.InvalidArgumentError),
    ],
)
def test_each_wrong_image_has_its_error(tmp_path, data, options, error, trained):
    path = tmp_path / "wrong.png"
    path.write_bytes(data)
    for source in (data, path):
        with pytest.raises(error) as caught:
            diptych.load_png(source, **options)
        assert isinstance(caught.value, ValueError) and str(caught.value)
        if not {"height", "width"} & options.keys():
            with pytest.raises(error):
                trained.model.classify(source, source, **options)


def test_blank_is_fine_in_plain_mode():
    assert (diptych.load_png(BLANK, mode="plain") == 200).all()


def test_missing_file(tmp_path, trained):
    with pytest.raises(FileNotFoundError, match="missing.png"):
        diptych.load_png(tmp_path / "missing.png")
    (tmp_path / "there.png").write_bytes(DIGIT)
    with pytest.raises(diptych.NotFoundError, match="missing.png"):
        trained.model.classify(tmp_path / "there.png", tmp_path / "missing.png")


def test_wrong_types(trained):
    with pytest.raises(TypeError, match="source must be a path"):
        diptych.load_png(3)
    with pytest.raises(TypeError, match="both be paths, or both be bytes"):
        trained.model.classify("a.png", DIGIT)
    with pytest.raises(ValueError, match="zero byte"):
        diptych.load_png("a\0b.png")
    with pytest.raises(TypeError, match="'blur' is no option here; these are: mode, "):
        diptych.load_png(DIGIT, blur=1)
    with pytest.raises(ValueError, match="polarity is 'grey', but must be one of 'auto', 'dark_ink', 'light_ink'"):
        diptych.load_png(DIGIT, polarity="grey")
    with pytest.raises(TypeError, match="mode must be one of 'digit', 'plain', not 1"):
        diptych.load_png(DIGIT, mode=1)
