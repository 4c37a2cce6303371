#!/bin/sh
# Train the rows of the report's table by its recipe and print test errors. Usage: report_rows.sh MNIST_DIR [ROUNDS]
set -eu
mnist=$1
rounds=${2:-5}
diptych=$(cd "$(dirname "$0")/.." && pwd)/build/diptych
echo "| network | auxiliary loss | test error | sd | report | train error | seconds |"
echo "|---|---|---|---|---|---|---|"
row() {
    seed=0
    while [ "$seed" -lt "$rounds" ]; do
        "$diptych" train --data "$mnist" --architecture "$1" --loss-ratio "$2" --seed "$seed" --quiet --json
        seed=$((seed + 1))
    done | python3 -c '
import json, statistics, sys
runs = [json.loads(line) for line in sys.stdin]
test = [100 * r["test_error"] for r in runs]
print("| {} | {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.1f} |".format(
    sys.argv[1], "yes" if float(sys.argv[2]) else "no", statistics.mean(test), statistics.stdev(test) if len(test) > 1 else 0,
    sys.argv[3], 100 * statistics.mean(r["train_error"] for r in runs), statistics.median(r["seconds"] for r in runs)))' "$@"
}
row siamese 0.7 4.56
row siamese 0 12.64
row rws 0.7 7.04
row rws 0 16.07
row mlp 0.7 6.57
