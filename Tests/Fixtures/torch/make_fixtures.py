"""Writes what PyTorch computes for Diptych's networks: state_dict.json, cases.json and cases.f32 beside this file.

Usage: python make_fixtures.py [--check]      needs torch and numpy; README.md describes the files
--check  compares with the files that are there instead of writing
"""
import argparse
import dataclasses
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
STEPS = 10
RATIOS = (0.7, 0.0)
PIXELS, DIGITS = 1000, 1001  # streams of the formula; tensors take 0, 1, ... in state_dict order


# ---- The formula: weights, pixels and digits that Swift makes again, to the bit -------------------------------

def mix(x):
    """32 bits to 32 bits: the finaliser of MurmurHash3 (Austin Appleby, public domain)."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x85EBCA6B)
    x = x ^ (x >> np.uint32(13))
    x = x * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def words(seed, stream, count):
    with np.errstate(over="ignore"):
        start = mix(np.array([seed * 65536 + stream], np.uint32))
        return mix(np.arange(count, dtype=np.uint32) + start)


def uniform_weights(seed, stream, count, fan_in):
    """Within 2 / sqrt(fan_in), so that signals neither fade nor grow (variance 4 / (3 fan_in))."""
    integers = (words(seed, stream, count) >> np.uint32(8)).astype(np.int32) - 2**23
    return integers.astype(np.float32) * np.float32(2.0**-22 / math.sqrt(fan_in))


def pixels(seed, count):
    w = words(seed, PIXELS, count)
    return np.where((w & np.uint32(255)) < 96, 0, w >> np.uint32(24)).astype(np.float32)


def checksum(values):
    """Sum of (2 i + 1) * (bits of value i), modulo 2^64."""
    bits = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        odd = np.arange(len(bits), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        return f"{int((bits * odd).sum(dtype=np.uint64)):016x}"


# ---- The networks ---------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Shape:
    architecture: str
    height: int = 14
    width: int = 14
    classes: int = 10
    channels: int = 32
    fc1_width: int = 64
    fc2_width: int = 64
    head_width: int = 16
    mlp_width1: int = 0  # 0: channels * height * width
    mlp_width2: int = 0  # 0: channels * (height / 2) * (width / 2)


class Network(nn.Module):
    """Dropout is left out: every fixture is made without."""

    def __init__(self, s):
        super().__init__()
        self.architecture, c = s.architecture, s.channels
        features = c * (s.height // 2) * (s.width // 2)
        if s.architecture == "mlp":
            hidden, features = s.mlp_width1 or c * s.height * s.width, s.mlp_width2 or features
            self.l1, self.l2 = nn.Linear(s.height * s.width, hidden), nn.Linear(hidden, features)
        else:
            self.cl1, self.cl2 = nn.Conv2d(1, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(features, s.fc1_width), nn.Linear(s.fc1_width, s.fc2_width)
        self.fc3 = nn.Linear(s.fc2_width, s.classes)
        if s.architecture == "rws":
            self.cl2b, self.fc2b = nn.Conv2d(c, c, 3, padding=1), nn.Linear(s.fc1_width, s.fc2_width)
        self.fc4, self.fc5 = nn.Linear(2 * s.classes, s.head_width), nn.Linear(s.head_width, 1)

    def branch(self, image, second):
        own = second and self.architecture == "rws"
        if self.architecture == "mlp":
            x = F.relu(self.l2(F.relu(self.l1(image.flatten(1)))))
        else:
            x = F.relu(self.cl1(image.unsqueeze(1)))
            x = F.max_pool2d(F.relu((self.cl2b if own else self.cl2)(x)), 2).flatten(1)
        return self.fc3(F.relu((self.fc2b if own else self.fc2)(F.relu(self.fc1(x)))))

    def forward(self, pairs):
        first, second = self.branch(pairs[:, 0], False), self.branch(pairs[:, 1], True)
        head = self.fc5(F.relu(self.fc4(torch.cat((first, second), 1))))
        return torch.sigmoid(head).squeeze(1), first, second


def loss_of(network, x, digits, ratio):
    """(whole loss, binary cross entropy, both digits' cross entropies)."""
    p, first, second = network(x)
    bce = F.binary_cross_entropy(p, (digits[:, 0] <= digits[:, 1]).to(p.dtype))
    auxiliary = F.cross_entropy(first, digits[:, 0]) + F.cross_entropy(second, digits[:, 1])
    return bce + ratio * auxiliary, bce, auxiliary


# ---- The cases ------------------------------------------------------------------------------------------------

ADAM = dict(optimizer="adam", schedule="constant", learning_rate=0.005, momentum=0.0, weight_decay=0.0, loss_ratio=0.7)
RECIPES = {
    "adam": ADAM,
    "adam-without-auxiliary": {**ADAM, "loss_ratio": 0.0},
    "adam-decay": {**ADAM, "weight_decay": 0.01},
    "adam-strong-decay": {**ADAM, "weight_decay": 2.0},
    "adam-cosine": {**ADAM, "schedule": "cosine"},
    "adam-one-cycle": {**ADAM, "schedule": "one-cycle"},
    "sgd": {**ADAM, "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    "sgd-plain-decay": {**ADAM, "optimizer": "sgd", "learning_rate": 0.02, "weight_decay": 0.1},
    "sgd-decay": {**ADAM, "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.1},
    "sgd-cosine": {**ADAM, "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "schedule": "cosine"},
    "sgd-one-cycle": {**ADAM, "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "schedule": "one-cycle"},
}
EVERY = tuple(RECIPES)
FEW = ("adam", "sgd")


@dataclasses.dataclass
class Case:
    name: str
    shape: Shape
    pairs: int
    batch: int
    seed: int  # chosen for outputs that differ between the pairs and for a margin (see Run.margin) that is not tiny
    recipes: tuple = ()
    full: int = 16384  # tensors of at most so many elements keep every gradient, others a sample
    sample: int = 256
    full_ratio: float = None  # the loss ratio at which every tensor keeps every gradient


CASES = [
    Case("siamese", Shape("siamese"), 12, 8, 16, EVERY, full=2048, full_ratio=0.7),
    Case("rws", Shape("rws"), 12, 8, 58, FEW, full=2048, full_ratio=0.7),
    Case("mlp", Shape("mlp"), 12, 8, 3, ("adam",), full=1024, sample=64),
    Case("siamese-4x5", Shape("siamese", 4, 5, 3, 3, 5, 6, 2), 3, 3, 60),
    Case("siamese-8x8", Shape("siamese", 8, 8, 2, 8, 13, 30, 7), 5, 5, 66),
    Case("siamese-9x11", Shape("siamese", 9, 11, 7, 5, 30, 13, 7), 12, 8, 64, EVERY),
    Case("siamese-20x16", Shape("siamese", 20, 16, 37, 16, 24, 30, 9), 7, 7, 41),
    Case("siamese-64x64", Shape("siamese", 64, 64, 10, 4, 8, 8, 16), 2, 2, 8),
    Case("rws-8x8", Shape("rws", 8, 8, 37, 16, 13, 30, 7), 1, 1, 52),
    Case("rws-9x11", Shape("rws", 9, 11, 7, 5, 30, 13, 7), 12, 8, 14, EVERY),
    Case("rws-20x16", Shape("rws", 20, 16, 2, 8, 30, 13, 17), 9, 9, 8),
    Case("mlp-narrow", Shape("mlp", mlp_width1=48, mlp_width2=40), 12, 8, 27, EVERY),
    Case("mlp-8x8", Shape("mlp", 8, 8, 2, 8, 13, 30, 7, 13, 30), 5, 5, 47),
    Case("mlp-9x11", Shape("mlp", 9, 11, 37, 5, 30, 13, 7), 9, 9, 7, full=8192),
]


class Run:
    """One case's data, and a fresh network for every question."""

    def __init__(self, case, dtype):
        s, n, seed = case.shape, case.pairs, case.seed
        self.case, self.seed, self.dtype = case, seed, dtype
        self.pixels = pixels(seed, n * 2 * s.height * s.width)
        self.mean = np.float32(self.pixels.mean(dtype=np.float64))
        self.deviation = np.float32(self.pixels.std(dtype=np.float64, ddof=1))
        self.inputs = (self.pixels - self.mean) / self.deviation  # float32
        self.x = torch.from_numpy(self.inputs).view(n, 2, s.height, s.width).to(dtype)
        self.digits = torch.from_numpy((words(seed, DIGITS, 2 * n) % np.uint32(s.classes)).astype(np.int64)).view(n, 2)

    def network(self):
        network, fan_in = Network(self.case.shape), 1
        with torch.no_grad():
            for stream, tensor in enumerate(network.state_dict().values()):
                if tensor.dim() > 1:  # a layer's bias follows its weight and has the same fan in
                    fan_in = tensor[0].numel()
                values = uniform_weights(self.seed, stream, tensor.numel(), fan_in)
                tensor.copy_(torch.from_numpy(values).view(tensor.shape))
        return network.to(self.dtype)

    def margin(self):
        """How far the nearest ReLU or max-pool is from its kink, in units of its layer's root mean square: rounding
        that crosses a kink changes a gradient by far more than rounding does elsewhere."""
        network, margins = self.network(), []

        def hook(module, _, z):
            size, least = z.square().mean().sqrt(), z.abs().min()
            if z.dim() == 4 and z.shape[1] == module.in_channels:  # cl2, cl2b: 2x2 windows without a clear winner
                h, w = z.shape[2] // 2, z.shape[3] // 2
                windows = F.relu(z)[:, :, :2 * h, :2 * w].unflatten(2, (h, 2)).unflatten(4, (w, 2)).transpose(3, 4)
                top = windows.flatten(4).topk(2).values
                gaps = (top[..., 0] - top[..., 1])[top[..., 0] > 0]
                least = min(least, gaps.min())
            margins.append((least / size).item())

        for name, module in network.named_children():
            if name not in ("fc3", "fc5"):
                module.register_forward_hook(hook)
        with torch.no_grad():
            network(self.x)
        return min(margins)

    def outputs(self):
        with torch.no_grad():
            return [t.numpy() for t in self.network()(self.x)]

    def gradients(self, ratio):
        network = self.network()
        losses = loss_of(network, self.x, self.digits, ratio)
        losses[0].backward()
        return [v.item() for v in losses], {n: p.grad.numpy() for n, p in network.named_parameters()}

    def train(self, r):
        network, batch = self.network(), self.case.batch
        if r["optimizer"] == "sgd":
            optimizer = torch.optim.SGD(network.parameters(), lr=r["learning_rate"], momentum=r["momentum"],
                                        weight_decay=r["weight_decay"])
        else:  # without decay AdamW is Adam
            optimizer = torch.optim.AdamW(network.parameters(), lr=r["learning_rate"], weight_decay=r["weight_decay"])
        schedule = None
        if r["schedule"] == "cosine":
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        elif r["schedule"] == "one-cycle":
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, r["learning_rate"], STEPS, pct_start=0.3,
                                                           div_factor=25, final_div_factor=1e4, cycle_momentum=False)
        history, starts = [], range(0, self.case.pairs, batch)
        for step in range(STEPS):
            i = starts[step % len(starts)]
            losses = loss_of(network, self.x[i:i + batch], self.digits[i:i + batch], r["loss_ratio"])
            history.append([v.item() for v in losses] + [optimizer.param_groups[0]["lr"]])
            optimizer.zero_grad()
            losses[0].backward()
            optimizer.step()
            if schedule:
                schedule.step()
        with torch.no_grad():
            return np.array(history), network(self.x)[0].numpy()


def distance(a, b):
    """Relative difference of two arrays, in the Euclidean norm."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def stride_for(size, wanted):
    """About size / wanted, and with no factor in common with size: samples then fall into every row and column."""
    stride = max(1, size // wanted)
    while math.gcd(stride, size) > 1:
        stride += 1
    return stride


class Store:
    """The numbers of cases.f32, and where each array lies."""

    def __init__(self):
        self.parts, self.count = [], 0

    def add(self, values):
        values = np.ascontiguousarray(values, "<f4").reshape(-1)
        self.parts.append(values)
        self.count += values.size
        return {"offset": self.count - values.size, "count": values.size}


def describe(case, store):
    seed = case.seed
    exact, single = Run(case, torch.float64), Run(case, torch.float32)
    tensors = exact.network().state_dict()
    result = {"name": case.name, **dataclasses.asdict(case.shape), "pairs": case.pairs, "batch": case.batch,
              "seed": seed, "mean": float(exact.mean), "standard_deviation": float(exact.deviation), "margin": exact.margin(),
              "digits": exact.digits.flatten().tolist(),
              "inputs_checksum": checksum(exact.inputs),
              "tensors": [{"name": n, "shape": list(t.shape), "checksum": checksum(t.float().numpy())}
                          for n, t in tensors.items()]}
    names = ("probability", "first_logits", "second_logits")
    for name, values, rough in zip(names, exact.outputs(), single.outputs()):
        result[name] = {**store.add(values), "float32_difference": distance(rough, values)}
    result["losses"] = []
    for ratio in RATIOS:
        (loss, bce, auxiliary), gradients = exact.gradients(ratio)
        rough_loss, rough = single.gradients(ratio)
        entry = {"loss_ratio": ratio, "loss": loss, "bce": bce, "auxiliary": auxiliary,
                 "float32_difference": abs(rough_loss[0] - loss) / loss, "gradients": []}
        for name, g in gradients.items():
            g = g.reshape(-1)
            assert np.abs(g).max() > 0, f"{case.name}: {name} has no gradient, so it would check nothing"
            stride = 1 if g.size <= case.full or ratio == case.full_ratio else stride_for(g.size, case.sample)
            entry["gradients"].append({"name": name, "stride": stride, **store.add(g[::stride]), "size": g.size,
                                       "sum": float(g.sum()), "sum_of_squares": float((g * g).sum()),
                                       "float32_difference": distance(rough[name].reshape(-1), g)})
        result["losses"].append(entry)
    result["runs"] = []
    for name in case.recipes:
        (history, after), (rough, rough_after) = exact.train(RECIPES[name]), single.train(RECIPES[name])
        result["runs"].append({"name": name, **RECIPES[name],
                               "loss": history[:, 0].tolist(), "bce": history[:, 1].tolist(),
                               "auxiliary": history[:, 2].tolist(), "learning_rates": history[:, 3].tolist(),
                               "probability_after": store.add(after),
                               "float32_difference": float(np.abs(rough[:, 0] - history[:, 0]).max() / history[:, 0].max()),
                               "float32_difference_after": distance(rough_after, after)})
    return result


def make():
    store = Store()
    cases = []
    for case in CASES:
        print(case.name, file=sys.stderr, flush=True)
        cases.append(describe(case, store))
    presets = {a: {n: list(t.shape) for n, t in Network(Shape(a)).state_dict().items()} for a in ("siamese", "rws", "mlp")}
    return presets, {"torch": torch.__version__.split("+")[0], "cases": cases}, np.concatenate(store.parts)


def layout(value):
    """JSON with one case's parts on a line each: small, and a diff still shows what changed."""
    def compact(v):
        return json.dumps(v, separators=(",", ":"))

    def case(c):
        lines = [compact({k: v for k, v in c.items() if k not in ("tensors", "losses", "runs")})[:-1]]
        for key in ("tensors", "losses", "runs"):
            lines.append(f'"{key}":[' + ",\n  ".join(compact(v) for v in c[key]) + "]")
        return ",\n ".join(lines) + "}"
    return f'{{"torch":{compact(value["torch"])},"cases":[\n' + ",\n".join(map(case, value["cases"])) + "\n]}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    presets, index, values = make()
    if check:
        old = np.fromfile(HERE / "cases.f32", "<f4")
        same = old.shape == values.shape and np.allclose(old, values, rtol=1e-5, atol=1e-9)
        same = same and json.loads((HERE / "state_dict.json").read_text()) == presets
        there = json.loads((HERE / "cases.json").read_text())["cases"]
        same = same and [c["tensors"] for c in there] == [c["tensors"] for c in index["cases"]]
        same = same and np.allclose(*([r["loss"] for c in cases for r in c["runs"]] for cases in (there, index["cases"])))
        print("same" if same else "different")
        sys.exit(not same)
    networks = (f'"{a}":{{\n' + ",\n".join(f' "{n}":{json.dumps(s)}' for n, s in tensors.items()) + "\n}"
                for a, tensors in presets.items())
    (HERE / "state_dict.json").write_text("{\n" + ",\n".join(networks) + "\n}\n")
    (HERE / "cases.json").write_text(layout(index))
    values.tofile(HERE / "cases.f32")


if __name__ == "__main__":
    main()
