"""The wheel: one for all of Python 3 on this platform, with the library inside, working by itself."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers import LIBRARY, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("setuptools.command.bdist_wheel", reason="needs setuptools 70.1")
    source, out = tmp_path_factory.mktemp("source") / "python", tmp_path_factory.mktemp("wheel")
    leave = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*", "tests")
    shutil.copytree(ROOT / "bindings" / "python", source, ignore=leave)
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", str(out), str(source)]
    environment = {**os.environ, "DIPTYCH_LIBRARY": str(Path(LIBRARY).resolve())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.iterdir()
    return made


def test_tag_and_content(wheel):
    name, version, python, abi, platform = wheel.stem.split("-")
    assert (name, version, python, abi) == ("diptych", "0.1.0", "py3", "none") and platform != "any"
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        assert content.read(f"diptych/{Path(LIBRARY).name.split('.')[0]}.so") == Path(LIBRARY).read_bytes()
    assert "diptych/py.typed" in names and "diptych/_library.py" in names
    assert not [name for name in names if "test" in name]


def test_it_works_by_itself(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as content:
        content.extractall(tmp_path)
    environment = {key: value for key, value in os.environ.items() if key != "DIPTYCH_LIBRARY"}
    code = "import diptych; print(diptych._library.lib._name, diptych.Model.default().parameter_count)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    library, parameters = done.stdout.split()
    assert Path(library).parent == tmp_path / "diptych" and parameters == "115147", done.stderr
