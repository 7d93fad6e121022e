"""What a forecast has to beat: yesterday, last week, last year, and a line through the window.

Every baseline answers exactly the examples of a forecast task, each from what is known before its first target, in the
data's own units; of several series, each by itself. Nothing here knows networks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from rnnlab.errors import ConfigError
from rnnlab.tasks.codecs import SeriesCodec
from rnnlab.tasks.forecast_scores import score_forecast
from rnnlab.tasks.task import Task
from rnnlab.tasks.timeline import Timeline

ALPHAS = np.logspace(-3, 4, 15)
GROWTH_STEPS = 28
LEAST_EXAMPLES = 3


@dataclass(frozen=True)
class Baseline:
    """A forecast without a network.

    Args:
        name: ``last``, ``season``, ``year``, ``year_growth`` or ``ridge``.
        title: for people.
        predictions: ``(examples of the part, horizon)`` in the data's own units.
        metrics: as of `rnnlab.tasks.forecast_scores.score_forecast`.
    """

    name: str
    title: str
    predictions: np.ndarray
    metrics: dict[str, float]


def baselines(task: Task, *, part: str = "test") -> tuple[Baseline, ...]:
    """Return the baselines that the series is long enough for, the simplest first.

    Args:
        task: a forecast task (`rnnlab.tasks.forecast_series`).
        part: ``test`` or ``validation``.

    Example:
        >>> from rnnlab.data import library
        >>> from rnnlab.tasks import forecast_series
        >>> [one.name for one in baselines(forecast_series(library.sales()))]
        ['last', 'season', 'year', 'year_growth', 'ridge']
    """
    lags, season, year = _codec(task).context_length, _codec(task).season, _year(task, part)
    found = [("last", "last value", partial(values_back, task, 1))]
    if 1 < season <= _reach(task, part):
        found.append(("season", f"{season} steps back", partial(values_back, task, season)))
    if year:
        found.append(("year", f"{year} steps back", partial(values_back, task, year)))
        title = f"{year} steps back x growth of the last {GROWTH_STEPS}"
        found.append(("year_growth", title, partial(year_with_growth, task, year)))
    title = f"ridge on {lags} lags" + ("" if _codec(task).plain else " and covariates")
    found.append(("ridge", title + (", a series each" if _timeline(task).several else ""), partial(ridge, task)))
    return tuple(_scored(task, name, title, answer, part) for name, title, answer in found)


def _reach(task: Task, part: str) -> int:
    """Return how many values lie before a target of the part at least; of several series, before the last one: a series that is too
    short for a season repeats its last value.
    """
    before = _before(task, part)
    if not len(before):
        return 0
    return int(before.max() if _timeline(task).several else before.min())


def _year(task: Task, part: str) -> int | None:
    """Return the first lag of a year that, with the growth, reaches back within the series; within half of them, of several."""
    before = _before(task, part)
    if not len(before):
        return None
    room = float(np.median(before) if _timeline(task).several else before.min()) - GROWTH_STEPS - _codec(task).gap
    return next((lag for lag in _timeline(task).years if lag <= room), None)


def _before(task: Task, part: str) -> np.ndarray:
    """Return how many values lie before each example's first target, ``(examples,)``."""
    index = _examples(task, part)
    return np.asarray(task.target_position(index) - _timeline(task).first(index))


