"""Every status is an exception of its own, and of the built-in kind that a Python program expects."""

import pickle

import numpy as np
import pytest
from helpers import SMALL, run_python

import diptych
from diptych import errors

KINDS = {
    "DIPTYCH_ERROR_INVALID_ARGUMENT": (diptych.InvalidArgumentError, ValueError),
    "DIPTYCH_ERROR_OUT_OF_MEMORY": (diptych.OutOfMemoryError, MemoryError),
    "DIPTYCH_ERROR_NOT_FOUND": (diptych.NotFoundError, FileNotFoundError),
    "DIPTYCH_ERROR_IO": (diptych.InputOutputError, OSError),
    "DIPTYCH_ERROR_FORMAT": (diptych.FormatError, ValueError),
    "DIPTYCH_ERROR_CORRUPT": (diptych.CorruptError, ValueError),
    "DIPTYCH_ERROR_LIMIT": (diptych.LimitError, ValueError),
    "DIPTYCH_ERROR_BLANK_IMAGE": (diptych.BlankImageError, ValueError),
    "DIPTYCH_ERROR_MISMATCH": (diptych.MismatchError, ValueError),
    "DIPTYCH_ERROR_DIVERGED": (diptych.DivergedError, ArithmeticError),
    "DIPTYCH_ERROR_FINISHED": (diptych.FinishedError, diptych.DiptychError),
    "DIPTYCH_ERROR_SYSTEM": (diptych.SystemResourceError, OSError),
    "DIPTYCH_CANCELLED": (diptych.Cancelled, diptych.DiptychError),
}


def test_every_status_has_a_kind():
    assert sorted(KINDS) == sorted(set(errors.STATUS_NAMES.values()) - {"DIPTYCH_OK"})


@pytest.mark.parametrize("status, name", [item for item in errors.STATUS_NAMES.items() if item[0]])
def test_kind(status, name):
    error = errors.from_status(status, "what went wrong")
    own, built_in = KINDS[name]
    assert type(error) is own and isinstance(error, built_in) and isinstance(error, diptych.DiptychError)
    assert (error.status, error.name, str(error)) == (status, name, "what went wrong")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.status, str(again)) == (own, status, "what went wrong")


def test_status_of_a_newer_library():
    error = errors.from_status(-99, "new")
    assert type(error) is diptych.DiptychError and (error.status, error.name) == (-99, "unknown status")
    assert pickle.loads(pickle.dumps(error)).status == -99


def test_invalid_argument():
    with pytest.raises(ValueError, match="height is 3") as caught:
        diptych.Model.create(height=3)
    assert caught.value.name == "DIPTYCH_ERROR_INVALID_ARGUMENT"


def test_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.safetensors"):
        diptych.Model.load(tmp_path / "missing.safetensors")
    with pytest.raises(diptych.NotFoundError):
        diptych.Dataset.open_idx(tmp_path / "images", tmp_path / "labels")
    with pytest.raises(diptych.NotFoundError):
        diptych.Dataset.open_folder(tmp_path / "folder")


def test_input_output(tmp_path):
    with pytest.raises(OSError) as caught:
        diptych.Model.load(tmp_path)
    assert type(caught.value) is diptych.InputOutputError
    with pytest.raises(OSError):
        diptych.Model.create(**SMALL).save(tmp_path / "no such folder" / "model.safetensors")


