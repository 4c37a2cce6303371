#!/bin/bash
# Fuzz in earnest: the core with AddressSanitizer and coverage. Usage: search.sh [SECONDS_EACH] (default 60)
# What is found lies in .build-fuzz/found; a crash is a file named crash-* there.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cd "$root"
swift build -c release --scratch-path .build-fuzz --target DiptychABI -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address,fuzzer-no-link
release=.build-fuzz/release
found=.build-fuzz/found
for harness in model png; do
    clang -g -O1 -fsanitize=fuzzer-no-link,address -I include -c "$here/$harness.c" -o "$release/$harness.o"
    swiftc -sanitize=fuzzer,address -static-stdlib "$release/$harness.o" $release/{CDiptychPNG,CDiptychPlatform,Diptych,DiptychABI}.build/*.o \
        $release/DiptychKernels*.build/*.o -lpng16 -lz -lm -o "$release/fuzz-$harness" 2>/dev/null
    mkdir -p "$found/$harness"
    "$release/fuzz-$harness" -max_total_time="${1:-60}" -max_len=6000 -timeout=10 -artifact_prefix="$found/" "$found/$harness" "$here/corpus/$harness"
done
