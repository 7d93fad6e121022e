"""The data behind a run: read again, and shown to be the ones it was trained on by their fingerprint.

A run that was trained from a file says where that file was; the lab's own runs were trained on built-in data, which are found
by their fingerprint. A client names a run and nothing else: no path comes from outside.
"""

from dataclasses import dataclass
from pathlib import Path

from rnnlab.data import LabelledStrings, Series, Source, library
from rnnlab.errors import InputError, RunFolderError
from rnnlab.runs import Run
from rnnlab.tasks import SeriesCodec, Task, TextCodec, classify_strings, forecast_series
from rnnlab.training.fit import recall_data


@dataclass(frozen=True)
class Behind:
    """The source of a run's data, and the task that was made of it."""

    source: Source
    task: Task


def behind(run: Run, folder: Path) -> Behind:
    """Return the data of ``run``, which lies in ``folder``.

    Raises:
        RunFolderError: the data are gone, are others by now, or were given in memory.
        DataError: they cannot be read any more.
    """
    if isinstance(run.data.get("config"), dict):
        source, task = recall_data(run.data, folder)
        return Behind(source, task)
    return _of_the_lab(run)


def _of_the_lab(run: Run) -> Behind:
    fingerprint, codec = run.data.get("fingerprint"), run.codec
    if isinstance(codec, TextCodec):
        names: LabelledStrings = library.names()
        task = classify_strings(names, seed=run.train_config.seed, lowercase=codec.lowercase)
        # The characters are those of the training part: where they are the same, so is the split.
        if names.fingerprint == fingerprint and task.codec == codec:
            return Behind(names, task)
    if isinstance(codec, SeriesCodec):
        sales: Series = library.sales()
        if sales.fingerprint == fingerprint:
            return Behind(sales, _windows(sales, codec))
    raise RunFolderError(
        f"data of {run.name} must be in a file or built in, got some that were given in memory; train from a file"
    )


def _windows(series: Series, codec: SeriesCodec) -> Task:
    try:
        return forecast_series(
            series, context_length=codec.context_length, horizon=codec.horizon, gap=codec.gap, layout=codec.layout,
            log=codec.log, difference=codec.difference,
        )  # fmt: skip
    except InputError as error:
        raise RunFolderError(f"run must fit its data, got {error}") from None
