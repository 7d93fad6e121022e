"""From configurations to a task: the data read, or taken from the library, and made into examples.

What a configuration leaves open is found from the data and written into it, so that a run's record holds what was done
and gives the same task again. This module knows no network.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.data import DataConfig, LabelledStrings, NumberSequences, Series, SeriesCollection, Source, library, read
from rnnlab.data.frames import is_frame
from rnnlab.data.readers import read_frame
from rnnlab.data.splits import split_rows
from rnnlab.errors import ConfigError
from rnnlab.task_config import TaskConfig
from rnnlab.tasks.build import classify_strings, from_numbers
from rnnlab.tasks.forecasting import Cuts, forecast_many, forecast_series
from rnnlab.tasks.task import Task

BUILT_IN: dict[str, Callable[[], Source]] = {
    "names": library.names,
    "sales": library.sales,
    "sales_by_country": library.sales_by_country,
    "binary": library.binary,
}
LONGEST_CONTEXT = 64
LEAST_CONTEXT = 28
LEAST_EXAMPLES = 60
# Sales of many shops together (0.26): differencing takes a sixth off the error. Of one shop and item (0.93), or of one company
# (0.86): it adds a sixth, since the difference of two noises is more noise.
STEADY = 0.4
QUANTILES = (0.05, 0.5, 0.95)


def read_source(config: DataConfig) -> Source:
    """Return what ``config`` names: a file or folder, or built-in data (`BUILT_IN`) where there is no such file.

    Raises:
        DataError: a file, a column, a line or a calendar that is not what it must be.
        ConfigError: flags that do not fit the file.
    """
    if config.data in BUILT_IN and not Path(config.data).exists():
        columns = config.model_dump(exclude_defaults=True, exclude={"data", "horizon", "known"})
        if columns:
            raise ConfigError(
                f"{next(iter(columns))} must be left out with the built-in {config.data!r}; drop the flag"
            )
        return BUILT_IN[config.data]()
    return read(config)


def source_of(data: Any, config: DataConfig) -> Source:
    """Return what ``data`` holds: what `read_source` reads, a data frame, or a source as it is.

    Raises:
        InputError: as of `read_source`; or something that is no data.
    """
    if isinstance(data, str):
        return read_source(config)
    if is_frame(data):
        return read_frame(data, config)
    if not isinstance(data, Source):
        raise ConfigError(
            f"data must be a file, a folder, built-in data, a data frame or a source of rnnlab.data, got {type(data).__name__}; "
            "pass one of them"
        )
    return data


def task_name(config: DataConfig) -> str:
    """Return a short name for the data, fit for a folder.

    Example:
        >>> task_name(DataConfig(data="data/gait data.csv.gz", text="name", target="label"))
        'gait-data'
    """
    stem = Path(config.data).resolve().name.split(".")[0] or "run"
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:60]


def complete(config: TaskConfig, source: Source, horizon: int = 1) -> TaskConfig:
    """Return ``config`` with what it leaves open found from ``source``.

    A forecast sees four seasons of a series, at least 28 values and at most 64, as long as 60 windows are left to train on;
    and changes against the season before where these vary far less than the values (`STEADY`), in the part that trains.
    Of several series, that of middle length decides, all have those windows together, and each must hold one. Each window is
    scaled by itself, and quantiles are forecast: single series are often so uneven that their mean is far from their middle.

    Raises:
        ConfigError: options of a forecast for other data.
    """
    if not isinstance(source, Series | SeriesCollection):
        for name in ("quantiles", "calendar", "scaling", "past_scaling"):
            if getattr(config, name):
                raise ConfigError(f"{name} must go with a series to forecast, got it with other data; drop --{name}")
        return config
    every = [source] if isinstance(source, Series) else list(source.series)
    middle, shortest = sorted(map(len, every))[len(every) // 2], min(map(len, every))
    trained = int(middle * (1 - config.test - config.validation))
    room = max(1, trained - horizon - max(1, LEAST_EXAMPLES // len(every)))
    difference = config.difference
    if difference is None:
        fits = len(every) == 1 and 1 < source.season <= room // 2 and horizon <= source.season
        difference = source.season if fits and _steady(every[0].values[:trained], source.season) else 0
    wanted = min(LONGEST_CONTEXT, max(LEAST_CONTEXT, 4 * source.season))
    context = min(wanted, room - difference, trained // 3)
    if len(every) > 1:
        context = min(context, shortest - difference - horizon)
    usual: dict[str, Any] = {"scaling": "standard", "quantiles": ()}
    if len(every) > 1:
        usual = {"scaling": "window", "quantiles": QUANTILES}
    usual["past_scaling"] = config.scaling or usual["scaling"]
    left = {name: value for name, value in usual.items() if getattr(config, name) is None}
    return config.replace(context_length=config.context_length or max(1, context), difference=difference, **left)


def _steady(values: np.ndarray, season: int) -> bool:
    return bool((values[season:] - values[:-season]).std() < STEADY * values.std())


def make_task(
    source: Source,
    config: TaskConfig,
    *,
    horizon: int = 1,
    known: tuple[str, ...] = (),
    past: tuple[str, ...] = (),
    cuts: Cuts | None = None,
) -> Task:
    """Return the task of learning ``source``, as ``config`` (see `complete`) says.

    Args:
        source: the data.
        config: what is held out, and how a forecast sees its past.
        horizon: steps ahead to forecast.
        known: covariates of a series that are known in advance.
        past: covariates of a series that are known up to now.
        cuts: where the parts of a series begin and end, for a fold of a backtest.

    Raises:
        DataError: too few examples.
        ConfigError: options or covariates that do not fit the data.
    """
    config = complete(config, source, horizon)
    if (known or past) and not isinstance(source, Series | SeriesCollection):
        raise ConfigError(f"known and past must go with a series, got {(*known, *past)[0]!r} with other data; drop it")
    if isinstance(source, LabelledStrings):
        return classify_strings(
            source, test=config.test, validation=config.validation, seed=config.split_seed, lowercase=config.lowercase
        )
    if isinstance(source, NumberSequences):
        labels = source.targets if isinstance(source.targets, tuple) else None
        splits = split_rows(len(source), labels, test=config.test, validation=config.validation, seed=config.split_seed)
        return from_numbers(source, splits=splits)
    assert config.context_length is not None
    assert config.scaling is not None
    options: dict[str, Any] = {
        "context_length": config.context_length, "horizon": horizon, "scaling": config.scaling, "log": config.log,
        "difference": config.difference or 0, "known": known, "past": past, "past_scaling": config.past_scaling, "calendar": config.calendar,
        "quantiles": config.quantiles or (), "test": config.test, "validation": config.validation, "cuts": cuts,
    }  # fmt: skip
    return forecast_series(source, **options) if isinstance(source, Series) else forecast_many(source, **options)
