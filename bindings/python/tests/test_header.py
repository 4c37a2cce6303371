"""The declarations of _library.py against include/diptych.h, read by a few regular expressions and, where there is
one, by a C compiler."""

import ctypes
import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import HEADER

import diptych
from diptych import _library, errors, options

C_TYPES = {
    "int32_t": ctypes.c_int32,
    "diptych_status": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "diptych_progress_callback": _library.diptych_progress_callback,
}
STRUCTS = [
    "diptych_model_options",
    "diptych_image_options",
    "diptych_prediction",
    "diptych_trainer_options",
    "diptych_progress",
    "diptych_evaluation",
    "diptych_reliability_bin",
]


def read_header():
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    text = re.sub(r"\\\n", " ", text)
    functions = {
        name: (result, [] if arguments.strip() == "void" else [a.strip() for a in arguments.split(",")])
        for result, name, arguments in re.findall(
            r"^DIPTYCH_API\s+([\w\s]+?[\s*]+)(\w+)\(([^)]*)\);", text, re.M | re.S
        )
    }
    structs = {
        name: [tuple(member.rsplit(None, 1)) for member in re.findall(r"([\w\s]+?\w);", body)]
        for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", text, re.S)
    }
    constants = {}
    for body in re.findall(r"enum \{(.*?)\}", text, re.S):
        constants.update((name, int(value)) for name, value in re.findall(r"(\w+)\s*=\s*(-?\d+)", body))
    macros = {name: int(value) for name, value in re.findall(r"#define (DIPTYCH_\w+) (\d+)$", text, re.M)}
    return functions, structs, constants, macros


FUNCTIONS, HEADER_STRUCTS, CONSTANTS, MACROS = read_header()


def plain(c_type):
    """A C type without const and spaces: "const char *" is "char*"."""
    return re.sub(r"\bconst\b|\s", "", c_type)


def parameter_type(parameter):
    """The type of "const float *values": "float*"."""
    return plain(re.sub(r"\w+$", "", parameter))


def accepts(declared, c_type):
    """Whether a ctypes declaration is right for a C type."""
    if c_type == "void":
        return declared is None
    if not c_type.endswith("*"):
        return declared is C_TYPES[c_type]
    element = c_type[:-1]
    if isinstance(declared, _library.Array):
        want = {"void": None, "char": ctypes.c_char, "uint8_t": ctypes.c_uint8}.get(element, C_TYPES.get(element))
        return declared.element is (want or getattr(_library, element, None))
    if element in ("char", "void"):
        return declared is {"char": ctypes.c_char_p, "void": ctypes.c_void_p}[element]
    if not issubclass(declared, ctypes._Pointer):
        return False
    if element.endswith("*") or element in C_TYPES:
        return accepts(declared._type_, element)
    return declared._type_ is getattr(_library, element)


def test_the_reader_sees_the_whole_header():
    text = HEADER.read_text()
    assert len(FUNCTIONS) == len(re.findall(r"^DIPTYCH_API", text, re.M))
    assert sorted(HEADER_STRUCTS) == sorted(STRUCTS)
    assert sorted(CONSTANTS) == sorted(re.findall(r"^    (DIPTYCH_\w+) = -?\d+", text, re.M))


def test_every_function_is_declared_and_no_other():
    assert sorted(_library.SIGNATURES) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    result, parameters = FUNCTIONS[name]
    declared_result, *declared = _library.SIGNATURES[name]
    assert accepts(declared_result, plain(result)), f"result {result}"
    assert len(declared) == len(parameters)
    for one, parameter in zip(declared, parameters):
        assert accepts(one, parameter_type(parameter)), f"{one} for {parameter}"
    function = getattr(_library.lib, name)
    assert function.restype is declared_result
    assert list(function.argtypes) == declared


def test_every_status_raises_and_nothing_else_does():
    for name, (result, _) in FUNCTIONS.items():
        checked = getattr(getattr(_library.lib, name), "errcheck", None) is _library._raise_failure
        assert checked or plain(result) != "diptych_status", name


@pytest.mark.parametrize("name", STRUCTS)
def test_struct(name):
    declared = [(member, kind) for member, kind in getattr(_library, name)._fields_]
    assert declared == [(member, C_TYPES[c_type.strip()]) for c_type, member in HEADER_STRUCTS[name]]


def test_callback():
    found = re.search(r"typedef (\w+) \(\*diptych_progress_callback\)\(([^)]*)\);", HEADER.read_text())
    assert found.group(1) == "int32_t" and _library.diptych_progress_callback._restype_ is ctypes.c_int32
    parameters = [parameter_type(p.strip()) for p in found.group(2).split(",")]
    declared = _library.diptych_progress_callback._argtypes_
    assert len(declared) == len(parameters)
    assert all(accepts(one, parameter) for one, parameter in zip(declared, parameters))


def test_layout_is_the_compilers(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    lines = []
    for name in STRUCTS:
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for _, member in HEADER_STRUCTS[name]:
            lines.append(f'printf("{name}.{member} %zu\\n", offsetof({name}, {member}));')
    source = tmp_path / "layout.c"
    source.write_text('#include "diptych.h"\n#include <stdio.h>\nint main(void) {\n' + "\n".join(lines) + "\n}\n")
    program = tmp_path / "layout"
    subprocess.run([compiler, f"-I{HEADER.parent}", str(source), "-o", str(program)], check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    ours = []
    for name in STRUCTS:
        struct = getattr(_library, name)
        ours.append(f"{name} {ctypes.sizeof(struct)}")
        ours += [f"{name}.{member} {getattr(struct, member).offset}" for member, _ in struct._fields_]
    assert printed.split("\n")[:-1] == ours
    assert ctypes.sizeof(_library.diptych_prediction) == 32


def test_constants():
    ours = {name: status for status, name in errors.STATUS_NAMES.items()}
    for prefix, words in _library.CHOICES.values():
        ours.update((prefix + word.upper(), value) for word, value in words.items())
    assert ours == CONSTANTS


def test_status_names_are_the_librarys():
    for status, name in errors.STATUS_NAMES.items():
        assert _library.lib.diptych_status_name(status).decode() == name
    assert _library.lib.diptych_status_name(12345).decode() == "unknown status"


def test_version():
    assert _library.VERSION == tuple(MACROS[f"DIPTYCH_VERSION_{part}"] for part in ("MAJOR", "MINOR", "PATCH"))
    assert diptych.__version__ == ".".join(map(str, _library.VERSION))
    assert diptych.library_version() == diptych.__version__
    assert diptych.library_version() in diptych.build_info()


@pytest.mark.parametrize(
    "typed, struct",
    [
        (options.ModelOptions, _library.diptych_model_options),
        (options.ImageOptions, _library.diptych_image_options),
        (options.TrainerOptions, _library.diptych_trainer_options),
    ],
)
def test_option_names_are_the_headers(typed, struct):
    assert sorted(typed.__annotations__) == sorted(_library.names(struct))


def test_result_names_are_the_headers():
    for result in (diptych.Prediction, diptych.Progress, diptych.Evaluation):
        struct = getattr(_library, "diptych_" + result.__name__.lower())
        ours = [name for name in inspect.signature(result).parameters if name != "confusion"]
        assert ours == _library.names(struct)


def test_one_module_touches_ctypes():
    users = [path.name for path in Path(diptych.__file__).parent.glob("*.py") if "ctypes" in path.read_text()]
    assert sorted(users) == ["_library.py"]
