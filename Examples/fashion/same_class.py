#!/usr/bin/env python3
"""Do two pictures of clothes show the same class? Trains on pairs of Fashion-MNIST with targets of its own, twice: with
the classes as auxiliary loss, and on the answers "same" and "different" alone. Prints the errors on test pairs."""

import argparse
import sys
from pathlib import Path

import numpy as np

import diptych

CLASSES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]


def parse_arguments():
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    add = parser.add_argument
    add("--data", type=Path, default="/usr/share/datasets/fashion-mnist", help="folder of the four IDX files")
    add("--size", type=int, default=14, help="height and width to which the 28x28 images are averaged")
    add("--pairs", type=int, default=10000, help="pairs to train on; there are images for 30000")
    add("--test-pairs", type=int, default=5000, help="pairs to test on; there are images for 5000")
    add("--epochs", type=int, default=15, help="passes over the pairs")
    add("--architecture", choices=["siamese", "rws", "mlp"], default="siamese", help="the network")
    add("--head-width", type=int, default=64, help="units that compare the two images' class scores")
    add("--learning-rate", type=float, default=0.002, help="the highest of the one-cycle schedule")
    add("--dropout", type=float, default=0.2, help="probability of zeroing a unit in training")
    add("--loss-ratio", type=float, default=0.7, help="weight of the auxiliary loss")
    add("--seed", type=int, default=0, help="of pairs, weights and training")
    add("--rounds", type=int, default=1, help="repeat with seeds SEED, SEED + 1, ...: mean and standard deviation")
    add("--threads", type=int, default=0, help="0 takes all CPUs; the errors do not depend on it")
    add("--save", type=Path, default=argparse.SUPPRESS, help="write the first model trained with auxiliary loss here")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}, but must be at least 1")
    if "save" in options and not options.save.parent.is_dir():
        parser.error(f"--save is {options.save}, but there is no folder {options.save.parent}")
    return options


def open_split(folder, split):
    """The images and labels of "train" or "t10k", plain or gzip-compressed."""
    paths = [folder / f"{split}-{part}-ubyte" for part in ("images-idx3", "labels-idx1")]
    return diptych.Dataset.open_idx(*[path if path.exists() else f"{path}.gz" for path in paths])


