"""Backtests with a rolling origin: the test part in folds, each forecast from what lies before it.

*Once*: one network, trained on what lies before the first fold, forecasts all of them; that is how it would be used without ever being
trained again. *Again*: for each fold a network is trained on all that lies before it (Tashman, 2000). Baselines go with it: ridge is
fitted once or again likewise. Windows always hold what had become true; no value is seen before its time.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, cast

import numpy as np

from rnnlab.data import DataConfig, Splits
from rnnlab.errors import ConfigError
from rnnlab.runs import Run
from rnnlab.runs.files import finite
from rnnlab.runs.outputs import model_outputs
from rnnlab.task_config import TaskConfig
from rnnlab.tasks import SeriesCodec, Task
from rnnlab.tasks.baselines import references
from rnnlab.tasks.forecasting import Cuts, cuts_of
from rnnlab.tasks.from_config import source_of
from rnnlab.tasks.timeline import Timeline
from rnnlab.training.fit import plan, using_threads, usual_threads
from rnnlab.training.intervals import with_interval
from rnnlab.training.loop import Step, Training

FOLDS = 5
LARGEST = 1000


@dataclass(frozen=True)
class Fold:
    """One fold.

    Args:
        number: from 1.
        first, last: times of the first and the last value forecast.
        forecasts: how many forecasts were made, each ``horizon`` values long.
        status: of the run that made them.
        metrics: of the network, and ``coverage`` of its intervals, where there are some.
        baselines: name of each to its metrics.
    """

    number: int
    first: str
    last: str
    forecasts: int
    status: str
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Backtest:
    """What a backtest found.

    Args:
        task: a short name of the data.
        cell: of the network.
        trained: ``once`` or ``again``.
        metric: what is judged: ``mae``, or ``mase`` of several series.
        horizon: steps ahead.
        titles: name of each baseline to its title.
        folds: in the order of time.
        verdict: one sentence.
    """

    task: str
    cell: str
    trained: str
    metric: str
    horizon: int
    titles: dict[str, str]
    folds: tuple[Fold, ...]
    verdict: str

    def mean(self, name: str | None = None) -> dict[str, float]:
        """Return the mean of the folds of each metric, of the network or of a baseline."""
        found = [fold.metrics if name is None else fold.baselines[name] for fold in self.folds]
        return {
            key: float(np.mean([one[key] for one in found])) for key in found[0] if all(key in one for one in found)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        means = {"network": self.mean(), **{name: self.mean(name) for name in self.titles}}
        return dict(finite(asdict(self) | {"mean": means}))


def backtest(data: Any, *, folds: int = FOLDS, again: bool = False, device: str = "cpu", **options: Any) -> Backtest:
    """Return how one series, or many, would have been forecast: the test part in folds, each from what lies before it.

    Args:
        data: a file, a data frame, built-in data (``sales``, ``sales_by_country``), or a source of `rnnlab.data`.
        folds: how many parts the test part has.
        again: train for each fold on all that lies before it; else once, before the first.
        device: where to train.
        options: as of `rnnlab.train`.

    Raises:
        InputError: what is wrong with the data or an option; data that are no series; more folds than the test part holds.

    Example:
        >>> found = backtest("sales", folds=3, horizon=7, hidden_size=4, max_steps=2)
        >>> [fold.last for fold in found.folds]
        ['2011-08-31', '2011-10-20', '2011-12-08']
    """
    backtesting = Backtesting(data, options, folds=folds, again=again, device=device)
    for _ in backtesting:
        pass
    return backtesting.result()


class Backtesting:
    """A backtest in training; iterate over it, then ask for its `result`.

    Args:
        data: a file, a data frame, built-in data or a source: one series or many.
        options: as of `rnnlab.training.fit.plan`.
        folds: how many parts the test part has.
        again: train for each fold, not once.
        device: where to train.

    Raises:
        InputError: what is wrong with the data or an option; data that are no series; more folds than the test part holds.
    """

    def __init__(
        self, data: Any, options: Mapping[str, Any], *, folds: int = FOLDS, again: bool = False, device: str = "cpu"
    ) -> None:
        if not 1 <= folds <= LARGEST:
            raise ConfigError(f"folds must be between 1 and {LARGEST}, got {folds}; write --folds {FOLDS}")
        columns = {name: value for name, value in options.items() if name in DataConfig.model_fields}
        if isinstance(data, str) or not hasattr(data, "fingerprint"):
            name = data if isinstance(data, str) else "data frame"
            source = source_of(data, DataConfig(data=name, **{k: v for k, v in columns.items() if v is not None}))
        else:
            source = data
        self.again, self.plan = again, plan(source, options, device=device)
        self._source, self._options = source, options
        task = self.plan.task
        if task.timeline is None:
            raise ConfigError(f"kind must be forecast in a backtest, got {task.kind}; name the columns time and value")
        shares = TaskConfig(**{name: options[name] for name in ("test", "validation") if options.get(name) is not None})
        checked, held, end = cuts_of(task.timeline, shares.test, shares.validation)
        horizon = cast(SeriesCodec, task.codec).horizon
        if (end - held) // folds < horizon:
            raise ConfigError(
                f"folds must be at most {(end - held) // horizon}, got {folds}: the test part has {end - held} times for forecasts of "
                f"{horizon}; give fewer folds or a larger --test"
            )
        edges = np.linspace(held, end, folds + 1).round().astype(int).tolist()
        self.cuts: list[Cuts] = [(first - (held - checked), first, last) for first, last in pairwise(edges)]
        self.runs: list[Run] = []
        self._found: list[tuple[Task, Run]] = []
        self.spent, self.fold = 0.0, 0

    def __iter__(self) -> Iterator[Step]:
        """Train, once or for each fold; yield after every update."""
        with using_threads(usual_threads(self.plan.model)):
            for number, cuts in enumerate(self.cuts):
                self.fold = number + 1
                if self.again or not number:
                    made = plan(self._source, self._options, device=self.plan.device, cuts=cuts)
                    training = Training(
                        made.task, made.model, made.training, device=made.device, name=f"fold-{number + 1}"
                    )
                    for step in training:
                        self.spent = (number + step.spent) / (len(self.cuts) if self.again else 1)
                        yield step
                    self.runs.append(training.runs()[0])
                    task = made.task
                self._found.append((_fold_of(task, cuts), self.runs[-1]))

    def result(self) -> Backtest:
        """Measure the folds that are done."""
        metric = "mase" if cast(Timeline, self.plan.task.timeline).several else "mae"
        every = [references(task) for task, _ in self._found]
        # Early folds may lie too near the beginning for a year back.
        shared = set.intersection(*({one.name for one in found} for found in every)) if every else set()
        titles = {one.name: one.title for found in every[:1] for one in found if one.name in shared}
        folds = [
            self._measured(number, task, run, {one.name: one.metrics for one in found if one.name in shared})
            for number, ((task, run), found) in enumerate(zip(self._found, every, strict=True), 1)
        ]
        cell = self.plan.model.cell
        return Backtest(
            self.plan.task.name, cell, "again" if self.again else "once", metric, cast(SeriesCodec, self.plan.task.codec).horizon,
            titles, tuple(folds), _verdict(cell, metric, folds, titles),
        )  # fmt: skip

    def _measured(self, number: int, task: Task, run: Run, baselines: dict[str, dict[str, float]]) -> Fold:
        index = task.part("test")
        metrics = task.score(model_outputs(run.model, task.inputs, index)[0], index.numpy())
        held = with_interval(task, run).data.get("interval", {}).get("coverage")
        if held is not None:
            metrics["coverage"] = held
        timeline = cast(Timeline, task.timeline)
        clock, times = timeline.clock(index.numpy()), timeline.times
        last = int(clock.max()) + cast(SeriesCodec, task.codec).horizon - 1
        ends = str(times[int(clock.min())]), str(times[min(last, len(times) - 1)])
        return Fold(number, *ends, len(index), run.status, metrics, baselines)


def _fold_of(task: Task, cuts: Cuts) -> Task:
    """Return ``task`` with the examples of one fold as its test part."""
    timeline, horizon = cast(Timeline, task.timeline), cast(SeriesCodec, task.codec).horizon
    first, last = timeline.moments[timeline.targets], timeline.moments[timeline.targets + horizon - 1]
    judged = np.flatnonzero((first >= cuts[1]) & (last < cuts[2]))
    return replace(task, splits=Splits(task.splits.train, task.splits.validation, judged))


def _verdict(cell: str, metric: str, folds: list[Fold], titles: dict[str, str]) -> str:
    """Return the sentence: in how many folds the network had a smaller error than the baseline with the smallest mean."""
    if not folds or not titles:
        return ""
    means = {name: float(np.mean([fold.baselines[name][metric] for fold in folds])) for name in titles}
    best = min(means, key=lambda name: means[name])
    won = sum(fold.metrics[metric] < fold.baselines[best][metric] for fold in folds)
    own = float(np.mean([fold.metrics[metric] for fold in folds]))
    if not math.isfinite(own):
        return f"{cell} diverged; {titles[best]} has a mean {metric.upper()} of {means[best]:.4g}."
    return (
        f"{cell} has a smaller {metric.upper()} than {titles[best]} in {won} of {len(folds)} folds; "
        f"mean {own:.4g} against {means[best]:.4g}."
    )
