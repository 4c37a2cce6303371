#!/bin/sh
# Download MNIST's four files into a folder and check their SHA-256.
#
#   scripts/download_mnist.sh [FOLDER]        default: mnist
#
# A file that is there and right is not fetched again. Mirrors are tried in turn; to use others, name them in MNIST_MIRRORS,
# separated by spaces (http, https or file URLs of folders that hold the .gz files). Needs curl or wget, gzip, sha256sum
# or shasum.
#
# MNIST: Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0.
set -eu

folder=${1:-mnist}
mirrors=${MNIST_MIRRORS:-"https://ossci-datasets.s3.amazonaws.com/mnist
https://storage.googleapis.com/cvdf-datasets/mnist
https://raw.githubusercontent.com/fgnt/mnist/master"}

say() { printf '%s\n' "$*" >&2; }
fail() { say "download_mnist: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

have gzip || fail "gzip is missing"
if have sha256sum; then sum() { sha256sum | cut -d' ' -f1; }
elif have shasum; then sum() { shasum -a 256 | cut -d' ' -f1; }
else fail "sha256sum or shasum is missing"
fi

fetch() { # URL FILE
    case $1 in
    file://*) cp "${1#file://}" "$2" ;;
    *) if have curl; then curl -fsSL --connect-timeout 20 --retry 2 -o "$2" "$1"
       elif have wget; then wget -q --timeout=20 --tries=2 -O "$2" "$1"
       else fail "curl or wget is missing"
       fi ;;
    esac
}

is_right() { # FILE SHA256
    test -f "$1" && test "$(gzip -dc "$1" 2>/dev/null | sum)" = "$2"
}

mkdir -p "$folder"
temporary=
trap 'rm -f "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

get() { # NAME SHA256
    target=$folder/$1.gz
    if is_right "$target" "$2"; then
        say "$target: already there"
        return
    fi
    temporary=$target.part
    for mirror in $mirrors; do
        if ! fetch "$mirror/$1.gz" "$temporary"; then
            say "$mirror/$1.gz: could not be fetched, trying the next mirror"
        elif ! is_right "$temporary" "$2"; then
            say "$mirror/$1.gz: wrong SHA-256, trying the next mirror"
        else
            mv "$temporary" "$target"
            say "$target: downloaded and checked"
            return
        fi
    done
    fail "no mirror has $1.gz; fetch it by hand into $folder (SHA-256 of the uncompressed file: $2)"
}

# Of the uncompressed files: mirrors compress differently.
get train-images-idx3-ubyte ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
get train-labels-idx1-ubyte 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
get t10k-images-idx3-ubyte 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
get t10k-labels-idx1-ubyte ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
