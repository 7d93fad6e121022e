"""From one series, or many, to the task of forecasting: windows of the past, cut by time, for one network of all.

All series stand behind each other in one flat array; a window is a start in it, and nothing is copied. What is held out is cut at
the same moments for all series, so that no series tells another's future.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch

from rnnlab.data import Series, Splits, split_time
from rnnlab.data.clock import calendar_of, times_ahead, year_lags
from rnnlab.data.scaling import Scaling
from rnnlab.data.sequences import Sequences
from rnnlab.data.source import SeriesCollection
from rnnlab.errors import ConfigError, DataError, suggest
from rnnlab.tasks.series_codec import FLOOR, SeriesCodec
from rnnlab.tasks.task import Task
from rnnlab.tasks.timeline import Timeline

Cuts = tuple[int, int, int]
# Values of windows held at a time while they are measured: 32 MB.
WINDOWED = 1 << 22


def forecast_series(
    source: Series,
    *,
    context_length: int = 32,
    horizon: int = 1,
    gap: int = 0,
    layout: Literal["steps", "features"] = "steps",
    scaling: Literal["standard", "unit", "none", "window"] = "standard",
    log: bool = False,
    difference: int = 0,
    test: float = 0.2,
    validation: float = 0.1,
    **options: Any,
) -> Task:
    """Return the task of forecasting a series from windows of its past, split by time; the last ``test`` is held out.

    Args:
        source: the series.
        context_length: values in a window.
        horizon: values forecast.
        gap: values skipped between window and forecast; 0 is right, the lab has 1.
        layout: the window as ``steps`` of one value, or as the ``features`` of one step, as the lab has it.
        scaling: ``standard``, ``unit`` (0..1) or ``none``, with the figures of the training part alone; or ``window``.
        log: whether the network sees ``log(1 + value)``, for series whose swings grow with their level.
        difference: forecast changes against the value so many steps before (7: last week's, 364: last year's); 0 forecasts
            the values themselves.
        test: share of the series held out at its end.
        validation: share before it, for choices.
        options: ``known``, ``past``, ``past_scaling``, ``calendar``, ``quantiles`` and ``cuts`` of `forecast_many`.

    Raises:
        DataError: where the series is shorter than a window and a horizon (and the difference), or has no logarithm.
        ConfigError: where ``difference`` is shorter than ``gap + horizon``.
    """
    codec = SeriesCodec(
        context_length=context_length, horizon=horizon, gap=gap, layout=layout, season=source.season,
        offset=0.0, scale=1.0, log=log, difference=difference, scaling="window" if scaling == "window" else "standard",
    )  # fmt: skip
    return _forecast((source,), codec, scaling, test, validation, source.name, source, **options)


def forecast_many(
    source: SeriesCollection,
    *,
    context_length: int = 32,
    horizon: int = 1,
    scaling: Literal["standard", "window"] = "window",
    log: bool = False,
    difference: int = 0,
    known: Sequence[str] = (),
    past: Sequence[str] = (),
    past_scaling: Literal["standard", "window"] | None = None,
    calendar: bool = False,
    quantiles: Sequence[float] = (),
    test: float = 0.2,
    validation: float = 0.1,
    cuts: Cuts | None = None,
) -> Task:
    """Return the task of forecasting many series with one network; the last ``test`` of all their times is held out.

    Args:
        source: the series; their times need not be the same.
        context_length: values in a window.
        horizon: values forecast.
        scaling: ``window`` (each window by itself, so that series of different level share a network) or ``standard``.
        log: as of `forecast_series`.
        difference: as of `forecast_series`.
        known: names of covariates that are known in advance, and may be read up to the last step forecast.
        past: names of covariates that are known up to now.
        past_scaling: of those; None as ``scaling``. Covariates that are known in advance are scaled by the training parts of all series.
        calendar: whether hour, weekday or season of the year of what is forecast is read.
        quantiles: forecast these instead of the mean; 0.5 among them.
        test: share of the times held out at their end.
        validation: share before it, for choices.
        cuts: where the parts begin and end instead (`cuts_of`): for a fold of a backtest.

    Raises:
        DataError: a series that is shorter than a window and a horizon, or has no logarithm.
        ConfigError: a covariate that the series do not have.

    Example:
        >>> from rnnlab.data import library
        >>> task = forecast_many(library.sales_by_country(), horizon=7, known=["open"], quantiles=[0.05, 0.5, 0.95])
        >>> len(task.timeline.names), task.interface.outputs
        (8, 21)
    """
    codec = SeriesCodec(
        context_length=context_length, horizon=horizon, season=source.season, offset=0.0, scale=1.0, log=log,
        difference=difference, scaling=scaling,
    )  # fmt: skip
    name = f"{len(source)} series"
    return _forecast(
        source.series, codec, scaling, test, validation, name, source,
        known=known, past=past, past_scaling=past_scaling, calendar=calendar, quantiles=quantiles, cuts=cuts,
    )  # fmt: skip


def cuts_of(timeline: Timeline, test: float, validation: float) -> Cuts:
    """Return the moments at which the validation part begins, the test part begins, and the test part ends.

    Moments are counted over all times of all series, from 0.
    """
    length = int(timeline.moments.max()) + 1
    parts = split_time(length, test=test, validation=validation)
    held = int(parts.test[0]) if len(parts.test) else length
    return (int(parts.validation[0]) if len(parts.validation) else held), held, length


def _forecast(
    series: Sequence[Series],
    codec: SeriesCodec,
    scaling: str,
    test: float,
    validation: float,
    name: str,
    source: Series | SeriesCollection,
    *,
    known: Sequence[str] = (),
    past: Sequence[str] = (),
    past_scaling: Literal["standard", "window"] | None = None,
    calendar: bool = False,
    quantiles: Sequence[float] = (),
    cuts: Cuts | None = None,
) -> Task:
    _long_enough(series, codec)
    _has(series, known, "known")
    _has(series, past, "past")
    past_scaling = (past_scaling or codec.scaling) if past else "standard"
    codec = codec.replace(
        known=tuple(known),
        past=tuple(past),
        past_scaling=past_scaling,
        calendar=calendar_of(series[0].times) if calendar else (),
        quantiles=tuple(quantiles),
        names=tuple(one.name for one in series) if "window" in (codec.scaling, past_scaling) else (),
    )
    timeline = _timeline(series, codec)
    splits = _by_target_time(timeline, codec.horizon, cuts or cuts_of(timeline, test, validation))
    if not len(splits.train):
        raise DataError(
            f"{_called(series)} must leave targets to train on before the last {test + validation:.0%}, got "
            f"{len(series[0])} values; give a longer series, or a smaller context_length or difference"
        )
    changes = [codec.changes(np.asarray(one.values, dtype=np.float64)) for one in series]
    seen = _ends(timeline, splits, codec) - timeline.bounds[:-1]
    codec, levels = _fit(codec, scaling, series, changes, seen)
    flat = _flat(changes, levels)
    starts = timeline.targets - codec.past_length - codec.gap - codec.difference * timeline.series
    ahead = np.stack([flat[starts + codec.context_length + codec.gap + step] for step in range(codec.horizon)], axis=1)
    own = np.tile([0.0, 1.0], (len(starts), 1))
    if codec.scaling == "window":
        own = _window_levels(flat, starts, codec.context_length)
        ahead = ((ahead - own[:, :1]) / own[:, 1:]).astype(np.float32)
        offset, scale = levels[timeline.series].T
        timeline = replace(timeline, levels=np.stack([offset + own[:, 0] * scale, own[:, 1] * scale], axis=1))
    inputs = _inputs(codec, flat, starts, series, own)
    values = np.concatenate([np.asarray(one.values, dtype=np.float64) for one in series])
    return Task(
        name, "forecast", inputs, torch.from_numpy(ahead), splits, codec, values, source.provenance,
        source.fingerprint, timeline,
    )  # fmt: skip


def _long_enough(series: Sequence[Series], codec: SeriesCodec) -> None:
    """Raise where a series holds no window with what comes after it; a single one must hold three."""
    need = codec.past_length + codec.gap + codec.horizon + (2 if len(series) == 1 else 0)
    short = [one for one in series if len(one) < need]
    if not short:
        return
    terms = "context_length + difference" if codec.difference else "context_length"
    terms += " + horizon" + (" + 2" if len(series) == 1 else "")
    many = f" ({len(short)} of {len(series)} series are too short)" if len(series) > 1 else ""
    raise DataError(
        f"series {short[0].name!r} must have at least {terms} = {need} values, "
        f"got {len(short[0])}{many}; give a longer series or a smaller context_length"
    )


def _has(series: Sequence[Series], names: Sequence[str], kind: str) -> None:
    for one in series:
        given = one.known if kind == "known" else one.past
        for name in names:
            if name not in given:
                got = suggest(name, given) if given else "none"
                raise ConfigError(
                    f"{kind} must name covariates of series {one.name!r}, {got}, got {name!r}; name another"
                )
            if not np.isfinite(given[name]).all():
                raise DataError(f"series {one.name!r} must have {name!r} for every time, got a missing one; fill it")


def _called(series: Sequence[Series]) -> str:
    return f"series {series[0].name!r}" if len(series) == 1 else f"{len(series)} series"


def _timeline(series: Sequence[Series], codec: SeriesCodec) -> Timeline:
    lengths = np.array([len(one) for one in series])
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    examples = np.maximum(0, lengths - codec.past_length - codec.gap - codec.horizon + 1)
    belongs = np.repeat(np.arange(len(series)), examples)
    within = np.arange(len(belongs)) - np.repeat(np.cumsum(examples) - examples, examples)
    times, moments = np.unique(np.concatenate([one.times for one in series]), return_inverse=True)
    names = tuple(one.name for one in series)
    targets = bounds[belongs] + within + codec.past_length + codec.gap
    years = year_lags(max(series, key=len).times, codec.season)
    return Timeline(names, bounds, belongs, targets, moments.reshape(-1), times, years)


def _by_target_time(timeline: Timeline, horizon: int, cuts: Cuts) -> Splits:
    """Split examples so that no value is the target of two parts: the boundaries are moments, the same for all series."""
    checked, held, end = cuts
    first, last = timeline.moments[timeline.targets], timeline.moments[timeline.targets + horizon - 1]
    train = np.flatnonzero(last < checked)
    between = np.flatnonzero((first >= checked) & (last < held))
    return Splits(train, between, np.flatnonzero((first >= held) & (last < end)))


def _ends(timeline: Timeline, splits: Splits, codec: SeriesCodec) -> np.ndarray:
    """Return the position behind the last value that training sees as a target, of each series; its first window's end where
    it sees none.
    """
    ends: np.ndarray = np.minimum(timeline.bounds[:-1] + codec.past_length, timeline.bounds[1:])
    np.maximum.at(ends, timeline.series[splits.train], timeline.targets[splits.train] + codec.horizon)
    return ends


def _fit(
    codec: SeriesCodec, scaling: str, series: Sequence[Series], changes: Sequence[np.ndarray], seen: np.ndarray
) -> tuple[SeriesCodec, np.ndarray]:
    """Return the codec with its scaling, from what training sees, and by what each series is stored, ``(series, 2)``."""
    trained = [one[: end - codec.difference] for one, end in zip(changes, seen, strict=True)]
    codec = _fit_beside(codec, [_beside(codec, one)[:end] for one, end in zip(series, seen, strict=True)])
    levels = np.array([_own_level(one) for one in trained])
    if codec.names:
        codec = codec.replace(floors=tuple((FLOOR * levels[:, 1]).tolist()))
    if codec.scaling == "window":
        return codec, levels
    fitted = _fit_scaling(scaling, np.concatenate(trained)[:, None])
    codec = codec.replace(offset=fitted.offset[0], scale=fitted.scale[0])
    return codec, np.tile([[codec.offset, codec.scale]], (len(series), 1))


def _fit_beside(codec: SeriesCodec, seen: Sequence[np.ndarray]) -> SeriesCodec:
    """Return the codec with the scaling of its covariates, from what training sees of each series, ``(time, past + known)``."""
    count = len(codec.past)
    if not seen[0].shape[1]:
        return codec
    fitted = Scaling.standard(np.concatenate(seen))
    if codec.past_scaling == "standard":
        return codec.replace(covariate_offset=fitted.offset, covariate_scale=fitted.scale)
    own = [tuple(FLOOR * _own_level(column)[1] for column in one.T[:count]) for one in seen]
    return codec.replace(
        covariate_offset=(0.0,) * count + fitted.offset[count:],
        covariate_scale=(1.0,) * count + fitted.scale[count:],
        past_floors=tuple(own),
    )


def _fit_scaling(way: str, seen: np.ndarray) -> Scaling:
    if way == "none":
        return Scaling.identity(seen.shape[1])
    return Scaling.unit_range(seen) if way == "unit" else Scaling.standard(seen)


def _own_level(seen: np.ndarray) -> tuple[float, float]:
    mean, deviation = float(seen.mean()), float(seen.std())
    return mean, deviation if deviation > 1e-9 * abs(mean) else abs(mean) or 1.0


def _flat(changes: Sequence[np.ndarray], levels: np.ndarray) -> np.ndarray:
    """Return what the network sees of all series behind each other, scaled, ``(total,)`` float32."""
    scaled = [((one - offset) / scale).astype(np.float32) for one, (offset, scale) in zip(changes, levels, strict=True)]
    return np.concatenate(scaled)


def _window_levels(flat: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Return mean and deviation of each window, ``(examples, 2)`` float64, in units of its series' deviation.

    Each by itself: in running sums one huge value would leave no digits to the windows behind it, of other series too.
    """
    windows, found = np.lib.stride_tricks.sliding_window_view(flat, length), np.empty((len(starts), 2))
    block = max(1, WINDOWED // length)
    for first in range(0, len(starts), block):
        drawn = windows[starts[first : first + block]].astype(np.float64)
        found[first : first + block] = np.stack([drawn.mean(axis=1), np.maximum(drawn.std(axis=1), FLOOR)], axis=1)
    return found


def _inputs(
    codec: SeriesCodec, flat: np.ndarray, starts: np.ndarray, series: Sequence[Series], own: np.ndarray
) -> Sequences:
    """Return the windows; ``own (examples, 2)`` is what the values of each are scaled by."""
    if codec.layout == "features":
        windows = np.lib.stride_tricks.sliding_window_view(flat, codec.context_length)[: len(starts)]
        return Sequences.windows(np.ascontiguousarray(windows), starts, 1)
    values, levels = flat[:, None], [own]
    if not codec.plain:
        beside = np.concatenate([_covariates(codec, one, row) for row, one in enumerate(series)]).astype(np.float32)
        values = np.concatenate([values, beside], axis=1)
        if codec.past_scaling == "window":
            levels += [_window_levels(column, starts, codec.context_length) for column in beside.T[: len(codec.past)]]
    scaled = "window" in (codec.scaling, codec.past_scaling)
    return Sequences.windows(values, starts, codec.context_length, np.stack(levels, axis=2) if scaled else None)


def _covariates(codec: SeriesCodec, one: Series, row: int) -> np.ndarray:
    """Return what stands beside the values of series ``row``, ``(time - difference, features)``; past covariates that are scaled by
    their windows in units of the series' deviation.
    """
    past, known = np.split(_beside(codec, one), [len(codec.past)], axis=1)
    if codec.past_scaling == "window":
        past = (past - past[0]) * FLOOR / np.array(codec.past_floors[row])
    return codec.covariates(times_ahead(one.times, codec.gap + 1), past, known)[codec.difference :]


def _beside(codec: SeriesCodec, one: Series) -> np.ndarray:
    """Return the covariates of a series, ``(time, past + known)``."""
    found = [*(one.past[name] for name in codec.past), *(one.known[name] for name in codec.known)]
    return np.stack(found, axis=1) if found else np.zeros((len(one), 0))
