"""diptych experiment: its statistics, resuming, stopping, what it reads and refuses; evaluate --hardest."""
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys

import pytest

from conftest import COMMAND, ROOT, fails, ok, ok_json, run

PAIRS = ["--pairs", 60, "--epochs", 1, "--quiet"]
SMALL = [*PAIRS, "--test-pairs", 50]
TWO = ["--rows", "siamese,siamese-no-aux"]


def without_times(document):
    """The document without what another run may measure otherwise."""
    if isinstance(document, dict):
        return {k: without_times(v) for k, v in document.items() if k not in ("seconds", "seconds_mean", "trials_at_a_time", "threads_per_trial")}
    return [without_times(v) for v in document] if isinstance(document, list) else document


# MARK: table1

def test_all_rows_of_the_table():
    result = ok_json("experiment", "table1", *SMALL, "--rounds", 1)
    assert [(r["architecture"], r["auxiliary"], r["parameters"]) for r in result["rows"]] == [
        ("siamese", True, 115147), ("siamese", False, 115147), ("rws", True, 128555), ("rws", False, 128555),
        ("mlp", True, 11177227), ("mlp", False, 11177227)]
    for row in result["rows"]:
        assert 0 <= row["test_error_mean"] <= 1 and 0 <= row["train_error_mean"] <= 1 and row["seconds_mean"] > 0
        assert row["test_error_sd"] is None and row["test_error_interval"] == [None, None]  # of one round
    assert [r.get("report", {}).get("test_error_mean") for r in result["rows"]] == [0.0456, 0.1264, 0.0704, 0.1607, 0.0657, None]
    assert len(result["comparisons"]) == 9 and result["complete"]
    assert [run["seed"] for run in result["runs"]] == [0] * 6


def student_within(t, degrees):
    """P(|T| <= t), by Simpson's rule over the density."""
    def density(x):
        return (math.gamma((degrees + 1) / 2) / math.sqrt(degrees * math.pi) / math.gamma(degrees / 2)
                * (1 + x * x / degrees) ** (-(degrees + 1) / 2))
    steps = 2000
    width = t / steps
    return 2 * width / 3 * sum((1 if i in (0, steps) else 4 if i % 2 else 2) * density(i * width) for i in range(steps + 1))


# 97.5 % quantiles of Student's t, from printed tables.
@pytest.mark.parametrize("rounds, quantile", [(2, 12.7062), (4, 3.18245), (5, 2.77645)])
def test_statistics(rounds, quantile):
    result = ok_json("experiment", "table1", *TWO, "--quiet", "--pairs", 200, "--epochs", 4, "--test-pairs", 300, "--rounds", rounds, "--seed", 7)
    errors = [[r["test_error"] for r in result["runs"] if r["setting"] == row["name"]] for row in result["rows"]]
    assert [r["seed"] for r in result["runs"]] == 2 * list(range(7, 7 + rounds))
    for row, values in zip(result["rows"], errors):
        mean, sd = statistics.mean(values), statistics.stdev(values)
        assert row["test_error_mean"] == pytest.approx(mean) and row["test_error_sd"] == pytest.approx(sd)
        margin = quantile * sd / math.sqrt(rounds)
        # The printed quantiles have six digits.
        assert row["test_error_interval"] == pytest.approx([mean - margin, mean + margin], rel=1e-4, abs=1e-6)
        assert row["marginal_test_error_mean"] == pytest.approx(
            statistics.mean(r["marginal_test_error"] for r in result["runs"] if r["setting"] == row["name"]))
        # Against the report's ten rounds: one variance for both.
        report = row["report"]
        pooled = ((rounds - 1) * sd ** 2 + 9 * report["test_error_sd"] ** 2) / (rounds + 8)
        low, high = report["difference_interval"]
        assert (low + high) / 2 == pytest.approx(mean - report["test_error_mean"])
        t = (high - low) / 2 / math.sqrt(pooled * (1 / rounds + 1 / 10))
        assert student_within(t, rounds + 8) == pytest.approx(0.95, abs=1e-6)

    [comparison] = result["comparisons"]
    differences = [a - b for a, b in zip(*errors)]
    mean, error = statistics.mean(differences), statistics.stdev(differences) / math.sqrt(rounds)
    assert (comparison["first"], comparison["second"], comparison["rounds"]) == ("siamese", "siamese-no-aux", rounds)
    assert comparison["difference"] == pytest.approx(mean)
    assert comparison["interval"] == pytest.approx([mean - quantile * error, mean + quantile * error], rel=1e-4, abs=1e-6)
    assert comparison["p"] == pytest.approx(1 - student_within(abs(mean) / error, rounds - 1), abs=1e-6)


