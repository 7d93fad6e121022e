"""From configurations to a task: the data read, or taken from the library, and made into examples.

What a configuration leaves open is found from the data and written into it, so that a run's record holds what was done
and gives the same task again. This module knows no network.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rnnlab.data import DataConfig, LabelledStrings, NumberSequences, Series, SeriesCollection, Source, library, read
from rnnlab.data.splits import split_rows
from rnnlab.errors import ConfigError, DataError
from rnnlab.task_config import TaskConfig
from rnnlab.tasks.build import classify_strings, forecast_series, from_numbers
from rnnlab.tasks.task import Task

BUILT_IN: dict[str, Callable[[], Source]] = {"names": library.names, "sales": library.sales}
LONGEST_CONTEXT = 64
LEAST_CONTEXT = 28
LEAST_EXAMPLES = 60
# Sales of many shops together (0.26): differencing takes a sixth off the error. Of one shop and item (0.93), or of one company
# (0.86): it adds a sixth, since the difference of two noises is more noise.
STEADY = 0.4


def read_source(config: DataConfig) -> Source:
    """Return what ``config`` names: a file or folder, or built-in data (``names``, ``sales``) where there is no such file.

    Raises:
        DataError: a file, a column, a line or a calendar that is not what it must be.
        ConfigError: flags that do not fit the file.
    """
    if config.data in BUILT_IN and not Path(config.data).exists():
        columns = config.model_dump(exclude_defaults=True, exclude={"data", "horizon"})
        if columns:
            raise ConfigError(
                f"{next(iter(columns))} must be left out with the built-in {config.data!r}; drop the flag"
            )
        return BUILT_IN[config.data]()
    if config.known:
        raise ConfigError(f"known must be left out, got {config.known[0]}; networks here read the series alone")
    return read(config)


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
    """
    if not isinstance(source, Series):
        return config
    trained = int(len(source) * (1 - config.test - config.validation))
    room = max(1, trained - horizon - LEAST_EXAMPLES)
    difference = config.difference
    if difference is None:
        fits = 1 < source.season <= room // 2 and horizon <= source.season
        difference = source.season if fits and _steady(source.values[:trained], source.season) else 0
    wanted = min(LONGEST_CONTEXT, max(LEAST_CONTEXT, 4 * source.season))
    context = config.context_length or max(1, min(wanted, room - difference, trained // 3))
    return config.replace(context_length=context, difference=difference)


def _steady(values: np.ndarray, season: int) -> bool:
    return bool((values[season:] - values[:-season]).std() < STEADY * values.std())


def make_task(source: Source, config: TaskConfig, *, horizon: int = 1) -> Task:
    """Return the task of learning ``source``, as ``config`` (see `complete`) says.

    Raises:
        DataError: too few examples, several series, or columns that no network reads.
    """
    config = complete(config, source, horizon)
    if isinstance(source, LabelledStrings):
        return classify_strings(
            source, test=config.test, validation=config.validation, seed=config.split_seed, lowercase=config.lowercase
        )
    if isinstance(source, NumberSequences):
        labels = source.targets if isinstance(source.targets, tuple) else None
        splits = split_rows(len(source), labels, test=config.test, validation=config.validation, seed=config.split_seed)
        return from_numbers(source, splits=splits)
    return _forecast(source, config, horizon)


def _forecast(source: Series | SeriesCollection, config: TaskConfig, horizon: int) -> Task:
    if isinstance(source, SeriesCollection):
        raise DataError(
            f"id must be left out, got {len(source)} series; train one of them: pass --where COLUMN={source.names[0]}"
        )
    assert config.context_length is not None
    return forecast_series(
        source,
        context_length=config.context_length,
        horizon=horizon,
        log=config.log,
        difference=config.difference or 0,
        test=config.test,
        validation=config.validation,
    )
