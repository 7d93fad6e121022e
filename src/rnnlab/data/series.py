"""From the rows of a table to series: which columns, which rows are one time, and whether the calendar is whole.

What cannot be told is refused with the way out: repeated times, times that fall, gaps, missing values, several series
in one file. Nothing is averaged, filled or sorted unless the caller says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, groupby

import numpy as np

from rnnlab.data.calendar import Calendar, Fill, fill_gaps, regular_calendar, show_time
from rnnlab.data.columns import looks_like_time, looks_numeric, number_sql, time_sql
from rnnlab.data.source import Series
from rnnlab.data.tables import Table
from rnnlab.errors import DataError

AGGREGATES = {
    "mean": "avg", "sum": "sum", "min": "min", "max": "max", "median": "median", "count": "count", "first": "first",
    "last": "last",
}  # fmt: skip
TIME_NAMES = ("date", "time", "timestamp", "datetime", "day", "ds")


@dataclass(frozen=True)
class SeriesRequest:
    """Which columns make a series, and what may be done to its rows.

    Args:
        time: column of the times; None finds the only one.
        value: column of the values; None finds the only numeric one.
        ident: column that tells series apart; None means one series.
        known: columns known in advance.
        past: columns known up to now alone.
        future: whether the last rows of a series may lack a value: steps to forecast, which become NaN.
        where: column to text: the rows to keep.
        aggregate: what becomes of rows of one time (one of `AGGREGATES`); None refuses them.
        fill: what fills gaps and missing values; None refuses them.
        frequency: the period that rows are put into; None keeps their times.
        sort: whether times may fall; they are sorted.
        season: steps of a season; None takes the usual one.
        asked: whether a run is asked about the rows, which settled what tells series apart; for messages.
    """

    time: str | None = None
    value: str | None = None
    ident: str | None = None
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    future: bool = False
    where: dict[str, str] = field(default_factory=dict)
    aggregate: str | None = None
    fill: Fill | None = None
    frequency: str | None = None
    sort: bool = False
    season: int | None = None
    asked: bool = False

    @property
    def beside(self) -> tuple[str, ...]:
        """The covariates: those known in advance, then those known up to now."""
        return (*self.known, *self.past)


def series_of(table: Table, request: SeriesRequest) -> list[Series]:
    """Return the series of a table: one, or one a value of ``request.ident``.

    Raises:
        DataError: what the module's first lines list; the message names file, line and the way out.
    """
    value = _points(table, request)
    found = [_one(table, request, value, name, read) for name, read in _each(table)]
    if not request.future and all(np.ptp(one.values) == 0 for one in found):
        raise DataError(
            f"{table.path}: {value} must vary, got {found[0].values[0]:g} in all {len(found[0])} rows; name another column"
        )
    return found


def stream_series(table: Table, request: SeriesRequest) -> Callable[[], Iterator[Series]]:
    """Return what yields the series of a table as of `series_of`, one at a time, so that they need not all be held.

    The table is read once, however often they are asked for; one asking must be over before the next begins.
    """
    value = _points(table, request)
    return lambda: _streamed(table, request, value)


def _streamed(table: Table, request: SeriesRequest, value: str) -> Iterator[Series]:
    names = (
        {row[0]: row[1] for row in table.run("SELECT min(row), id FROM points GROUP BY id")} if request.ident else {}
    )
    figures = ", ".join(f"v{i}" for i in range(1 + len(request.beside)))
    first = "first_value(row) OVER (PARTITION BY id ORDER BY row)"
    rows = (
        row
        for block in table.stream(f"SELECT {first} AS start, t, {figures} FROM points ORDER BY start, t")
        for row in block
    )
    for start, group in groupby(rows, key=lambda row: row[0]):
        columns = list(zip(*(row[1:] for row in group)))
        read = {"t": np.array(columns[0], dtype="datetime64[us]")}
        read |= {f"v{i}": np.array(column, dtype=np.float64) for i, column in enumerate(columns[1:])}
        yield _one(table, request, value, names.get(start, ""), read)


def _points(table: Table, request: SeriesRequest) -> str:
    """Make the DuckDB table ``points (row, id, t, v0, v1, ...)``: value, known, past; return the column of the value."""
    time, value = _columns(table, request)
    wanted = [time, value, *request.beside, *([request.ident] if request.ident else [])]
    table.load(wanted, request.where)
    table.count()
    moment = time_sql(table, "c0", time)
    if request.frequency:
        period = "day" if request.frequency == "business" else request.frequency
        moment = f"date_trunc('{period}', {moment})"
    remedy = "fill it, or pass --fill zero, previous or linear"
    may_lack = {value, *request.past} if request.future else set()
    numbers = [
        number_sql(table, f"c{i}", name, missing=request.fill is not None or name in may_lack, remedy=remedy)
        for i, name in enumerate(wanted[1 : 2 + len(request.beside)], 1)
    ]
    ident = f"c{len(wanted) - 1}" if request.ident else "''"
    figures = ", ".join(f"{sql} AS v{i}" for i, sql in enumerate(numbers))
    table.run(f"CREATE OR REPLACE TEMP TABLE points AS SELECT row, {ident} AS id, {moment} AS t, {figures} FROM rows")
    if request.ident:
        _no_empty(table, request.ident)
    _order(table, request, time)
    if request.aggregate:
        _aggregate(table, request.aggregate, len(numbers))
    else:
        _distinct(table, request, time)
    return value


def _each(table: Table) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield the name and the columns of each series, in the order of the file; the table is read once."""
    names = [row[0] for row in table.run("SELECT id FROM points GROUP BY id ORDER BY min(row)")]
    first = "first_value(row) OVER (PARTITION BY id ORDER BY row)"
    read = table.arrays(
        f"SELECT * EXCLUDE (row, id, start) FROM (SELECT *, {first} AS start FROM points) ORDER BY start, t"
    )
    counts = [row[0] for row in table.run("SELECT count(*) FROM points GROUP BY id ORDER BY min(row)")]
    ends = np.cumsum(counts)
    for name, end, count in zip(names, ends.tolist(), counts):
        yield name, {field: column[end - count : end] for field, column in read.items()}


