"""calibrate, train --calibrate, and what evaluate and describe say of it."""
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from conftest import fails, ok, ok_json, run

SMALL = ["--test-pairs", 100, "--epochs", 3, "--seed", 5]


def temperatures(path):
    description = ok_json("describe", path)
    return description["head_temperature"], description["class_temperature"]


def test_calibrate_on_pairs_held_out(tmp_path):
    """Held out by hand, by the second command, and by train itself: the same file."""
    trained, fitted, at_once = tmp_path / "trained", tmp_path / "fitted", tmp_path / "at once"
    ok("train", "--pairs", 200, *SMALL, "--out", trained)
    result = ok_json("calibrate", trained, "--seed", 5, "--skip", 200, "--pairs", 100, "--out", fitted)
    assert result["pairs"] == 100 and result["skip"] == 200 and result["seed"] == 5
    assert result["after"]["bce"] <= result["before"]["bce"]
    assert result["after"]["auxiliary"] < result["before"]["auxiliary"]
    said = ok_json("train", "--pairs", 300, "--calibrate", 100, *SMALL, "--out", at_once)
    assert at_once.read_bytes() == fitted.read_bytes() != trained.read_bytes()
    assert said["pairs"] == 200 and said["calibration_pairs"] == 100
    assert temperatures(trained) == (1, 1)
    for figures in (result, said):
        assert (figures["head_temperature"], figures["class_temperature"]) == pytest.approx(temperatures(fitted), rel=1e-6)
    # Only the metadata differs: whoever reads tensors reads the same.
    a, b = load_file(trained), load_file(fitted)
    assert a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)
    with safe_open(fitted, "np") as file:
        assert float(file.metadata()["class_temperature"]) == pytest.approx(temperatures(fitted)[1], rel=1e-6)
    assert "temperature" in ok("describe", fitted) and "temperature" not in ok("describe", trained)

    before, after = (ok_json("evaluate", "--model", path, "--pairs", 300) for path in (trained, fitted))
    assert before["test_error"] == after["test_error"] and before["digit_error"] == after["digit_error"]
    assert before["marginal_ece"] != after["marginal_ece"]


def test_resume_holds_out_the_same(tmp_path):
    whole, run, resumed = tmp_path / "whole", tmp_path / "run", tmp_path / "resumed"
    options = ["--pairs", 230, "--calibrate", 60, "--test-pairs", 50, "--seed", 3]
    ok("train", *options, "--epochs", 3, "--out", whole)
    ok("train", *options, "--epochs", 2, "--checkpoint", run)
    ok("train", "--resume", run, "--epochs", 3, "--test-pairs", 50, "--calibrate", 60, "--out", resumed)
    assert whole.read_bytes() == resumed.read_bytes()


def test_from_a_sibling(tmp_path, model):
    sibling, out = tmp_path / "sibling", tmp_path / "out"
    ok("train", "--pairs", 200, "--calibrate", 50, *SMALL, "--out", sibling)
    shutil.copy(model, out)
    assert "saved" in ok("calibrate", out, "--from", sibling, "--half", "--out", out)
    assert temperatures(out) == temperatures(sibling) != (1, 1)
    assert out.stat().st_size < 0.6 * model.stat().st_size
    assert run("calibrate", out, "--from", sibling, "--out", out).stderr == ""
    assert "is not calibrated" in run("calibrate", out, "--from", model, "--out", out).stderr
    assert temperatures(out) == (1, 1)


def test_output_for_people(tmp_path, model):
    text = ok("calibrate", model, "--skip", 1000, "--out", tmp_path / "m")
    assert "temperature  " in text and "for the head" in text and "on the 1,000 pairs of the bundled sample" in text
    assert "calibration  expected error" in ok("evaluate", "--model", tmp_path / "m")


def test_reliability(model):
    result = ok_json("evaluate", "--model", model, "--pairs", 400)
    for name, error in (("head", "ece"), ("marginal", "marginal_ece")):
        bins = result["reliability"][name]
        assert len(bins) == 15 and sum(one["count"] for one in bins) == 400
        distance = sum(one["count"] * abs(one["frequency"] - one["mean_probability"]) for one in bins if one["count"])
        assert result[error] == pytest.approx(distance / 400)
        for number, one in enumerate(bins):
            if one["count"]:
                assert number / 15 <= one["mean_probability"] <= (number + 1) / 15 and 0 <= one["frequency"] <= 1
            else:
                assert one["mean_probability"] is None and one["frequency"] is None


def test_refuses_what_the_model_was_trained_on(tmp_path, model):
    out, digits = ["--out", tmp_path / "m"], tmp_path / "digits"
    ok("export", "--to-png", digits, "--count", 100)
    assert "'diptych train' trains on" in fails("calibrate", model, *out, status=64)
    assert "'diptych train' trains on" in fails("calibrate", model, "--seed", 1, "--pairs", 10, *out, status=64)
    for options in ([], ["--skip", 1000]):
        assert "the built-in model was trained on all" in fails("calibrate", *options, *out, status=64)
    assert not (tmp_path / "m").exists()
    assert ok_json("calibrate", model, "--skip", 0, "--pairs", 20, *out)["skip"] == 0
    assert ok_json("calibrate", "--data", digits, *out)["data"] == str(digits)
    assert "on the 1 pair of" in ok("calibrate", model, "--skip", 0, "--pairs", 1, *out)


def test_model_that_diverged(tmp_path, model):
    """Its answers are no numbers, and the error says so in words."""
    path = tmp_path / "nan"
    data = bytearray(model.read_bytes())
    header = 8 + int.from_bytes(data[:8], "little")
    # Every weight 1e38: infinite sums, and differences of those.
    data[header:] = np.where(np.arange((len(data) - header) // 4) % 2, 1e38, -1e38).astype("<f4").tobytes()
    path.write_bytes(data)
    error = fails("calibrate", path, "--skip", 1000, "--out", tmp_path / "m")
    assert "is not a number, but must be finite" in error and "nan" not in error.replace(str(path), "")


def test_wrong(tmp_path, model):
    out = ["--out", tmp_path / "m"]
    assert "--out" in fails("calibrate", model, status=64)
    assert "--pairs is 0" in fails("calibrate", model, "--pairs", 0, *out, status=64)
    assert "--skip is -1" in fails("calibrate", model, "--skip=-1", *out, status=64)
    assert "--from" in fails("calibrate", model, "--from", model, "--pairs", 5, *out, status=64)
    for name, value in (("--data", tmp_path), ("--skip", 0), ("--seed", 0), ("--mode", "digit"), ("--polarity", "auto"),
                        ("--background", 255), ("--threads", 0)):
        assert name in fails("calibrate", model, "--from", model, name, value, *out, status=64)
    assert "--skip 2500" in fails("calibrate", model, "--skip", 2500, *out)
    assert "only 500 pairs" in fails("calibrate", model, "--skip", 2000, "--pairs", 501, *out)
    assert "no such file" in fails("calibrate", tmp_path / "none", "--skip", 1000, *out)
    assert "no such file" in fails("calibrate", model, "--from", tmp_path / "none", *out)
    assert "--calibrate is -1" in fails("train", "--calibrate=-1", status=64)
    assert "--calibrate 100" in fails("train", "--pairs", 100, "--calibrate", 100)
    assert not (tmp_path / "m").exists()
