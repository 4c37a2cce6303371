#!/bin/sh
# Link the Embedded build's objects to libdiptych.so and libdiptych.a. Usage: link_library.sh BUILD_DIR OUT_DIR
#
# Everything becomes one relocatable object in which only diptych_* stays global: the Swift runtime's names inside
# must not meet a real Swift runtime in the same process. The AVX2 and AVX-512 kernels are closed off first, so that no generic
# helper compiled for them can become the linker's one copy of it, which old CPUs would then run.
set -eu
build=$1
out=$2
list=$build/diptych.product/Objects.LinkFileList
CC=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

objects() { tr -d "'" <"$list" | grep "$@" || true; }

set -- $(objects -v '/DiptychKernelsAVX[0-9]*[.]build/')
for isa in AVX2 AVX512; do
    kernels=$(objects "/DiptychKernels$isa[.]build/")
    [ -n "$kernels" ] || continue
    ld -r -o "$work/$isa.o" $kernels
    objcopy --keep-global-symbol="dp_kernels_$(echo $isa | tr A-Z a-z)" "$work/$isa.o"
    set -- "$@" "$work/$isa.o"
done
# Embedded Swift compiles what a module imports once more in the importing one: drop the copies that nobody calls.
roots=$(nm --defined-only "$@" | sed -n 's/^[0-9a-f]* T \(diptych_[a-z0-9_]*\)$/-u \1/p')
ld -r --gc-sections $roots -o "$work/diptych.o" "$@"
objcopy --wildcard --keep-global-symbol='diptych_*' --strip-debug "$work/diptych.o"

mkdir -p "$out"
rm -f "$out/libdiptych.a"
ar rcsD "$out/libdiptych.a" "$work/diptych.o"
"$CC" -shared -o "$out/libdiptych.so.0" "$work/diptych.o" -Wl,-soname,libdiptych.so.0 -Wl,--gc-sections -Wl,--build-id \
    -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--no-undefined -Wl,--as-needed \
    -Wl,--version-script="$(dirname "$0")/libdiptych.map" -lpng16 -lz -lm -lpthread
ln -sf libdiptych.so.0 "$out/libdiptych.so"
