"""Examples/fashion/same_class.py, on a small dataset in Fashion-MNIST's files: ten classes, a bright square in one of
ten places, in noise."""

import gzip
import importlib.util
import re
import struct

import numpy as np
import pytest
from helpers import ROOT, run_python

import diptych

SCRIPT = ROOT / "Examples" / "fashion" / "same_class.py"
FEW = ["--pairs", "400", "--test-pairs", "200", "--size", "10", "--epochs", "25", "--threads", "1"]


def write_split(folder, split, count, seed, pack):
    random = np.random.default_rng(seed)
    labels = random.integers(10, size=count)
    images = random.integers(0, 80, (count, 20, 20))
    for image, label in zip(images, labels):
        row, column = divmod(int(label), 5)
        image[4 + 8 * row : 8 + 8 * row, 4 * column : 4 * column + 4] += 150
    packed = struct.pack(">IIII", 0x803, count, 20, 20) + images.astype(np.uint8).tobytes()
    numbers = struct.pack(">II", 0x801, count) + labels.astype(np.uint8).tobytes()
    for name, content in (("images-idx3", packed), ("labels-idx1", numbers)):
        path = folder / f"{split}-{name}-ubyte{'.gz' if pack else ''}"
        path.write_bytes(gzip.compress(content) if pack else content)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fashion")
    write_split(folder, "train", 800, seed=1, pack=True)
    write_split(folder, "t10k", 400, seed=2, pack=False)
    return folder


@pytest.fixture(scope="module")
def example():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("same_class", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments):
    words = [str(SCRIPT), *map(str, arguments)]
    return run_python(f"import runpy, sys\nsys.argv = {words}\nrunpy.run_path(sys.argv[0], None, '__main__')")


def test_learns(data, tmp_path):
    done = run("--data", data, *FEW, "--rounds", 2, "--save", tmp_path / "same.safetensors")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert [row[0] for row in table[2:]] == ["yes", "no", 'always "different"'] and table[-1][1] == "50.0"

    # Seen: at most 2 % by the head, 0 % by the classes. Untrained, or with wrong targets, all of them are near 50 %.
    (yes, no), mean = table[2:4], lambda cell: float(cell.split(" ± ")[0])
    assert mean(yes[1]) < 15 and mean(no[1]) < 15 and mean(yes[2]) < 10 and mean(yes[3]) < 10 and mean(yes[4]) < 10
    assert no[2:5] == ["", "", ""]  # no class was trained

    answers = [line for line in lines if "P(same)" in line and not line.startswith("|")]
    share = r"[01]\.\d{3}"
    said = r"[\w -]+, [\w -]+: (same|different) \((right|wrong)\)"
    form = rf"{said}; P\(same\) {share} by the head, {share} by the classes"
    assert len(answers) == 5 and all(re.fullmatch(form, line) for line in answers), done.stdout
    epochs = re.findall(r"seed (\d), loss ratio (\S+): epoch (\d+) of 25, loss", done.stderr)
    assert epochs == [(s, r, str(e)) for s in "01" for r in ("0.7", "0") for e in range(1, 26)]
    assert diptych.Model.load(tmp_path / "same.safetensors").height == 10


@pytest.mark.parametrize("count", [200, 37])
def test_pairs(data, example, count):
    dataset = example.open_split(data, "t10k")
    pairs = example.draw_pairs(dataset, count, 20, seed=5)
    assert len(pairs) == count and pairs.targets.sum() == count // 2
    assert ((pairs.digits[:, 0] == pairs.digits[:, 1]) == pairs.targets).all()

    label_of = {image.tobytes(): label for image, label in zip(dataset.images, dataset.labels)}
    drawn = [image.astype(np.uint8).tobytes() for image in pairs.images.reshape(-1, 20, 20)]
    assert len(set(drawn)) == 2 * count  # no image twice
    assert [label_of[image] for image in drawn] == pairs.digits.reshape(-1).tolist()

    again, other = (example.draw_pairs(dataset, count, 20, seed=seed) for seed in (5, 6))
    assert (again.images == pairs.images).all() and (other.images != pairs.images).any()


@pytest.mark.parametrize("labels", [np.zeros(40), np.arange(40) % 37 // 36])
def test_labels_that_make_no_balanced_pairs(example, labels):
    dataset = diptych.Dataset.from_arrays(np.zeros((40, 8, 8), np.uint8), labels.astype(np.int32))
    with pytest.raises(ValueError, match="20 pairs, half of the same class and half not, cannot be made"):
        example.draw_pairs(dataset, 20, 8, seed=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "/no/such/folder"], r"/no/such/folder/train-\S+: no such file or folder; .*dataset-fashion-mnist"),
        (["--pairs", 401], r"count is 401, but the dataset's 800 images make at most 400 pairs"),
        (["--test-pairs", 0], r"count is 0, but must be at least 1"),
        (["--size", 3], r"height is 3, but must be from 4 to 256"),
        (["--epochs", 0], r"epochs is 0, but must be from 1"),
        (["--dropout", 1], r"dropout is 1, but must be"),
        (["--seed", -1], r"seed is -1, but must be from 0"),
        (["--rounds", 0], r"--rounds is 0, but must be at least 1"),
        (["--save", "/no/such/folder/model"], r"--save is /no/such/folder/model, but there is no folder"),
        (["--architecture", "transformer"], r"invalid choice: 'transformer'"),
    ],
)
def test_errors(data, arguments, message):
    done = run("--data", data, *FEW, *arguments)
    assert done.returncode != 0 and done.stdout == ""
    assert "Traceback" not in done.stderr and "same_class" in done.stderr
    assert re.search(message, done.stderr), done.stderr


def test_help():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    options = re.findall(r"^  --([a-z-]+)", done.stdout, re.M)
    assert options == (
        "data size pairs test-pairs epochs architecture head-width learning-rate dropout loss-ratio seed rounds "
        "threads save"
    ).split()
