"""Measure Diptych: kernels against the machine's FMA peak, whole runs, and, where they are installed, the same runs in
PyTorch and ONNX Runtime. Rounds of all programs are interleaved, and a row is the median of its rounds.

Usage: python3 bench.py [--rounds 5] [--peers PYTHON] [--peer-isa avx2] [--json FILE] [--mlp-epochs 25] [--scaling]
Called by `make bench` and `make bench-peers`.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
NAMES = {0: "siamese", 1: "RWS", 2: "MLP"}

# What holds PyTorch's libraries to an instruction set; ONNX Runtime has nothing of the kind.
PEER_ISA = {"avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}}

# Height, width, channels; the preset first.
SHAPES = ((14, 14, 32), (14, 14, 40), (14, 14, 48), (14, 14, 64), (28, 28, 32), (20, 24, 16), (9, 11, 24), (32, 32, 8), (14, 14, 16),
          (14, 14, 8))

# Seconds that a cache line takes from one CPU to another: below the first, the CPUs mostly have a cache in common; above the second, two
# threads were seen to get no more than one CPU's time.
APART, STALLED = 150e-9, 400e-9


class Program:
    """A program that answers one line with another."""

    def __init__(self, *command, env={}):
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)

    def ask(self, *words):
        self.tell(*words)
        return self.answer(*words)

    def tell(self, *words):
        print(*words, file=self.process.stdin, flush=True)

    def answer(self, *words):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.process.args[0]} ended at: {' '.join(map(str, words))}")
        return line.strip()

    def seconds(self, *words):
        return float(self.ask(*words))


def machine():
    model = platform.processor() or platform.machine()
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, {platform.system()} {platform.release()}"


def kernels(report):
    text = subprocess.run([BUILD / "diptych-bench"], capture_output=True, text=True, check=True).stdout
    data = json.loads(text)
    report["kernels"] = data
    wide = [table for table in data["tables"] if table["isa"] != "baseline"]
    print("FMA peak of one core: " + ", ".join(f"{t['fma_peak_gflops']:.1f} GFLOP/s ({t['isa']})" for t in wide or data["tables"]) + "\n")
    print("Kernels (GFLOP/s of the direct method's multiply-adds: fewer are done where a kernel is above the peak"
          + ("; the baseline against AVX2's)\n" if wide else ")\n"))
    print("| kernel | " + " | ".join(f"{t['isa']}: us | GFLOP/s | % of peak" for t in data["tables"]) + " |")
    print("|---|" + "---|---|---|" * len(data["tables"]))
    for row in zip(*(t["kernels"] for t in data["tables"])):
        cells = []
        for k in row:
            cells.append(f"{k['microseconds']:.2f}")
            cells += [f"{k['gflops']:.0f}", f"{k['percent_of_peak']:.0f}"] if "gflops" in k else ["", ""]
        print(f"| {row[0]['name']} | " + " | ".join(cells) + " |")
    print(flush=True)


def whole_process(rounds, *pictures):
    """Seconds and peak resident megabytes (medians, and the most megabytes) of classifying two PNG files, process start included."""
    starter = Program(BUILD / "end_to_end")
    runs = [starter.ask("process build/diptych classify", *(f"Examples/png/{picture}" for picture in pictures)).split()
            for _ in range(20 * rounds)]
    megabytes = [int(kilobytes) / 1024 for _, kilobytes in runs]
    return statistics.median(float(seconds) for seconds, _ in runs), statistics.median(megabytes), max(megabytes)


def done_multiply_adds(height, width, channels, forward):
    """Multiply-adds of a pair's prediction with Winograd's method for cl2, if nothing is blank or zero. A row or column of tiles takes six points for
    its four outputs; of windows that are odd in number the first one has two outputs, and takes four."""
    down, across = (6 * (windows // 2) + 4 * (windows % 2) for windows in (height // 2, width // 2))
    return forward - 2 * channels**2 * (9 * height * width - down * across)


def shapes(ours, peers, rounds, report):
    """The multiply-adds a second of other image sizes and widths, against the preset's, and the same networks in the peers."""
    pairs, epochs = 500, 2
    work = []
    for shape in SHAPES:
        words = " ".join(map(str, shape))
        network = json.loads(ours.ask(f"describe 0 {words}"))
        forward = network["multiply_adds"]
        # Backward every layer has two products as large as its forward one, but cl1, which passes no gradient on to the images.
        training = 3 * forward - 2 * network["layers"][0]["multiply_adds"]
        predict, train = f"0 1 256 {words}", f"0 1 {pairs} {epochs} 100 {words}"
        # What is asked whom, for how many pairs the answer stands, a pair's multiply-adds, and the answers.
        runs = {"predict": (ours, f"predict {predict}", 1, forward, []), "train": (ours, f"train {train}", pairs * epochs, training, [])}
        if peers:
            runs["predict, peer"] = peers["ONNX Runtime"], f"predict onnxruntime {predict}", 1, forward, []
            runs["train, peer"] = peers["PyTorch"], f"train torch {train}", pairs * epochs, training, []
        work.append((shape, forward, runs))
    for round in range(rounds):
        for shape, _, runs in work:
            print(f"\rround {round + 1} of {rounds}: {str(shape):<80}", end="", file=sys.stderr, flush=True)
            for program, command, _, _, seconds in runs.values():
                seconds.append(program.seconds(command))
    print("\r" + " " * 100 + "\r", end="", file=sys.stderr)

    report["shapes"] = rows = []
    for (height, width, channels), forward, runs in work:
        row = {"height": height, "width": width, "channels": channels, "multiply_adds": forward,
               "done": done_multiply_adds(height, width, channels, forward)}
        rows.append(row)
        for run, (_, _, count, multiply_adds, seconds) in runs.items():
            a_pair = statistics.median(seconds) / count
            row[run] = {"us": 1e6 * a_pair, "gflops": 2e-9 * multiply_adds / a_pair}
            row[run]["of_preset"] = row[run]["gflops"] / rows[0][run]["gflops"]
        row["done_gflops"] = 2e-3 * row["done"] / row["predict"]["us"]
        row["done_of_preset"] = row["done_gflops"] / rows[0]["done_gflops"]

    def table(run, peer, counts):
        headings = ["image", "channels", *counts, "us a pair", "GFLOP/s", "of the preset's"]
        if peers:
            headings += [f"{peer}, us a pair", "ratio", "GFLOP/s", "of its preset's"]
        print("| " + " | ".join(headings) + " |\n" + "|---" * len(headings) + "|")
        for row in rows:
            mine, theirs = row[run], row.get(f"{run}, peer")
            cells = [f"{row['height']}x{row['width']}", f"{row['channels']}", *(cell(row) for cell in counts.values()), f"{mine['us']:.1f}",
                     f"{mine['gflops']:.0f}", f"{mine['of_preset']:.2f}"]
            if theirs:
                cells += [f"{theirs['us']:.1f}", f"{theirs['us'] / mine['us']:.2f}", f"{theirs['gflops']:.0f}", f"{theirs['of_preset']:.2f}"]
            print("| " + " | ".join(cells) + " |")
        print(flush=True)

    print("Siamese with other images and widths, 1 thread: GFLOP/s of the direct method's multiply-adds, and against the preset's\n")
    print("Predicting 256 pairs\n")
    table("predict", "ONNX Runtime", {"multiply-adds a pair": lambda row: f"{row['multiply_adds']:,}", "done": lambda row: f"{row['done']:,}",
                                      "done, GFLOP/s": lambda row: f"{row['done_gflops']:.0f}",
                                      "done, of the preset's": lambda row: f"{row['done_of_preset']:.2f}"})
    print(f"Training on {pairs} pairs, {epochs} epochs\n")
    table("train", "PyTorch", {})


