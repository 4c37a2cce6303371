"""Temperatures, fitted and applied, against NumPy; the expected calibration error and its bins."""

import json
import pickle

import numpy as np
import pytest
from helpers import SMALL, small_pairs

import diptych


@pytest.fixture(scope="module")
def overfitted():
    """A small model after many epochs on 100 pairs, and 300 pairs that it never saw."""
    pairs = small_pairs(400)
    model = diptych.Model.create(seed=2, dropout=0, **SMALL)
    diptych.train(model, part(pairs, 0, 100), epochs=60, batch_size=20, seed=2, threads=1)
    return model, part(pairs, 100, 400)


def part(pairs, start, stop):
    return diptych.Pairs.from_arrays(pairs.images[start:stop], pairs.targets[start:stop], pairs.digits[start:stop])


def forward(model, pairs):
    """The network's bare answers in double precision, from its tensors: z [n], logits [n, 2, classes]."""
    state = {name: values.astype(float) for name, values in model.state_dict().items()}
    described = model.describe()
    x = (pairs.images.astype(float) - described["mean"]) / described["standard_deviation"]
    x = x.reshape(-1, 1, pairs.height, pairs.width)

    def convolve(x, name):
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        out = np.einsum("nchwyx,ocyx->nohw", windows, state[f"{name}.weight"])
        return np.maximum(out + state[f"{name}.bias"][:, None, None], 0)

    def dense(x, name, relu=True):
        out = x @ state[f"{name}.weight"].T + state[f"{name}.bias"]
        return np.maximum(out, 0) if relu else out

    x = convolve(convolve(x, "cl1"), "cl2")
    n, channels, height, width = x.shape
    x = x.reshape(n, channels, height // 2, 2, width // 2, 2).max((3, 5)).reshape(n, -1)
    logits = dense(dense(dense(x, "fc1"), "fc2"), "fc3", relu=False)
    z = dense(dense(logits.reshape(n // 2, -1), "fc4"), "fc5", relu=False)
    return z[:, 0], logits.reshape(n // 2, 2, -1)


def softmax(logits, temperature):
    shares = np.exp((logits - logits.max(-1, keepdims=True)) / temperature)
    return shares / shares.sum(-1, keepdims=True)


def marginal(shares):
    return (shares[:, 1] * shares[:, 0].cumsum(-1)).sum(-1)


def ece(probability, targets):
    bins = np.minimum((probability.astype(float) * 15).astype(int), 14)
    return sum(abs((targets[bins == i] - probability[bins == i].astype(float)).sum()) for i in range(15)) / len(targets)


def test_fit_and_answers_are_numpys(overfitted):
    trained, pairs = overfitted
    model = pickle.loads(pickle.dumps(trained))
    assert model.temperatures == (1, 1)
    fitted = model.calibrate(pairs, threads=2)
    assert fitted == model.temperatures == (fitted.head, fitted.classes)
    z, logits = forward(model, pairs)
    # 4000 temperatures, each 0.15 % above the last.
    grid = np.geomspace(0.05, 20, 4000)
    signed = np.where(pairs.targets > 0.5, z, -z)
    head_loss = [np.logaddexp(0, -signed / t).mean() for t in grid]
    labels = pairs.digits[..., None]
    right = np.take_along_axis(logits, labels, -1)
    class_loss = [(np.logaddexp.reduce(logits / t, -1, keepdims=True) - right / t).mean() for t in grid]
    for temperature, losses in ((fitted.head, head_loss), (fitted.classes, class_loss)):
        best = grid[np.argmin(losses)]
        assert 0.06 < best < 19  # inside, so that there is something to find
        # The grid's step, and what the float32 forward pass of the library makes of a loss that is flat there.
        assert temperature == pytest.approx(best, rel=0.003)
    assert fitted.classes > 1.2  # 100 pairs learned by heart: surer than it may be

    answers = model.predict(pairs.images, class_probabilities=True)
    shares = softmax(logits, fitted.classes)
    # float32 against float64 through seven layers
    assert answers.probability == pytest.approx(1 / (1 + np.exp(-z / fitted.head)), abs=1e-4)
    assert answers.class_probabilities == pytest.approx(shares, abs=1e-4)
    assert answers.marginal == pytest.approx(marginal(shares), abs=1e-4)
    bare = trained.predict(pairs.images)
    assert np.array_equal(answers.less_or_equal, bare.less_or_equal)
    assert np.array_equal(answers.first_digit, bare.first_digit)
    assert not np.array_equal(answers.marginal, bare.marginal)


def test_evaluation_and_reliability(overfitted):
    model, pairs = overfitted
    answers, result = model.predict(pairs.images), diptych.evaluate(model, pairs)
    bins = diptych.reliability(model, pairs)
    for probability, error, diagram in (
        (answers.probability, result.ece, bins.head),
        (answers.marginal, result.marginal_ece, bins.marginal),
    ):
        assert error == pytest.approx(ece(probability, pairs.targets), abs=1e-9)
        assert len(diagram) == 15 and diagram["count"].sum() == 300
        full = diagram[diagram["count"] > 0]
        assert error == pytest.approx((full["count"] * abs(full["frequency"] - full["mean_probability"])).sum() / 300)
        empty = diagram[diagram["count"] == 0]
        assert np.isnan(empty["frequency"]).all() and np.isnan(empty["mean_probability"]).all()
    bare = diptych.Pairs.from_arrays(pairs.images, pairs.targets)
    assert np.isnan(diptych.evaluate(model, bare).marginal_ece)
    assert diptych.reliability(model, bare).marginal["count"].sum() == 0
    assert diptych.evaluate(model, bare).ece == result.ece


def test_calibration_helps_on_other_pairs(trained, digits):
    model = pickle.loads(pickle.dumps(trained.model))
    before = diptych.evaluate(model, part(digits.test, 500, 1000))
    model.calibrate(part(digits.test, 0, 500))
    after = diptych.evaluate(model, part(digits.test, 500, 1000))
    # The cross entropy is what the fit lowers; on pairs it has not seen nothing is promised but that it does no harm.
    assert after.bce < 1.05 * before.bce and after.auxiliary < 1.05 * before.auxiliary
    assert after.error == before.error and after.digit_error == before.digit_error


def test_temperatures_are_kept_and_copied(overfitted, tmp_path):
    model = pickle.loads(pickle.dumps(overfitted[0]))
    plain = model.to_bytes()
    model.temperatures = (2.5, 0.25)
    assert model.describe()["head_temperature"] == 2.5 and model.describe()["class_temperature"] == 0.25
    assert pickle.loads(pickle.dumps(model)).temperatures == (2.5, 0.25)
    model.save(tmp_path / "m")
    other = diptych.Model.load_bytes(plain)
    other.temperatures = diptych.Model.load(tmp_path / "m").temperatures
    assert other.to_bytes() == model.to_bytes() != plain
    other.temperatures = 1, 1
    assert other.to_bytes() == plain  # a model that is not calibrated is saved as it always was

    content = (tmp_path / "m").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert header["__metadata__"]["head_temperature"]
    diptych.Trainer(other, small_pairs(10), epochs=1)
    other.temperatures = 3, 3
    diptych.Trainer(other, small_pairs(10), epochs=1)
    assert other.temperatures == (1, 1)


def test_wrong_temperatures(overfitted):
    model = pickle.loads(pickle.dumps(overfitted[0]))
    for bad in (0, -1, 0.04, 21, np.nan, np.inf):
        with pytest.raises(diptych.InvalidArgumentError, match="head_temperature"):
            model.temperatures = bad, 1
        with pytest.raises(diptych.InvalidArgumentError, match="class_temperature"):
            model.temperatures = 1, bad
    with pytest.raises(TypeError, match="temperature must be a real number"):
        model.temperatures = "warm", 1
    with pytest.raises(diptych.MismatchError):
        model.calibrate(diptych.Pairs.from_arrays(np.zeros((1, 2, 9, 8), np.float32), [1]))
    with pytest.raises(TypeError):
        model.calibrate("pairs")
    assert model.temperatures == (1, 1)
