"""Model files through the safetensors package, both ways."""

import numpy as np
import pytest
from helpers import SMALL
from test_model import SHAPES

import diptych

safetensors = pytest.importorskip("safetensors")
numpy_files = pytest.importorskip("safetensors.numpy")


@pytest.mark.parametrize("architecture", SHAPES)
def test_safetensors_reads_ours(architecture, tmp_path):
    model = diptych.Model.create(architecture=architecture, seed=3)
    path = tmp_path / "model.safetensors"
    model.save(path)
    read = numpy_files.load_file(path)
    assert {name: values.shape for name, values in read.items()} == SHAPES[architecture]
    for name, values in read.items():
        assert values.dtype == np.float32 and np.array_equal(values, model.tensors[name]), name


@pytest.mark.parametrize("architecture", SHAPES)
def test_ours_reads_safetensors(architecture, tmp_path):
    """As saved from a PyTorch state_dict: no metadata, so the architecture comes from the names and shapes."""
    random = np.random.default_rng(1)
    values = {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES[architecture].items()}
    path = tmp_path / "model.safetensors"
    numpy_files.save_file(values, path)
    for model in (diptych.Model.load(path), diptych.Model.load_bytes(numpy_files.save(values))):
        assert model.architecture == architecture
        assert (model.height, model.width, model.classes) == (14, 14, 10)
        state = model.state_dict()
        assert state.keys() == values.keys()
        assert all(np.array_equal(state[name], values[name]) for name in values)


def test_metadata_survives_a_round_trip(tmp_path):
    model = diptych.Model.create(decision="marginal", dropout=0.25, views=9, seed=3, **SMALL)
    path = tmp_path / "model.safetensors"
    model.save(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert metadata
    again = diptych.Model.load_bytes(numpy_files.save(numpy_files.load_file(path), metadata))
    assert again.describe() == model.describe()
    assert again.to_bytes() == model.to_bytes()
    with pytest.raises(diptych.CorruptError, match="views is 7, but must be 1, 5 or 9"):
        diptych.Model.load_bytes(numpy_files.save(numpy_files.load_file(path), metadata | {"views": "7"}))
