#!/bin/sh
# Install what the named purposes need and the machine lacks. Usage: prepare.sh build [test] [fashion] [python]
set -eu

command -v swift >/dev/null || {
    echo "diptych: no Swift toolchain: install Swift 6.3 or later from https://www.swift.org/install" >&2
    exit 1
}

missing=
need() { missing="$missing $1"; }
need_python() {
    command -v python3 >/dev/null || need python3
    python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || need python3-venv
}
has_header() { echo "#include <$1>" | ${CC:-cc} -E -x c - >/dev/null 2>&1; }

for purpose in "$@"; do
    case $purpose in
    build)
        has_header png.h || need libpng-dev
        has_header zlib.h || need zlib1g-dev
        command -v objcopy >/dev/null || need binutils
        command -v cc >/dev/null || need gcc
        command -v c++ >/dev/null || need g++
        ;;
    test)
        command -v valgrind >/dev/null || need valgrind
        command -v qemu-x86_64 >/dev/null || need qemu-user
        command -v cmake >/dev/null || need cmake
        [ -e /usr/share/i18n/locales/de_DE ] || need locales
        command -v pkg-config >/dev/null || need pkg-config
        need_python
        ;;
    fashion)
        [ -d /usr/share/datasets/fashion-mnist ] || need dataset-fashion-mnist
        ;;
    python) need_python ;;
    *) echo "prepare.sh: unknown purpose $purpose" >&2; exit 64 ;;
    esac
done

[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "diptych: please install:$missing" >&2; exit 1; }
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "diptych: installing$missing" >&2
$sudo apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >&2
