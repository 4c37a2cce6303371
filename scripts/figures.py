"""Draw the figures of docs/results from the JSON of `diptych experiment` and `diptych evaluate`, as PNG and SVG.

Usage: figures.py FOLDER    (reads FOLDER/*.json, writes FOLDER/*.png and *.svg)
"""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import ListedColormap, LogNorm

WIDTH = 8.3  # inches; at 150 dots an inch a README shows it at two thirds
COLOURS = {"siamese": "#0072B2", "rws": "#D55E00", "mlp": "#009E73"}  # Okabe and Ito: told apart by all eyes
PALE = {"siamese": "#80B8D8", "rws": "#EAAF80", "mlp": "#80CFB9"}
NAMES = {"siamese": "Siamese", "rws": "RWS", "mlp": "MLP"}
plt.rcParams.update({
    "font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e4e4e4",
    "axes.axisbelow": True, "figure.constrained_layout.use": True, "svg.hashsalt": "diptych",
})


def save(figure, folder, name):
    figure.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def percent(values):
    return [None if value is None else 100 * value for value in values]


def plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


def line_label(line):
    auxiliary = "with aux. loss" if line["auxiliary"] else "without"
    return f"{NAMES[line['architecture']]}, {auxiliary}"


def draw_curves(axes, lines, style):
    """Mean lines with the 95 % confidence interval of the mean as a band."""
    highest = 0
    for line in lines:
        errors = line["test_errors"]
        epochs = range(1, len(errors["mean"]) + 1)
        colour, dash, label = style(line)
        axes.plot(epochs, percent(errors["mean"]), color=colour, linestyle=dash, label=label, linewidth=1.8)
        if None not in errors["low"]:
            axes.fill_between(epochs, percent(errors["low"]), percent(errors["high"]), color=colour, alpha=0.15, linewidth=0)
        highest = max(highest, *percent(errors["mean"]))
    axes.set(xlabel="epoch", ylabel="test error (%)", xlim=(1, len(epochs)), ylim=(0, 5 * (highest // 5 + 1)))


def learning_curves(data, folder):
    figure, axes = plt.subplots(figsize=(WIDTH, 4.3))
    lines = sorted(data["lines"], key=lambda line: -line["test_errors"]["mean"][-1])  # the legend in the lines' order
    draw_curves(axes, lines, lambda line: (COLOURS[line["architecture"]], "-" if line["auxiliary"] else "--", line_label(line)))
    axes.set_title(f"Test error after each epoch: mean of {plural(data['rounds'], 'round')}, 95 % interval", fontsize=11, loc="left")
    figure.legend(loc="outside right center", frameon=False)
    save(figure, folder, "curves")


def loss_ratio(data, folder):
    lines = data["lines"]
    shades = plt.get_cmap("viridis")
    colours = {line["name"]: shades(0.92 * i / max(len(lines) - 1, 1)) for i, line in enumerate(lines)}
    figure, axes = plt.subplots(figsize=(WIDTH, 4.3))
    draw_curves(axes, lines, lambda line: (colours[line["name"]], "-", f"{line['loss_ratio']}"))
    axes.set_title(f"Siamese network, by weight of the auxiliary loss: mean of {plural(data['rounds'], 'round')}, 95 % interval",
                   fontsize=11, loc="left")
    figure.legend(loc="outside right center", frameon=False, title="loss ratio")
    save(figure, folder, "loss-ratio")

    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    epochs = len(lines[0]["test_errors"]["mean"])
    for line in lines:
        runs = [run for run in data["runs"] if run["setting"] == line["name"]]
        axes.plot([line["loss_ratio"]] * len(runs), percent([run["test_error"] for run in runs]), "o", color="#bbbbbb", markersize=4,
                  label="one round" if line is lines[0] else None)
    means = percent([line["test_error_mean"] for line in lines])
    margins = [100 * (line["test_error_interval"][1] or line["test_error_mean"]) - mean for line, mean in zip(lines, means)]
    axes.errorbar([line["loss_ratio"] for line in lines], means, yerr=margins, fmt="o-", color=COLOURS["siamese"], capsize=4,
                  label="mean, 95 % interval")
    worst = max(run["test_error"] for run in data["runs"] if run["test_error"] is not None)
    axes.set(xlabel="loss ratio (weight of the auxiliary loss)", ylabel="test error (%)", ylim=(0, 110 * worst))
    axes.set_title(f"Siamese network after {epochs} epochs", fontsize=11, loc="left")
    figure.legend(loc="outside right center", frameon=False)
    save(figure, folder, "loss-ratio-end")


def table_bars(data, folder):
    """Each row of the table: the report's value beside ours, standard deviations, and our rounds as points."""
    rows = data["rows"]
    figure, axes = plt.subplots(figsize=(WIDTH, 4.3))
    for i, row in enumerate(rows):
        report, first = row.get("report"), i == 0
        if report:
            axes.bar(i - 0.2, 100 * report["test_error_mean"], 0.38, yerr=100 * report["test_error_sd"], capsize=4, color="#b8b8b8",
                     label="the report, 10 rounds" if first else None)
        else:
            axes.text(i - 0.2, 0.25, "not in\nthe report", ha="center", va="bottom", fontsize=8.5, color="#666666", rotation=90)
        axes.bar(i + 0.2, 100 * row["test_error_mean"], 0.38, yerr=100 * (row["test_error_sd"] or 0), capsize=4,
                 color=COLOURS[row["architecture"]] if row["auxiliary"] else PALE[row["architecture"]])
        runs = [100 * run["test_error"] for run in data["runs"] if run["setting"] == row["name"] and run["test_error"] is not None]
        axes.plot([i + 0.3] * len(runs), runs, "o", color="black", markersize=2.5, label="one round" if first else None)
        top = max([100 * (row["test_error_mean"] + (row["test_error_sd"] or 0)), *runs])
        axes.text(i + 0.2, top + 0.3, f"{100 * row['test_error_mean']:.1f}", ha="center", va="bottom", fontsize=9.5)
        if report:
            top = 100 * (report["test_error_mean"] + report["test_error_sd"])
            axes.text(i - 0.2, top + 0.3, f"{100 * report['test_error_mean']:.1f}", ha="center", va="bottom", fontsize=9.5, color="#555555")
    for architecture in dict.fromkeys(row["architecture"] for row in rows):
        axes.bar(0, 0, color=COLOURS[architecture], label=f"Diptych, {NAMES[architecture]}")
    axes.set_xticks(range(len(rows)), [NAMES[row["architecture"]] + ("\nwith aux." if row["auxiliary"] else "\nwithout") for row in rows],
                    fontsize=10)
    axes.grid(axis="x", visible=False)
    axes.set(ylabel="test error (%)")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.04)
    axes.set_title(f"Test error after {data['options']['epochs']} epochs: mean of {plural(data['rounds'], 'round')}, standard deviation",
                   fontsize=11, loc="left")
    figure.legend(loc="outside right center", frameon=False)
    save(figure, folder, "table1")


def confusion(data, folder):
    counts = data["confusion"]
    classes = range(len(counts))
    wrong = [[count if i != j and count else float("nan") for j, count in enumerate(row)] for i, row in enumerate(counts)]
    images = sum(map(sum, counts))
    most = max((count for row in wrong for count in row if count == count), default=1)
    figure, axes = plt.subplots(figsize=(WIDTH * 0.75, 5.4))
    axes.imshow([[1 if i == j else float("nan") for j in classes] for i in classes], cmap=ListedColormap(["#e8e8e8"]))
    axes.imshow(wrong, cmap="OrRd", norm=LogNorm(0.5, max(2, most)))
    for i in classes:
        for j in classes:
            if counts[i][j]:
                dark = i != j and counts[i][j] > 0.6 * most
                axes.text(j, i, counts[i][j], ha="center", va="center", fontsize=10, color="white" if dark else "black")
    axes.grid(False)
    axes.hlines([i - 0.5 for i in range(len(counts) + 1)], -0.5, len(counts) - 0.5, color="#e4e4e4", linewidth=0.8)
    axes.vlines([i - 0.5 for i in range(len(counts) + 1)], -0.5, len(counts) - 0.5, color="#e4e4e4", linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.set(xticks=classes, yticks=classes, xlabel="digit by the model", ylabel="true digit")
    axes.set_title(f"Digits of {data['pairs']:,} test pairs: {data['digit_error'] * images:.0f} of {images:,} images wrong "
                   f"({100 * data['digit_error']:.2f} %)", fontsize=11, loc="left")
    save(figure, folder, "confusion")


def hardest(data, folder):
    """Pairs with what the model said: above, the truth; below, its digits and both its answers."""
    pairs = data["hardest"]
    if not pairs:
        return
    columns = 4
    lines = (len(pairs) + columns - 1) // columns
    figure, grid = plt.subplots(lines, columns, figsize=(WIDTH, 1.78 * lines + 0.3), squeeze=False)
    figure.suptitle("Above each pair the truth, below it what the model said of each digit and of P(first ≤ second)", fontsize=11)
    for axes in grid.flat:
        axes.axis("off")
    for axes, pair in zip(grid.flat, pairs):
        first, second = pair["first"], pair["second"]
        side = int(len(first["pixels"]) ** 0.5)
        gap = [0.0] * 2
        axes.imshow([[255 - p for p in first["pixels"][y * side:][:side]] + [255.0 - g for g in gap]
                     + [255 - p for p in second["pixels"][y * side:][:side]] for y in range(side)], cmap="gray", vmin=0, vmax=255)
        for x in (0, side + len(gap)):
            axes.add_patch(plt.Rectangle((x - 0.5, -0.5), side, side, fill=False, edgecolor="#999999", linewidth=0.8))
        axes.set_title(f"{first['digit']} {'≤' if pair['less_or_equal'] else '>'} {second['digit']}", fontsize=12)
        axes.text(side + 0.5, side + 0.3, f"seen as {first['predicted']} ({100 * first['confidence']:.0f} %), "
                  f"{second['predicted']} ({100 * second['confidence']:.0f} %)\nhead {pair['probability']:.2f}, "
                  f"marginal {pair['marginal']:.2f}", ha="center", va="top", fontsize=8.5)
    save(figure, folder, "hardest")


def wilson(share, count, z=1.96):
    """The 95 % confidence interval of a share that was counted (Wilson, 1927)."""
    middle, half = share + z * z / (2 * count), z * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)


def reliability(data, folder):
    """How often first <= second is true, by what the model said of it; a line on the diagonal can be taken at its word."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 5.2), sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], color="#999999", linestyle=":", label="as it should be")
    for name, colour, mark in [("head", COLOURS["rws"], "o"), ("marginal", COLOURS["siamese"], "s")]:
        bins = [b for b in data["reliability"][name] if b["count"]]
        error = data["ece" if name == "head" else "marginal_ece"]
        means = [b["mean_probability"] for b in bins]
        shares = [b["frequency"] for b in bins]
        intervals = [wilson(b["frequency"], b["count"]) for b in bins]
        above.errorbar(means, shares, yerr=[[max(0, s - i[0]) for s, i in zip(shares, intervals)], [max(0, i[1] - s) for s, i in zip(shares, intervals)]],
                       fmt=mark, markersize=5, color=colour, elinewidth=0.9, capsize=2.5,
                       label=f"{name}: expected\ncalibration error {100 * error:.2f} %")
        below.plot(means, [b["count"] for b in bins], mark, markersize=5, color=colour)
    above.set(ylabel="share of pairs with first ≤ second", ylim=(-0.02, 1.02))
    below.set(xlabel="P(first ≤ second) by the model", ylabel="pairs", yscale="log", xlim=(-0.02, 1.02))
    below.yaxis.set_major_formatter("{x:,.0f}")
    above.set_title(f"Built-in model on {data['pairs']:,} test pairs, with 95 % intervals", fontsize=11, loc="left")
    figure.legend(loc="outside right center", frameon=False, fontsize=10)
    save(figure, folder, "reliability")


FIGURES = {"curves": [learning_curves], "loss-ratio": [loss_ratio], "table1": [table_bars], "evaluate": [confusion, hardest, reliability]}


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, functions in FIGURES.items():
        data = json.loads((folder / f"{name}.json").read_text())
        for function in functions:
            function(data, folder)


if __name__ == "__main__":
    main()
