"""export, --data in its layouts, evaluate."""
import gzip
import struct

import pytest

from conftest import fails, ok, ok_json


def test_export_one_split(tmp_path):
    folder = tmp_path / "the digits"
    assert ok_json("export", "--to-png", folder, "--split", "test", "--count", 30)["files"] == 30
    files = sorted(folder.glob("*/*.png"))
    assert len(files) == 30 and {int(f.parent.name) for f in files} <= set(range(10))
    assert sorted(int(f.stem) for f in files) == list(range(30))
    assert all(f.read_bytes()[16:24] == struct.pack(">II", 28, 28) for f in files)
    assert "not an empty folder" in fails("export", "--to-png", folder)


@pytest.mark.parametrize("inverted", [[], ["--inverted"]])
def test_export_then_train_and_evaluate(inverted, tmp_path, model):
    folder = tmp_path / "digits"
    ok("export", "--to-png", folder, "--count", 500, *inverted)
    assert {p.name for p in folder.iterdir()} == {"train", "test"}
    # Digit mode finds the ink whatever the paper.
    result = ok_json("train", "--data", folder, "--quiet", "--epochs", 5)
    assert (result["pairs"], result["test_pairs"]) == (250, 250)
    assert result["test_error"] is not None
    # The model of the bundled digits knows them as PNGs, too: its digit error is 3 to 5 %, on other draws.
    assert ok_json("evaluate", "--data", folder, "--model", model)["digit_error"] < 0.1


def test_one_lot_of_classes(tmp_path, model):
    folder = tmp_path / "digits"
    ok("export", "--to-png", folder, "--split", "test", "--count", 100)
    result = ok_json("evaluate", "--data", folder, "--model", model)
    assert result["pairs"] == 50 and result["train_error"] is None
    result = ok_json("train", "--data", folder, "--epochs", 2, "--quiet")
    assert result["pairs"] == 50 and result["test_error"] is None and result["train_error"] is not None


def write_idx(folder, split, count, suffix):
    """Half-blank images: class 0 is dark, class 1 bright."""
    opened = gzip.open if suffix else open
    labels = bytes(i % 2 for i in range(count))
    with opened(folder / f"{split}-labels-idx1-ubyte{suffix}", "wb") as file:
        file.write(b"\0\0\x08\x01" + struct.pack(">I", count) + labels)
    with opened(folder / f"{split}-images-idx3-ubyte{suffix}", "wb") as file:
        file.write(b"\0\0\x08\x03" + struct.pack(">III", count, 28, 28) + b"".join(bytes([200 * label] * 784) for label in labels))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx(suffix, tmp_path):
    write_idx(tmp_path, "train", 400, suffix)
    write_idx(tmp_path, "t10k", 200, suffix)
    result = ok_json("train", "--data", tmp_path, "--epochs", 10, "--quiet", "--out", tmp_path / "m")
    assert (result["pairs"], result["test_pairs"]) == (200, 100)
    assert result["test_error"] == 0  # dark and bright are easily told apart
    evaluation = ok_json("evaluate", "--data", tmp_path, "--model", tmp_path / "m")
    assert evaluation["digit_error"] == 0 and evaluation["train_error"] == 0


def test_evaluate(model):
    result = ok_json("evaluate", "--model", model, "--pairs", 500, "--seed", 2)
    for key in ("test_error", "train_error", "marginal_test_error", "digit_error", "seconds", "parameters"):
        assert isinstance(result[key], (int, float))
    assert result["parameters"] == 115147 and result["pairs"] == 500 and result["seed"] == 2
    confusion = result["confusion"]
    assert len(confusion) == 10 and sum(map(sum, confusion)) == 1000
    wrong = 1000 - sum(confusion[i][i] for i in range(10))
    assert result["digit_error"] == wrong / 1000
    assert result["test_error"] < 0.14  # see test_report_recipe

    text = ok("evaluate", "--model", model, "--pairs", 500, "--seed", 2)
    assert f"digit error  {100 * result['digit_error']:.2f} %" in text and "true digit" in text


def test_evaluate_is_what_train_said(tmp_path):
    trained = ok_json("train", "--epochs", 3, "--seed", 4, "--out", tmp_path / "m")
    evaluated = ok_json("evaluate", "--model", tmp_path / "m", "--seed", 4)
    for key in ("test_error", "train_error", "marginal_test_error", "digit_error"):
        assert trained[key] == evaluated[key]


def test_built_in_model():
    result = ok_json("evaluate")
    # The built-in model's digit error on all of MNIST's test digits is at most 1 %.
    assert result["digit_error"] < 0.02 and result["marginal_test_error"] < 0.02


@pytest.mark.parametrize("command", [["train"], ["evaluate"], ["export", "--to-png", "unused"]])
def test_wrong_data(command, tmp_path, model):
    command = command + (["--model", model] if command == ["evaluate"] else [])
    (tmp_path / "empty").mkdir()
    assert "no such folder" in fails(*command, "--data", tmp_path / "none", cwd=tmp_path)
    assert "no data" in fails(*command, "--data", tmp_path / "empty", cwd=tmp_path)
    (tmp_path / "file").touch()
    assert "not a folder" in fails(*command, "--data", tmp_path / "file", cwd=tmp_path)
    (tmp_path / "bad" / "train" / "0").mkdir(parents=True)
    (tmp_path / "bad" / "test" / "0").mkdir(parents=True)
    for split in ("train", "test"):
        (tmp_path / "bad" / split / "0" / "x.png").write_text("no picture")
    assert "x.png" in fails(*command, "--data", tmp_path / "bad", cwd=tmp_path)


def test_folder_without_a_test_split_is_not_called_one(tmp_path):
    ok("export", "--to-png", tmp_path / "png", "--split", "train", "--count", 40)
    assert "which has no test split" in ok("evaluate", "--data", tmp_path / "png")
    assert "test pairs of" in ok("evaluate", "--pairs", 100)
