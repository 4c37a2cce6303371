#!/usr/bin/env python3
"""Compare training options for `--recipe best` without looking at a test pair.

    PYTHONPATH=bindings/python/src scripts/tune_recipe.py MNIST_DIR --epochs 100 '' elastic=0.5 dropout=0.4,elastic=0

Each further argument is one set of options, laid over the recipe's ('' is the recipe itself): those of
diptych.Trainer, and of diptych.Model.create for the network. For each seed 1000 pairs are drawn as the protocol does,
from MNIST's training digits; the first 800 (--train) train, and two things are measured:

  held    the other 200 pairs: all 400 * 400 pairs of their digits by the marginal, and the digits themselves
  others  3000 pairs of further training digits, which the protocol knows nothing of: only to see which of two
          close candidates is the better one with less noise; all pairs of their digits likewise

in per cent, means over the seeds; "se" is the standard error over the seeds.
"""

import argparse
import math
from pathlib import Path

import numpy as np

import diptych

NETWORK = {"dropout", "views", "channels", "fc1_width", "fc2_width", "head_width"}


def errors(model, images, digits):
    """Shares of all pairs of the digits that the marginal and of digits that the branch gets wrong."""
    if len(images) == 0:
        return math.nan, math.nan
    p = model.predict(images, class_probabilities=True).class_probabilities.reshape(2 * len(images), -1)
    y = digits.reshape(-1)
    at_least = p[:, ::-1].cumsum(1)[:, ::-1]
    wrong = (p @ at_least.T > 0.5) != (y[:, None] <= y[None])
    return wrong.mean(), (p.argmax(1) != y).mean()


def measure(dataset, seed, options, count):
    pairs = diptych.Pairs.draw(dataset, 4000, seed=seed)  # the first 1000 are the protocol's draw
    images, digits = pairs.images, pairs.digits
    train = diptych.Pairs.from_arrays(images[:count], digits=digits[:count])
    network = {name: value for name, value in options.items() if name in NETWORK}
    model = diptych.Model.create("best", seed=seed, **network)
    training = {name: value for name, value in options.items() if name not in NETWORK}
    diptych.train(model, train, recipe="best", seed=seed, **training)
    held, others = slice(count, 1000), slice(1000, 4000)
    return *errors(model, images[held], digits[held]), *errors(model, images[others], digits[others])


def value(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=4, help="how many")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--train", type=int, default=800,
                        help="pairs to train on, 1 to 1000; the rest of 1000 are held out: with 1000 none, and what they measure is nan")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("options", nargs="+")
    arguments = parser.parse_args()
    if not 1 <= arguments.train <= 1000:
        parser.error(f"--train is {arguments.train}, but must be from 1 to 1000")
    dataset = diptych.Dataset.open_idx(*(arguments.mnist / f"train-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")))
    print("| options | held: pairs | held: digits | others: pairs | se | others: digits |\n|---|---|---|---|---|---|")
    for text in arguments.options:
        options = {name: value(given) for name, given in (part.split("=") for part in text.split(",") if part)}
        options = {"epochs": arguments.epochs, "threads": arguments.threads, **options}
        rounds = 100 * np.array([measure(dataset, arguments.first_seed + i, options, arguments.train) for i in range(arguments.seeds)])
        mean = rounds.mean(0)
        error = rounds[:, 2].std(ddof=1) / math.sqrt(len(rounds)) if len(rounds) > 1 else math.nan
        print(f"| {text or 'the recipe'} | {mean[0]:.2f} | {mean[1]:.2f} | {mean[2]:.2f} | {error:.2f} | {mean[3]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