def _columns(table: Table, request: SeriesRequest) -> tuple[str, str]:
    """Return the columns of time and value: as named, or the only ones that can be."""
    named = [
        ("id", request.ident),
        *(("known", name) for name in request.known),
        *(("past", name) for name in request.past),
        *(("where", name) for name in request.where),
    ]
    for option, name in named:
        if name:
            table.require(name, option)
    taken = {request.time, request.value, request.ident, *request.beside, *request.where}
    time = table.require(request.time, "time") if request.time else None
    value = table.require(request.value, "value") if request.value else None
    if time is None or value is None:
        free = [column for column in table.columns if column not in taken]
        table.load(free)
        table.count()
        fields = {column: f"c{i}" for i, column in enumerate(free)}
        if time is None:
            times = [column for column in free if looks_like_time(table, fields[column])]
            usual = [column for column in times if column.casefold() in TIME_NAMES]
            time = _only(table, usual or times, "time")
        if value is None:
            value = _only(table, [c for c in free if c != time and looks_numeric(table, fields[c])], "value")
    return time, value


def _only(table: Table, found: list[str], option: str) -> str:
    kind = "a column of dates" if option == "time" else "a numeric column"
    if not found:
        raise DataError(
            f"{table.path} must have {kind}, got {table.list_columns()}; pass {option} with a column's name"
        )
    if len(found) > 1:
        listed = ", ".join(found[:10])
        raise DataError(
            f"{option} must be named, got {len(found)} columns that fit in {table.path}: {listed}; pass {option}"
        )
    return found[0]


def _no_empty(table: Table, ident: str) -> None:
    empty = table.run("SELECT min(row) FROM points WHERE id IS NULL")[0][0]
    if empty is not None:
        raise DataError(f"{table.place(empty)}: {ident} must name a series, got an empty cell; fill it or drop the row")


def _order(table: Table, request: SeriesRequest, time: str) -> None:
    """Refuse times that fall within a series, unless rows are sorted or aggregated."""
    if request.sort or request.aggregate:
        return
    falls = table.run(
        "SELECT row, t, before FROM (SELECT row, t, lag(t) OVER (PARTITION BY id ORDER BY row) AS before FROM points) "
        "WHERE t < before ORDER BY row LIMIT 1"
    )
    if not falls:
        return
    row, moment, before = falls[0]
    if not request.ident and (several := _several(table, request, time)):
        raise DataError(several)
    raise DataError(
        f"{table.place(row)}: {time} must rise, got {_show(moment)} after {_show(before)}; sort the file, or pass --sort"
    )


def _distinct(table: Table, request: SeriesRequest, time: str) -> None:
    """Refuse rows of the same time."""
    twice = table.run(
        "SELECT max(row), t, count(*) FROM points GROUP BY id, t HAVING count(*) > 1 ORDER BY min(row) LIMIT 1"
    )
    if not twice:
        return
    row, moment, times = twice[0]
    if not request.ident and (several := _several(table, request, time)):
        raise DataError(several)
    raise DataError(
        f"{table.place(row)}: {time} must be there once, got {_show(moment)} in {times} rows; "
        "pass --aggregate mean, sum or another"
    )


