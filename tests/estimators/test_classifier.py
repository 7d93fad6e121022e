"""The classifier: what it learns against scikit-learn's own models, its labels, and scikit-learn's tools around it."""

import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnlab.errors import InputError
from rnnlab.estimators import RecurrentClassifier
from rnnlab.runs import load, save

FAST: dict[str, Any] = {"hidden_size": 16, "lr": 0.02, "epochs": 20, "random_state": 0}


def separable(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Rows of five numbers in two classes with a gap between them."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(3 * count, 5))
    side = rows @ np.array([1.0, -1.0, 0.5, 0.0, 1.0])
    keep = np.flatnonzero(np.abs(side) > 0.7)[:count]
    return rows[keep], np.where(side[keep] > 0, "up", "down")


def words(count: int = 400) -> tuple[list[str], list[bool]]:
    """Words of one to eight letters, and whether a ``b`` is among them."""
    draw = np.random.default_rng(1)
    texts = ["".join(draw.choice(list("abcdef"), draw.integers(1, 9))) for _ in range(count)]
    return texts, ["b" in text for text in texts]


def test_separable_rows_are_learnt_as_by_logistic_regression() -> None:
    rows, labels = separable()
    model = RecurrentClassifier(hidden_size=32, lr=0.01, random_state=0).fit(rows[:200], labels[:200])
    line = LogisticRegression().fit(rows[:200], labels[:200])
    assert line.score(rows[200:], labels[200:]) > 0.95
    assert model.score(rows[200:], labels[200:]) > 0.95
    assert roc_auc_score(labels[200:], model.predict_proba(rows[200:])[:, 1]) > 0.98


def test_letter_in_strings_is_learnt() -> None:
    texts, labels = words()
    model = RecurrentClassifier(**FAST).fit(texts[:300], labels[:300])
    assert model.score(texts[300:], labels[300:]) > 0.95
    assert model.input_kind_ == "strings"
    assert model.predict(["b", "", "never seen: Ω"]).dtype == bool


def test_order_of_steps_is_learnt_where_a_linear_model_cannot() -> None:
    draw = np.random.default_rng(2)
    rows = draw.permuted(np.tile([0.0, 0.0, 1.0, -1.0], (400, 1)), axis=1)
    labels = (rows.argmax(axis=1) > rows.argmin(axis=1)).astype(int)
    ragged = [np.concatenate([np.zeros(draw.integers(0, 4)), row]) for row in rows]
    model = RecurrentClassifier(**FAST).fit(ragged[:300], labels[:300])
    assert model.n_features_in_ == 1
    assert model.score(ragged[300:], labels[300:]) > 0.95


@pytest.mark.parametrize(
    "labels",
    [[10, 2, 33], [-1.0, 0.0, 1.0], ["b", "a", "c"], [True, False, True], list("\N{OHM SIGN}äz")],
    ids=["int", "float", "text", "bool", "unicode"],
)
def test_labels_of_any_type_come_back_with_their_probabilities(labels: list[Any]) -> None:
    draw = np.random.default_rng(3)
    number = np.arange(90) % 3
    rows = number[:, None] * 2.0 + draw.normal(0, 0.1, size=(90, 3))
    wanted = np.array(labels)[number]
    if wanted.dtype == bool:
        rows[number == 2] = rows[number == 0][:30]
    model = RecurrentClassifier(**FAST).fit(rows, wanted)
    assert model.classes_.tolist() == sorted(set(labels))
    assert model.predict(rows).dtype == wanted.dtype
    assert (model.predict(rows) == wanted).all()
    shares = model.predict_proba(rows)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (model.classes_[shares.argmax(axis=1)] == wanted).all()


def test_labels_in_columns_of_pandas_and_polars() -> None:
    rows, labels = separable(60)
    plain = RecurrentClassifier(**FAST).fit(rows, labels).predict_proba(rows)
    for column in (pd.Series(labels), pd.Series(pd.Categorical(labels)), pl.Series(labels.tolist())):
        np.testing.assert_array_equal(RecurrentClassifier(**FAST).fit(rows, column).predict_proba(rows), plain)


def test_same_random_state_gives_the_same_bits_and_another_does_not() -> None:
    rows, labels = separable(80)
    first = RecurrentClassifier(**FAST).fit(rows, labels).predict_proba(rows)
    np.random.seed(5)  # noqa: NPY002
    again = RecurrentClassifier(**FAST).fit(rows, labels).predict_proba(rows)
    np.testing.assert_array_equal(first, again)
    other = RecurrentClassifier(**{**FAST, "random_state": 1}).fit(rows, labels).predict_proba(rows)
    assert not np.array_equal(first, other)
    drawn = [RecurrentClassifier(**{**FAST, "random_state": np.random.RandomState(7)}) for _ in range(2)]
    np.testing.assert_array_equal(*(one.fit(rows, labels).predict_proba(rows) for one in drawn))


def test_answer_does_not_depend_on_its_neighbours() -> None:
    texts, labels = words(100)
    model = RecurrentClassifier(**FAST).fit(texts, labels)
    together = model.predict_proba(texts)
    np.testing.assert_array_equal(together, np.concatenate([model.predict_proba([text]) for text in texts]))
    # The run answers in single precision: the same up to its last bits.
    alone = [[answer["probabilities"][name] for name in ("False", "True")] for answer in model.run_.predict(texts)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_pickle_holds_plain_data_and_answers_alike() -> None:
    texts, labels = words(80)
    model = RecurrentClassifier(**FAST).fit(texts, labels)
    pickled = pickle.dumps(model)
    named = [text for _, text, _ in pickletools.genops(pickled) if isinstance(text, str)]
    assert not [text for text in named if text.startswith(("torch.", "rnnlab.runs"))]
    copied = pickle.loads(pickled)
    np.testing.assert_array_equal(copied.predict_proba(texts), model.predict_proba(texts))
    assert copied.run_.history == model.run_.history
    assert copied.run_.model_config == model.run_.model_config
    assert pickle.loads(pickle.dumps(RecurrentClassifier(cell="lstm"))).cell == "lstm"


def test_run_can_be_saved_and_asked(tmp_path: Path) -> None:
    rows, labels = separable(60)
    model = RecurrentClassifier(**FAST).fit(rows, labels)
    save(model.run_, tmp_path / "run")
    answers = load(tmp_path / "run").predict(list(rows[:10]))
    assert [answer["prediction"] for answer in answers] == model.predict(rows[:10]).tolist()


def test_pipeline_grid_search_and_cross_validation() -> None:
    rows, labels = separable(120)
    pipeline = make_pipeline(StandardScaler(), RecurrentClassifier(**FAST))
    grid = GridSearchCV(
        pipeline, {"recurrentclassifier__cell": ["gru", "elman"], "recurrentclassifier__hidden_size": [4, 16]}, cv=2
    )
    grid.fit(rows, labels)
    assert grid.best_score_ > 0.85
    texts, marks = words(120)
    assert cross_val_score(RecurrentClassifier(**FAST), texts, marks, cv=2).shape == (2,)
    cube = rows.reshape(120, 5, 1)
    assert cross_val_score(RecurrentClassifier(**FAST), cube, labels, cv=2).mean() > 0.8


def test_clone_keeps_parameters_and_forgets_what_was_learnt() -> None:
    rows, labels = separable(60)
    model = RecurrentClassifier(cell="lstm", options={"readout": "mean"}, epochs=1).fit(rows, labels)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(rows)


def test_parameters_and_options_reach_the_configurations() -> None:
    rows, labels = separable(60)
    model = RecurrentClassifier(
        cell="rnn", hidden_size=np.int64(6), num_layers=2, bidirectional=True, dropout=0.1, lr=0.01, batch_size=20,
        epochs=2, random_state=3, options={"readout": "mean", "weight_decay": 0.1},
    ).fit(rows, labels)  # fmt: skip
    network, training = model.run_.model_config, model.run_.train_config
    assert (network.cell, network.hidden_size, network.num_layers, network.readout) == ("elman", 6, 2, "mean")
    assert network.bidirectional
    assert (training.lr, training.batch_size, training.epochs, training.seed) == (0.01, 20, 2, 3)
    assert training.weight_decay == 0.1


def test_held_out_part_follows_validation_fraction() -> None:
    rows, labels = separable(210)
    chosen = RecurrentClassifier(**{**FAST, "epochs": 1}).fit(rows, labels).run_
    assert {"train", "validation"} == set(chosen.metrics)
    all_train = RecurrentClassifier(**{**FAST, "epochs": 1}, validation_fraction=0).fit(rows, labels).run_
    assert set(all_train.metrics) == {"train"}
    few = RecurrentClassifier(**{**FAST, "epochs": 1}).fit(rows[:190], labels[:190]).run_
    assert set(few.metrics) == {"train"}


def test_few_distinct_strings_all_train() -> None:
    model = RecurrentClassifier(**FAST).fit(["x", "y"] * 120, [0, 1] * 120)
    assert set(model.run_.metrics) == {"train"}
    assert model.predict(["x", "y"]).tolist() == [0, 1]


def test_string_labels_that_read_alike_stay_apart() -> None:
    labels = np.array([np.datetime64("2024-01-01"), np.datetime64("2024-01-02")], dtype="datetime64[D]")
    rows = np.array([[0.0], [1.0]] * 20)
    model = RecurrentClassifier(**FAST).fit(rows, np.tile(labels.astype(str), 20))
    assert model.predict([[0.0]]).tolist() == ["2024-01-01"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell": "lstn"}, "cell must be one of combined, elman, gru, lstm (nearest: lstm), got 'lstn'"),
        ({"hidden_size": 0}, "hidden_size must be greater than or equal to 1, got 0; see --help for its range"),
        ({"options": {"readuot": "mean"}}, "options must be of ModelConfig or TrainConfig, got 'readuot'; one of"),
        ({"options": {"lr": 1}}, "options must not hold 'lr', a parameter; pass lr itself"),
        ({"options": {"seed": 1}}, "options must not hold 'seed', a parameter; pass random_state itself"),
        (
            {"validation_fraction": 1.0},
            "validation_fraction must be at least 0 and below 1, got 1.0; 0 holds nothing out",
        ),
        (
            {"features_per_step": 2},
            "features_per_step must divide the 5 columns of X, got 2; pass the number of columns",
        ),
        ({"device": "abacus"}, "device must be available, got 'abacus'"),
        ({"random_state": -1}, "seed must be greater than or equal to 0, got -1"),
    ],
)
def test_wrong_parameters_are_refused_in_one_line(parameters: dict[str, Any], message: str) -> None:
    rows, labels = separable(60)
    with pytest.raises(InputError) as caught:
        RecurrentClassifier(**{"epochs": 1, **parameters}).fit(rows, labels)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 60, "y must have at least two classes, got one class: 'a'"),
        ([1, "a"] * 30, "y must hold labels of one type, got int, str; convert them to text"),
    ],
)
def test_wrong_labels_are_refused_in_one_line(labels: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RecurrentClassifier(epochs=1).fit(separable(60)[0], np.array(labels, dtype=object))


def test_divergence_is_refused_or_told() -> None:
    rows, labels = separable(100)
    wild = {"optimizer": "sgd", "clip": 0.0}
    with pytest.warns(ConvergenceWarning, match="mean loss had risen"):
        RecurrentClassifier(lr=1e4, epochs=3, random_state=0, options=wild).fit(rows, labels)
    with pytest.raises(InputError, match="training must stay finite, got: The loss stopped being a number at step"):
        RecurrentClassifier(
            cell="combined", lr=1e30, epochs=3, random_state=0, validation_fraction=0, options=wild
        ).fit(rows, labels)
