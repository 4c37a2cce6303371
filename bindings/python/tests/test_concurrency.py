"""Many threads, and fork."""

import os
import threading

import numpy as np
import pytest
from helpers import SMALL, run_python, small_pairs

import diptych


def run_all(functions):
    """Run every function on a thread of its own; the first exception is raised here."""
    failures = []

    def guarded(function):
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_many_threads_predict_with_one_model(trained, digits):
    want = trained.model.predict(digits.test.images).array
    saved = trained.model.to_bytes()

    def predict(number):
        for _ in range(3):
            part = slice(number * 100, number * 100 + 200)
            got = trained.model.predict(digits.test.images[part], threads=1 + number % 3).array
            assert np.array_equal(got, want[part])
            assert trained.model.to_bytes() == saved

    run_all([lambda number=number: predict(number) for number in range(8)])


def test_many_threads_train_their_own_models():
    pairs = small_pairs()
    results = {}

    def train(number):
        model = diptych.Model.create(seed=number % 2, **SMALL)
        diptych.train(model, pairs, epochs=2, threads=2)
        results[number] = model.to_bytes()

    run_all([lambda number=number: train(number) for number in range(6)])
    assert len({results[number] for number in (0, 2, 4)}) == 1
    assert len({results[number] for number in (1, 3, 5)}) == 1
    assert results[0] != results[1]


def test_calls_on_one_trainer_wait_for_one_another():
    pairs = small_pairs()
    one, other = diptych.Model.create(**SMALL), diptych.Model.create(**SMALL)
    diptych.train(one, pairs, epochs=2, batch_size=5)
    with diptych.Trainer(other, pairs, epochs=2, batch_size=5) as trainer:
        run_all([lambda: [trainer.step() for _ in range(20)]] * 4)
        assert trainer.progress.finished
    assert other.to_bytes() == one.to_bytes()


def test_close_while_others_predict():
    """A closed model's memory stays until the calls that use it have returned."""
    images = np.zeros((500, 2, 8, 8), np.uint8)
    for _ in range(10):
        model = diptych.Model.create(**SMALL)
        begun = threading.Barrier(4)

        def predict(model=model, begun=begun):
            model.predict(images)
            begun.wait()
            with pytest.raises(diptych.InvalidArgumentError, match="closed"):
                while True:
                    model.predict(images)

        def close(model=model, begun=begun):
            begun.wait()
            model.close()

        run_all([predict, predict, predict, close])


FORK = """
import os, diptych
from helpers import SMALL, small_pairs
pairs = small_pairs()

def learn():
    with diptych.Model.create(seed=1, **SMALL) as model:
        diptych.train(model, pairs, epochs=2, threads=2, seed=1)
        assert len(model.predict(pairs.images, threads=2)) == len(pairs)
        diptych.evaluate(model, pairs, threads=2)
        return model.to_bytes()

parents = learn()
trainer = diptych.Trainer(diptych.Model.create(seed=1, **SMALL), pairs, epochs=2, threads=2, seed=1)
trainer.step()
child = os.fork()
if child == 0:
    code = 1
    try:
        assert learn() == parents
        list(trainer)
        assert trainer.model.to_bytes() == parents
        code = 0
    finally:
        os._exit(code)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert learn() == parents
print("both")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_after_training():
    done = run_python(FORK)
    assert done.stdout == "both\n", done.stderr


def test_exit_in_the_middle_of_a_run():
    """An interpreter that ends while objects are open ends well."""
    done = run_python(
        "import diptych\nfrom helpers import SMALL, small_pairs\n"
        "trainer = diptych.Trainer(diptych.Model.create(**SMALL), small_pairs(), threads=2)\nnext(trainer)\n"
        "print('end')"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