def _several(table: Table, request: SeriesRequest, time: str) -> str | None:
    """Return the message for a file that holds several series, where a column tells them apart."""
    taken = {request.time, request.value, time, *request.beside, *request.where}
    others = [column for column in table.columns if column not in taken][:6]
    total = int(table.run("SELECT count(*) FROM points")[0][0])
    moments = int(table.run("SELECT count(DISTINCT t) FROM points")[0][0])
    if moments == total:  # one series, out of order: a column such as a promotion would seem to tell it apart
        return None
    for size in (1, 2):
        for together in combinations(others, size):
            table.load([time, *together], request.where)
            keys = ", ".join(f"c{i}" for i in range(1, size + 1))
            series, pairs = table.run(f"SELECT count(DISTINCT ({keys})), count(DISTINCT (c0, {keys})) FROM rows")[0]
            if pairs == total and 1 < series < total and series * moments >= total:
                apart = " and ".join(map(repr, together))
                picked = f"--where {'=...,'.join(together)}=..."
                way = f"--id {together[0]}" if size == 1 and not request.asked else picked
                return (
                    f"{table.path} must hold one series, got {series} told apart by {apart}; pass {way}, "
                    "or --aggregate mean"
                )
    return None


def _aggregate(table: Table, how: str, figures: int) -> None:
    """Make one row of the rows of a time."""
    order = " ORDER BY row" if how in ("first", "last") else ""
    picked = ", ".join(f"{AGGREGATES[how]}(v{i}{order})::DOUBLE AS v{i}" for i in range(figures))
    table.run(
        f"CREATE OR REPLACE TEMP TABLE points AS SELECT min(row) AS row, id, t, {picked} FROM points GROUP BY id, t"
    )


def _one(table: Table, request: SeriesRequest, value: str, name: str, read: dict[str, np.ndarray]) -> Series:
    """Return one series from its rows, on its whole calendar."""
    times = np.asarray(read["t"]).astype("datetime64[us]")
    where = f"{table.path}" + (f", series {name!r}" if name else "")
    calendar = regular_calendar(times, where, request.frequency)
    columns = [
        np.ma.filled(np.ma.asarray(read[f"v{i}"], dtype=np.float64), np.nan) for i in range(1 + len(request.beside))
    ]
    if request.fill is None:
        _no_gaps(calendar, where)
        if request.future:
            _only_the_end_lacks(columns[0], calendar, where, value)
    else:
        # A known column (a price, a promotion) is not zero on a day without sales: its last value stands.
        ends = _ends(columns[0]) if request.future else len(times)
        columns = [fill_gaps(one, calendar, request.fill if i == 0 else "previous") for i, one in enumerate(columns)]
        columns[0][calendar.index[ends - 1] + 1 if ends < len(times) else len(columns[0]) :] = np.nan
    beside = dict(zip(request.beside, columns[1:]))
    return Series(
        times=_coarse(calendar.times),
        values=columns[0],
        name=name or value,
        season=request.season or calendar.season,
        provenance=_provenance(table, request, value),
        known={column: beside[column] for column in request.known},
        past={column: beside[column] for column in request.past},
    )


def _ends(values: np.ndarray) -> int:
    """Return how many ``values`` there are up to the last that is known."""
    there = np.flatnonzero(~np.isnan(values))
    return int(there[-1]) + 1 if len(there) else 0


def _only_the_end_lacks(values: np.ndarray, calendar: Calendar, where: str, value: str) -> None:
    empty = np.flatnonzero(np.isnan(values[: _ends(values)]))
    if len(empty):
        raise DataError(
            f"{where} must have {value} up to its last one, got none at {show_time(calendar.times[empty[0]])}; "
            "fill it, or pass --fill zero, previous or linear"
        )


def _no_gaps(calendar: Calendar, where: str) -> None:
    gaps = calendar.gaps
    if len(gaps):
        before, after = calendar.times[gaps[0] - 1], calendar.times[calendar.index[calendar.index > gaps[0]][0]]
        raise DataError(
            f"{where} must have every {calendar.frequency}, got none between {show_time(before)} and {show_time(after)} "
            f"({len(gaps)} of {len(calendar.times)} missing); pass --fill zero, previous or linear"
        )


def _coarse(times: np.ndarray) -> np.ndarray:
    """Return times as days where they have no clock, else as seconds or microseconds."""
    for unit in ("D", "s"):
        if (times.astype(f"datetime64[{unit}]") == times).all():
            return times.astype(f"datetime64[{unit}]")
    return times


def _provenance(table: Table, request: SeriesRequest, value: str) -> str:
    parts = [f"{table.path.name}, {value!r}"]
    parts += [f"{column}={text}" for column, text in request.where.items()]
    parts += [f"{request.aggregate} of the rows of a time"] if request.aggregate else []
    parts += [f"gaps filled: {request.fill}"] if request.fill else []
    return ", ".join(parts)


def _show(moment: object) -> str:
    return show_time(np.datetime64(str(moment)))
