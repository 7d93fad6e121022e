"""What a run is asked: arguments, lines, or a table, as batches of what its codec reads; never more than a batch at a time.

A line, or a row of a table, is one input, and keeps its place. What cannot be read is named by file and line. This module
knows codecs and tables, and asks no network.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.data.clock import future_times
from rnnlab.data.columns import looks_numeric, mostly_numeric, number_sql, time_sql
from rnnlab.data.config import DataConfig
from rnnlab.data.files import PACKED, plain_file
from rnnlab.data.frames import open_frame
from rnnlab.data.readers import series_request
from rnnlab.data.rows import step_columns
from rnnlab.data.series import stream_series
from rnnlab.data.source import Series
from rnnlab.data.strings import TEXT_NAMES
from rnnlab.data.tables import Table, open_table
from rnnlab.errors import ConfigError, DataError
from rnnlab.runs.adapting import MOST_ORIGINS, Adapted, adapted
from rnnlab.runs.run import Run
from rnnlab.tasks import NumberCodec, SeriesCodec, TextCodec

BATCH = 4096
SERIES_BATCH = 256
TABLES = {".csv", ".tsv", ".tab", ".psv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq"}


@dataclass(frozen=True)
class Asked:
    """A batch of raw inputs.

    Args:
        raw: what `Run.predict` takes.
        ids: the name of each sequence, where a table's rows are told apart by a column; else empty.
        times: ``(horizon,)`` datetime64 an input, the times of the answer of a series from a file; else empty.
    """

    raw: list[Any]
    ids: tuple[str, ...] = ()
    times: tuple[np.ndarray, ...] = ()


@dataclass
class Question:
    """All that a run is asked, in batches; iterate over it once.

    Args:
        run: that answers. Of a forecast, with intervals that have heard of what has come since the training.
        batches: the inputs.
        adapted: what the intervals have heard of; None where the run has none.
    """

    run: Run
    batches: Iterator[Asked] = field(repr=False)
    adapted: Adapted | None = None

    def __iter__(self) -> Iterator[Asked]:
        return self.batches


def from_lines(run: Run, lines: Iterable[bytes | str], name: str) -> Iterator[Asked]:
    """Yield the inputs of lines: a string each, or numbers; for a series, all lines together are its last values.

    Args:
        run: says what an input is.
        lines: UTF-8 text.
        name: of the file, for messages.

    Raises:
        DataError: a line that is no text, or no numbers.
    """
    numbered = ((number, _text(line, f"{name} line {number}")) for number, line in enumerate(lines, 1))
    if isinstance(run.codec, SeriesCodec):
        if not run.codec.plain:
            beside = ", ".join([*run.codec.known, *run.codec.past, *(["the calendar"] * bool(run.codec.calendar))])
            raise DataError(f"{name} must be a table for a run that reads {beside}, got bare numbers; pass --file")
        values = [value for number, line in numbered if line for value in _numbers(line, f"{name} line {number}")]
        yield Asked([_last(values, run.codec, name)])
        return
    while block := list(islice(numbered, BATCH)):
        if isinstance(run.codec, TextCodec):
            yield Asked([line for _, line in block])
        else:
            yield Asked([_sequence(line, run.codec, f"{name} line {number}") for number, line in block])


@contextmanager
def from_file(run: Run, path: Path, **columns: Any) -> Iterator[Question]:
    """Yield what a file asks: a table (CSV, TSV, JSON lines, Parquet) with the training's columns, or plain lines.

    Compressed files are read too. Series that go on after the training's data are gone through twice: first for the errors of the
    forecasts that have come true, which the intervals adapt on.

    Args:
        run: says what an input is, and what the columns were in training.
        path: the file.
        columns: fields of `rnnlab.data.DataConfig` in place of the training's, where they are not None: ``text``; of series ``where``,
            ``fill``, ``aggregate`` and ``sort``.

    Raises:
        DataError: a file, a column or a line that is not what it must be.
        ConfigError: a field that the run's kind of data has no use for.
    """
    told = {name: value for name, value in columns.items() if value is not None}
    of_series = isinstance(run.codec, SeriesCodec)
    for name in told:
        if (name == "text") == of_series:
            kind = "strings" if name == "text" else "a series"
            raise ConfigError(f"{name} must go with a run on {kind}, got a run on other data; drop --{name}")
    config = _config(run).replace(**told)
    if not _is_table(path):
        with plain_file(path) as (plain, _), plain.open("rb") as file:
            yield Question(run, from_lines(run, file, str(path)))
    else:
        with open_table(path) as table:
            yield _rows(run, config, table)


@contextmanager
def from_frame(run: Run, frame: Any) -> Iterator[Question]:
    """Yield what a data frame with the training's columns asks, as of `from_file`.

    Args:
        run: says what an input is, and what the columns were in training.
        frame: of pandas, polars or pyarrow.

    Raises:
        DataError: a column or a row that is not what it must be.
    """
    with open_frame(frame) as table:
        yield _rows(run, _config(run), table)


def _config(run: Run) -> DataConfig:
    """Return what the columns were in training; nothing where the data were given in memory."""
    found = run.data.get("config")
    return DataConfig(**found) if isinstance(found, dict) else DataConfig(data="memory")


def _is_table(path: Path) -> bool:
    stem = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return stem.suffix.lower() in TABLES


def _text(line: bytes | str, place: str) -> str:
    if isinstance(line, bytes):
        try:
            line = line.decode("utf-8-sig" if place.endswith("line 1") else "utf-8")
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise DataError(f"{place} must be UTF-8 text, got the byte 0x{byte:02x}; save it as UTF-8") from None
    return line.strip()


def _numbers(line: str, place: str) -> list[float]:
    try:
        found = [float(part) for part in line.replace(",", " ").replace(";", " ").split()]
    except ValueError:
        raise DataError(f"{place} must be numbers, got {line[:40]!r}; write them as 1.5 2 3.25") from None
    if not np.isfinite(found).all():
        raise DataError(f"{place} must be finite numbers, got {line[:40]!r}; correct it")
    return found


def _sequence(line: str, codec: NumberCodec, place: str) -> np.ndarray:
    """Return ``(time, features)`` of one line: numbers of one feature, or JSON with a list a step."""
    features = len(codec.offset)
    if line.startswith("["):
        try:
            array = np.asarray(json.loads(line), dtype=np.float64)
        except (ValueError, TypeError, RecursionError):
            raise DataError(f"{place} must be JSON numbers, got {line[:40]!r}; write [[1, 2], [3, 4]]") from None
    else:
        array = np.asarray(_numbers(line, place))
    array = array[:, None] if array.ndim == 1 and features == 1 else array
    if array.ndim != 2 or array.shape[1] != features or not len(array) or not np.isfinite(array).all():
        way = "numbers such as 1.5 2 3.25" if features == 1 else f"JSON with {features} numbers a step: [[..], [..]]"
        raise DataError(f"{place} must be a sequence of {features} features a step, got {line[:40]!r}; write {way}")
    return array


def _last(values: Sequence[float], codec: SeriesCodec, name: str) -> np.ndarray:
    if len(values) < codec.past_length:
        raise DataError(f"{name} must have at least the last {codec.past_length} values, got {len(values)}; pass more")
    return np.asarray(values[-codec.past_length :])


def _series(run: Run, codec: SeriesCodec, config: DataConfig, table: Table) -> Question:
    """Return what a table of series asks; rows behind the last value are steps to forecast."""
    series = stream_series(table, replace(series_request(config, future=bool(codec.known)), asked=True))
    adapting, found = run.adapting(), None
    if adapting is not None:
        found = adapted(adapting, (_end_of(codec, one, MOST_ORIGINS) for one in series()))
        run = run.adapted_to(found)
    return Question(run, _in_batches(codec, config, series, table.path), found)


def _in_batches(
    codec: SeriesCodec, config: DataConfig, series: Callable[[], Iterator[Series]], path: Path
) -> Iterator[Asked]:
    found = (_checked(codec, one, path) for one in series())
    batch = max(1, min(SERIES_BATCH, BATCH * 64 // (codec.past_length * codec.interface.features)))
    while block := list(islice(found, batch)):
        ids = tuple(one.name for one in block) if config.id else ()
        yield Asked(list(block), ids, tuple(times_after(codec, one) for one in block))


def _checked(codec: SeriesCodec, series: Series, path: Path) -> Series:
    """Return a series that is long enough, cut to what is read of it."""
    there = int(np.isfinite(series.values).sum())
    if there < codec.past_length:
        called = f"{path}, series {series.name!r}" if codec.names else str(path)
        raise DataError(f"{called} must have at least the last {codec.past_length} values, got {there}; pass more")
    return _end_of(codec, series, 2)


def _end_of(codec: SeriesCodec, series: Series, more: int) -> Series:
    """Return a series cut to what one forecast reads of it, and ``more`` before."""
    start = max(0, int(np.isfinite(series.values).sum()) - codec.past_length - codec.gap - more)
    known, past = ({name: column[start:] for name, column in given.items()} for given in (series.known, series.past))
    return replace(series, times=series.times[start:], values=series.values[start:], known=known, past=past)


def times_after(codec: SeriesCodec, series: Series) -> np.ndarray:
    """Return the times of the values that are forecast, ``(horizon,)``; the series may be told of steps behind its last value."""
    there, steps = int(np.flatnonzero(np.isfinite(series.values))[-1]) + 1, codec.gap + codec.horizon
    if len(series.times) < 2:
        raise DataError(
            f"series must have at least 2 times to tell their step, got {len(series.times)}; pass more of it"
        )
    # Times that are told are as they are; behind them the step goes on.
    return np.concatenate([series.times[there:], future_times(series.times, steps)])[codec.gap : steps]


def _rows(run: Run, config: DataConfig, table: Table) -> Question:
    codec = run.codec
    if isinstance(codec, SeriesCodec):
        for column in config.filters:
            table.require(column, "where")
        return _series(run, codec, config.replace(value=config.value or run.data.get("value")), table)
    if isinstance(codec, TextCodec):
        return Question(run, _texts(config, table))
    if config.shape == "wide":
        return Question(run, _wide(codec, config, table))
    if config.shape == "long":
        return Question(run, _long(config, table))
    raise DataError(f"{table.path} must be lines of numbers for a run trained in memory, got a table; pass lines")


def _texts(config: DataConfig, table: Table) -> Iterator[Asked]:
    column = config.text or _usual(table)
    table.load([table.require(column, "text")])
    for block in table.stream("SELECT c0 FROM rows ORDER BY row", BATCH):
        yield Asked([text or "" for (text,) in block])


def _usual(table: Table) -> str:
    for name in TEXT_NAMES:
        for column in table.columns:
            if column.casefold() == name:
                return column
    if len(table.columns) <= 2:
        return table.columns[0]
    raise DataError(f"text must be named, got the columns {table.list_columns()} in {table.path}; pass --text")


def _wide(codec: NumberCodec, config: DataConfig, table: Table) -> Iterator[Asked]:
    columns = step_columns(table, str(config.steps), config.target or "")
    table.load(columns)
    ends = config.missing == "end"
    figures = [number_sql(table, f"c{i}", name, missing=ends) for i, name in enumerate(columns)]
    done = 0
    for block in table.stream(f"SELECT {', '.join(figures)} FROM rows ORDER BY row", BATCH):
        yield Asked([_until_the_end(row, table, done + i) for i, row in enumerate(block)])
        done += len(block)


def _until_the_end(row: tuple[Any, ...], table: Table, number: int) -> np.ndarray:
    there = [value for value in row if value is not None]
    if not there or any(value is None for value in row[: len(there)]):
        raise DataError(f"{table.place(number)} must have numbers up to its end, got an empty cell before it; fill it")
    return np.asarray(there, dtype=np.float64)[:, None]


def _long(config: DataConfig, table: Table) -> Iterator[Asked]:
    ident = table.require(str(config.id), "id")
    features = [table.require(name, "features") for name in config.features]
    table.load([ident, *features, *([table.require(config.time, "time")] if config.time else [])])
    table.count()
    empty = table.run("SELECT min(row) FROM rows WHERE c0 IS NULL")[0][0]
    if empty is not None:
        raise DataError(f"{table.place(empty)}: {ident} must name a sequence, got an empty cell; fill it")
    figures = [number_sql(table, f"c{i}", name) for i, name in enumerate(features, 1)]
    moment = _moment(table, f"c{len(features) + 1}", config.time)
    order = f"min(row) OVER (PARTITION BY c0), {moment}, row"
    steps = (
        row
        for block in table.stream(f"SELECT c0, {', '.join(figures)} FROM rows ORDER BY {order}", BATCH)
        for row in block
    )
    sequences = ((key, np.asarray([row[1:] for row in rows])) for key, rows in groupby(steps, key=lambda row: row[0]))
    while block := list(islice(sequences, BATCH)):
        yield Asked([values for _, values in block], ids=tuple(str(key) for key, _ in block))


def _moment(table: Table, field: str, time: str | None) -> str:
    """Return the SQL that orders the steps of a sequence, as in training."""
    if time is None:
        return "row"
    if mostly_numeric(table, field) and not looks_numeric(table, field, r"(19|20)\d{6}"):
        return number_sql(table, field, time)
    return time_sql(table, field, time)
