#!/bin/bash
# Test the shipped library through its C API. Usage: Tests/ABI/run.sh [BUILD_DIR]
# The library must stand in BUILD_DIR (default: build). The last line says "N passed, N failed". What a machine lacks is
# skipped with a line that says so.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd) || exit 1
library=$build/libdiptych.so
archive=$build/libdiptych.a
CC=${CC:-cc}
CXX=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C LD_LIBRARY_PATH=$build DIPTYCH_TEST_LIBRARY=$library
unset DIPTYCH_ISA MAKEFLAGS MFLAGS MAKELEVEL
passed=0
failed=0
skipped=0

have() { command -v "$1" >/dev/null 2>&1; }
skip() { echo "SKIPPED $*"; skipped=$((skipped + 1)); }

# One test: passes where the command succeeds; its output is shown where it fails.
check() { # NAME COMMAND...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s\nFAILED %s\n' "$output" "$name"
    fi
}

# A program of many tests, whose last line counts them.
suite() { # NAME COMMAND...
    local name=$1 output counts
    shift
    output=$("$@" 2>&1)
    local status=$?
    counts=$(printf '%s\n' "$output" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' | tail -n 1)
    printf '%s\n' "$output" | grep '^SKIPPED' && skipped=$((skipped + 1))
    if [ -z "$counts" ] || { [ $status -ne 0 ] && [ "${counts#* }" = 0 ]; }; then
        failed=$((failed + 1))
        printf '%s\nFAILED %s: exit status %s\n' "$output" "$name" "$status"
        return
    fi
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    if [ "${counts#* }" != 0 ]; then printf '%s\n' "$output"; fi
    echo "$name: ${counts% *} passed, ${counts#* } failed"
}

flags=(-Wall -Wextra -Wpedantic -Werror -I "$root/include")
gnu=(-std=gnu11 -g -O1 -Wall -Wextra -Werror -I "$root/include")
shared() { "$CC" "${gnu[@]}" "$here/$1.c" -o "$work/$1" -L "$build" -ldiptych -lz -lm -lpthread; }
static() { "$CC" "${gnu[@]}" -DDIPTYCH_TEST_STATIC "$here/$1.c" -o "$work/$1-static" "$archive" -lpng16 -lz -lm -lpthread; }

# ---- The header ----
for standard in c99 c11 c17 c2x; do
    check "header as $standard" "$CC" -std=$standard "${flags[@]}" -c "$here/layout.c" -o "$work/layout.o"
done
for standard in c++11 c++17 c++20; do
    check "header as $standard" "$CXX" -std=$standard "${flags[@]}" -x c++ -c "$here/layout.c" -o "$work/layout.o"
done
if have clang; then
    check "header with clang" clang -std=c99 "${flags[@]}" -Weverything -Wno-unsafe-buffer-usage -Wno-padded -Wno-missing-variable-declarations \
        -Wno-pre-c11-compat -Wno-declaration-after-statement -c "$here/layout.c" -o "$work/layout.o"
else
    skip "header with clang: there is no clang"
fi

# ---- The files ----
declared() { grep -o 'diptych_[a-z0-9_]*(' "$root/include/diptych.h" | tr -d '(' | sort -u >"$work/mentioned"
    "$CC" -E -P "$root/include/diptych.h" | grep -o 'diptych_[a-z0-9_]* *(' | tr -d '( ' | sort -u; }
declared >"$work/declared"
symbols_shared() { nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u | diff "$work/declared" -; }
symbols_static() { nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u | diff "$work/declared" -; }
dynamic() { readelf -dW "$1" | sed -n "s/.*($2).*\[\(.*\)\]/\1/p"; }
soname() { [ "$(dynamic "$library" SONAME)" = libdiptych.so.0 ]; }
needed() { ! dynamic "$library" NEEDED | grep -vE '^(libc\.so\.6|libm\.so\.6|libpng16\.so\.16|libz\.so\.1|ld-linux-.*\.so\.[0-9])$'; }
small() { strip -o "$work/stripped" "$library" && size=$(stat -c %s "$work/stripped") && echo "$size bytes" && [ "$size" -lt 1000000 ]; }
stack() { readelf -lW "$library" | grep GNU_STACK | grep -q ' RW  *0x'; }
no_text_relocations() { ! readelf -dW "$library" | grep -q TEXTREL; }
no_path() { ! readelf -dW "$library" | grep -E 'RPATH|RUNPATH' && ! strings -a "$library" "$archive" | grep -F "$root"; }
link() { [ "$(readlink "$library")" = libdiptych.so.0 ]; }
check "the header declares functions" test "$(wc -l <"$work/declared")" -gt 40
check "exported symbols are the header's" symbols_shared
check "global symbols of the archive are the header's" symbols_static
check "SONAME" soname
check "needed libraries" needed
check "size" small
check "no executable stack" stack
check "no text relocations" no_text_relocations
check "no path of the build machine" no_path
check "libdiptych.so is a link" link

# ---- Programs ----
for program in hostile files threads resume quiet floats memory tour decide bits; do check "compile $program" shared $program; done
for program in hostile files threads memory; do check "compile $program with the archive" static $program; done

# What takes longest runs beside the rest.
if have valgrind; then
    memcheck=(valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible)
    "${memcheck[@]}" "$work/tour" --in-process >"$work/tour.log" 2>&1 &
    valgrind_tour=$!
fi

check "compile from_header as C99" "$CC" -std=c99 "${flags[@]}" "$here/from_header.c" -o "$work/from_header" -L "$build" -ldiptych
check "compile from_header as C++11" "$CXX" -std=c++11 "${flags[@]}" -x c++ "$here/from_header.c" -o "$work/from_header++" -L "$build" -ldiptych
suite "a program from the header alone" "$work/from_header" "$work/a.safetensors"
suite "the same in C++" "$work/from_header++" "$work/b.safetensors"

if have localedef && localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" >/dev/null 2>&1; then
    export LOCPATH=$work DIPTYCH_TEST_LOCALE=de_DE.UTF-8
fi
# Freed memory is overwritten, so that what is used after it was freed is seen.
export MALLOC_PERTURB_=165
for program in hostile files threads resume quiet floats; do suite $program env -u LC_ALL "$work/$program"; done
unset MALLOC_PERTURB_ LOCPATH
suite memory "$work/memory"
for program in hostile files threads memory; do suite "$program, archive" "$work/$program-static"; done

# ---- Instruction sets ----
baseline_decides() { "$work/decide" - 500 >"$work/native" && DIPTYCH_ISA=baseline "$work/decide" - 500 2>"$work/isa" >"$work/baseline" &&
    grep baseline "$work/isa" && [ "$(wc -l <"$work/native")" = 500 ] && diff "$work/native" "$work/baseline"; }
baseline_suite() { DIPTYCH_ISA=baseline "$@"; }
uses() { "${@:2}" "$work/decide" - 1 2>&1 | grep "kernels $1,"; }
if [ "$(uname -m)" = x86_64 ] && grep -qw avx2 /proc/cpuinfo; then
    check "AVX2 is used where it is" uses avx2 env DIPTYCH_ISA=avx2
    check "the same decisions without AVX2" baseline_decides
    suite "threads without AVX2" baseline_suite "$work/threads"
    suite "resume without AVX2" baseline_suite "$work/resume" same_bits_as_uninterrupted
else
    skip "comparing AVX2 with baseline: this CPU has no AVX2"
fi
if [ "$(uname -m)" = x86_64 ] && grep -w avx512f /proc/cpuinfo | grep -w avx512vl | grep -w avx512bw | grep -qw avx512dq; then
    check "AVX-512 is used where it is" uses avx512 env
    check "AVX-512 is not used where DIPTYCH_ISA says baseline" uses baseline env DIPTYCH_ISA=baseline
    same_bits() { "$work/bits" >"$work/wide" && DIPTYCH_ISA=avx2 "$work/bits" >"$work/narrow" && [ "$(wc -l <"$work/wide")" = 8 ] &&
        diff "$work/wide" "$work/narrow"; }
    check "AVX-512 trains to AVX2's bits" same_bits
    suite "threads without AVX-512" env DIPTYCH_ISA=avx2 "$work/threads"
else
    skip "comparing AVX-512 with AVX2: this CPU has no AVX-512"
fi
if [ "$(uname -m)" = x86_64 ]; then
    # In the command, an ordinary Swift build, nothing closes the kernels' helpers off: a function of the standard library that is compiled
    # with the kernels' instructions could be the copy that the linker keeps for everybody.
    shares_nothing() {
        local objects symbols shared
        objects=$(ls "$root"/.build/release/DiptychKernelsAVX*.build/*.o) || return 1
        symbols=$(nm $objects) && [ -n "$symbols" ] || return 1
        shared=$(printf '%s\n' "$symbols" | awk 'NF == 3 && $2 ~ /^[WwuT]$/ && $3 !~ /Diptych|^dp_kernels_avx/ && $3 !~ /^(__swift_reflection|got[.])/')
        [ -z "$shared" ] || { echo "$shared"; return 1; }
    }
    check "the kernels for AVX2 and AVX-512 share no function" shares_nothing
fi
if [ "$(uname -m)" = x86_64 ] && have qemu-x86_64; then
    old_command() { qemu-x86_64 -cpu "$1" "$build/diptych" train --epochs 1 --pairs 20 --test-pairs 20 --out "$work/old.safetensors" &&
        qemu-x86_64 -cpu "$1" "$build/diptych" classify --model "$work/old.safetensors" "$root/Examples/png/mnist-1.png" "$root/Examples/png/paper-7.png"; }
    check "the command on an old CPU (qemu, Nehalem)" old_command Nehalem
    suite "an old CPU (qemu, Nehalem)" qemu-x86_64 -cpu Nehalem -E LD_LIBRARY_PATH="$build" "$work/tour" --in-process
    old_decides() { qemu-x86_64 -cpu Nehalem -E LD_LIBRARY_PATH="$build" "$work/decide" - 500 >"$work/old" 2>"$work/isa" &&
        grep 'kernels baseline' "$work/isa" && diff "$work/baseline" "$work/old"; }
    [ -s "$work/baseline" ] || DIPTYCH_ISA=baseline "$work/decide" - 500 >"$work/baseline" 2>/dev/null
    check "an old CPU decides the same" old_decides
    # The emulated CPU really refuses AVX2: otherwise the two above prove nothing.
    printf '#include <immintrin.h>\nint main(int n, char **v) { (void)v; volatile __m256i a = _mm256_set1_epi32(n); a = _mm256_add_epi32(a, a); return 0; }\n' >"$work/avx2.c"
    refuses() { "$CC" -mavx2 "$work/avx2.c" -o "$work/avx2" && ! qemu-x86_64 -cpu Nehalem "$work/avx2"; }
    check "the emulated CPU has no AVX2" refuses
    # QEMU knows AVX2 from 7.2 on, and no AVX-512.
    if qemu-x86_64 -cpu Haswell "$work/avx2" 2>/dev/null; then
        check "a CPU without AVX-512 (qemu, Haswell) uses AVX2" uses avx2 qemu-x86_64 -cpu Haswell -E LD_LIBRARY_PATH="$build"
        check "the command without AVX-512 (qemu, Haswell)" old_command Haswell
    else
        skip "a CPU without AVX-512: this qemu-x86_64 has no AVX2"
    fi
else
    skip "an old CPU: there is no qemu-x86_64"
fi

# ---- In one process with a Swift runtime ----
if have swiftc; then
    with_swift() { swiftc -static-stdlib -I "$root/include" "$here/host.swift" "$archive" -lpng16 -lz -lm -o "$work/host" && "$work/host"; }
    check "the archive beside the Swift runtime" with_swift
else
    skip "the archive beside the Swift runtime: there is no swiftc"
fi

# ---- Installed: pkg-config, CMake, the examples ----
prefix=$work/prefix
installed() { make -s -C "$root" install PREFIX="$prefix" BUILD="$build" && [ "$(readlink "$prefix/lib/libdiptych.so.0")" = libdiptych.so.0.1.0 ]; }
staged() { make -s -C "$root" install PREFIX=/opt/diptych DESTDIR="$work/stage" BUILD="$build" &&
    [ -f "$work/stage/opt/diptych/lib/libdiptych.so.0.1.0" ] && ! grep -rF "$work" "$work/stage/opt/diptych/lib/pkgconfig" "$work/stage/opt/diptych/lib/cmake"; }
uninstalled() { make -s -C "$root" uninstall PREFIX=/opt/diptych DESTDIR="$work/stage" BUILD="$build" && [ -z "$(find "$work/stage" ! -type d)" ]; }
check "make install" installed
check "make install with DESTDIR" staged
check "make uninstall" uninstalled

cp -r "$root/Examples/c" "$work/examples"
if have pkg-config; then
    version() { [ "$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --modversion diptych)" = 0.1.0 ] &&
        PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --static --libs diptych | grep png; }
    examples() { make -C "$work/examples" CC="$CC" CFLAGS="-std=c99 -D_POSIX_C_SOURCE=200809L -g -O1 -Wall -Wextra -Wpedantic -Werror" \
        PKG_CONFIG_PATH="$prefix/lib/pkgconfig"; }
    check "pkg-config" version
    check "the examples by pkg-config" examples

    export LD_LIBRARY_PATH=$prefix/lib
    "$work/tour" digit 5 "$work/a.png" >/dev/null && "$work/tour" digit 9 "$work/b.png" >/dev/null
    expect() { local pattern=$1 output; shift; output=$("$@" 2>&1); local status=$?; echo "$output"; [ $status = 0 ] && grep -qE "$pattern" <<<"$output"; }
    refused() { local pattern=$1 output; shift; output=$("$@" 2>&1); local status=$?; echo "$output"; [ $status = 1 ] && grep -qE "$pattern" <<<"$output"; }
    interrupted() { "$work/examples/train" 100000 100 "$work/t.safetensors" >"$work/train.log" 2>&1 & local pid=$!
        for _ in $(seq 100); do grep -q 'epoch  2' "$work/train.log" && break; sleep 0.1; done
        kill -INT $pid; wait $pid && cat "$work/train.log" && grep -q '^stopped' "$work/train.log" && grep -q 'loaded again' "$work/train.log"; }
    check "example compare" expect '^[0-9] (<=|>) [0-9]$' "$work/examples/compare" "$work/a.png" "$work/b.png"
    check "example compare: no such file" refused 'none.png.*DIPTYCH_ERROR_NOT_FOUND' "$work/examples/compare" "$work/none.png" "$work/b.png"
    check "example train" expect 'loaded again' "$work/examples/train" 2 100 "$work/t.safetensors"
    set -m
    check "example train, interrupted" interrupted
    set +m
    check "example compare with that model" expect '^[0-9] (<=|>) [0-9]$' "$work/examples/compare" "$work/a.png" "$work/b.png" "$work/t.safetensors"
    check "example threads" expect '^4 threads, 400 pairs, [0-9]+ wrong' "$work/examples/threads"
    if have valgrind; then
        check "example compare under valgrind" "${memcheck[@]}" "$work/examples/compare" "$work/a.png" "$work/b.png"
        check "example train under valgrind" "${memcheck[@]}" "$work/examples/train" 1 20 "$work/t.safetensors"
        check "example threads under valgrind" "${memcheck[@]}" "$work/examples/threads" 3
    fi
    export LD_LIBRARY_PATH=$build
else
    skip "the examples by pkg-config: there is no pkg-config"
fi
if have cmake; then
    by_cmake() { cmake -S "$work/examples" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work/cmake" && env -u LD_LIBRARY_PATH "$work/cmake/compare" "$work/a.png" "$work/b.png" &&
        env -u LD_LIBRARY_PATH "$work/cmake/compare_static" "$work/a.png" "$work/b.png" &&
        ! readelf -d "$work/cmake/compare_static" | grep libdiptych; }
    check "the examples by CMake" by_cmake
    moved() { mv "$prefix" "$prefix-moved" && cmake -S "$work/examples" -B "$work/cmake2" -DCMAKE_PREFIX_PATH="$prefix-moved" &&
        cmake --build "$work/cmake2" --target compare && env -u LD_LIBRARY_PATH "$work/cmake2/compare" "$work/a.png" "$work/b.png"; }
    check "CMake after the installation was moved" moved
else
    skip "the examples by CMake: there is no cmake"
fi

# ---- Fuzzing: the corpus and a few thousand runs more; fuzz/README.md says how to search in earnest ----
for harness in model png; do
    if have clang && clang -g -O1 -fsanitize=fuzzer -I "$root/include" "$here/fuzz/$harness.c" "$archive" -lpng16 -lz -lm -lpthread \
        -o "$work/fuzz-$harness" >/dev/null 2>&1; then
        mkdir -p "$work/corpus"
        check "fuzz $harness" "$work/fuzz-$harness" -runs=3000 -seed=1 -max_len=20000 -rss_limit_mb=2048 -artifact_prefix="$work/" \
            "$work/corpus" "$here/fuzz/corpus/$harness"
        rm -rf "$work/corpus"
    else
        skip "fuzz $harness: there is no clang with libFuzzer"
    fi
done

if [ -n "${valgrind_tour:-}" ]; then
    wait_tour() { cat "$work/tour.log"; [ "$tour_status" = 0 ] && grep -q '^3 passed, 0 failed' "$work/tour.log"; }
    wait $valgrind_tour
    tour_status=$?
    check "valgrind" wait_tour
else
    skip "valgrind: there is none"
fi

[ $skipped = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
