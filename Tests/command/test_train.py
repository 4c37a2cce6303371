import os
import pty
import re
import select
import signal
import subprocess

import pytest
from safetensors import safe_open

from conftest import COMMAND, fails, ok, ok_json, run

SMALL = ["--pairs", 230, "--test-pairs", 100, "--epochs", 3]  # three batches an epoch, the last one smaller


def test_report_recipe():
    result = ok_json("train", "--recipe", "report", "--quiet")
    for key in ("test_error", "train_error", "marginal_test_error", "digit_error", "seconds", "parameters"):
        assert key in result
    assert result["parameters"] == 115147 and result["architecture"] == "siamese"
    assert result["report_test_error"] == 0.0456
    # Ten times the report's standard deviation of 0.97 points around its mean, and far from guessing.
    assert result["test_error"] < 0.14
    assert result["digit_error"] < 0.2 and result["marginal_test_error"] < 0.14
    assert [epoch["epoch"] for epoch in result["epochs"]] == list(range(1, 26))
    assert result["epochs"][-1]["loss"] < result["epochs"][0]["loss"] / 2


def test_human_result_stands_beside_the_report():
    text = ok("train", "--quiet", "--epochs", 25)
    assert re.search(r"^test error +\d+\.\d\d % by the head, .*report's mean: 4.56 %", text, re.M)
    assert "report" not in ok("train", "--quiet", "--epochs", 1)


@pytest.mark.parametrize("architecture, ratio, parameters", [("rws", 0.7, 128555), ("siamese", 0, 115147), ("mlp", 0.7, 11177227)])
def test_architectures(architecture, ratio, parameters):
    result = ok_json("train", "-a", architecture, "--loss-ratio", ratio, "--pairs", 100, "--test-pairs", 50, "--epochs", 1)
    assert result["parameters"] == parameters and result["architecture"] == architecture
    assert result["loss_ratio"] == ratio and result["report_test_error"] is None
    assert (result["epochs"][0]["auxiliary"] > 0) == (ratio > 0)


def test_other_shapes_and_options(tmp_path):
    out = tmp_path / "m"
    ok("train", *SMALL, "--height", 11, "--width", 16, "--channels", 5, "--fc1-width", 20, "--fc2-width", 12, "--head-width", 7,
       "--dropout", 0.1, "--optimizer", "sgd", "--momentum", 0.5, "--lr", 0.01, "--weight-decay", 0.001, "--schedule", "one-cycle",
       "--batch-size", 64, "--shuffle", "--decision", "marginal", "--out", out)
    with safe_open(out, "np") as file:
        assert file.get_slice("fc1.weight").get_shape() == [20, 5 * 5 * 8]
        metadata = file.metadata()
    assert (metadata["height"], metadata["width"], metadata["decision"]) == ("11", "16", "marginal")


def test_best_recipe(tmp_path):
    out = tmp_path / "m"
    result = ok_json("train", "--recipe", "best", "--epochs", 8, "--out", out)
    # 8 of its 200 epochs: the marginal, which decides, is far from guessing. The report's mean does not belong here.
    assert result["marginal_test_error"] < 0.1 and result["report_test_error"] is None
    with safe_open(out, "np") as file:
        assert file.metadata()["decision"] == "marginal" and file.metadata()["dropout"] != "0.5" and file.metadata()["views"] == "9"
    assert "mean of 9 views" in ok("describe", out)
    assert ok("train", "--recipe", "best", "--epochs", 2, "--pairs", 100, "--quiet")


def test_recipes_can_be_overridden(tmp_path):
    """best with every option of the report's is the report's recipe."""
    plain, undone = tmp_path / "plain", tmp_path / "undone"
    ok("train", *SMALL, "--out", plain)
    ok("train", *SMALL, "--recipe", "best", "--batch-size", 100, "--learning-rate", 0.005, "--schedule", "constant", "--loss-ratio", 0.7,
       "--weight-decay", 0, "--beta2", 0.999, "--dropout", 0.5, "--views", 1, "--decision", "head", "--no-shuffle", "--no-redraw",
       "--label-smoothing", 0, "--ema-decay", 0, "--rotation", 0, "--scale", 0, "--shear", 0, "--shift", 0, "--elastic", 0, "--stroke", 0,
       "--out", undone)
    assert undone.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("option", [
    ["--redraw"], ["--label-smoothing", 0.1], ["--ema-decay", 0.9], ["--rotation", 10], ["--scale", 0.1], ["--shear", 0.1], ["--shift", 1],
    ["--elastic", 1], ["--stroke", 0.3]])
def test_every_option_of_training_does_something(tmp_path, option):
    ok("train", *SMALL, "--out", tmp_path / "plain")
    ok("train", *SMALL, *option, "--out", tmp_path / "changed")
    assert (tmp_path / "changed").read_bytes() != (tmp_path / "plain").read_bytes()


def test_the_marginal_decides_only_where_digits_are_learned(tmp_path):
    ok("train", *SMALL, "--recipe", "best", "--loss-ratio", 0, "--out", tmp_path / "m")
    with safe_open(tmp_path / "m", "np") as file:
        assert file.metadata()["decision"] == "head"


def test_same_bits_for_any_number_of_threads(tmp_path):
    models = []
    for threads in (1, 2, 3):
        ok("train", *SMALL, "--seed", 5, "--threads", threads, "--out", tmp_path / "m")
        models.append((tmp_path / "m").read_bytes())
    assert models[0] == models[1] == models[2]
    ok("train", *SMALL, "--seed", 6, "--out", tmp_path / "m")
    assert (tmp_path / "m").read_bytes() != models[0]


