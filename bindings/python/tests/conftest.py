from types import SimpleNamespace

import pytest

import diptych


@pytest.fixture(scope="session")
def digits():
    """The bundled sample as pairs: 1000 to train on, 1000 of test digits."""
    with diptych.Dataset.sample("train") as train, diptych.Dataset.sample("test") as test:
        return SimpleNamespace(
            train=diptych.Pairs.draw(train, 1000, seed=1), test=diptych.Pairs.draw(test, 1000, seed=2)
        )


@pytest.fixture(scope="session")
def trained(digits):
    """The siamese network after 8 epochs of the report's recipe. Not to be changed by a test."""
    model = diptych.Model.create(seed=1)
    history = diptych.train(model, digits.train, epochs=8, seed=1)
    return SimpleNamespace(model=model, history=history)
