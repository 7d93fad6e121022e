"""The regressor: sums of sequences, several outputs, strings, units."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from rnnlab.estimators import RecurrentRegressor

FAST: dict[str, Any] = {"hidden_size": 24, "lr": 0.01, "epochs": 40, "random_state": 0}


def ragged(count: int = 400) -> tuple[list[np.ndarray], np.ndarray]:
    """Sequences of two to six steps of two features, and the sum of all their numbers."""
    draw = np.random.default_rng(0)
    sequences = [draw.normal(size=(draw.integers(2, 7), 2)) for _ in range(count)]
    return sequences, np.array([sequence.sum() for sequence in sequences])


def test_sum_of_a_ragged_sequence_is_learnt() -> None:
    sequences, sums = ragged()
    model = RecurrentRegressor(**FAST).fit(sequences[:300], sums[:300])
    assert model.n_features_in_ == 2
    assert model.score(sequences[300:], sums[300:]) > 0.95
    means = np.array([sequence.mean(axis=0) for sequence in sequences])
    line = LinearRegression().fit(means[:300], sums[:300])
    assert model.score(sequences[300:], sums[300:]) > line.score(means[300:], sums[300:])


def test_answers_are_in_the_units_of_the_target() -> None:
    sequences, sums = ragged(120)
    small = RecurrentRegressor(**FAST).fit(sequences, sums).predict(sequences)
    large = RecurrentRegressor(**FAST).fit(sequences, 5000 + 100 * sums).predict(sequences)
    np.testing.assert_allclose(large, 5000 + 100 * small, rtol=2e-3, atol=20)


def test_several_outputs_keep_their_shape() -> None:
    sequences, sums = ragged(200)
    both = np.stack([sums, -10 * sums], axis=1)
    model = RecurrentRegressor(**FAST).fit(sequences, both)
    assert model.predict(sequences[:7]).shape == (7, 2)
    assert model.score(sequences, both) > 0.9
    assert RecurrentRegressor(epochs=1).fit(sequences, both[:, :1]).predict(sequences[:7]).shape == (7, 1)
    assert RecurrentRegressor(epochs=1).fit(sequences, sums).predict(sequences[:7]).shape == (7,)


def test_number_in_strings_is_learnt() -> None:
    draw = np.random.default_rng(1)
    texts = ["".join(draw.choice(list("abcd"), draw.integers(0, 9))) for _ in range(400)]
    counts = np.array([2.0 * text.count("a") + text.count("c") for text in texts])
    model = RecurrentRegressor(**FAST).fit(texts[:300], counts[:300])
    assert model.score(texts[300:], counts[300:]) > 0.9
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict([*texts, "xyz"]), model.predict([*texts, "xyz"]))
    assert model.predict([]).shape == (0,)


def test_cross_validation_of_ragged_sequences() -> None:
    sequences, sums = ragged(200)
    assert cross_val_score(RecurrentRegressor(**FAST), sequences, sums, cv=2).min() > 0.7


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru", "combined"])
def test_every_cell_fits_and_repeats(cell: str) -> None:
    sequences, sums = ragged(60)
    models = [RecurrentRegressor(cell, 5, epochs=2, random_state=4).fit(sequences, sums) for _ in range(2)]
    np.testing.assert_array_equal(*(model.predict(sequences) for model in models))