def test_a_run_is_what_train_does():
    result = ok_json("experiment", "table1", *SMALL, *TWO, "--rounds", 2, "--seed", 3, "--epochs", 8)
    for trial in result["runs"]:
        ratio = 0.7 if trial["setting"] == "siamese" else 0
        alone = ok_json("train", *SMALL, "--epochs", 8, "--seed", trial["seed"], "--loss-ratio", ratio)
        for key in ("test_error", "marginal_test_error", "digit_error", "train_error"):
            assert trial[key] == alone[key]


def test_best_rows():
    options = ["--pairs", 200, "--test-pairs", 100, "--epochs", 4, "--quiet"]
    result = ok_json("experiment", "table1", *options, "--rows", "best,best-ensemble", "--rounds", 1, "--seed", 5)
    best, ensemble = result["rows"]
    assert (best["networks"], best["parameters"]) == (1, 115147) and (ensemble["networks"], ensemble["parameters"]) == (5, 5 * 115147)
    assert "report" not in best and best["loss_ratio"] == 2
    alone = ok_json("train", "--recipe", "best", *options, "--seed", 5)
    assert result["runs"][0]["marginal_test_error"] == alone["marginal_test_error"] and result["runs"][0]["train_error"] == alone["train_error"]
    assert any(ensemble[key] != best[key] for key in ("marginal_test_error_mean", "test_error_mean", "digit_error_mean", "train_error_mean"))
    [comparison] = result["comparisons"]
    assert comparison["decision"] == "marginal"
    assert comparison["difference"] == pytest.approx(ensemble["marginal_test_error_mean"] - best["marginal_test_error_mean"])


