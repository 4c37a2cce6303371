"""Write docs/results/README.md from the JSON beside it, so that no number in it is typed by hand.

Usage: report.py FOLDER     (reads FOLDER/*.json, writes FOLDER/README.md)
       report.py machine    (prints this machine as JSON)
"""
import json
import os
import pathlib
import platform
import sys

NAMES = {"siamese": "siamese", "rws": "RWS", "mlp": "MLP"}


def machine():
    model = platform.processor() or platform.machine()
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "system": f"{platform.system()} on {platform.machine()}"}


def points(share):
    return "" if share is None else f"{100 * share:.2f}"


def interval(pair):
    return "" if pair[0] is None else f"{100 * pair[0]:.2f} to {100 * pair[1]:.2f}"


def p_value(p):
    return "" if p is None else f"{p:.2g}" if p >= 1e-4 else "< 0.0001"


def minutes(seconds):
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def setting(name):
    """rws-no-aux as people say it."""
    architecture = name.removesuffix("-no-aux")
    return f"{NAMES[architecture]} without" if name != architecture else f"{NAMES[architecture]} with"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


EPOCHS = {"table1": 25, "curves": 50, "loss-ratio": 50, "grid": 25}  # what the command does unless it is told


def ran(data, extra=""):
    """The command, its seeds and its time."""
    name, seed, epochs = data["experiment"], data["options"]["seed"], data["options"]["epochs"]
    command = (f"diptych experiment {name}" + ("" if data["data"] == "the bundled sample" else " --data mnist")
               + extra + ("" if epochs == EPOCHS[name] else f" --epochs {epochs}") + f" --rounds {data['rounds']} --seed {seed}")
    return (f"`{command}` (seeds {seed} to {seed + data['rounds'] - 1}): {minutes(data['seconds'])}, "
            f"{plural(data['trials_at_a_time'], 'run')} at a time, each on {plural(data['threads_per_trial'], 'thread')}")


def table1(data):
    def row(row):
        report = row.get("report")
        of_auxiliary = row["auxiliary"]  # without it nothing teaches the branch digits
        return [NAMES[row["architecture"]], "yes" if of_auxiliary else "no", points(row["test_error_mean"]), points(row["test_error_sd"]),
                interval(row["test_error_interval"]), f"{points(report['test_error_mean'])} ± {points(report['test_error_sd'])}" if report else "not in it",
                interval(report["difference_interval"]) if report else "", points(row["train_error_mean"]),
                points(row["marginal_test_error_mean"]) if of_auxiliary else "", points(row["digit_error_mean"]) if of_auxiliary else "",
                f"{row['parameters']:,}", f"{row['seconds_mean']:.1f}"]
    return table(["network", "aux. loss", "test error", "sd", "95 % interval", "the report", "ours - report, 95 %", "train error", "by marginal", "digits",
                  "parameters", "seconds"], [row(r) for r in data["rows"]])


# What the report's table says, as (lower error, higher error).
CLAIMS = [
    ("siamese", "siamese-no-aux"), ("rws", "rws-no-aux"), ("mlp", "mlp-no-aux"),
    ("siamese", "rws"), ("siamese", "mlp"), ("mlp", "rws"), ("siamese-no-aux", "rws-no-aux"),
]


def difference(data, low, high):
    """low - high as (mean, interval, p), or None where no round has both."""
    for c in data["comparisons"]:
        if (c["first"], c["second"]) == (low, high):
            return c["difference"], c["interval"], c["p"]
        if (c["first"], c["second"]) == (high, low):
            a, b = c["interval"]
            return -c["difference"], [None, None] if a is None else [-b, -a], c["p"]
    return None


def verdict(found):
    (low, high) = found[1]
    if low is None:
        return "one round says nothing"
    return "holds" if high < 0 else "the opposite holds" if low > 0 else "open: these rounds do not decide"


def claims(data):
    rows = []
    for low, high in CLAIMS:
        found = difference(data, low, high)
        if found:
            rows.append([f"{setting(low)} < {setting(high)}", points(found[0]), interval(found[1]), p_value(found[2]), verdict(found)])
    return table(["the report's order", "difference", "95 % interval", "p", "here"], rows)


def comparisons(data):
    rows = [[f"{setting(c['first'])} - {setting(c['second'])}", points(c["difference"]), interval(c["interval"]), p_value(c["p"])]
            for c in data["comparisons"] if (c["first"], c["second"]) not in CLAIMS and (c["second"], c["first"]) not in CLAIMS]
    return table(["not in the report", "difference", "95 % interval", "p"], rows)


def best(data):
    rows = [[{"siamese": "the report's"}.get(r["name"], "best"), r["networks"], r["epochs"], f"{r['parameters']:,}", points(r["marginal_test_error_mean"]),
             points(r["marginal_test_error_sd"]), interval(r["marginal_test_error_interval"]), points(r["test_error_mean"]),
             points(r["digit_error_mean"]), points(r["train_error_mean"]), f"{r['seconds_mean']:.1f}"] for r in data["rows"]]
    differences = [[f"{c['first']} - {c['second']}", points(c["difference"]), interval(c["interval"]), p_value(c["p"])] for c in data["comparisons"]]
    return (table(["recipe", "networks", "epochs", "parameters", "error by marginal", "sd", "95 % interval", "by head", "digits", "train error", "seconds"], rows)
            + "\n\n" + table(["by marginal", "difference", "95 % interval", "p"], differences))