def test_format_and_corrupt(tmp_path):
    whole = diptych.Model.create(**SMALL).to_bytes()
    with pytest.raises(diptych.FormatError):
        diptych.Model.load_bytes(b"\x89PNG\r\n\x1a\n and something more, which is no JSON")
    with pytest.raises(diptych.FormatError):
        diptych.Model.load_bytes(b"")
    for cut in (len(whole) - 1, len(whole) // 2, 100):
        (tmp_path / "cut").write_bytes(whole[:cut])
        for load in (lambda: diptych.Model.load_bytes(whole[:cut]), lambda: diptych.Model.load(tmp_path / "cut")):
            with pytest.raises(diptych.CorruptError):
                load()


def test_limit():
    with pytest.raises(diptych.LimitError):
        diptych.Model.create(architecture="mlp", mlp_width1=65536, mlp_width2=65536)


def test_mismatch():
    pairs = diptych.Pairs.from_arrays(np.zeros((3, 2, 14, 14)), digits=[[0, 1], [2, 3], [4, 10]])
    with pytest.raises(diptych.MismatchError):
        diptych.Trainer(diptych.Model.create(**SMALL), pairs)
    with pytest.raises(diptych.MismatchError):
        diptych.Trainer(diptych.Model.create(), pairs)  # class 10 of 10


def test_diverged():
    """Weights at the end of float32's range: the first logits are infinite."""
    pairs = diptych.Pairs.from_arrays(np.random.default_rng(1).normal(size=(50, 2, 8, 8)), digits=np.ones((50, 2), int))
    model = diptych.Model.create(**SMALL)
    for name, value in (("fc2.bias", 10), ("fc3.weight", 3e38), ("fc3.bias", 3e38)):
        model.tensors[name] = np.full(model.tensors.shapes[name], value)
    with pytest.raises(diptych.DivergedError):
        diptych.train(model, pairs)


def test_diverged_in_the_last_step(tmp_path):
    """A bias that ReLU makes 0 of, and that weight decay takes from -3e38 beyond all floats: the loss stays finite."""
    pairs = diptych.Pairs.from_arrays(np.random.default_rng(1).normal(size=(50, 2, 8, 8)), digits=np.ones((50, 2), int))
    model = diptych.Model.create(**SMALL)
    model.tensors["fc1.bias"] = np.full(model.tensors.shapes["fc1.bias"], -3e38)
    trainer = diptych.Trainer(model, pairs, epochs=1, optimizer="sgd", learning_rate=100, weight_decay=10)
    good, run = tmp_path / "good", tmp_path / "run"
    model.save(good)
    trainer.save(run)
    before = good.read_bytes(), run.read_bytes()
    with pytest.raises(diptych.DivergedError, match="fc1.bias"):
        trainer.epoch()
    for save in (lambda: model.save(good), lambda: trainer.save(run), model.to_bytes):
        with pytest.raises(diptych.DivergedError, match="fc1.bias"):
            save()
    assert (good.read_bytes(), run.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "run"]


def test_out_of_memory():
    """A network of 1 GiB in an address space with 300 MiB left."""
    done = run_python(
        "import resource, diptych\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "limit = pages * resource.getpagesize() + (300 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "try: diptych.Model.create(architecture='mlp', mlp_width1=65536, mlp_width2=3800)\n"
        "except MemoryError as error: print(type(error).__name__, bool(str(error)))\n"
        "print(diptych.Model.create().parameter_count)"
    )
    assert done.stdout == "OutOfMemoryError True\n115147\n", done.stderr


def test_messages_belong_to_their_thread():
    """Failures on many threads at once: each exception carries its own call's message."""
    import threading

    wrong = []

    def run(height):
        for _ in range(200):
            try:
                diptych.Model.create(height=height)
            except diptych.InvalidArgumentError as error:
                if f"height is {height}," not in str(error):
                    wrong.append(str(error))
            else:
                wrong.append("no error")

    threads = [threading.Thread(target=run, args=(1000 + number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**64])
def test_numbers_are_never_cut_off(value):
    with pytest.raises(ValueError, match=f"classes is {value}"):
        diptych.Model.create(classes=value)


def test_wrong_kinds_of_objects():
    model = diptych.Model.create(**SMALL)
    with pytest.raises(TypeError):
        diptych.Model.load(b"bytes")
    with pytest.raises(TypeError, match="data must be bytes"):
        diptych.Model.load_bytes("text")
    for wrong in (None, 3, model, np.zeros((3, 2, 8, 8))):
        with pytest.raises(TypeError, match="pairs must be a diptych.Pairs, not"):
            diptych.Trainer(model, wrong)
        with pytest.raises(TypeError, match="pairs must be a diptych.Pairs, not"):
            diptych.evaluate(model, wrong)
        with pytest.raises(TypeError, match="dataset must be a diptych.Dataset, not"):
            diptych.Pairs.draw(wrong, 1)
    with pytest.raises(TypeError, match="model must be a diptych.Model, not str"):
        diptych.Trainer("model", None)
