"""Tasks against scikit-learn, torch and hand-computed values; splits in time; codecs there and back."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, log_loss, recall_score

from rnnlab.data import LabelledStrings, NumberSequences, Series
from rnnlab.errors import DataError
from rnnlab.tasks import classify_strings, everything_trains, forecast_series, from_numbers, score_labels


def series(values: np.ndarray, season: int = 7) -> Series:
    return Series(np.datetime64("2020-01-01") + np.arange(len(values)), values.astype(float), "x", season)


def test_classification_scores_match_sklearn() -> None:
    draw = np.random.default_rng(0)
    logits, truth = draw.normal(size=(200, 4)), draw.integers(0, 3, 200)
    found = score_labels(logits, truth)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    guess = logits.argmax(axis=1)
    assert found["log_loss"] == pytest.approx(log_loss(truth, shares, labels=range(4)))
    assert found["macro_recall"] == pytest.approx(recall_score(truth, guess, average="macro", labels=range(3)))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, guess, average="macro", labels=range(3)))
    assert found["accuracy"] == pytest.approx((guess == truth).mean())


def test_losses_are_a_run_each_and_match_torch() -> None:
    task = classify_strings(LabelledStrings(tuple(f"{a}{b}" for a in "abcd" for b in "wxyz"), ("p", "q") * 8))
    outputs, index = torch.randn(3, 5, 2), torch.randint(0, 16, (3, 5))
    found = task.loss(outputs, index, label_smoothing=0.1)
    for run in range(3):
        expected = torch.nn.functional.cross_entropy(outputs[run], task.targets[index[run]], label_smoothing=0.1)
        torch.testing.assert_close(found[run], expected)


def test_regression_scores_are_in_the_targets_units() -> None:
    values = tuple(np.full((2, 1), v, np.float32) for v in (1.0, 2.0, 3.0, 4.0))
    task = from_numbers(
        NumberSequences(values, np.array([100.0, 200, 300, 400], np.float32)), splits=everything_trains(4)
    )
    outputs = task.targets.numpy().copy()
    outputs[0] += 1.0  # one deviation of the targets
    found = task.score(outputs, np.arange(4))
    deviation = np.std([100, 200, 300, 400])
    assert found["mae"] == pytest.approx(deviation / 4, rel=1e-5)
    assert found["rmse"] == pytest.approx(deviation / 2, rel=1e-5)
    assert found["max_error"] == pytest.approx(deviation, rel=1e-5)


def test_forecast_windows_targets_and_gap() -> None:
    source = series(np.arange(100.0))
    for gap in (0, 1):
        task = forecast_series(source, context_length=5, gap=gap, scaling="none")
        values, _ = task.inputs.gather(torch.tensor([3]))
        assert values[0, :, 0].tolist() == [3, 4, 5, 6, 7]
        assert float(task.targets[3]) == 8 + gap
        assert task.target_position(3) == 8 + gap


def test_layout_features_is_one_step() -> None:
    steps = forecast_series(series(np.sin(np.arange(60.0))), context_length=6)
    window = forecast_series(series(np.sin(np.arange(60.0))), context_length=6, layout="features")
    many, _ = steps.inputs.gather(torch.tensor([7]))
    one, _ = window.inputs.gather(torch.tensor([7]))
    assert many.shape == (1, 6, 1)
    assert one.shape == (1, 1, 6)
    assert torch.equal(many.flatten(), one.flatten())


@pytest.mark.parametrize("horizon", [1, 4])
def test_nothing_of_the_held_out_part_is_seen_in_training(horizon: int) -> None:
    values = np.r_[np.random.default_rng(0).normal(size=80), np.full(20, 1e6)]
    task = forecast_series(series(values), context_length=8, horizon=horizon, test=0.2, validation=0.1)
    parts = [task.splits.train, task.splits.validation, task.splits.test]
    targets = [{task.target_position(i) + h for i in part for h in range(horizon)} for part in parts]
    assert max(targets[0]) < min(targets[1]) <= max(targets[1]) < min(targets[2]) == 80
    assert abs(task.codec.offset) < 1
    assert task.codec.scale < 2
    assert max(targets[0]) < 70


def test_mase_is_the_seasonal_naive_error() -> None:
    values = np.arange(100.0)
    task = forecast_series(series(values, season=7), context_length=5, scaling="none")
    outputs = task.targets.numpy()[task.splits.test] + 3.5
    assert task.score(outputs, task.splits.test)["mase"] == pytest.approx(0.5)


def test_a_short_series_is_refused_with_the_way_out() -> None:
    with pytest.raises(DataError, match=r"must have at least context_length \+ horizon \+ 2 = 35 values, got 20"):
        forecast_series(series(np.arange(20.0)), context_length=32)


def test_unknown_letters_are_answered() -> None:
    task = classify_strings(LabelledStrings(tuple(f"{a}{b}" for a in "abcd" for b in "wxyz"), ("p", "q") * 8))
    assert task.codec.encode(["é!"]).values.tolist() == [1, 1]
    answers = task.codec.decode(np.array([[0.0, np.log(3.0)]]))
    assert answers[0]["prediction"] == "q"
    assert answers[0]["probabilities"] == pytest.approx({"p": 0.25, "q": 0.75})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([[[1.0, np.nan]]], "input 0 must be finite"),
        ([[[1.0, 2.0]], [[1.0]]], r"input 1 must have shape \(time, 2\), got \(1, 1\)"),
        (["abc"], "input 0 must be numbers"),
    ],
)
def test_wrong_numbers_are_named_by_row(raw: list, message: str) -> None:
    values = tuple(np.full((2, 2), v, np.float32) for v in range(12))
    task = from_numbers(NumberSequences(values, np.arange(12, dtype=np.float32)))
    with pytest.raises(DataError, match=message):
        task.codec.encode(raw)