def curves(data):
    shown = [e for e in (1, 5, 10, 25, 50) if e <= data["options"]["epochs"]]
    if data["options"]["epochs"] not in shown:
        shown.append(data["options"]["epochs"])
    return table(["network", "aux. loss", *(f"epoch {e}" for e in shown), "95 % interval at the end"],
                 [[NAMES[line["architecture"]], "yes" if line["auxiliary"] else "no",
                   *(points(line["test_errors"]["mean"][e - 1]) for e in shown), interval(line["test_error_interval"])]
                  for line in data["lines"]])


def loss_ratio(data):
    against = {c["first"]: c for c in data["comparisons"]}

    def row(line):
        c = against.get(line["name"])
        return [f"{line['loss_ratio']}", points(line["test_error_mean"]), points(line["test_error_sd"]), interval(line["test_error_interval"]),
                *([points(c["difference"]), interval(c["interval"]), p_value(c["p"])] if c else ["", "", ""])]
    return table(["loss ratio", "test error", "sd", "95 % interval", "less that of 0.7", "95 % interval", "p"], [row(line) for line in data["lines"]])


def grid(data):
    def errors(row):
        return ["diverged", ""] if row["diverged"] else [f"{points(row['validation_error_mean'])} ± {points(row['validation_error_sd'])}",
                                                         f"{points(row['marginal_validation_error_mean'])} ± {points(row['marginal_validation_error_sd'])}"]
    return table(["rank", "learning rate", "loss ratio", "dropout", "batch", "epochs", "by head", "by marginal"],
                 [[i + 1, r['learning_rate'], r['loss_ratio'], r['dropout'], r["batch_size"], r["epochs"], *errors(r)]
                  for i, r in enumerate(data["ranking"])])


def calibration(data):
    return (f"Expected calibration error: {points(data['ece'])} % of the head's probability, {points(data['marginal_ece'])} % of the marginal's.\n\n"
            "![Reliability of its probabilities](reliability.png)")


def page(folder):
    def load(name):
        return json.loads((folder / f"{name}.json").read_text())
    t, b, c, l, g, e, m = (load(n) for n in ("table1", "best", "curves", "loss-ratio", "grid", "evaluate", "machine"))
    o = t["options"]
    draws = ("the bundled sample of 5,000 training and 2,500 test digits, so that rounds share images" if t["data"] == "the bundled sample"
             else "all of MNIST's 60,000 training and 10,000 test digits")
    asked = f"make report ROUNDS={t['rounds']}" + ("" if t["data"] == "the bundled sample" else " MNIST=mnist")
    return f"""# Results

Written by `{asked}` from the JSON files in this folder, which hold every run with its seed; no number
here was typed. Machine: {m['cpu']}, {m['cpus']} CPUs, {m['system']}; diptych {o['version']}.

Errors and differences are in per cent and percentage points. A round draws {o['pairs']:,} training pairs and {o['test_pairs']:,} test pairs
by its seed from {draws}, and starts from new weights. All networks of a round see
the same pairs, so their differences are paired. Intervals are Student's, at 95 %, over rounds; p is of the two-sided paired
t-test, not corrected for the number of comparisons. `seconds` are the wall time of a run
and its test, which other work on the machine lengthens.

## The report's table

{ran(t)}. {o['epochs']} epochs, {o['optimizer'].capitalize()} at {o['learning_rate']:g}, batches of {o['batch_size']}, loss ratio {o['loss_ratio']:g} or 0.

{table1(t)}

*Ours - report* is the interval of the difference to the report's mean, of two samples of rounds: where it holds 0, the rounds
do not tell ours from the report's. The marginal and the digits mean nothing without auxiliary loss.

![The table as bars, beside the report's](table1.png)

## What the rounds say about the report's order

{claims(t)}

*Holds* and *the opposite holds* where the interval leaves out 0; else the rounds do not decide.

{comparisons(t)}

## The best recipe

{ran(b, " --rows siamese,best,best-ensemble")}. Siamese networks on the same pairs; those of one row of an
ensemble differ in their weights and what is random in training, and their probabilities are averaged. The best recipe's
predict from nine views of a pair.

{best(b)}

## Learning curves

{ran(c)}.

![Test error after each epoch](curves.png)

{curves(c)}

## The weight of the auxiliary loss

{ran(l)}.

![Test error after each epoch by loss ratio](loss-ratio.png)
![Test error at the end by loss ratio](loss-ratio-end.png)

{loss_ratio(l)}

## Grid

{ran(g)}. Ranked by the head's error on {g['options']['validation_pairs']:,} of the training pairs,
which are not trained on; no test pair is read. Neighbours in rank are not told apart by so few rounds.

{grid(g)}

## The built-in model

`diptych evaluate{'' if e['data'] == 'the bundled sample' else ' --data mnist'} --pairs {e['pairs']} --seed {e['seed']} --hardest 16 --json`: test error {points(e['test_error'])} % by the head,
{points(e['marginal_test_error'])} % by the marginal; digit error {points(e['digit_error'])} %.

![Confusion of digits](confusion.png)

{calibration(e)}

The pairs that it decides wrongly with the greatest confidence, as the network sees them:

![The hardest test pairs](hardest.png)
"""


if __name__ == "__main__":
    if sys.argv[1] == "machine":
        print(json.dumps(machine(), indent=1))
    else:
        folder = pathlib.Path(sys.argv[1])
        (folder / "README.md").write_text(page(folder))
