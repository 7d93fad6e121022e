"""What may be passed as ``X``: kinds, frames, names, and what is refused."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.errors import InputError
from rnnlab.estimators import RecurrentClassifier, RecurrentRegressor
from rnnlab.estimators.inputs import Examples, read_examples

ROWS = np.random.default_rng(0).normal(size=(60, 6))
SUMS = ROWS.sum(axis=1)
QUICK: dict[str, Any] = {"hidden_size": 4, "epochs": 2, "random_state": 0}


def read(given: Any, fitted: Any = None, **parameters: Any) -> Examples:
    """Read as `fit` does, or as ``predict`` does after ``fitted``."""
    model = RecurrentRegressor(**parameters)
    if fitted is not None:
        read_examples(model, fitted, fitting=True)
    return read_examples(model, given, fitting=fitted is None)


TABLES = {
    "array": ROWS,
    "float32": ROWS.astype(np.float32),
    "lists": ROWS.tolist(),
    "pandas": pd.DataFrame(ROWS),
    "polars": pl.DataFrame(ROWS, schema=list("abcdef")),
    "arrow": pa.table({name: ROWS[:, i] for i, name in enumerate("abcdef")}),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_gives_the_same_steps(name: str) -> None:
    examples = read(TABLES[name])
    assert examples.kind == "table"
    np.testing.assert_allclose(np.stack(examples.values), ROWS[:, :, None], rtol=1e-6)


def test_columns_of_a_table_make_steps_of_several_features() -> None:
    examples = read(ROWS, features_per_step=3)
    np.testing.assert_array_equal(np.stack(examples.values), ROWS.reshape(60, 2, 3))


@pytest.mark.parametrize(
    "given",
    [
        ROWS.reshape(60, 3, 2),
        list(ROWS.reshape(60, 3, 2)),
        ROWS.reshape(60, 3, 2).tolist(),
        torch.from_numpy(ROWS.reshape(60, 3, 2)),
        [pd.DataFrame(one) for one in ROWS.reshape(60, 3, 2)],
        [pl.DataFrame(one, schema=["x", "y"]) for one in ROWS.reshape(60, 3, 2)],
        pd.Series(list(ROWS.reshape(60, 3, 2))),
    ],
    ids=["3-D", "arrays", "nested lists", "tensor", "pandas frames", "polars frames", "column of arrays"],
)
def test_sequences_of_all_sorts_are_the_same(given: Any) -> None:
    examples = read(given)
    assert examples.kind == "sequences"
    np.testing.assert_array_equal(np.stack(examples.values), ROWS.reshape(60, 3, 2))


@pytest.mark.parametrize(
    "given",
    [
        ["ab", "c", ""],
        ("ab", "c", ""),
        np.array(["ab", "c", ""]),
        np.array(["ab", "c", ""], dtype=object),
        np.array([["ab"], ["c"], [""]]),
        pd.Series(["ab", "c", ""]),
        pd.DataFrame({"name": ["ab", "c", ""]}),
        pd.DataFrame({"name": pd.Categorical(["ab", "c", ""])}),
        pl.Series(["ab", "c", ""]),
        pl.DataFrame({"name": ["ab", "c", ""]}),
    ],
)
def test_strings_of_all_sorts_are_the_same(given: Any) -> None:
    assert read(given) == Examples("strings", ["ab", "c", ""])


def test_ragged_lists_are_sequences_and_equal_rows_a_table() -> None:
    assert read([[1, 2], [3]]).kind == "sequences"
    assert read([[1, 2], [3, 4]]).kind == "table"
    # What was fitted decides where both would do.
    assert read([[1, 2], [3, 4]], fitted=[[1, 2], [3]]).kind == "sequences"
    assert read([np.array([1, 2]), np.array([3, 4])]).kind == "sequences"


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), min_size=1, max_size=6))
def test_numbers_come_through_unchanged(rows: list[list[float]]) -> None:
    examples = read([np.array(row) for row in rows])
    assert [array[:, 0].tolist() for array in examples.values] == rows


@pytest.mark.parametrize("frame", ["pandas", "polars"])
def test_names_of_columns_are_kept_and_checked(frame: str) -> None:
    table = pd.DataFrame(ROWS, columns=list("abcdef")) if frame == "pandas" else TABLES["polars"]
    model = RecurrentRegressor(**QUICK).fit(table, SUMS)
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.n_features_in_ == 6
    np.testing.assert_array_equal(model.predict(table), RecurrentRegressor(**QUICK).fit(ROWS, SUMS).predict(ROWS))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[list("abcdfe")])
    model.fit(["a", "bb"] * 10, [0.0, 1.0] * 10)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 1


WRONG = {
    "empty list": ([], "X must hold examples, got an empty list"),
    "text and number": (["a", 1], "X must be strings, got int in row 1"),
    "widths": ([np.zeros((2, 2)), np.zeros((2, 3))], "X must have 2 features in every sequence as in the first, got 3"),
    "empty sequence": (
        [np.zeros((2, 2)), np.zeros((0, 2))],
        r"sequence 1 of X must have shape \(time, features\), got",
    ),
    "deep": ([np.zeros((2, 2, 2))], "sequence 0 of X must have shape"),
    "NaN": ([np.zeros(3), np.array([1.0, np.nan])], "sequence 1 of X must be finite, got NaN or infinity"),
    "infinity": (np.full((2, 3, 1), np.inf), "X must be finite, got NaN or infinity"),
    "text inside": ([[["a"]], [["b"]]], "sequence 0 of X must be numbers, got"),
    "complex": ([np.zeros(3, dtype=complex)], "sequence 0 of X must be numbers"),
    "ragged inside": ([[[1], [1, 2]]], "sequence 0 of X must be numbers"),
    "no steps": (np.zeros((3, 0, 1)), r"X must hold examples, steps and features, got shape \(3, 0, 1\)"),
    "too large": (np.full((3, 2), 1e200), "X must be within 3.4e[+]38, got 1.0e[+]200; scale it"),
    "text column": (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "column 'b' of X must be numbers, got text"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_refused_in_one_line(name: str) -> None:
    given, message = WRONG[name]
    with pytest.raises(InputError, match=message) as caught:
        read(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fitted", "given", "message"),
    [
        (ROWS, ["a"], "X must be a table .* as in fit, got strings"),
        (["a", "b"], ROWS, "X must be strings as in fit, got a table"),
        (ROWS.reshape(60, 3, 2), ROWS.reshape(60, 2, 3), "X must have 2 features a step as in fit, got 3"),
        (ROWS, ROWS[:, :4], "X has 4 features, but RecurrentRegressor is expecting 6 features"),
    ],
)
def test_other_input_than_fitted_is_refused(fitted: Any, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(given, fitted=fitted)


def test_lengths_of_x_and_y_must_agree() -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RecurrentClassifier().fit(["a", "b", "c"], [0, 1])
    with pytest.raises(InputError, match="RecurrentClassifier requires y to be passed, but the target y is None"):
        RecurrentClassifier().fit(["a", "b", "c"], None)


def test_nothing_to_predict_is_an_empty_answer() -> None:
    model = RecurrentClassifier(**QUICK).fit(["a", "b"] * 5, [0, 1] * 5)
    assert model.predict([]).shape == (0,)
    assert model.predict_proba([]).shape == (0, 2)


def test_reader_notes_what_it_saw() -> None:
    seen = SimpleNamespace()
    read_examples(seen, ROWS.reshape(60, 3, 2), fitting=True)
    assert vars(seen) == {"n_features_in_": 2, "input_kind_": "sequences"}