def test_resume_gives_the_same_bits(tmp_path):
    whole, part, resumed = tmp_path / "whole", tmp_path / "part", tmp_path / "resumed"
    options = ["--pairs", 230, "--test-pairs", 100, "--seed", 3, "--shuffle"]
    ok("train", *options, "--epochs", 4, "--out", whole)
    ok("train", *options, "--epochs", 2, "--checkpoint", part)
    # The seed and the number of pairs come from the checkpoint.
    result = ok_json("train", "--resume", part, "--epochs", 4, "--test-pairs", 100, "--out", resumed)
    assert [epoch["epoch"] for epoch in result["epochs"]] == [3, 4]
    assert resumed.read_bytes() == whole.read_bytes()


def test_resume_refuses_other_options_and_files(tmp_path, model):
    assert "--resume" in fails("train", "--resume", "x", "--lr", 0.1, status=64)
    assert "no checkpoint" in fails("train", "--resume", model)
    assert "no such file" in fails("train", "--resume", tmp_path / "none")


def test_evaluate_every():
    epochs = ok_json("train", *SMALL, "--evaluate-every", 2)["epochs"]
    assert [epoch["test_error"] is None for epoch in epochs] == [True, False, True]


# MARK: progress

def test_a_line_each_epoch_where_stderr_is_no_terminal():
    result = run("train", *SMALL)
    lines = [line for line in result.stderr.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    assert "\r" not in result.stderr and "\x1b" not in result.stderr
    assert run("train", *SMALL, "--quiet").stderr == ""


def on_terminal(arguments, **environment):
    """stderr of a run that has a terminal there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=theirs,
                               env={**os.environ, **environment})
    os.close(theirs)
    text = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    assert process.wait(60) == 0
    return text.decode()


def test_bar_on_a_terminal():
    text = on_terminal(["train", *SMALL], TERM="xterm")
    assert "\r[" in text and "% " in text and "\x1b[K" in text and "epoch 3/3" in text
    assert "\r[" not in on_terminal(["train", *SMALL], TERM="dumb")


# MARK: stopping

@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_stops_cleanly_and_resume_goes_on(number, status, tmp_path):
    out, checkpoint, whole = tmp_path / "out", tmp_path / "checkpoint", tmp_path / "whole"
    process = subprocess.Popen([COMMAND, "train", "--epochs", "100000", "--pairs", "230", "--out", out, "--checkpoint", checkpoint],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               # What runs in the background has SIGINT ignored, which the command would keep.
                               preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    for line in process.stderr:
        if line.startswith("epoch"):
            break
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    assert stdout == ""
    message = stderr.splitlines()[-1]
    step = int(re.search(r"after step (\d+) of 300000", message)[1])
    assert str(out) in message and str(checkpoint) in message
    assert ok_json("describe", out)["parameters"] == 115147

    # The checkpoint may lie within an epoch; going on from it gives the bits of a run without a stop.
    epochs = step // 3 + 2
    ok("train", "--resume", checkpoint, "--epochs", epochs, "--out", out, "--quiet")
    ok("train", "--pairs", 230, "--epochs", epochs, "--out", whole, "--quiet")
    assert out.read_bytes() == whole.read_bytes()


# MARK: errors

@pytest.mark.parametrize("arguments, message", [
    (["--epochs", 0], "--epochs is 0, but must be from 1 to 1000000"),
    (["--learning-rate", "nan"], "--learning-rate is nan"),
    (["--loss-ratio", -1], ""),
    (["--batch-size", 0], "--batch-size is 0"),
    (["--fc1-width", 5000], "--fc1-width is 5000"),
    (["--dropout", 1], "--dropout is 1"),
    (["--views", 3], "--views is 3, but must be 1, 5 or 9"),
    (["--pairs", 0], "--pairs is 0"),
    (["--threads", 257], "--threads is 257"),
    (["--seed", -1], ""),
    (["--epochs", "many"], "many"),
    (["--architecture", "cnn"], "siamese"),
    (["--recipe", "secret"], "report"),
    (["--rotation", 200], "--rotation is 200"),
    (["--label-smoothing", 1], "--label-smoothing is 1"),
    (["--ema-decay", 1], "--ema-decay is 1"),
    (["--resume", "run", "--shift", 1], "only --epochs"),
])
def test_wrong_options(arguments, message):
    assert message in fails("train", *arguments, status=64)


def test_too_many_pairs():
    assert "only 2500 pairs" in fails("train", "--pairs", 2501)


def test_unwritable_output_is_told_before_training(tmp_path):
    assert "does not exist" in fails("train", "--epochs", 1000000, "--out", tmp_path / "none" / "m")
    assert "folder" in fails("train", "--epochs", 1000000, "--out", tmp_path)


def test_divergence(tmp_path):
    result = run("train", "--optimizer", "sgd", "--lr", 100, "--out", tmp_path / "m")
    assert result.returncode == 1
    assert "diverged" in result.stderr and "lower learning_rate" in result.stderr
    assert not (tmp_path / "m").exists()


def test_resumed_epochs_count_their_own_seconds(tmp_path):
    first = ok_json("train", "--pairs", 200, "--epochs", 20, "--checkpoint", tmp_path / "run")
    again = ok_json("train", "--resume", tmp_path / "run", "--epochs", 21)
    # One epoch of the same kind, not the twenty before it as well.
    assert len(again["epochs"]) == 1
    assert again["epochs"][0]["seconds"] < sum(epoch["seconds"] for epoch in first["epochs"])
