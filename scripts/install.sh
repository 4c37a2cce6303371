#!/bin/sh
# Install or uninstall what stands in a build folder. Usage: install.sh install|uninstall BUILD_DIR
# From the environment: PREFIX (default /usr/local), DESTDIR, LIBDIR, INCLUDEDIR, BINDIR, MANDIR.
set -eu
action=$1
build=$2
root=$(cd "$(dirname "$0")/.." && pwd)

PREFIX=${PREFIX:-/usr/local}
case $PREFIX in
/*) ;;
*) echo "diptych: PREFIX is $PREFIX, but must be an absolute path" >&2; exit 64 ;;
esac
LIBDIR=${LIBDIR:-$PREFIX/lib}
INCLUDEDIR=${INCLUDEDIR:-$PREFIX/include}
BINDIR=${BINDIR:-$PREFIX/bin}
MANDIR=${MANDIR:-$PREFIX/share/man}
DESTDIR=${DESTDIR:-}

number() { sed -n "s/^#define DIPTYCH_VERSION_$1 \([0-9]*\)$/\1/p" "$root/include/diptych.h"; }
MAJOR=$(number MAJOR)
MINOR=$(number MINOR)
VERSION=$MAJOR.$MINOR.$(number PATCH)
SOVERSION=0

real=libdiptych.so.$VERSION
package=$LIBDIR/cmake/diptych

if [ "$action" = uninstall ]; then
    rm -f "$DESTDIR$LIBDIR/$real" "$DESTDIR$LIBDIR/libdiptych.so.$SOVERSION" "$DESTDIR$LIBDIR/libdiptych.so" \
        "$DESTDIR$LIBDIR/libdiptych.a" "$DESTDIR$LIBDIR/pkgconfig/diptych.pc" "$DESTDIR$package/diptych-config.cmake" \
        "$DESTDIR$package/diptych-config-version.cmake" "$DESTDIR$INCLUDEDIR/diptych.h" "$DESTDIR$BINDIR/diptych" \
        "$DESTDIR$MANDIR/man1/diptych.1"
    rmdir "$DESTDIR$package" 2>/dev/null || true
    exit 0
fi

# The way from the CMake package to the header, so that the whole installation may be moved.
case $INCLUDEDIR in
"$PREFIX"/*) include_from_cmake=$(printf '%s' "${package#"$PREFIX"/}" | sed 's/[^/][^/]*/../g')/${INCLUDEDIR#"$PREFIX"/} ;;
*) include_from_cmake=$INCLUDEDIR ;;
esac
case $package in
"$PREFIX"/*) ;;
*) include_from_cmake=$INCLUDEDIR ;;
esac

relative() { # FOLDER, below ${prefix} where it can be
    case $1 in
    "$PREFIX"/*) printf '${prefix}/%s' "${1#"$PREFIX"/}" ;;
    *) printf '%s' "$1" ;;
    esac
}

fill() { # TEMPLATE TARGET
    sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@LIBDIR@|$(relative "$LIBDIR")|g" -e "s|@INCLUDEDIR@|$(relative "$INCLUDEDIR")|g" \
        -e "s|@VERSION@|$VERSION|g" \
        -e "s|@MAJOR@|$MAJOR|g" -e "s|@MINOR@|$MINOR|g" -e "s|@SOVERSION@|$SOVERSION|g" \
        -e "s|@INCLUDEDIR_FROM_CMAKE@|$include_from_cmake|g" "$root/packaging/$1" >"$2"
    chmod 644 "$2"
}

install -d "$DESTDIR$LIBDIR/pkgconfig" "$DESTDIR$package" "$DESTDIR$INCLUDEDIR"
install -m 755 "$build/libdiptych.so.0" "$DESTDIR$LIBDIR/$real"
ln -sf "$real" "$DESTDIR$LIBDIR/libdiptych.so.$SOVERSION"
ln -sf "libdiptych.so.$SOVERSION" "$DESTDIR$LIBDIR/libdiptych.so"
install -m 644 "$build/libdiptych.a" "$DESTDIR$LIBDIR/libdiptych.a"
install -m 644 "$root/include/diptych.h" "$DESTDIR$INCLUDEDIR/diptych.h"
fill diptych.pc.in "$DESTDIR$LIBDIR/pkgconfig/diptych.pc"
fill diptych-config.cmake.in "$DESTDIR$package/diptych-config.cmake"
fill diptych-config-version.cmake.in "$DESTDIR$package/diptych-config-version.cmake"
if [ -x "$build/diptych" ]; then
    install -d "$DESTDIR$BINDIR"
    install -m 755 "$build/diptych" "$DESTDIR$BINDIR/diptych"
fi
if [ -f "$root/docs/diptych.1" ]; then
    install -d "$DESTDIR$MANDIR/man1"
    install -m 644 "$root/docs/diptych.1" "$DESTDIR$MANDIR/man1/diptych.1"
fi
