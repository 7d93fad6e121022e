"""Intervals of forecasts: what they promise is what is measured, and adapting is what the paper says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_tensors

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import Series, SeriesCollection, library
from rnnlab.errors import RunFolderError
from rnnlab.runs import Run, load, model_outputs, save
from rnnlab.runs.adapting import State, adapt
from rnnlab.tasks import Task, forecast_many, forecast_series
from rnnlab.training import train
from rnnlab.training.intervals import misses, with_interval


def plainly(
    calibration: np.ndarray, scores: np.ndarray, level: float, rate: float, delay: int, alpha: float | None = None
) -> tuple[float, float]:
    """Adaptive conformal inference, written down anew for one series: every moment decides with what is known at it."""
    begins = 1 - level if alpha is None else alpha
    widths, held = [], 0
    for now in range(len(scores) + delay + 1):
        alpha = begins
        for past in range(min(len(scores), now - delay)):
            alpha += rate * (1 - level - (scores[past] > widths[past]))
        pool = np.concatenate([calibration, scores[: max(0, min(len(scores), now - delay))]])[-len(calibration) :]
        widths.append(np.quantile(pool, min(1, max(0, 1 - alpha)), method="higher"))
        held += now < len(scores) and scores[now] <= widths[now]
    return widths[-1], held / len(scores)


@pytest.mark.parametrize("delay", [0, 1, 7])
def test_adapting_is_as_written_in_the_paper(delay: int) -> None:
    draw = np.random.default_rng(delay)
    calibration, scores = draw.random(40), draw.random(90) * np.linspace(1, 3, 90)
    wide = np.tile(scores[:, None], delay + 1)
    begins = State.begin(np.tile(calibration[:, None], delay + 1), 0.9)
    after, held = adapt(begins, wide, np.arange(90), 0.9, 0.05)
    expected = [plainly(calibration, scores, 0.9, 0.05, ahead) for ahead in range(delay + 1)]
    assert after.widths.tolist() == pytest.approx([width for width, _ in expected])
    assert held.mean(axis=0) == pytest.approx([share for _, share in expected])


def test_adapting_goes_on_from_where_it_was() -> None:
    """In two parts as in one, where nothing is under way between them: one step ahead, all is heard of at once."""
    draw = np.random.default_rng(1)
    calibration, scores = draw.random((30, 1)), draw.random((80, 1)) * np.linspace(1, 2, 80)[:, None]
    whole, held = adapt(State.begin(calibration, 0.8), scores, np.arange(80), 0.8)
    part, first = adapt(State.begin(calibration, 0.8), scores[:50], np.arange(50), 0.8)
    rest, second = adapt(part, scores[50:], np.arange(30), 0.8)
    assert rest.widths.tolist() == whole.widths.tolist()
    assert np.concatenate([first, second]).tolist() == held.tolist()


def test_values_that_are_not_known_yet_are_not_heard_of() -> None:
    draw = np.random.default_rng(2)
    begins, scores = State.begin(draw.random((30, 2)), 0.9), draw.random((40, 2)) * 3
    scores[-1, 1] = np.nan
    after, held = adapt(begins, scores, np.arange(40), 0.9)
    without = adapt(begins, scores[:-1], np.arange(39), 0.9)[0]
    assert after.widths[1] == without.widths[1]
    assert after.widths[0] == adapt(begins, scores[:, :1], np.arange(40), 0.9)[0].widths[0]
    assert not held[-1, 1]
    assert np.isfinite(after.errors).all()


def test_adapting_does_not_see_a_value_before_it_came() -> None:
    calibration, scores = np.ones((20, 1)), np.ones((30, 1))
    changed = scores.copy()
    changed[-1] = 50.0
    first, second = (adapt(State.begin(calibration, 0.9), one, np.arange(30), 0.9)[1] for one in (scores, changed))
    assert second.mean() == pytest.approx(first.mean() - 1 / 30)


def test_drift_is_followed() -> None:
    draw = np.random.default_rng(0)
    scores = np.abs(draw.normal(size=(1500, 1))) * np.linspace(1, 4, 1500)[:, None]
    fixed = (scores[300:] <= np.quantile(scores[:300], 0.9)).mean()
    _, held = adapt(State.begin(scores[:300], 0.9), scores[300:], np.arange(1200), 0.9)
    assert fixed < 0.65
    assert held.mean() == pytest.approx(0.9, abs=0.02)


def test_series_of_a_moment_are_heard_together() -> None:
    """The order of series within a moment changes nothing."""
    draw = np.random.default_rng(0)
    calibration, scores, clock = draw.random((30, 2)), draw.random((60, 2)), np.repeat(np.arange(20), 3)
    mixed, begins = draw.permutation(60), State.begin(calibration, 0.8)
    first, held = adapt(begins, scores, clock, 0.8)
    second, again = adapt(begins, scores[mixed], clock[mixed], 0.8)
    assert again.tolist() == held[mixed].tolist()
    assert second.alpha.tolist() == first.alpha.tolist()


@pytest.fixture(scope="module")
def countries() -> tuple[Task, Run]:
    task = forecast_many(
        library.sales_by_country(), context_length=14, horizon=2, quantiles=(0.05, 0.5, 0.95), known=["open"]
    )
    run = train(task, ModelConfig(hidden_size=8), TrainConfig(max_steps=60, batch_size=128, lr=0.01))[0]
    return task, with_interval(task, run)


def test_widened_quantiles_hold_what_was_promised_of_the_validation_part(countries: tuple[Task, Run]) -> None:
    task, run = countries
    about = run.data["interval"]
    assert about["level"] == pytest.approx(0.9)
    assert about["scaled"]
    index = task.part("validation")
    held = misses(task, run, index) <= np.array(about["half_width"])
    assert held.mean(axis=0) == pytest.approx([0.9, 0.9], abs=0.005)
    judged = misses(task, run, task.part("test")) <= np.array(about["half_width"])
    assert about["coverage"] == pytest.approx(judged.mean())
    assert about["adaptive"]["coverage"] == pytest.approx(0.9, abs=0.03)


def test_predictions_have_the_ends_that_were_measured(countries: tuple[Task, Run]) -> None:
    """Told through `Run.predict`, in units: the share of the validation part within lower .. upper is the one calibrated."""
    task, run = countries
    about = run.data["interval"]
    fixed = replace(run, data=run.data | {"interval": {**about, "adaptive": None}})
    timeline = task.timeline
    assert timeline is not None
    index = task.part("validation").numpy()[::5]
    source, pasts, truth = library.sales_by_country(), [], task.to_units(task.targets.numpy()[index], index)
    for example in index:
        one = source.series[timeline.series[example]]
        end = int(timeline.targets[example] - timeline.bounds[timeline.series[example]])
        values = np.concatenate([one.values[:end], [np.nan] * 2])
        pasts.append(Series(one.times[: end + 2], values, one.name, 7, known={"open": one.known["open"][: end + 2]}))
    answers = fixed.predict(pasts)
    inside = [
        [low <= value <= high for low, value, high in zip(answer["lower"], row, answer["upper"])]
        for answer, row in zip(answers, truth)
    ]
    expected = misses(task, run, torch.from_numpy(index)) <= np.array(about["half_width"])
    assert np.mean(np.array(inside) == expected) > 0.995
    for answer in answers:
        for low, middle, high in zip(answer["lower"], answer["prediction"], answer["upper"], strict=True):
            assert low <= middle <= high


def test_a_single_series_keeps_its_widths_in_its_own_units() -> None:
    task = forecast_series(library.sales(), context_length=14)
    run = train(task, ModelConfig(hidden_size=4), TrainConfig(max_steps=10))[0]
    about = with_interval(task, run).data["interval"]
    assert not about["scaled"]
    index = task.part("validation")
    guess = task.to_units(model_outputs(run.model, task.inputs, index)[0], index.numpy())
    error = np.abs(guess - task.to_units(task.targets.numpy()[index], index.numpy()))
    rank = int(np.ceil((len(index) + 1) * 0.9))
    assert about["half_width"][0] == pytest.approx(np.sort(error, axis=0)[rank - 1, 0], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record["codec"].update(quantiles=[0.5, 0.1]), "quantiles must rise between 0 and 1"),
        (lambda record: record["codec"].update(floors=[0.0] * 8), "every name must have a floor above 0"),
        (lambda record: record["codec"].update(covariate_scale=[0.0]), "every covariate_offset must have a scale"),
        (
            lambda record: record["codec"].update(past_scaling="window"),
            "every name must have a past_floor for each past covariate",
        ),
        (lambda record: record["codec"].update(calendar=["moon"]), "calendar must be of hour, weekday, year"),
        (lambda record: record["data"]["interval"].update(half_width=[1.0]), "interval must have 2 half-widths, got 1"),
        (
            lambda record: record["data"]["interval"]["adaptive"].update(half_width=[]),
            "interval must have 2 half-widths, got 0",
        ),
        (
            lambda record: record["data"]["interval"]["adaptive"].update(alpha=[0.1]),
            "interval must have 2 alphas, all of them numbers, got 1",
        ),
        (
            lambda record: record["data"]["interval"]["adaptive"].update(end="soon"),
            "end must be a time, as 2024-01-31, got 'soon'",
        ),
    ],
)
def test_edited_folders_are_refused(countries: tuple[Task, Run], tmp_path: Path, change: object, message: str) -> None:
    save(countries[1], tmp_path)
    loaded = load(tmp_path)
    assert loaded.codec == countries[1].codec
    record = json.loads((tmp_path / "run.json").read_text())
    change(record)  # type: ignore[operator]
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunFolderError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "errors.safetensors must be a safetensors file, got"),
        (None, "errors.safetensors is missing; the folder is no complete run"),
        (
            save_tensors({"errors": torch.zeros(5, 3)}),
            "must hold errors, float32 of 2 columns, got errors torch.float32",
        ),
        (save_tensors({"errors": torch.zeros(0, 2)}), "must hold errors, float32 of 2 columns"),
        (save_tensors({"weights": torch.zeros(5, 2)}), "must hold errors, float32 of 2 columns, got weights"),
        (save_tensors({"errors": torch.full((5, 2), torch.nan)}), "must hold finite errors, got NaN or infinity"),
    ],
)
def test_a_damaged_file_of_errors_is_refused(
    countries: tuple[Task, Run], tmp_path: Path, content: bytes | None, message: str
) -> None:
    save(countries[1], tmp_path)
    path = tmp_path / "errors.safetensors"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(RunFolderError, match=message):
        load(tmp_path)


def test_collections_need_their_own_names() -> None:
    one = library.sales()
    with pytest.raises(ValueError, match="distinct names"):
        SeriesCollection((one, one))
