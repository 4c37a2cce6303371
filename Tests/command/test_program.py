"""describe, help, version, completion, man page."""
import os
import re
import subprocess

import pytest

from conftest import COMMAND, ROOT, fails, ok, ok_json, run

COMMANDS = ["classify", "train", "evaluate", "experiment", "calibrate", "describe", "export"]
EXPERIMENTS = ["experiment table1", "experiment curves", "experiment loss-ratio", "experiment grid"]


@pytest.mark.parametrize("name, parameters, layers", [("siamese", 115147, 7), ("rws", 128555, 7), ("mlp", 11177227, 7)])
def test_describe_network(name, parameters, layers):
    description = ok_json("describe", name)
    assert description["parameters"] == parameters and len(description["layers"]) == layers
    assert sum(layer["parameters"] for layer in description["layers"]) == parameters
    text = ok("describe", name)
    assert f"{parameters:,} parameters" in text
    for layer in description["layers"]:
        assert re.search(rf"^{layer['name']} .* {layer['parameters']:,} +{layer['multiply_adds']:,}$", text, re.M)


def test_describe_model(model):
    description = ok_json("describe", model)
    assert description["parameters"] == 115147 and description["decision"] == "head"
    assert description["standard_deviation"] > 0
    assert {tensor["name"] for tensor in description["tensors"]} >= {"cl1.weight", "fc5.bias"}
    assert "decides by the head" in ok("describe", model)
    assert ok_json("describe")["parameters"] > 0


def test_describe_wrong(tmp_path):
    assert "siamese, rws or mlp" in fails("describe", "resnet")
    (tmp_path / "x").write_text("something else")
    assert "not a safetensors file" in fails("describe", tmp_path / "x")


@pytest.mark.parametrize("command", ["", *COMMANDS, *EXPERIMENTS])
def test_help(command):
    text = ok(*command.split(), "--help")
    assert text.startswith("OVERVIEW: ") and "EXAMPLES" in text and "USAGE: diptych" in text
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("USAGE:"))


def test_version():
    header = (ROOT / "include" / "diptych.h").read_text()
    assert ok("--version").strip() == re.search(r'DIPTYCH_VERSION_STRING "(.*)"', header)[1]


def test_unknown_command():
    fails("clasify", status=64)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, tmp_path):
    script = ok("--generate-completion-script", shell)
    assert all(command in script for command in COMMANDS) and "loss-ratio" in script
    if shell == "bash":
        (tmp_path / "completion").write_text(script)
        subprocess.run(["bash", "-n", tmp_path / "completion"], check=True)


def test_man_page_names_every_option():
    page = (ROOT / "docs" / "diptych.1").read_text().replace("\\-", "-")
    for command in COMMANDS + EXPERIMENTS:
        for option in re.findall(r"--[a-z][a-z0-9-]*", ok(*command.split(), "--help")):
            assert option in page, (command, option)


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"LC_ALL": "de_DE.ISO-8859-1"}, {}])
def test_any_locale(environment):
    clean = {"PATH": os.environ["PATH"], **environment}
    assert ok("describe", "siamese", env=clean) == ok("describe", "siamese")


def test_full_disk_is_an_error():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        assert subprocess.run([COMMAND, "describe", "siamese"], stdout=full, stderr=subprocess.PIPE).returncode == 1
