"""The README's example, as it stands there."""

import re

from helpers import ROOT, run_python


def test_example(tmp_path):
    text = (ROOT / "bindings" / "python" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    done = run_python(f"import os\nos.chdir({str(tmp_path)!r})\n{code}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("<diptych.Predictions of 1000 pairs: ")
    assert re.fullmatch(r"10 of 10: loss \d\.\d{3}", lines[-3]) and lines[-2].startswith("test error ")
    assert lines[-1] == "(64, 1568)" and (tmp_path / "own.safetensors").exists()
