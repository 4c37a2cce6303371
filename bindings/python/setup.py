"""Builds libdiptych with the repository's Makefile and carries it inside the wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

ROOT = Path(__file__).resolve().parents[2]
NAME = "libdiptych.dylib" if sys.platform == "darwin" else "libdiptych.so"


def library() -> Path:
    """The library to carry: the file that DIPTYCH_LIBRARY names, or what `make library` builds two folders up."""
    given = os.environ.get("DIPTYCH_LIBRARY")
    if given:
        return Path(given)
    if not (ROOT / "Makefile").is_file():
        raise SystemExit(
            f"diptych: error: {ROOT} is not Diptych's repository, so the library cannot be built; "
            f"install from a clone, or name a built {NAME} in DIPTYCH_LIBRARY"
        )
    try:
        subprocess.run(["make", "-C", str(ROOT), "library"], check=True)
    except FileNotFoundError:
        raise SystemExit("diptych: error: make is needed to build the library and is not installed") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"diptych: error: `make library` in {ROOT} failed (exit {error.returncode})") from None
    return ROOT / "build" / NAME


class BuildWithLibrary(build_py):
    def run(self) -> None:
        super().run()
        built = library()
        if not self.editable_mode:  # an editable install finds the library in the repository's build folder
            shutil.copy(built, Path(self.build_lib) / "diptych" / NAME)


class PlatformWheel(bdist_wheel):
    def get_tag(self) -> tuple:
        """Any Python 3, no Python ABI (ctypes needs none), this platform only."""
        return "py3", "none", super().get_tag()[2]


class BinaryDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True  # so that wheels get a platform tag and install into platlib


setup(cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel}, distclass=BinaryDistribution)