def test_ensemble_is_the_mean_of_its_members():
    """Its five networks trained by the library, their answers averaged here."""
    script = """
import json, numpy as np, diptych
train, test = (diptych.Pairs.draw(diptych.Dataset.sample(split), n, seed=4) for split, n in (("train", 300), ("test", 400)))
heads, classes = [], []
for member in range(5):
    model = diptych.Model.create(recipe="best", seed=4 ^ member << 48)
    diptych.train(model, train, recipe="best", epochs=8, seed=4 ^ member << 48)
    answers = model.predict(test.images, class_probabilities=True)
    heads.append(answers.probability), classes.append(answers.class_probabilities)
mean = np.mean(classes, axis=0, dtype=np.float64)
marginal = [sum(a[i] * b[j] for i in range(10) for j in range(i, 10)) for a, b in mean]
targets = test.digits[:, 0] <= test.digits[:, 1]
print(json.dumps([np.mean((np.mean(heads, axis=0) > 0.5) != targets), np.mean((np.array(marginal) > 0.5) != targets),
                  np.mean(mean.argmax(axis=2) != test.digits)]))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"), "DIPTYCH_LIBRARY": str(ROOT / "build" / "libdiptych.so")}
    expected = json.loads(subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True).stdout)
    [trial] = ok_json("experiment", "table1", "--pairs", 300, "--test-pairs", 400, "--epochs", 8, "--quiet", "--rows", "best-ensemble",
                      "--rounds", 1, "--seed", 4)["runs"]
    # Library and command are two builds, whose bits may differ: by two of the 400 pairs at most.
    assert [trial["test_error"], trial["marginal_test_error"], trial["digit_error"]] == pytest.approx(expected, abs=0.0051)


def test_threads_change_nothing():
    results = [ok_json("experiment", "table1", *SMALL, *TWO, "--rounds", 2, "--threads", n) for n in (1, 3, 8)]
    assert [(r["trials_at_a_time"], r["threads_per_trial"]) for r in results] == [(1, 1), (3, 1), (4, 2)]
    assert without_times(results[0]) == without_times(results[1]) == without_times(results[2])


def test_table_for_people():
    text = ok("experiment", "table1", *SMALL, *TWO, "--rounds", 2)
    assert "95 % interval" in text and "siamese - siamese-no-aux" in text and "12.64" in text and "115,147" in text


def test_progress():
    lines = run("experiment", "table1", *[a for a in SMALL if a != "--quiet"], *TWO, "--rounds", 2).stderr.splitlines()
    assert [line.split()[0] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]
    assert all("left" in line for line in lines[:-1]) and "seed 1: test error" in lines[-1]


def test_rounds_are_run_in_their_order():
    """Whoever stops early has whole rounds to compare, also with several runs at a time."""
    call = ["experiment", "table1", *[a for a in SMALL if a != "--quiet"], *TWO, "--rounds", 12, "--threads", 2]
    seeds = [int(line.split("seed ")[1].split(":")[0]) for line in run(*call).stderr.splitlines() if "test error" in line]
    assert len(seeds) == 24 and all(seed <= place // 2 + 2 for place, seed in enumerate(seeds))


# MARK: resume

def test_resume_is_as_if_never_stopped(tmp_path):
    out, whole = tmp_path / "part.json", tmp_path / "whole.json"
    options = [*SMALL, *TWO, "--rounds", 3]
    document = ok_json("experiment", "table1", *options, "--out", whole)
    assert json.loads(whole.read_text())["runs"] == document["runs"]

    ok("experiment", "table1", *SMALL, "--rows", "siamese", "--rounds", 2, "--out", out)
    part = json.loads(out.read_text())
    # A run that is there is not done again: this one is recognised by a value that no training gives.
    part["runs"][0]["seconds"] = 12345.5
    out.write_text(json.dumps(part))
    resumed = ok_json("experiment", "table1", *options, "--out", out, "--resume")
    assert resumed["runs"][0]["seconds"] == 12345.5
    assert without_times(resumed) == without_times(document)
    assert without_times(json.loads(out.read_text())) == without_times(document)
    # Asking for less keeps the rest.
    less = ok_json("experiment", "table1", *SMALL, "--rows", "siamese", "--rounds", 1, "--out", out, "--resume")
    assert len(less["rows"]) == 1 and less["rows"][0]["rounds"] == 1 and len(less["runs"]) == 6


def test_resume_without_a_file_begins(tmp_path):
    out = tmp_path / "r.json"
    assert ok_json("experiment", "loss-ratio", *SMALL, "--rounds", 1, "--loss-ratios", "0.7", "--out", out, "--resume")["complete"]
    assert out.exists()


@pytest.mark.parametrize("change, message", [
    (["--epochs", 2], "was made with epochs 1, but this call has 2"),
    (["--lr", 0.1], "learning_rate 0.005, but this call has 0.1"),
    (["--seed", 1], "seed 0, but this call has 1"),
    (["--test-pairs", 51], "test_pairs 50, but this call has 51"),
])
def test_resume_refuses_other_options(change, message, tmp_path):
    out = tmp_path / "r.json"
    ok("experiment", "table1", *SMALL, "--rows", "siamese", "--rounds", 1, "--out", out)
    before = out.read_text()
    assert message in fails("experiment", "table1", *SMALL, "--rows", "siamese", "--rounds", 1, *change, "--out", out, "--resume")
    assert out.read_text() == before


def test_resume_refuses_other_networks(tmp_path):
    """The options agree, but dropout is the recipe's own, and a row's recipe is of its build."""
    out = tmp_path / "r.json"
    call = ["experiment", "table1", "--pairs", 60, "--test-pairs", 50, "--quiet", "--rounds", 1, "--epochs", 1, "--out", out]
    spelled_out = ["--batch-size", 25, "--schedule", "one-cycle", "--shuffle", "--loss-ratio", 2, "--rotation", 15, "--scale", 0.15,
                   "--shear", 0.15, "--shift", 1.5, "--elastic", 0.7, "--stroke", 0.4]
    first = ok_json(*call, "--rows", "siamese", "--recipe", "best")
    assert first["settings"][0]["network"]["dropout"] == 0.1 and first["settings"][0]["trainer"]["schedule"] == "one_cycle"
    assert "its runs of siamese were made with dropout 0.1, but this call has 0.5" in fails(*call, "--rows", "siamese", *spelled_out, "--resume")
    assert json.loads(out.read_text())["runs"] == first["runs"]
    # Without a run of siamese there is nothing to mix, and what the file says of its own settings stays.
    other = ok_json(*call, "--rows", "rws", *spelled_out, "--resume")
    assert [s["name"] for s in other["settings"]] == ["rws", "siamese"] and other["settings"][1] == first["settings"][0]

    ok(*call, "--rows", "best")
    document = json.loads(out.read_text())
    document["settings"][0]["trainer"]["elastic"] = 0.6
    out.write_text(json.dumps(document))
    assert "its runs of best were made with elastic 0.6, but this call has 0.7" in fails(*call, "--rows", "best", "--resume")
    del document["settings"]
    out.write_text(json.dumps(document))
    assert "does not say how its runs of best were trained" in fails(*call, "--rows", "best", "--resume")


def test_resume_refuses_other_files(tmp_path):
    out = tmp_path / "r.json"
    ok("experiment", "table1", *SMALL, "--rows", "siamese", "--rounds", 1, "--out", out)
    assert "holds the results of experiment table1, not curves" in fails("experiment", "curves", *SMALL, "--out", out, "--resume")
    digits = tmp_path / "digits"
    ok("export", "--to-png", digits, "--count", 200)
    assert "was made with other data than " in fails("experiment", "table1", *SMALL, "--data", digits, "--out", out, "--resume")

    document = json.loads(out.read_text())
    for text, message in [("", "byte 0"), ("{}", "not the results of an experiment"), ("[1, 2]", "not the results"),
                          ("[" * 100000, "nested too deeply"), ('{"experiment": tru}', "expected a value"), (out.read_text() + "x", "after the end"),
                          (json.dumps({**document, "runs": [{"setting": "siamese"}]}), "run 0 is not as an experiment writes it"),
                          (json.dumps({**document, "options": 1}), "options are no object")]:
        out.write_text(text)
        assert message in fails("experiment", "table1", *SMALL, "--out", out, "--resume"), text[:40]


def test_ctrl_c_keeps_what_is_done(tmp_path):
    out = tmp_path / "r.json"
    call = ["experiment", "table1", "--pairs", "60", "--test-pairs", "50", "--epochs", "1", "--rows", "siamese", "--out", str(out)]
    process = subprocess.Popen([COMMAND, *call, "--rounds", "10000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for line in process.stderr:
        if "/10000" in line:
            break
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped by Ctrl-C" in stderr and "--resume" in stderr
    kept = json.loads(out.read_text())
    assert len(kept["runs"]) >= 1 and not kept["complete"]
    rounds = len(kept["runs"]) + 1
    resumed = ok_json(*call, "--rounds", rounds, "--resume", "--quiet")
    assert [r["round"] for r in resumed["runs"]][:rounds] == list(range(rounds)) and resumed["complete"]


# MARK: curves, loss-ratio, grid

def test_curves():
    result = ok_json("experiment", "curves", *SMALL, *TWO, "--rounds", 2, "--epochs", 3)
    assert [line["name"] for line in result["lines"]] == ["siamese", "siamese-no-aux"]
    for line in result["lines"]:
        runs = [r for r in result["runs"] if r["setting"] == line["name"]]
        assert all(r["test_errors"][-1] == r["test_error"] and len(r["marginal_test_errors"]) == 3 for r in runs)
        assert line["test_errors"]["mean"] == pytest.approx([statistics.mean(v) for v in zip(*(r["test_errors"] for r in runs))])
        assert line["test_errors"]["sd"] == pytest.approx([statistics.stdev(v) for v in zip(*(r["test_errors"] for r in runs))])
    # The first two epochs are those of a run that ends there: no schedule knows the end.
    shorter = ok_json("experiment", "curves", *SMALL, *TWO, "--rounds", 2, "--epochs", 2)
    assert [r["test_errors"] for r in shorter["runs"]] == [r["test_errors"][:2] for r in result["runs"]]
    assert "after epoch" in ok("experiment", "curves", *SMALL, *TWO, "--rounds", 1)


def test_figures_have_fifty_epochs():
    result = ok_json("experiment", "curves", "--pairs", 20, "--test-pairs", 10, "--rows", "siamese", "--rounds", 1, "--quiet")
    assert result["options"]["epochs"] == 50 and len(result["lines"][0]["test_errors"]["mean"]) == 50


def test_loss_ratio():
    result = ok_json("experiment", "loss-ratio", *SMALL, "--rounds", 2)
    assert [line["loss_ratio"] for line in result["lines"]] == [0, 0.3, 0.5, 0.7, 0.9, 1.2]
    assert [c["first"] for c in result["comparisons"]] == [f"siamese {r}" for r in ("0", "0.3", "0.5", "0.9", "1.2")]
    assert {c["second"] for c in result["comparisons"]} == {"siamese 0.7"}
    # The same runs as the table's.
    table = ok_json("experiment", "table1", *SMALL, "--rows", "siamese,siamese-no-aux", "--rounds", 2)
    by_ratio = {line["loss_ratio"]: line["test_error_mean"] for line in result["lines"]}
    assert [row["test_error_mean"] for row in table["rows"]] == [by_ratio[0.7], by_ratio[0]]


def test_close_values_have_names_of_their_own():
    result = ok_json("experiment", "loss-ratio", *SMALL, "--rounds", 1, "--loss-ratios", "0.7,0.70000005")
    assert [line["name"] for line in result["lines"]] == ["siamese 0.7", "siamese 0.70000005"]
    assert [line["rounds"] for line in result["lines"]] == [1, 1] and len(result["runs"]) == 2
    ranking = ok_json("experiment", "grid", *PAIRS, "--validation", 20, "--rounds", 1, "--dropouts", "0.1,0.10000001", "--learning-rates", "0.005")["ranking"]
    assert len({row["name"] for row in ranking}) == 2 and all(row["rounds"] == 1 and "1 epoch" == row["name"][-7:] for row in ranking)


def test_grid():
    call = ["experiment", "grid", *PAIRS, "--validation", 20, "--rounds", 2, "--learning-rates", "0.001,0.01", "--dropouts", "0,0.5",
            "--batch-sizes", "10", "--epoch-counts", "1,2"]
    call = drop(call, "--epochs")
    result = ok_json(*call)
    ranking = result["ranking"]
    assert len(ranking) == 8 and len(result["runs"]) == 16 and result["options"]["validation_pairs"] == 20
    assert {(r["learning_rate"], r["dropout"], r["epochs"]) for r in ranking} == {(x, d, e) for x in (0.001, 0.01) for d in (0, 0.5) for e in (1, 2)}
    errors = [r["validation_error_mean"] for r in ranking]
    assert errors == sorted(errors)
    by_marginal = ok_json(*call, "--decision", "marginal")["ranking"]
    errors = [r["marginal_validation_error_mean"] for r in by_marginal]
    assert errors == sorted(errors)
    for row in ranking:
        values = [r["validation_error"] for r in result["runs"] if r["setting"] == row["name"]]
        assert row["validation_error_mean"] == pytest.approx(statistics.mean(values))


def drop(arguments, option):
    """The arguments without an option and its value."""
    index = arguments.index(option)
    return arguments[:index] + arguments[index + 2:]


def test_grid_reads_no_test_pairs_and_holds_validation_pairs_out(tmp_path):
    digits = tmp_path / "digits"
    ok("export", "--to-png", digits, "--count", 200)
    call = ["experiment", "grid", *PAIRS, "--data", digits, "--validation", 20, "--rounds", 2, "--epochs", 8, "--learning-rates", "0.005"]
    result = ok_json(*call)
    # It trains on the first 40 of the 60 pairs, as train does when it draws 40.
    for trial in result["runs"]:
        alone = ok_json("train", *SMALL, "--data", digits, "--pairs", 40, "--epochs", 8, "--seed", trial["seed"])
        assert trial["train_error"] == alone["train_error"]
    shutil.rmtree(digits / "test")
    (digits / "test").mkdir()
    assert without_times(ok_json(*call)) == without_times(result)
    assert "--validation 60" in fails(*call[:call.index("--validation")], "--validation", 60, "--learning-rates", "0.005")


def test_grid_ranks_divergence_last():
    result = ok_json("experiment", "grid", *PAIRS, "--validation", 20, "--rounds", 1, "--optimizer", "sgd", "--epochs", 20,
                     "--learning-rates", "100,0.001")
    assert [(r["learning_rate"], r["diverged"]) for r in result["ranking"]] == [(0.001, 0), (100, 1)]
    assert result["ranking"][1]["validation_error_mean"] is None


# MARK: errors

@pytest.mark.parametrize("arguments, message", [
    (["table1", "--rows", "siamese,cnn"], "there is no row 'cnn', only siamese, siamese-no-aux, rws"),
    (["table1", "--rounds", 0], "--rounds is 0, but must be from 1 to 10000"),
    (["table1", "--loss-ratio", 0], "rows of their own"),
    (["table1", "--resume"], "there is no --out"),
    (["table1", "--seed", 2 ** 64 - 1], "must leave room for the rounds"),
    (["table1", "--test-pairs", 0], "--test-pairs is 0"),
    (["curves", "--epochs", 0], "--epochs is 0"),
    (["loss-ratio", "--loss-ratio", 1], "give --loss-ratios"),
    (["loss-ratio", "--loss-ratios", "0.5,-1"], "loss_ratio is -1"),
    (["loss-ratio", "--loss-ratios", "0.5,0.5"], "stands there twice"),
    (["loss-ratio", "--loss-ratios", "0.7,0.700000001"], "stands there twice"),
    (["grid", "--learning-rates", "0.1,"], "--learning-rates"),
    (["grid", "--learning-rates", "0"], "--learning-rates: learning_rate is 0"),
    (["grid", "--dropouts", "1"], "--dropouts: dropout is 1"),
    (["grid", "--epoch-counts", "1,2", "--epochs", 2], "--epoch-counts and --epochs both say the same"),
    (["grid", "--validation", 0], "--validation is 0"),
    (["grid", "--test-pairs", 5], "--test-pairs"),
    (["table2"], "table2"),
])
def test_wrong_options(arguments, message):
    assert message in fails("experiment", *arguments, status=64)


def test_wrong_data_and_output(tmp_path):
    assert "does not exist" in fails("experiment", "table1", "--out", tmp_path / "none" / "r.json")
    assert "only 2500 pairs" in fails("experiment", "table1", "--pairs", 2501)
    digits = tmp_path / "digits"
    ok("export", "--to-png", digits, "--split", "test", "--count", 100)
    assert "no test split" in fails("experiment", "table1", "--data", digits)


# MARK: the page of results

def test_page_of_results(tmp_path):
    experiments = {"table1": [*SMALL, *TWO], "best": [*SMALL, "--rows", "siamese,best,best-ensemble"], "curves": [*SMALL, *TWO], "loss-ratio": SMALL,
                   "grid": [*PAIRS, "--learning-rates", "0.005", "--validation", 20]}
    for name, options in experiments.items():
        ok("experiment", "table1" if name == "best" else name, *options, "--rounds", 2, "--out", tmp_path / f"{name}.json")
    (tmp_path / "evaluate.json").write_text(ok("evaluate", "--hardest", 4, "--json"))
    script = ROOT / "scripts" / "report.py"
    (tmp_path / "machine.json").write_text(subprocess.run([sys.executable, script, "machine"], check=True, capture_output=True, text=True).stdout)
    subprocess.run([sys.executable, script, tmp_path], check=True)
    page = (tmp_path / "README.md").read_text()
    for row in json.loads((tmp_path / "table1.json").read_text())["rows"]:
        assert f"| {100 * row['test_error_mean']:.2f} | {100 * row['test_error_sd']:.2f} |" in page
    assert "siamese with < siamese without" in page and "None" not in page and "nan" not in page


# MARK: evaluate --hardest

def test_hardest_pairs(model):
    document = ok_json("evaluate", "--model", model, "--hardest", 1000)
    wrong = document["hardest"]
    assert len(wrong) == round(document["test_error"] * document["pairs"])
    confidences = []
    for pair in wrong:
        assert pair["less_or_equal"] == (pair["first"]["digit"] <= pair["second"]["digit"])
        assert pair["less_or_equal"] != (pair["probability"] > 0.5)
        assert len(pair["first"]["pixels"]) == len(pair["second"]["pixels"]) == 196
        assert pair["confidence"] == pytest.approx(1 - pair["probability"] if pair["less_or_equal"] else pair["probability"], abs=1e-6)
        confidences.append(1 - pair["probability"] if pair["less_or_equal"] else pair["probability"])
    # Each is a Float's decimal form: equal ones may differ by a rounding.
    assert all(a >= b - 1e-6 for a, b in zip(confidences, confidences[1:]))
    assert len(ok_json("evaluate", "--model", model, "--hardest", 3)["hardest"]) == 3
    assert "hardest" not in ok_json("evaluate", "--model", model)
    assert "hardest pairs" in ok("evaluate", "--model", model, "--hardest", 3)
    assert "--hardest is -1" in fails("evaluate", "--hardest=-1", status=64)
