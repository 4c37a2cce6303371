"""evaluate against the same sums in NumPy."""

import numpy as np
import pytest

import diptych


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_evaluation_is_what_predict_says(trained, digits, threads):
    result = diptych.evaluate(trained.model, digits.test, threads=threads, confusion=True)
    answers = trained.model.predict(digits.test.images, class_probabilities=True)
    targets, labels = digits.test.targets > 0, digits.test.digits
    guessed = np.stack([answers.first_digit, answers.second_digit], axis=1)
    assert result.count == 1000
    # Shares of whole counts: equal but for the last bit of a division.
    assert result.error == pytest.approx(np.mean((answers.probability > 0.5) != targets), abs=1e-12)
    assert result.marginal_error == pytest.approx(np.mean((answers.marginal > 0.5) != targets), abs=1e-12)
    assert result.digit_error == pytest.approx(np.mean(guessed != labels), abs=1e-12)
    # Logarithms of float32 probabilities: near 0 and 1 their rounding shows, in the mean below 1e-3.
    p = np.clip(answers.probability.astype(float), 1e-12, 1 - 1e-7)
    assert result.bce == pytest.approx(-np.mean(np.where(targets, np.log(p), np.log1p(-p))), rel=1e-2, abs=1e-3)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels.ravel(), guessed.ravel()), 1)
    assert result.confusion.dtype == np.uint64 and np.array_equal(result.confusion, confusion)


def test_threads_do_not_matter(trained, digits):
    one, two = (diptych.evaluate(trained.model, digits.test, threads=threads) for threads in (1, 2))
    assert one == two and one.confusion is None


def test_refuses(trained, digits):
    pairs = diptych.Pairs.from_arrays(np.zeros((3, 2, 8, 8)), targets=[0, 1, 1])
    with pytest.raises(diptych.MismatchError):
        diptych.evaluate(trained.model, pairs)
    with pytest.raises(diptych.InvalidArgumentError, match="threads"):
        diptych.evaluate(trained.model, digits.test, threads=-1)
