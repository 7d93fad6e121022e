"""The readers: from a path, and what its columns are, to a source.

They say what is wrong with a file, with its line and the way out, and guess nothing that changes a figure.
"""

from pathlib import Path
from typing import Any

from rnnlab.data.calendar import Fill
from rnnlab.data.config import DataConfig
from rnnlab.data.frames import open_frame
from rnnlab.data.rows import long_sequences, wide_sequences
from rnnlab.data.series import SeriesRequest, series_of
from rnnlab.data.source import LabelledStrings, NumberSequences, Series, SeriesCollection, Source
from rnnlab.data.strings import strings_of_folder, strings_of_table
from rnnlab.data.tables import Table, open_table
from rnnlab.errors import ConfigError, DataError


def read(config: DataConfig) -> Source:
    """Return the source that ``config`` describes: strings, number sequences, one series, or many.

    Args:
        config: a file or folder, and what its columns are.

    Raises:
        DataError: a file, a column, a line or a calendar that is not what it must be.
        ConfigError: flags that do not fit the file.

    Example:
        >>> from rnnlab.data import names
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "low.txt").write_text("abc"), (folder / "high.txt").write_text("xyz")
        >>> len(read(DataConfig(data=str(folder))))
        2
    """
    path = Path(config.data)
    if path.is_dir():
        if config.shape != "strings" or config.text or config.target:
            raise ConfigError(
                f"columns must be left out with a folder, got them for {path}; name a file, or drop the flags"
            )
        return strings_of_folder(path)
    with open_table(path) as table:
        return _of_table(table, config)


def read_frame(frame: Any, config: DataConfig) -> Source:
    """Return the source in a data frame of pandas, polars or pyarrow: the same columns, checks and messages as of a file.

    Args:
        frame: the rows; a named index of pandas is a column like others.
        config: what its columns are; ``data`` is not looked at.

    Raises:
        DataError: a column, a row or a calendar that is not what it must be.

    Example:
        >>> import pandas
        >>> frame = pandas.DataFrame({"name": ["ab", "cd", "ef"], "origin": ["x", "y", "x"]})
        >>> read_frame(frame, DataConfig(data="memory")).classes
        ('x', 'y')
    """
    with open_frame(frame) as table:
        return _of_table(table, config)


def _of_table(table: Table, config: DataConfig) -> Source:
    for column in config.filters:
        table.require(column, "where")
    if config.shape == "wide":
        return _wide(table, config)
    if config.shape == "long":
        return _long(table, config)
    if config.shape == "series":
        return _series(table, config)
    return strings_of_table(table, config.text, config.target, config.filters, drop=config.missing == "drop")


def read_names(path: str | Path, *, text: str | None = None, target: str | None = None) -> LabelledStrings:
    """Return the labelled strings of a folder of ``LABEL.txt`` files, or of two columns of a table.

    Spaces at the ends of a string are dropped, and so are blank lines and repeated (string, label) pairs: a copy says
    nothing new of a string, and copies in training and test would be a leak. A string with several labels keeps all.

    Args:
        path: a folder with one string a line in ``LABEL.txt`` (``README.txt``, ``SOURCE.txt`` and the like in capitals
            are left alone), or a CSV, TSV, JSON lines or Parquet file.
        text: the column of the strings; default: ``name``, ``text`` ..., or the first of two columns.
        target: the column of the labels; default: ``origin``, ``label`` ..., or the second of two columns.

    Raises:
        DataError: the file, folder or column is missing, empty or unreadable; the message names the line.
    """
    source = read(DataConfig(data=str(path), text=text, target=target))
    assert isinstance(source, LabelledStrings)
    return source


def read_series(
    path: str | Path,
    *,
    time: str | None = None,
    value: str | None = None,
    where: dict[str, str] | None = None,
    aggregate: str | None = None,
    fill: Fill | None = None,
    season: int | None = None,
) -> Series:
    """Return one series of a table.

    A file of the lab (``date,store,item,sales``) gives the mean over stores and items a day, which is the lab's own
    series; ``where={"store": "1", "item": "1"}`` picks one. Of any other file, every time must stand once.

    Args:
        path: a CSV, TSV, JSON lines or Parquet file.
        time: the column of the times; default: the only column of dates.
        value: the column of the values; default: the only numeric column.
        where: column to text, the rows to keep.
        aggregate: what becomes of rows of one time (``mean``, ``sum`` ...); None refuses them.
        fill: what fills gaps and missing values (``zero``, ``previous``, ``linear``); None refuses them.
        season: steps of a season; default: the usual one of the step (7 of days).

    Raises:
        DataError: a file, column, line or calendar that is not what it must be.
    """
    with open_table(path) as table:
        request = SeriesRequest(
            time=time, value=value, where=where or {}, aggregate=aggregate, fill=fill, season=season
        )
        return series_of(table, _lab_mean(table, request))[0]


def _lab_mean(table: Table, request: SeriesRequest) -> SeriesRequest:
    """Return the request with the lab's defaults, where the file has the lab's columns."""
    if not {"date", "sales"} < set(table.columns) <= {"date", "sales", "store", "item"}:
        return request
    return SeriesRequest(
        **{
            **vars(request),
            "time": request.time or "date",
            "value": request.value or "sales",
            "aggregate": request.aggregate or "mean",
        }
    )


def _wide(table: Table, config: DataConfig) -> NumberSequences:
    assert config.steps is not None
    assert config.target is not None
    return wide_sequences(table, config.steps, config.target, config.filters, kind=config.kind, missing=config.missing)


def _long(table: Table, config: DataConfig) -> NumberSequences:
    assert config.id is not None
    assert config.target is not None
    return long_sequences(
        table,
        config.id,
        config.time,
        config.features,
        config.target,
        config.filters,
        kind=config.kind,
        missing=config.missing,
        aggregate=config.aggregate,
        sort=config.sort,
    )


def series_request(config: DataConfig, *, future: bool = False) -> SeriesRequest:
    """Return what ``config`` asks of a table of series.

    Args:
        config: the columns, and what may be done to rows.
        future: as of `SeriesRequest`.
    """
    return SeriesRequest(
        time=config.time,
        value=config.value,
        ident=config.id,
        known=config.known,
        past=config.past,
        future=future,
        where=config.filters,
        aggregate=config.aggregate,
        fill=config.fill,
        frequency=config.frequency,
        sort=config.sort,
        season=config.season,
    )


def _series(table: Table, config: DataConfig) -> Series | SeriesCollection:
    found = series_of(table, series_request(config))
    shortest = min(found, key=len)
    if len(shortest) < config.horizon + 2:
        raise DataError(
            f"{table.path}: series must be longer than the horizon {config.horizon}, got {len(shortest)} times in "
            f"{shortest.name!r}; give a longer series or a shorter horizon"
        )
    return SeriesCollection(tuple(found), found[0].provenance) if config.id else found[0]
