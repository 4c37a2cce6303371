"""Test errors of the report's recipe, Diptych against PyTorch, on the same pairs: whether the fast kernels (Winograd, blank
tiles, sparse gradients) move the results. Round r has seed r: pairs, weights and dropout are drawn anew; the weights and the
dropout masks of the two are different draws, so only means can be compared.

Usage: python3 accuracy.py MNIST_DIR [--rounds 10] [--epochs 25] [--threads 2] [--architectures siamese,rws]
Needs numpy, scipy, torch and the diptych package (`make bench-accuracy MNIST=DIR` brings them).
"""
import argparse
import math
import pathlib
import statistics

import numpy as np
import scipy.stats
import torch
import torch.nn.functional as F

import diptych
from peers import PRESET, Pair

PRESETS = ("siamese", "rws", "mlp")


def split(mnist, name):
    def file(kind):
        return next(p for p in sorted(pathlib.Path(mnist).iterdir()) if p.name.startswith(f"{name}-{kind}"))
    return diptych.Dataset.open_idx(file("images"), file("labels"))


def torch_error(architecture, train, test, epochs, seed):
    """The recipe of Diptych's defaults, as peers.py times it."""
    torch.manual_seed(seed)
    net = Pair(PRESETS.index(architecture), *PRESET)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
    images, targets, digits = torch.tensor(train.images), torch.tensor(train.targets), torch.tensor(train.digits.astype(np.int64))
    mean, deviation = images.mean(), images.std()
    images = (images - mean) / deviation
    for _ in range(epochs):
        for i in range(0, len(images), 100):
            p, a, b = net(images[i:i + 100])
            auxiliary = F.cross_entropy(a, digits[i:i + 100, 0]) + F.cross_entropy(b, digits[i:i + 100, 1])
            loss = F.binary_cross_entropy(p, targets[i:i + 100]) + 0.7 * auxiliary
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        p, _, _ = net.eval()((torch.tensor(test.images) - mean) / deviation)
    return ((p > 0.5).numpy() != (test.targets > 0.5)).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--architectures", default="siamese,rws")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2: one round has no spread")
    torch.set_num_threads(options.threads)
    training, testing = split(options.mnist, "train"), split(options.mnist, "t10k")

    print(f"Test error in %, {options.rounds} rounds (seeds 0 to {options.rounds - 1}), {options.epochs} epochs: mean (standard deviation)\n")
    print("| network | Diptych | PyTorch | difference, 95 % interval |\n|---|---|---|---|")
    for architecture in options.architectures.split(","):
        ours, theirs = [], []
        for seed in range(options.rounds):
            train, test = (diptych.Pairs.draw(data, 1000, seed=seed) for data in (training, testing))
            model = diptych.Model.create(architecture=architecture, seed=seed)
            diptych.train(model, train, seed=seed, epochs=options.epochs, threads=options.threads)
            ours.append(100 * diptych.evaluate(model, test).error)
            theirs.append(100 * torch_error(architecture, train, test, options.epochs, seed))
        differences = [a - b for a, b in zip(ours, theirs)]
        mean, error = statistics.mean(differences), statistics.stdev(differences) / math.sqrt(options.rounds)
        low, high = scipy.stats.t.interval(0.95, options.rounds - 1, mean, error)
        cells = [f"{statistics.mean(x):.2f} ({statistics.stdev(x):.2f})" for x in (ours, theirs)]
        print(f"| {architecture} | {cells[0]} | {cells[1]} | {mean:+.2f}, {low:+.2f} to {high:+.2f} |", flush=True)


if __name__ == "__main__":
    main()
