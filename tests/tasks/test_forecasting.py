"""Many series in one network: nothing of the future is seen, windows stay in their series, answers come back in units."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from rnnlab.data import Series, SeriesCollection, library
from rnnlab.errors import ConfigError, DataError
from rnnlab.tasks import SeriesCodec, Task, forecast_many, forecast_series
from rnnlab.tasks.forecast_baselines import baselines, ridge, values_back
from rnnlab.tasks.losses import pinball

QUANTILES = (0.1, 0.5, 0.9)


def shop(lengths: tuple[int, ...] = (70, 90, 80), seed: int = 0) -> SeriesCollection:
    """Series of different level and beginning, with a promotion known in advance and visitors known up to now."""
    draw = np.random.default_rng(seed)
    found = []
    for number, length in enumerate(lengths):
        days = np.datetime64("2024-06-30") - np.arange(length)[::-1]
        level = 10.0 ** (number + 1)
        values = level * (2 + np.sin(np.arange(length) * 2 * np.pi / 7) + draw.random(length))
        known, past = {"promo": draw.integers(0, 2, length).astype(float)}, {"visits": level * draw.random(length)}
        found.append(Series(days, values, f"s{number}", 7, known=known, past=past))
    return SeriesCollection(tuple(found))


def task_of(source: SeriesCollection, **options: Any) -> Task:
    usual: dict[str, Any] = {
        "context_length": 8,
        "horizon": 3,
        "known": ("promo",),
        "past": ("visits",),
        "calendar": True,
    }
    return forecast_many(source, **(usual | options))


def history(source: SeriesCollection, task: Task, example: int) -> Series:
    """Return the series of an example as it is known when the forecast is made: no value from its first target on."""
    timeline, codec = task.timeline, task.codec
    assert timeline is not None
    assert isinstance(codec, SeriesCodec)
    one = source.series[int(timeline.series[example])]
    end = int(timeline.targets[example] - timeline.bounds[timeline.series[example]])
    values, visits = one.values.copy(), one.past["visits"].copy()
    values[end:], visits[end:] = np.nan, np.nan
    stop = end + codec.horizon
    return Series(
        one.times[:stop], values[:stop], one.name, 7,
        known={"promo": one.known["promo"][:stop]}, past={"visits": visits[:stop]},
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scaling": "standard"},
        {"scaling": "standard", "past_scaling": "window"},
        {"past_scaling": "standard", "difference": 4},
        {"log": True, "difference": 7},
        {"known": (), "calendar": False},
        {"past": (), "known": (), "calendar": False},
        {"horizon": 70 // 3, "difference": 0},
    ],
)
def test_what_is_known_at_the_time_gives_the_windows_of_the_training(options: dict[str, Any]) -> None:
    source = shop()
    task = task_of(source, **options)
    examples = list(range(0, len(task.inputs), 7))
    pasts = [history(source, task, example) for example in examples]
    trained, _ = task.inputs.gather(torch.tensor(examples))
    asked, _ = task.codec.encode(pasts).gather(torch.arange(len(examples)))
    np.testing.assert_allclose(asked, trained, rtol=2e-4, atol=2e-4)
    truth = task.to_units(task.targets.numpy()[examples], np.array(examples))
    answered = [answer["prediction"] for answer in task.codec.decode(task.targets.numpy()[examples], pasts)]
    np.testing.assert_allclose(answered, truth, rtol=1e-4)


def test_targets_come_back_as_they_stand_in_the_data() -> None:
    source = shop()
    for options in ({}, {"log": True}, {"difference": 7}, {"scaling": "standard", "difference": 4}):
        task = task_of(source, **options)
        assert task.timeline is not None
        index = np.arange(len(task.inputs))
        values = np.concatenate([one.values for one in source.series])
        truth = values[task.target_position(index)[:, None] + np.arange(3)]
        np.testing.assert_allclose(task.to_units(task.targets.numpy(), index), truth, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(30, 60), min_size=2, max_size=4),
    horizon=st.integers(1, 4),
    context=st.integers(1, 9),
    test=st.sampled_from([0.1, 0.25, 0.4]),
)
def test_parts_are_cut_at_the_same_moments(lengths: list[int], horizon: int, context: int, test: float) -> None:
    source = shop(tuple(lengths))
    task = task_of(source, context_length=context, horizon=horizon, test=test)
    timeline = task.timeline
    assert timeline is not None
    seen = {}
    for part in ("train", "validation", "test"):
        index = task.part(part).numpy()
        moments = timeline.moments[task.target_position(index)[:, None] + np.arange(horizon)]
        seen[part] = (moments.min(), moments.max()) if len(index) else None
        begins, ends = timeline.bounds[timeline.series[index]], timeline.bounds[timeline.series[index] + 1]
        assert (task.target_position(index) - context >= begins).all()
        assert (task.target_position(index) + horizon <= ends).all()
    order = [pair for pair in seen.values() if pair]
    assert all(before[1] < after[0] for before, after in pairwise(order))


def test_the_parts_of_a_fold_begin_and_end_where_they_are_cut() -> None:
    task = task_of(shop((90, 90)), cuts=(60, 70, 80))
    assert task.timeline is not None
    moments = [task.timeline.clock(task.part(part).numpy()) for part in ("train", "validation", "test")]
    assert [(int(one.min()), int(one.max())) for one in moments] == [(8, 57), (60, 67), (70, 77)]


def test_windows_are_alike_whatever_the_level_of_a_series() -> None:
    source = shop()
    louder = tuple(Series(o.times, 1000 * o.values, o.name, 7, known=o.known, past=o.past) for o in source.series)
    first, second = (task_of(one) for one in (source, SeriesCollection(louder)))
    np.testing.assert_allclose(
        first.inputs.gather(torch.arange(50))[0], second.inputs.gather(torch.arange(50))[0], atol=1e-4
    )
    np.testing.assert_allclose(first.targets, second.targets, atol=1e-4)


@pytest.mark.parametrize("scaling", ["standard", "window"])
def test_past_covariates_have_mean_0_and_deviation_1_in_each_window(scaling: str) -> None:
    source = shop()
    task = task_of(source, scaling=scaling, past_scaling="window")
    assert task.timeline is not None
    index = np.arange(0, len(task.inputs), 5)
    drawn = task.inputs.gather(torch.from_numpy(index))[0].numpy()
    for row, example in enumerate(index):
        series = task.timeline.series[example]
        end = task.timeline.targets[example] - task.timeline.bounds[series]
        visits = source.series[series].past["visits"][end - 8 : end]
        np.testing.assert_allclose(drawn[row, :, 1], (visits - visits.mean()) / visits.std(), atol=1e-4)


def test_what_comes_after_the_training_part_changes_no_scale() -> None:
    source = shop((90, 90))
    shaken = []
    for one in source.series:
        late = np.arange(90) >= 63
        shaken.append(Series(one.times, np.where(late, 7 * one.values, one.values), one.name, 7, known=one.known,
                             past={"visits": np.where(late, 1e6, one.past["visits"])}))  # fmt: skip
    first, second = task_of(source), task_of(SeriesCollection(tuple(shaken)))
    assert first.codec == second.codec
    train = first.part("train")
    assert torch.equal(first.inputs.gather(train)[0], second.inputs.gather(train)[0])


def test_flat_past_covariates_and_strange_series_stay_finite() -> None:
    """A window without visitors is flat: the deviation is a tenth of the series' own at least. A new series has its windows' alone."""
    source = shop((90, 90))
    one = source.series[0]
    visits = one.past["visits"].copy()
    visits[20:40] = 0
    flat = Series(one.times, one.values, one.name, 7, known=one.known, past={"visits": visits})
    task = task_of(SeriesCollection((flat, source.series[1])))
    codec = task.codec
    assert isinstance(codec, SeriesCodec)
    seen = visits[
        : int(task.timeline.targets[task.splits.train[task.timeline.series[task.splits.train] == 0]].max()) + 3
    ]  # type: ignore[union-attr]
    assert codec.past_floors[0][0] == pytest.approx(0.1 * seen.std())
    assert torch.isfinite(task.inputs.gather(torch.arange(len(task.inputs)))[0]).all()
    new = Series(one.times, one.values, "new", 7, known=one.known, past={"visits": np.zeros(90)})
    ahead = {"promo": np.zeros(93)}
    days = np.datetime64("2024-06-30") - 89 + np.arange(93)
    asked = Series(days, np.append(new.values, [np.nan] * 3), "new", 7, known=ahead, past={"visits": np.zeros(93)})
    drawn = codec.encode([asked]).gather(torch.arange(1))[0]
    assert torch.isfinite(drawn).all()
    assert not drawn[..., 1].any()


def test_a_flat_window_does_not_explode() -> None:
    values = np.concatenate([np.zeros(40), [500.0], np.zeros(40), np.arange(40.0)])
    days = np.datetime64("2024-01-01") + np.arange(len(values))
    steady = Series(days, np.arange(len(values)) % 7 + 1.0, "b")
    task = forecast_many(SeriesCollection((Series(days, values, "a"), steady)), context_length=8)
    assert torch.isfinite(task.targets).all()
    assert float(task.targets.abs().max()) == pytest.approx(500 / (0.1 * values[:84].std()), rel=0.01)


def test_one_series_is_stored_as_it_was_before_there_were_several() -> None:
    task = forecast_series(library.sales(), context_length=8, horizon=2)
    values = library.sales().values
    seen = values[: task.target_position(int(task.splits.train.max())) + 2]
    scaled = ((values - seen.mean()) / seen.std()).astype(np.float32)
    assert task.inputs.values[:, 0].tolist() == scaled.tolist()
    assert task.inputs.levels is None
    assert task.inputs.starts.tolist() == list(range(len(task.inputs)))


def test_figures_are_those_of_their_definitions() -> None:
    source = shop()
    task = task_of(source, quantiles=QUANTILES)
    index = task.part("test").numpy()
    outputs = np.random.default_rng(1).normal(size=(len(index), 9)).astype(np.float32)
    found, steps = task.score(outputs, index), task.ahead(outputs, index)
    assert (np.diff(steps, axis=2) >= 0).all()
    truth, guess = task.to_units(task.targets.numpy()[index], index), steps[:, :, 1]
    np.testing.assert_array_equal(task.to_units(outputs, index), guess)
    error = np.abs(truth - guess)
    assert found["mae"] == pytest.approx(error.mean())
    assert found["smape"] == pytest.approx(100 * (2 * error / (np.abs(truth) + np.abs(guess))).mean())
    assert found["pinball"] == pytest.approx(
        np.mean([mean_pinball_loss(truth.ravel(), steps[..., i].ravel(), alpha=q) for i, q in enumerate(QUANTILES)])
    )
    timeline = task.timeline
    assert timeline is not None
    mase, rmsse = [], []
    for number, one in enumerate(source.series):
        mine = timeline.series[task.splits.train] == number
        end = int(timeline.targets[task.splits.train][mine].max() + 3 - timeline.bounds[number])
        naive = one.values[7:end] - one.values[: end - 7]
        errors = error[timeline.series[index] == number]
        mase.append(errors.mean() / np.abs(naive).mean())
        rmsse.append(np.sqrt((errors**2).mean() / (naive**2).mean()))
    assert found["mase"] == pytest.approx(np.mean(mase))
    assert found["rmsse"] == pytest.approx(np.mean(rmsse))


def test_the_loss_is_the_pinball_loss_in_units_of_the_series() -> None:
    outputs = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0))
    targets = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(1))
    found = pinball(outputs, targets, QUANTILES)
    for run in range(2):
        each = [
            mean_pinball_loss(targets[0].ravel(), outputs[run].view(5, 2, 3)[..., i].ravel(), alpha=q)
            for i, q in enumerate(QUANTILES)
        ]
        assert float(found[run]) == pytest.approx(np.mean(each), rel=1e-5)
    task = task_of(shop())
    index = torch.arange(40)
    guess = torch.zeros(1, 40, 3)
    assert task.timeline is not None
    spread = task.inputs.levels[index, 1, :1].numpy()  # type: ignore[index]
    expected = ((task.targets[index].numpy() * spread) ** 2).mean()
    assert float(task.loss(guess, index.unsqueeze(0))) == pytest.approx(expected, rel=1e-5)


def test_baselines_of_many_series_are_those_of_each() -> None:
    source = shop((90, 90, 90))
    task = task_of(source, known=(), past=(), calendar=False)
    assert task.timeline is not None
    index = task.part("test").numpy()
    for number, one in enumerate(source.series):
        alone = forecast_series(one, context_length=8, horizon=3, scaling="window")
        mine = task.timeline.series[index] == number
        for lag in (1, 7):
            np.testing.assert_allclose(values_back(task, lag)[mine], values_back(alone, lag))
        np.testing.assert_allclose(ridge(task)[mine], ridge(alone), rtol=1e-3)
    assert [one.name for one in baselines(task)] == ["last", "season", "ridge"]


def test_a_series_without_a_past_repeats_its_last_value() -> None:
    source = shop((90, 14))
    task = task_of(source)
    assert task.timeline is not None
    index = task.part("test").numpy()
    young = task.timeline.series[index] == 1
    assert young.any()
    last = values_back(task, 1)
    np.testing.assert_array_equal(ridge(task)[young], last[young])
    assert np.isfinite(task.score(task.targets.numpy()[index], index)["mase"])
    early = values_back(task, 13)[young]
    assert set(early.ravel()) <= set(source.series[1].values)


def test_baselines_have_quantiles_of_their_own_errors() -> None:
    found = {one.name: one.metrics for one in baselines(task_of(shop(), quantiles=QUANTILES))}
    assert all(one["pinball"] > 0 for one in found.values())
    assert found["ridge"]["pinball"] < found["last"]["pinball"]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"known": ("price",)}, ConfigError, "known must name covariates of series 's0', one of promo, got 'price'"),
        ({"past": ("promo",)}, ConfigError, "past must name covariates of series 's0', one of visits, got 'promo'"),
        (
            {"context_length": 78},
            DataError,
            "series 's0' must have at least context_length + horizon = 81 values, got 70 (2 of 3",
        ),
        ({"difference": 2}, ConfigError, "difference must be 0 or at least gap + horizon = 3"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        task_of(shop(), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_covariates_are_named() -> None:
    source = shop()
    task = task_of(source)
    one = source.series[0]
    with pytest.raises(
        DataError, match=r"must be a rnnlab\.data\.Series with its times and promo, visits, the calendar"
    ):
        task.codec.encode([one.values])
    with pytest.raises(
        DataError, match=r"'promo' for its last 8 values and the 3 steps after them, got it for 8; add rows"
    ):
        task.codec.encode([one])
    bare = Series(one.times, one.values, one.name, 7, past=one.past)
    with pytest.raises(DataError, match=r"series 's0' must have 'promo', which the network reads \(known\), got none"):
        task.codec.encode([bare])
    with pytest.raises(DataError, match="at least 8 values, got 4"):
        task.codec.encode([Series(one.times[:4], one.values[:4], "s0", 7)])
