"""Answers: their meaning, their independence of batch, dtype and threads, and what is refused."""

import numpy as np
import pytest

import diptych

ALL = 1000


@pytest.fixture(scope="module")
def answers(trained, digits):
    return trained.model.predict(digits.test.images, class_probabilities=True)


def test_answers_hang_together(answers):
    shares = answers.class_probabilities
    assert shares.shape == (ALL, 2, 10) and shares.dtype == np.float32
    # Sums of ten float32 that are rounded to about 6e-8 each.
    assert np.allclose(shares.sum(axis=2), 1, atol=1e-5)
    assert np.array_equal(answers.first_digit, shares[:, 0].argmax(axis=1))
    assert np.array_equal(answers.second_digit, shares[:, 1].argmax(axis=1))
    assert np.allclose(answers.first_confidence, shares[:, 0].max(axis=1), atol=1e-6)
    assert np.allclose(answers.second_confidence, shares[:, 1].max(axis=1), atol=1e-6)
    i, j = np.indices((10, 10))
    marginal = np.einsum("ni,nj,ij->n", shares[:, 0], shares[:, 1], (i <= j).astype(np.float32))
    assert np.allclose(answers.marginal, marginal, atol=1e-5)
    assert ((0 <= answers.probability) & (answers.probability <= 1)).all()
    assert np.array_equal(answers.less_or_equal, answers.probability > 0.5)
    assert np.array_equal(answers.agrees, (answers.probability > 0.5) == (answers.marginal > 0.5))


def test_decision_by_marginal(trained, digits):
    with diptych.Model.create(decision="marginal") as model:
        model.load_state_dict(trained.model.state_dict())
        answers = model.predict(digits.test.images)
        assert np.array_equal(answers.less_or_equal, answers.marginal > 0.5)


def test_answers_do_not_depend_on_the_batch(trained, digits, answers):
    images = digits.test.images
    for size in (1, 7, 64, 333):
        parts = [trained.model.predict(images[at : at + size]).array for at in range(0, ALL, size)]
        assert np.array_equal(np.concatenate(parts), answers.array), size


def test_more_pairs_than_one_call_takes(trained, digits, answers):
    many = trained.model.predict(np.concatenate([digits.test.images] * 5), class_probabilities=True)
    assert np.array_equal(many.array, np.concatenate([answers.array] * 5))
    assert np.array_equal(many.class_probabilities, np.concatenate([answers.class_probabilities] * 5))


@pytest.mark.parametrize("threads", [0, 2, 3, 256])
def test_answers_do_not_depend_on_threads(trained, digits, answers, threads):
    again = trained.model.predict(digits.test.images, threads=threads, class_probabilities=True)
    assert np.array_equal(again.array, answers.array)
    assert np.array_equal(again.class_probabilities, answers.class_probabilities)


def test_bytes_and_floats_agree(trained, digits):
    whole = digits.test.images.round()
    want = trained.model.predict(whole).array
    assert np.array_equal(trained.model.predict(whole.astype(np.uint8)).array, want)
    assert np.array_equal(trained.model.predict(whole.astype(np.float64)).array, want)
    assert np.array_equal(trained.model.predict(whole.astype(np.float16)).array, want)
    assert np.array_equal(trained.model.predict(whole.astype(">f4")).array, want)


def test_arrays_that_are_not_contiguous(trained, digits, answers):
    images = digits.test.images
    assert np.array_equal(trained.model.predict(np.asfortranarray(images)).array, answers.array)
    assert np.array_equal(trained.model.predict(images[::3]).array, answers.array[::3])
    wide = np.zeros((ALL, 2, 14, 20), np.uint8)
    wide[..., 3:17] = images.round()
    narrow = np.ascontiguousarray(wide[..., 3:17])
    assert np.array_equal(trained.model.predict(wide[..., 3:17]).array, trained.model.predict(narrow).array)


def test_no_pairs(trained):
    nothing = trained.model.predict(np.zeros((0, 2, 14, 14), np.uint8), class_probabilities=True)
    assert len(nothing) == 0 and list(nothing) == [] and nothing.class_probabilities.shape == (0, 2, 10)


def test_predictions_are_a_sequence(answers):
    one = answers[3]
    assert isinstance(one, diptych.Prediction)
    assert one.first_digit == answers.first_digit[3] and one.probability == answers.probability[3]
    assert isinstance(one.less_or_equal, bool) and isinstance(one.first_digit, int)
    assert answers[-1] == answers[ALL - 1]
    part = answers[10:20]
    assert len(part) == 10 and part[0] == answers[10] and part.class_probabilities.shape == (10, 2, 10)
    assert list(part) == [answers[at] for at in range(10, 20)]
    with pytest.raises(IndexError):
        answers[ALL]
    sign = "<=" if one.less_or_equal else ">"
    assert str(one) == f"{one.first_digit} {sign} {one.second_digit}"
    assert repr(answers).startswith("<diptych.Predictions of 1000 pairs: ")


@pytest.mark.parametrize(
    "pairs, error, message",
    [
        (np.zeros((1, 2, 14, 14), np.int64), TypeError, "pairs has dtype int64, but must be uint8 or a float"),
        (np.zeros((1, 2, 14, 14), bool), TypeError, "dtype bool"),
        (np.zeros((1, 2, 14, 14), complex), TypeError, "dtype complex128"),
        ([["a"]], TypeError, "dtype <U1"),
        (None, TypeError, "dtype object"),
        (np.zeros((2, 14, 14)), ValueError, r"pairs has shape \(2, 14, 14\), but must be \[n, 2, 14, 14\]"),
        (np.zeros((1, 3, 14, 14)), ValueError, r"\(1, 3, 14, 14\)"),
        (np.zeros((1, 2, 28, 28)), ValueError, r"\(1, 2, 28, 28\)"),
        (np.full((1, 2, 14, 14), np.nan), diptych.InvalidArgumentError, "."),
        (np.full((1, 2, 14, 14), np.inf), diptych.InvalidArgumentError, "."),
    ],
)
def test_wrong_pairs_are_refused(trained, pairs, error, message):
    with pytest.raises(error, match=message):
        trained.model.predict(pairs)


@pytest.mark.parametrize("threads", [-1, 257, 2**31, 2**32 + 1])
def test_wrong_threads_are_refused(trained, threads):
    with pytest.raises(ValueError, match=f"threads is {threads}"):
        trained.model.predict(np.zeros((1, 2, 14, 14)), threads=threads)


def test_threads_must_be_whole(trained):
    with pytest.raises(TypeError, match="threads must be an integer, not 1.5"):
        trained.model.predict(np.zeros((1, 2, 14, 14)), threads=1.5)