def draw_pairs(dataset, count, size, seed):
    """count pairs of 2 * count different images in random order, half of them of the same class."""
    drawn = diptych.Pairs.draw(dataset, count, size, size, seed)  # random images at the right size, to be paired anew
    images, labels = drawn.images.reshape(-1, size, size), drawn.digits.reshape(-1)
    random = np.random.default_rng(seed)

    of_class = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    same = random.permutation(np.concatenate([i[: len(i) // 2 * 2].reshape(-1, 2) for i in of_class]))[: count // 2]
    different = random.permutation(np.setdiff1d(np.arange(2 * count), same)).reshape(-1, 2)
    for _ in range(100):  # swap partners until no pair is left that came out alike
        alike = np.flatnonzero(labels[different[:, 0]] == labels[different[:, 1]])
        for i, j in zip(alike, random.integers(len(different), size=len(alike))):
            different[[i, j], 1] = different[[j, i], 1]
    if len(alike) or len(same) != count // 2:
        raise ValueError(f"{count} pairs, half of the same class and half not, cannot be made of these labels")
    chosen = random.permutation(np.concatenate([same, different]))
    first, second = labels[chosen].T
    return diptych.Pairs.from_arrays(images[chosen], first == second, labels[chosen])


def train(pairs, options, seed, loss_ratio):
    """A new model, trained on pairs, and the seconds that it took."""
    shape = {name: getattr(options, name) for name in ("architecture", "head_width", "dropout")}
    model = diptych.Model.create(**shape, height=pairs.height, width=pairs.width, classes=len(CLASSES), seed=seed)
    run = {name: getattr(options, name) for name in ("epochs", "learning_rate", "threads")}
    trainer = diptych.Trainer(model, pairs, **run, schedule="one_cycle", shuffle=True, loss_ratio=loss_ratio, seed=seed)
    for at in trainer:
        print(f"seed {seed}, loss ratio {loss_ratio:g}: epoch {at.epoch} of {at.epochs}, loss {at.loss:.3f}, "
              f"training error {at.train_error:.1%}", file=sys.stderr)
    return model, at.seconds


def measure(model, pairs, test, threads):
    """Errors in per cent: the head's, by both readings of the class probabilities, of a class, on training pairs."""
    answers = model.predict(test.images, threads, class_probabilities=True)
    evaluation = diptych.evaluate(model, test, threads)
    # answers.marginal is P(first <= second); what is asked here is the sum over i of P(first = i) P(second = i).
    same = answers.class_probabilities.prod(axis=1).sum(axis=1)
    # That is P(same) of images drawn one by one, of which 1 pair in 10 is the same. Here it is 1 in 2: Bayes' rule
    # multiplies the odds by 9, which moves the even point from 1/2 to 1/10.
    wrong = [np.mean((same > even) != test.targets) for even in (1 / 2, 1 / len(CLASSES))]
    shares = evaluation.error, *wrong, evaluation.digit_error, diptych.evaluate(model, pairs, threads).error
    return answers, same, [100 * share for share in shares]


def row(title, rounds, columns):
    """A line of the table: mean, and standard deviation where there are several rounds, of these columns."""
    cells = [f"{mean:.1f}" for mean in np.mean(rounds, axis=0)]
    if len(rounds) > 1:
        cells = [f"{cell} ± {sd:.1f}" for cell, sd in zip(cells, np.std(rounds, axis=0, ddof=1))]
    print("|", " | ".join([title, *(cell if i in columns else "" for i, cell in enumerate(cells))]), "|")


def main():
    options = parse_arguments()
    results = {options.loss_ratio: [], 0: []}
    for seed in range(options.seed, options.seed + options.rounds):
        pairs = draw_pairs(open_split(options.data, "train"), options.pairs, options.size, seed)
        test = draw_pairs(open_split(options.data, "t10k"), options.test_pairs, options.size, seed)
        for loss_ratio, rounds in results.items():
            model, seconds = train(pairs, options, seed, loss_ratio)
            answers, same, errors = measure(model, pairs, test, options.threads)
            rounds.append([*errors, seconds])
            if seed == options.seed and loss_ratio == options.loss_ratio:
                examples = list(zip(test.digits, test.targets, answers.probability, same))[:5]
                if "save" in options:
                    model.save(options.save)

    size = f"{options.size}x{options.size}"
    print(f"{options.architecture}, {model.parameter_count:,} parameters; {options.pairs} training pairs of {size}, "
          f"{options.epochs} epochs; {options.test_pairs} test pairs; errors in per cent\n")
    print("| auxiliary loss | head | P(same) > 1/2 | P(same) > 1/10 | one image's class | training, head | seconds |")
    print("|---" * 7 + "|")
    for loss_ratio, rounds in results.items():
        row("yes" if loss_ratio else "no", rounds, range(6) if loss_ratio else (0, 4, 5))
    print(f"| always \"different\" | {100 * test.targets.mean():.1f} | | | | | |\n")
    for (first, second), target, head, p in examples:
        verdict = "right" if (head > 0.5) == target else "wrong"
        print(f"{CLASSES[first]}, {CLASSES[second]}: {'same' if head > 0.5 else 'different'} ({verdict}); "
              f"P(same) {head:.3f} by the head" + (f", {p:.3f} by the classes" if options.loss_ratio else ""))


if __name__ == "__main__":
    try:
        main()
    except diptych.NotFoundError as error:
        sys.exit(f"same_class: error: {error}; the data is Debian's package dataset-fashion-mnist, or --data names it")
    except (diptych.DiptychError, ValueError) as error:
        sys.exit(f"same_class: error: {error}")
    except KeyboardInterrupt:
        sys.exit("same_class: stopped")