def values_back(task: Task, lag: int, *, part: str = "test") -> np.ndarray:
    """Return the values ``lag`` steps before the targets, ``(examples, horizon)``.

    Where that value is not known yet when the forecast is made, the newest one a multiple of ``lag`` back stands in; where the series
    had not begun, its last value.
    """
    values, targets = _values(task), _targets(task, part)
    ahead = _codec(task).gap + 1 + np.arange(_codec(task).horizon)
    back, newest = targets - lag * -(-ahead // lag), targets[:, :1] - _codec(task).gap - 1
    begins = _timeline(task).first(_examples(task, part))[:, None]
    return np.asarray(values[np.where(back >= begins, back, newest)])


def year_with_growth(task: Task, year: int, *, part: str = "test", recent: int = GROWTH_STEPS) -> np.ndarray:
    """Return the values ``year`` steps before the targets times the growth of the last ``recent`` known values over
    those a year before them; where those sum to nothing, or the series had not begun, the growth is 1. ``(examples, horizon)``.
    """
    values, known = _values(task), _targets(task, part)[:, 0] - _codec(task).gap
    begins, window = _timeline(task).first(_examples(task, part)), np.arange(-recent, 0)
    back = np.where(known - year - recent >= begins, year, 0)
    now, before = (values[(known - lag)[:, None] + window].sum(axis=1) for lag in (0, back))
    growth = np.divide(now, before, out=np.ones_like(now), where=before > 0)
    return np.asarray(values_back(task, year, part=part) * growth[:, None])


def ridge(task: Task, *, part: str = "test") -> np.ndarray:
    """Return ridge regression on the windows that a network of this task sees, ``(examples, horizon)``; a model a series.

    Fitted on what lies before the part (training, and validation before the test); its penalty is chosen by generalised
    cross-validation on that (Golub, Heath and Wahba, 1979). Of covariates and calendar it sees what the last step shows of the
    steps to forecast. A series with fewer than three examples before the part repeats its last value.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    fitted = ("train", "validation") if part == "test" else ("train",)
    before, index = np.concatenate([_examples(task, name) for name in fitted]), _examples(task, part)
    found, timeline = values_back(task, 1, part=part), _timeline(task)
    for series in np.unique(timeline.series[index]):
        mine, rows = before[timeline.series[before] == series], np.flatnonzero(timeline.series[index] == series)
        if len(mine) < LEAST_EXAMPLES:
            continue
        model = make_pipeline(StandardScaler(), RidgeCV(ALPHAS))
        # Small matrices: a second thread takes eight times as long where others use the cores.
        with threadpool_limits(1):
            model.fit(_windows(task, mine), task.targets.numpy()[mine].astype(np.float64))
            answer = model.predict(_windows(task, index[rows])).reshape(len(rows), -1)
        found[rows] = task.to_units(answer, index[rows])
    return found


def score_values(task: Task, predictions: np.ndarray, *, part: str = "test") -> dict[str, float]:
    """Return the metrics of ``predictions (examples, horizon)`` in the data's own units (`score_forecast`).

    Example:
        >>> from rnnlab.data import library
        >>> from rnnlab.tasks import forecast_series
        >>> task = forecast_series(library.sales())
        >>> round(score_values(task, values_back(task, 7))["mae"])
        11257
    """
    return score_forecast(task, predictions[..., None], _examples(task, part))


def _scored(task: Task, name: str, title: str, answer: Callable[..., np.ndarray], part: str) -> Baseline:
    """Return a baseline with its metrics; with quantiles, its own are its errors' on the validation part, in units of its series."""
    values = answer(part=part)
    metrics, chosen = score_values(task, values, part=part), _examples(task, "validation")
    if _codec(task).quantiles and part == "test" and len(chosen):
        units = np.nan_to_num(task.seasonal_errors[:, 0], nan=1.0)[_timeline(task).series]
        error = (_values(task)[_targets(task, "validation")] - answer(part="validation")) / units[chosen, None]
        spread, index = np.quantile(error, _codec(task).quantiles, axis=0).T, _examples(task, part)
        steps = values[..., None] + spread * units[index, None, None]
        metrics |= {"pinball": score_forecast(task, steps, index)["pinball"]}
    return Baseline(name, title, values, metrics)


def _codec(task: Task) -> SeriesCodec:
    if not isinstance(task.codec, SeriesCodec):
        raise ConfigError(f"kind must be forecast, got {task.kind}; only a series has a past to forecast from")
    return task.codec


def _values(task: Task) -> np.ndarray:
    return np.asarray(task.raw, dtype=np.float64)


def _examples(task: Task, part: str) -> np.ndarray:
    return task.part(part).numpy()


def _targets(task: Task, part: str) -> np.ndarray:
    """Return the positions of the targets in the series, ``(examples, horizon)``."""
    return np.asarray(task.target_position(_examples(task, part))[:, None] + np.arange(_codec(task).horizon))


def _timeline(task: Task) -> Timeline:
    assert task.timeline is not None
    return task.timeline


def _windows(task: Task, index: np.ndarray) -> np.ndarray:
    """Return the values that the network sees, and the covariates of the last step, ``(examples, context_length + covariates)``."""
    seen = task.inputs.gather(torch.from_numpy(index))[0].numpy().astype(np.float64)
    if _codec(task).plain:
        return np.asarray(seen.reshape(len(index), -1))
    return np.concatenate([seen[:, :, 0], seen[:, -1, 1:]], axis=1)