def two_threads(ours, architectures, rounds, report):
    """How much faster two threads train than one, and two processes at once than one after the other, from runs directly after each other. Runs of
    two threads are told apart by the time in which a cache line goes from one CPU to the other before and after them."""
    second, epochs = Program(BUILD / "end_to_end"), 10
    for architecture in architectures:
        alone, together = (f"train {architecture} {threads} 1000 {epochs} 100" for threads in (1, 2))

        def twice():
            for program in (ours, second):
                program.tell(alone)
            return statistics.mean([float(program.answer(alone)) for program in (ours, second)])

        lines = []

        def on_two():
            before = ours.seconds("line")
            took = ours.seconds(together)
            lines.append((before, ours.seconds("line")))
            return took

        works = {"one": lambda: ours.seconds(alone), "two": on_two, "both": twice}
        times = {name: [] for name in works}
        # The MLP's epochs take five times as long.
        repetitions = rounds if architecture == 2 else 3 * rounds
        for repetition in range(repetitions):
            print(f"\rrun {repetition + 1} of {repetitions}: {NAMES[architecture]} on one thread, on two, and twice at once{'':<40}", end="",
                  file=sys.stderr, flush=True)
            for name in list(works) if repetition % 2 == 0 else reversed(works):
                times[name].append(works[name]())
        print("\r" + " " * 100 + "\r", end="", file=sys.stderr)
        for name, runs, what, more in (("two", 1, f"{epochs} epochs, 2 threads against 1", {"target": 1.9, "lines": lines}),
                                       ("both", 2, "two processes at once against one after the other: what the machine gives", {})):
            what = f"train {NAMES[architecture]}, {what}"
            ratio = statistics.median(runs * one / other for one, other in zip(times["one"], times[name]))
            fastest = runs * min(times["one"]) / min(times[name])
            report["rows"].append({"work": what, "ratio": ratio, "of_fastest": fastest, "one": times["one"], "other": times[name], **more})
            print(f"| {what} (the fastest of {repetitions}: {fastest:.2f}) | | | {ratio:.2f} | {more.get('target', '')} |", flush=True)
        for where, is_there in ((f"in less than {1e9 * APART:.0f} ns", lambda line: 0 < max(line) < APART),
                                (f"in {1e9 * APART:.0f} to {1e9 * STALLED:.0f} ns", lambda line: APART <= min(line) and max(line) < STALLED),
                                (f"in more than {1e9 * STALLED:.0f} ns", lambda line: APART <= min(line) and max(line) >= STALLED)):
            ratios = [one / two for one, two, line in zip(times["one"], times["two"], lines) if is_there(line)]
            if ratios:
                print(f"| train {NAMES[architecture]}, 2 threads against 1 while a cache line goes from CPU to CPU {where}"
                      f" ({len(ratios)} of {repetitions}) | | | {statistics.median(ratios):.2f} | |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", metavar="PYTHON", help="a Python with torch, onnx and onnxruntime")
    parser.add_argument("--json", type=pathlib.Path, default=BUILD / "bench.json")
    parser.add_argument("--mlp-epochs", type=int, default=25, help="epochs of the MLP's runs, which take half of the time; 0 leaves them out")
    parser.add_argument("--peer-isa", choices=PEER_ISA, help="measure PyTorch a second time, held to this instruction set")
    parser.add_argument("--scaling", action="store_true", help="also the cost against pairs, epochs and batch")
    args = parser.parse_args()

    ours = Program(BUILD / "end_to_end")
    report = {"machine": machine(), "library": ours.ask("build"), "rounds": args.rounds, "rows": []}
    print(f"{report['machine']}\n{report['library']}")
    # By the name in the table.
    peers = {}
    if args.peers:
        peers["PyTorch"] = peers["ONNX Runtime"] = Program(args.peers, ROOT / "Benchmarks/peers.py")
        report["peers"] = [peers["PyTorch"].ask("versions")]
        if args.peer_isa:
            held = Program(args.peers, ROOT / "Benchmarks/peers.py", env=PEER_ISA[args.peer_isa])
            peers[f"PyTorch held to {args.peer_isa.upper()}"] = held
            report["peers"].append(held.ask("versions"))
        print("\n".join(report["peers"]))
    print(flush=True)
    kernels(report)

    threads = 2
    # (what, unit, our command, the peer's name and command, the target's ratio)
    work = []
    # Of the architectures that are trained: what follows the threads in a command.
    runs = {architecture: f"1000 {epochs} 100" for architecture, epochs in ((0, 25), (1, 25), (2, args.mlp_epochs)) if epochs}
    for architecture, run in runs.items():
        pairs, epochs, batch = run.split()
        work.append((f"train {NAMES[architecture]}, {pairs} pairs, {epochs} epochs, batch {batch}, 1 thread", "s",
                     f"train {architecture} 1 {run}", None, None, None))
        work.append((f"train {NAMES[architecture]}, the same, {threads} threads", "s", f"train {architecture} {threads} {run}",
                     f"train torch {architecture} {threads} {run}", "PyTorch", {0: 6, 1: 6, 2: 2}[architecture]))
    for batch, target in ((1, 3), (256, 2), (4096, None)):
        work.append((f"predict siamese, batch {batch}, 1 thread, a pair", "us", f"predict 0 1 {batch}",
                     f"predict onnxruntime 0 1 {batch}", "ONNX Runtime", target))
    work.append((f"predict siamese, batch 256, {threads} threads, a pair", "us", f"predict 0 {threads} 256",
                 f"predict onnxruntime 0 {threads} 256", "ONNX Runtime", None))
    work.append(("predict siamese, batch 256, 1 thread, a pair", "us", "predict 0 1 256", "predict torch 0 1 256", "PyTorch", None))
    work.append(("predict MLP, batch 256, 1 thread, a pair", "us", "predict 2 1 256", "predict onnxruntime 2 1 256", "ONNX Runtime", None))

    # Our times, and each peer's by its name.
    samples = [([], {name: [] for name in peers if peer and name.startswith(peer)}) for *_, peer, _ in work]
    with tempfile.TemporaryDirectory() as folder:
        if peers:
            pairs = pathlib.Path(folder) / "pairs.raw"
            ours.seconds("pairs", 4096, pairs)
            for peer in set(peers.values()):
                peer.seconds("load", pairs, 4096)
        for round in range(args.rounds):
            for (name, _, mine, theirs, _, _), (a, others) in zip(work, samples):
                print(f"\rround {round + 1} of {args.rounds}: {name:<80}", end="", file=sys.stderr, flush=True)
                a.append(ours.seconds(mine))
                for peer, b in others.items():
                    b.append(peers[peer].seconds(theirs))
    print("\r" + " " * 100 + "\r", end="", file=sys.stderr)

    print(f"Whole runs, medians of {args.rounds} interleaved rounds\n")
    print("| work | Diptych | peer | ratio | target |\n|---|---|---|---|---|")
    medians = {}
    for (name, unit, mine, theirs, first, target), (a, others) in zip(work, samples):
        scale = 1e6 if unit == "us" else 1
        medians[mine] = statistics.median(a)
        row = {"work": name, "unit": unit, "diptych": [scale * s for s in a]}
        cells = [name, f"{scale * medians[mine]:.3g} {unit}", "", "", ""]
        lines = []
        for peer, b in others.items():
            ratio = statistics.median(b) / medians[mine]
            row.setdefault("peers", []).append({"peer": peer, "times": [scale * s for s in b], "ratio": ratio})
            lines.append([f"{peer} {scale * statistics.median(b):.3g} {unit}", f"{ratio:.2f}", f"{target}" if target and peer == first else ""])
        report["rows"].append({**row, "target": target} if lines else row)
        cells[2:] = lines[0] if lines else ["", "", ""]
        print("| " + " | ".join(cells) + " |")
        for line in lines[1:]:
            print("| | | " + " | ".join(line) + " |")
    two_threads(ours, runs, args.rounds, report)
    for kind, *pictures in (("two 28x28 pictures", "mnist-1.png", "mnist-2.png"), ("two 400x300 photos", "paper-7.png", "paper-7.png")):
        elapsed, megabytes, most = whole_process(args.rounds, *pictures)
        name = f"`diptych classify a.png b.png`, whole process, {kind}"
        report["rows"].append({"work": name, "milliseconds": 1e3 * elapsed, "megabytes": megabytes, "most_megabytes": most})
        print(f"| {name} | {1e3 * elapsed:.1f} ms, {megabytes:.1f} MB (at most {most:.1f}) | | | 10 ms, 15 MB |", flush=True)
    print()

    shapes(ours, peers, args.rounds, report)
    if args.scaling:
        print(f"Cost of training, {threads} threads\n\n| network | pairs | epochs | batch | s | us a pair and epoch |\n|---|---|---|---|---|---|")
        report["scaling"] = []
        for architecture, count, epochs, batch in ((0, 100, 25, 100), (0, 1000, 25, 100), (0, 10000, 25, 100), (0, 100000, 2, 100),
                                                   (0, 1000, 5, 100), (0, 1000, 50, 100), (0, 1000, 200, 100), (0, 1000, 25, 10),
                                                   (0, 1000, 25, 1000), (2, 1000, 25, 100), (2, 1000, 100, 100)):
            if architecture == 2 and not args.mlp_epochs:
                continue
            took = statistics.median(ours.seconds("train", architecture, threads, count, epochs, batch)
                                     for _ in range(3 if count * epochs < 100000 else 1))
            report["scaling"].append({"network": NAMES[architecture], "pairs": count, "epochs": epochs, "batch": batch, "seconds": took})
            print(f"| {NAMES[architecture]} | {count:,} | {epochs} | {batch} | {took:.3f} | {1e6 * took / count / epochs:.1f} |", flush=True)
        print()
    args.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {args.json}", file=sys.stderr)


if __name__ == "__main__":
    main()
