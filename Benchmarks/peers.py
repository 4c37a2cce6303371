"""The same work in PyTorch and ONNX Runtime: one command a line on stdin, one number of seconds a line on stdout.

    load FILE COUNT                                      pairs that end_to_end wrote
    train torch ARCHITECTURE THREADS PAIRS EPOCHS BATCH [SHAPE]
    predict torch|onnxruntime ARCHITECTURE THREADS BATCH [SHAPE] (seconds a pair, mean over about a quarter of a second)

SHAPE is HEIGHT WIDTH CHANNELS, the preset's 14 14 32 where it is missing; pairs of another size are noise, because the peers take the
same time for any images.

Needs torch, onnx, onnxruntime, numpy: `make bench-peers` puts them into an environment of their own.
"""
import pathlib
import sys
import tempfile
import time
import warnings

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")


PRESET = (14, 14, 32)


class Pair(nn.Module):
    """The report's networks: 0 siamese, 1 reduced weight sharing, 2 MLP."""

    def __init__(self, architecture, height, width, channels):
        super().__init__()
        self.architecture = architecture
        pixels, features = height * width, channels * (height // 2) * (width // 2)
        if architecture == 2:
            self.l1, self.l2 = nn.Linear(pixels, channels * pixels), nn.Linear(channels * pixels, features)
        else:
            self.cl1, self.cl2 = nn.Conv2d(1, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, padding=1)
        self.fc1, self.fc2, self.fc3 = nn.Linear(features, 64), nn.Linear(64, 64), nn.Linear(64, 10)
        if architecture == 1:
            self.cl2b, self.fc2b = nn.Conv2d(channels, channels, 3, padding=1), nn.Linear(64, 64)
        self.fc4, self.fc5 = nn.Linear(20, 16), nn.Linear(16, 1)
        self.dropout = nn.Dropout(0.5)

    def logits(self, images, second):
        own = second and self.architecture == 1
        if self.architecture == 2:
            x = self.dropout(F.relu(self.l2(F.relu(self.l1(images.flatten(1))))))
        else:
            x = F.max_pool2d(F.relu((self.cl2b if own else self.cl2)(F.relu(self.cl1(images)))), 2).flatten(1)
        return self.fc3(F.relu((self.fc2b if own else self.fc2)(self.dropout(F.relu(self.fc1(x))))))

    def forward(self, pairs):
        if self.architecture == 1 or torch.onnx.is_in_onnx_export():
            a, b = self.logits(pairs[:, :1], False), self.logits(pairs[:, 1:], True)
        else:
            both = self.logits(pairs.flatten(0, 1).unsqueeze(1), False).view(-1, 2, 10)
            a, b = both[:, 0], both[:, 1]
        return torch.sigmoid(self.fc5(F.relu(self.fc4(torch.cat((a, b), 1))))).view(-1), a, b


class Peers:
    def load(self, path, count):
        raw, count = np.fromfile(path, np.float32), int(count)
        pixels = count * 2 * 196
        images = torch.from_numpy(raw[:pixels].copy()).view(count, 2, 14, 14)
        self.images = (images - images.mean()) / images.std()
        self.targets = torch.from_numpy(raw[pixels:pixels + count].copy())
        self.digits = torch.from_numpy(raw[pixels + count:].view(np.int32).astype(np.int64)).view(count, 2)
        return 0.0

    def images_of(self, count, height, width):
        if (height, width) == PRESET[:2]:
            return self.images[:count].contiguous()
        return torch.randn(count, 2, height, width, generator=torch.Generator().manual_seed(0))

    def train(self, peer, architecture, threads, pairs, epochs, batch, *shape):
        assert peer == "torch"
        torch.set_num_threads(int(threads))
        torch.manual_seed(0)
        height, width, channels = map(int, shape or PRESET)
        net, pairs, batch = Pair(int(architecture), height, width, channels), int(pairs), int(batch)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
        x, t, d = self.images_of(pairs, height, width), self.targets[:pairs], self.digits[:pairs]
        start = time.perf_counter()
        for _ in range(int(epochs)):
            for i in range(0, pairs, batch):
                p, a, b = net(x[i:i + batch])
                auxiliary = F.cross_entropy(a, d[i:i + batch, 0]) + F.cross_entropy(b, d[i:i + batch, 1])
                loss = F.binary_cross_entropy(p, t[i:i + batch]) + 0.7 * auxiliary
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return time.perf_counter() - start

    def predict(self, peer, architecture, threads, batch, *shape):
        architecture, threads, batch = int(architecture), int(threads), int(batch)
        height, width, channels = map(int, shape or PRESET)
        net = Pair(architecture, height, width, channels).eval()
        torch.set_num_threads(threads)
        x = self.images_of(batch, height, width)
        if peer == "torch":
            def run():
                with torch.inference_mode():
                    net(x)
        else:
            import onnxruntime
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            with tempfile.TemporaryDirectory() as folder:
                path = str(pathlib.Path(folder) / "net.onnx")
                torch.onnx.export(net, (x[:1],), path, dynamo=False, input_names=["x"], output_names=["p", "a", "b"],
                                  dynamic_axes={"x": {0: "n"}})
                session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            array = x.numpy()
            def run():
                session.run(None, {"x": array})
        for _ in range(10):
            run()
        calls, start = 0, time.perf_counter()
        while True:
            run()
            calls += 1
            used = time.perf_counter() - start
            if used > 0.25:
                return used / calls / batch

    def versions(self):
        import onnxruntime
        print(f"PyTorch {torch.__version__} with {torch.backends.cpu.get_cpu_capability()}, ONNX Runtime {onnxruntime.__version__}", flush=True)


def main():
    peers = Peers()
    for line in sys.stdin:
        verb, *arguments = line.split()
        result = getattr(peers, verb)(*arguments)
        if result is not None:
            print(f"{result:.9g}", flush=True)


if __name__ == "__main__":
    main()
