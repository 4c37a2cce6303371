"""Runs build/diptych (or $DIPTYCH_COMMAND) as a user does."""
import json
import os
import pathlib
import struct
import subprocess
import zlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
COMMAND = pathlib.Path(os.environ.get("DIPTYCH_COMMAND", ROOT / "build" / "diptych")).resolve()
PICTURES = ROOT / "Examples" / "png"


def run(*arguments, **options):
    """A finished run, as text; it is not expected to succeed."""
    return subprocess.run([str(COMMAND), *map(str, arguments)], capture_output=True, text=True, timeout=300, **options)


def ok(*arguments, **options):
    """stdout of a run that must succeed."""
    result = run(*arguments, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def ok_json(*arguments, **options):
    """The one JSON document of a run that must succeed."""
    return json.loads(ok(*arguments, "--json", **options))


def fails(*arguments, status=1, **options):
    """stderr of a run that must fail with `status`, say so in the common form, and print no result."""
    result = run(*arguments, **options)
    assert result.returncode == status, (result.returncode, result.stderr)
    assert result.stderr.startswith("diptych: error: ")
    assert result.stdout == ""
    return result.stderr


def write_png(path, rows):
    """A grey 8-bit PNG of rows of bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model of the report's recipe."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    ok("train", "--out", path, "--quiet")
    return path
