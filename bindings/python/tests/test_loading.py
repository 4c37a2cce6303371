"""How the library is found, checked and loaded, each time in a fresh interpreter."""

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import run_python

import diptych


def failed_import(**environment):
    done = run_python("import diptych", **environment)
    assert done.returncode != 0
    last = done.stderr[done.stderr.index("LibraryError") :]
    return last


def build(tmp_path, source):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    (tmp_path / "other.c").write_text(source)
    library = tmp_path / "libother.so"
    subprocess.run([compiler, "-shared", "-fPIC", str(tmp_path / "other.c"), "-o", str(library)], check=True)
    return str(library)


def test_import_prints_nothing():
    done = run_python("import diptych")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_numpy_is_the_only_import_outside_the_standard_library():
    done = run_python(
        "import sys, numpy; before = set(sys.modules); import diptych\n"
        "names = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "known = getattr(sys, 'stdlib_module_names', names)\n"
        "print(sorted(names - set(known) - {'numpy'}))"
    )
    if "stdlib_module_names" not in dir(__import__("sys")):
        pytest.skip("Python 3.9 cannot tell")
    assert done.stdout == "['diptych']\n", done.stderr


def test_no_thread_before_one_is_asked_for():
    """No thread is started by loading the library or by predicting on the caller's thread."""
    done = run_python(
        "import os, numpy; before = len(os.listdir('/proc/self/task')); import diptych\n"
        "diptych.Model.default().predict(numpy.zeros((1, 2, 14, 14), 'u1'))\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    assert done.stdout == "0\n", done.stderr


def test_wrong_override_is_named():
    message = failed_import(DIPTYCH_LIBRARY="/nowhere/libdiptych.so")
    assert "/nowhere/libdiptych.so: no such file" in message
    assert "DIPTYCH_LIBRARY" in message


def test_override_that_is_no_library(tmp_path):
    text = tmp_path / "libdiptych.so"
    text.write_text("not a library")
    assert str(text) in failed_import(DIPTYCH_LIBRARY=str(text))


def test_failed_search_lists_every_candidate(tmp_path):
    package = tmp_path / "a" / "b" / "c" / "d" / "diptych"
    shutil.copytree(
        Path(diptych.__file__).parent, package, ignore=shutil.ignore_patterns("*.so", "*.dylib", "__pycache__")
    )
    done = run_python("import diptych", PYTHONPATH=str(package.parent), DIPTYCH_LIBRARY="")
    if done.returncode == 0:
        pytest.skip("a Diptych library is installed in the system")
    listed = done.stderr[done.stderr.index("tried:") :]
    assert f"{package / 'libdiptych'}" in listed and "libdiptych.so.0" in listed
    assert "DIPTYCH_LIBRARY" in done.stderr and "make library" in done.stderr


@pytest.mark.parametrize("version", [10000, 200])
def test_other_version_is_refused(tmp_path, version):
    library = build(tmp_path, f"int diptych_version(void) {{ return {version}; }}")
    message = failed_import(DIPTYCH_LIBRARY=library)
    assert f"version {version // 10000}.{version // 100 % 100}.0" in message and "needs 0.1" in message


def test_incomplete_library_is_refused(tmp_path):
    library = build(tmp_path, "int diptych_version(void) { return 100; }")
    assert "not a complete Diptych library" in failed_import(DIPTYCH_LIBRARY=library)


def test_foreign_library_is_refused(tmp_path):
    library = build(tmp_path, "int something_else(void) { return 1; }")
    assert "not a complete Diptych library" in failed_import(DIPTYCH_LIBRARY=library)


def test_library_error_is_an_import_error():
    assert issubclass(diptych.LibraryError, ImportError)
