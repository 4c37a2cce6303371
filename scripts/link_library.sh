#!/bin/sh
# Link the Embedded build's objects to libdiptych.so and libdiptych.a. Usage: link_library.sh BUILD_DIR OUT_DIR
#
# Everything becomes one relocatable object in which only diptych_* stays global: the Swift runtime's names inside
# must not meet a real Swift runtime in the same process. The AVX2 kernels are closed off first, so that no generic
# helper compiled for AVX2 can become the linker's one copy of it, which old CPUs would then run.
set -eu
build=$1
out=$2
list=$build/diptych.product/Objects.LinkFileList
CC=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

objects() { tr -d "'" <"$list" | grep "$@" '/DiptychKernelsAVX2[.]build/' || true; }

set -- $(objects -v)
avx2=$(objects)
if [ -n "$avx2" ]; then
    ld -r -o "$work/avx2.o" $avx2
    objcopy --wildcard --keep-global-symbol='*DiptychKernelsAVX2*make*' "$work/avx2.o"
    set -- "$@" "$work/avx2.o"
fi
ld -r -o "$work/diptych.o" "$@"
objcopy --wildcard --keep-global-symbol='diptych_*' --strip-debug "$work/diptych.o"

mkdir -p "$out"
rm -f "$out/libdiptych.a"
ar rcsD "$out/libdiptych.a" "$work/diptych.o"
"$CC" -shared -o "$out/libdiptych.so.0" "$work/diptych.o" -Wl,-soname,libdiptych.so.0 -Wl,--gc-sections -Wl,--build-id \
    -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--no-undefined -Wl,--as-needed \
    -Wl,--version-script="$(dirname "$0")/libdiptych.map" -lpng16 -lz -lm -lpthread
ln -sf libdiptych.so.0 "$out/libdiptych.so"
