#!/bin/sh
# Run every experiment of docs/results and describe it there. Usage: run_report.sh PYTHON ROUNDS [MNIST_DIR]
# REPORT_FLAGS are more options for every experiment. What was interrupted goes on, as long as the command is the same: its runs are kept in build/report.
set -eu
python=$1
rounds=$2
mnist=${3:-}
cd "$(dirname "$0")/.."
diptych=build/diptych
work=build/report
results=docs/results

mkdir -p "$work" "$results"
# Another build may compute other bits, which do not belong beside the old ones; nor do other options.
build="$(cksum <"$diptych") ${REPORT_FLAGS:-}"
if [ "$(cat "$work/build" 2>/dev/null)" != "$build" ]; then
    rm -f "$work"/*.json
    echo "$build" >"$work/build"
fi

# By a name of its own beside the results, so that no folder of this machine stands in them.
set --
if [ -n "$mnist" ]; then
    rm -f "$work/mnist"
    ln -s "$(cd "$mnist" && pwd)" "$work/mnist"
    set -- --data mnist
fi
# diptych where the data are called by that name.
there() (
    cd "$work"
    exec ../diptych "$@"
)
run() {
    experiment=$1
    shift
    echo "== diptych experiment $experiment --rounds $1"
    there experiment "$experiment" --rounds "$@" ${REPORT_FLAGS:-} --out "$experiment.json" --resume
}
run table1 "$rounds" "$@"
run loss-ratio "$rounds" "$@"
# Twice the epochs of the table's, so half of the rounds.
run curves $(((rounds + 1) / 2)) "$@"
echo "== diptych experiment table1 --rows best,best-ensemble"
there experiment table1 "$@" --rows siamese,best,best-ensemble --rounds "$rounds" ${REPORT_FLAGS:-} --out best.json --resume
echo "== diptych experiment grid"
there experiment grid "$@" ${REPORT_FLAGS:-} --out grid.json --resume
there evaluate "$@" ${mnist:+--pairs 5000} --hardest 16 --json >"$work/evaluate.json"
"$python" scripts/report.py machine >"$work/machine.json"

cp "$work"/table1.json "$work"/best.json "$work"/curves.json "$work"/loss-ratio.json "$work"/grid.json "$work"/evaluate.json "$work"/machine.json "$results"
"$python" scripts/figures.py "$results"
"$python" scripts/report.py "$results"
echo "$results/README.md"
