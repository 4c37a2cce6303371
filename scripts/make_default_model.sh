#!/bin/sh
# Train the model inside the library, on all 60,000 of MNIST's training digits, to the same bits on any machine with
# AVX2 and the same C library. Twice: a first model holds 2500 pairs out, to which its temperatures are fitted; the
# second, trained on all, takes them over. The options were chosen on digits held out of MNIST's training files.
# Usage: make_default_model.sh MNIST_DIR (see download_mnist.sh)
set -eu
[ $# -eq 1 ] || { echo "usage: make_default_model.sh MNIST_DIR" >&2; exit 64; }
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
train() {
    "$root/build/diptych" train --data "$mnist" --pairs 30000 --test-pairs 5000 --epochs 80 --batch-size 100 --redraw \
        --learning-rate 0.004 --schedule one-cycle --loss-ratio 2 --dropout 0.05 --rotation 10 --scale 0.12 --shear 0.2 \
        --shift 1.2 --elastic 0.5 --stroke 0.3 --seed 1 --decision marginal "$@"
}
mnist=$1
train --calibrate 2500 --out "$work/sibling.safetensors"
train --out "$work/all.safetensors"
"$root/build/diptych" calibrate "$work/all.safetensors" --from "$work/sibling.safetensors" --half \
    --out "$root/Sources/CDiptychPlatform/assets/default.safetensors"
# The build system does not see that an embedded file changed.
touch "$root/Sources/CDiptychPlatform/platform.c"
