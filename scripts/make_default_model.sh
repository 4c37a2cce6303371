#!/bin/sh
# Train the model inside the library, on all 60,000 of MNIST's training digits, to the same bits on any machine with
# AVX2 and the same C library. Usage: make_default_model.sh MNIST_DIR (see download_mnist.sh)
set -eu
[ $# -eq 1 ] || { echo "usage: make_default_model.sh MNIST_DIR" >&2; exit 64; }
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/build/diptych" train --data "$1" --pairs 30000 --test-pairs 5000 --epochs 16 --batch-size 100 --shuffle \
    --learning-rate 0.004 --schedule one-cycle --loss-ratio 2 --dropout 0.4 --seed 1 --decision marginal \
    --half --out "$root/Sources/CDiptychPlatform/assets/default.safetensors"
# The build system does not see that an embedded file changed.
touch "$root/Sources/CDiptychPlatform/platform.c"
