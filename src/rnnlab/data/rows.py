"""Number sequences from a table: wide (a row a sequence, a column a step) and long (a row a step).

The target says what is learned: text and whole numbers are labels, numbers with a decimal sign are regressed. Where
that cannot be told, the reader says so.
"""

import re

import numpy as np

from rnnlab.commas import parts, quotes
from rnnlab.data.columns import WHOLE, looks_numeric, mostly_numeric, number_sql, time_sql
from rnnlab.data.series import AGGREGATES
from rnnlab.data.source import NumberSequences
from rnnlab.data.tables import Table
from rnnlab.errors import DataError

# Whole numbers, nearly all of them different, are more likely quantities than labels.
_QUANTITY = 20


def wide_sequences(
    table: Table, steps: str, target: str, where: dict[str, str], *, kind: str | None = None, missing: str = "refuse"
) -> NumberSequences:
    """Return one sequence of one feature a row.

    Args:
        table: an open table.
        steps: which columns are the steps: ``t*``, ``t{1..8}`` or ``a,b,c``; ``*`` takes them in natural order.
        target: the column to predict.
        where: rows to keep.
        kind: ``classify`` or ``regress``; None finds it from the target.
        missing: ``refuse``, ``drop`` (rows with an empty cell) or ``end`` (empty cells at the end end the sequence).

    Raises:
        DataError: a column is missing, a cell is no number, all cells are alike.
    """
    table.require(target, "target")
    columns = step_columns(table, steps, target)
    table.load([*columns, target], where)
    table.count()
    remedy = "fill it, or pass --missing drop" + ", or --missing end" * (missing == "refuse")
    fields = [f"c{i}" for i in range(len(columns))]
    if missing == "drop":
        table.run(
            f"DELETE FROM rows WHERE {' OR '.join(f'{field} IS NULL' for field in [*fields, f'c{len(columns)}'])}"
        )
        table.count()
    numbers = [
        number_sql(table, field, column, missing=missing == "end", remedy=remedy)
        for field, column in zip(fields, columns)
    ]
    kind = _kind(table, f"c{len(columns)}", target, kind)
    targets = _targets(table, f"c{len(columns)}", target, kind, "rows")
    read = table.arrays(f"SELECT {', '.join(f'{sql} AS c{i}' for i, sql in enumerate(numbers))} FROM rows ORDER BY row")
    cells = np.stack([_floats(read[field]) for field in fields], axis=1)
    lengths = _lengths(table, cells, columns)
    _must_vary(table, cells[np.isfinite(cells)], f"steps {columns[0]} .. {columns[-1]}")
    values = tuple(row[:length, None] for row, length in zip(cells, lengths.tolist()))
    return NumberSequences(values, targets, ("value",), f"{table.path.name}, {len(columns)} steps, {target!r}")


def long_sequences(
    table: Table,
    ident: str,
    time: str | None,
    features: tuple[str, ...],
    target: str,
    where: dict[str, str],
    *,
    kind: str | None = None,
    missing: str = "refuse",
    aggregate: str | None = None,
    sort: bool = False,
) -> NumberSequences:
    """Return one sequence of ``features`` for each value of ``ident``, in the order of the file.

    Args:
        table: an open table.
        ident: the column that tells sequences apart.
        time: the column of the times (dates or numbers); None takes rows as they come.
        features: the columns of each step's numbers.
        target: the column to predict; it must not change within a sequence.
        where: rows to keep.
        kind: ``classify`` or ``regress``; None finds it from the target.
        missing: ``refuse``, or ``drop`` (rows with an empty cell).
        aggregate: what becomes of rows of one time; None refuses them.
        sort: whether times may fall.

    Raises:
        DataError: a column is missing, a cell is no number, times fall or repeat, a target changes, a feature is constant.
    """
    for option, column in (("id", ident), ("target", target), *(("features", name) for name in features)):
        table.require(column, option)
    table.load([ident, target, *features, *([table.require(time, "time")] if time else [])], where)
    table.count()
    last = len(features) + 2
    if missing == "drop":
        table.run(f"DELETE FROM rows WHERE {' OR '.join(f'c{i} IS NULL' for i in range(last))}")
        table.count()
    numbers = [
        number_sql(table, f"c{i}", name, remedy="fill it, or pass --missing drop") for i, name in enumerate(features, 2)
    ]
    _same_target(table, ident, target)
    kind = _kind(table, "c1", target, kind, "(SELECT any_value(c1) AS c1 FROM rows GROUP BY c0)")
    moment = _moment(table, f"c{last}", time)
    figures = ", ".join(f"{sql} AS v{i}" for i, sql in enumerate(numbers))
    table.run(f"CREATE OR REPLACE TEMP TABLE points AS SELECT row, c0 AS id, {moment} AS t, {figures} FROM rows")
    if time:
        _rising(table, time, aggregate, sort)
    if aggregate and time:
        order = " ORDER BY row" if aggregate in ("first", "last") else ""
        picked = ", ".join(f"{AGGREGATES[aggregate]}(v{i}{order})::DOUBLE AS v{i}" for i in range(len(features)))
        table.run(
            f"CREATE OR REPLACE TEMP TABLE points AS SELECT min(row) AS row, id, t, {picked} FROM points GROUP BY id, t"
        )
    return _gather(table, features, target, kind)


def step_columns(table: Table, pattern: str, target: str) -> list[str]:
    """Return the columns that ``pattern`` names, in natural order (``t2`` before ``t10``).

    Raises:
        DataError: no column fits, or one of a list or range is missing.
    """
    if match := re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", pattern):
        before, first, last, after = match[1], int(match[2]), int(match[3]), match[4]
        if last < first or last - first > 100_000:
            raise DataError(f"steps must be a rising range, got {pattern!r}; write it as t{{1..8}}")
        return [table.require(f"{before}{i}{after}", "steps") for i in range(first, last + 1)]
    if quotes(pattern) or ("*" not in pattern and "?" not in pattern):
        return [table.require(name, "steps") for name in parts(pattern)]
    shape = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    found = [name for name in table.columns if name != target and re.fullmatch(shape, name)]
    if not found:
        raise DataError(
            f"steps must fit columns of {table.path}, got {pattern!r} for {table.list_columns()}; mend the pattern"
        )
    return sorted(found, key=_natural)


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _kind(table: Table, field: str, target: str, kind: str | None, rows: str = "rows") -> str:
    """Return what a target asks for, and refuse what cannot be told."""
    if kind:
        return kind
    if not looks_numeric(table, field):
        return "classify"
    if not looks_numeric(table, field, WHOLE):
        return "regress"
    total, distinct = table.run(f"SELECT count(*), count(DISTINCT {field}) FROM {rows}")[0]
    if distinct > _QUANTITY and 2 * distinct > total:
        raise DataError(
            f"kind must be said where {target} is whole numbers, {distinct} different ones in {total} sequences; "
            "pass --kind regress or --kind classify"
        )
    return "classify"


def _targets(table: Table, field: str, target: str, kind: str, rows: str) -> np.ndarray | tuple[str, ...]:
    """Return the targets in the order of the rows."""
    if kind == "regress":
        sql = number_sql(table, field, target, remedy="fill it, or pass --missing drop")
        numbers = _floats(table.arrays(f"SELECT {sql} AS target FROM {rows} ORDER BY row")["target"])
        _must_vary(table, numbers, target)
        return numbers
    empty = table.run(f"SELECT min(row) FROM rows WHERE {field} IS NULL")[0][0]
    if empty is not None:
        raise DataError(
            f"{table.place(empty)}: {target} must be a label, got an empty cell; fill it, or pass --missing drop"
        )
    labels = tuple(row[0] for block in table.stream(f"SELECT {field} FROM {rows} ORDER BY row") for row in block)
    if len(set(labels)) < 2:
        raise DataError(f"{target} must have at least two classes, got one: {labels[0]!r}; name another column")
    return labels


def _lengths(table: Table, cells: np.ndarray, columns: list[str]) -> np.ndarray:
    """Return the length of each row up to its empty end; a hole before it is refused."""
    there = np.isfinite(cells)
    lengths = there.shape[1] - np.argmax(there[:, ::-1], axis=1)
    lengths = np.where(there.any(axis=1), lengths, 0)
    wrong = np.flatnonzero((there.sum(axis=1) != lengths) | (lengths == 0))
    if len(wrong):
        at = int(np.argmin(there[wrong[0]]))
        row = table.run(f"SELECT row FROM rows ORDER BY row LIMIT 1 OFFSET {int(wrong[0])}")[0][0]
        raise DataError(
            f"{table.place(row)}: {columns[at]} must be a number, got an empty cell before the end; fill it, or pass --missing drop"
        )
    return lengths


def _same_target(table: Table, ident: str, target: str) -> None:
    """Refuse empty ids, and a target that changes within a sequence."""
    empty = table.run("SELECT min(row) FROM rows WHERE c0 IS NULL")[0][0]
    if empty is not None:
        raise DataError(
            f"{table.place(empty)}: {ident} must name a sequence, got an empty cell; fill it, or pass --missing drop"
        )
    changes = table.run(
        "SELECT max(row), c0, min(c1), max(c1) FROM rows GROUP BY c0 HAVING count(DISTINCT c1) > 1 ORDER BY min(row) LIMIT 1"
    )
    if changes:
        row, name, one, other = changes[0]
        raise DataError(
            f"{table.place(row)}: {target} must be one value a sequence, got {one!r} and {other!r} in {ident} {name!r}; "
            "name a column that does not change within it"
        )


def _moment(table: Table, field: str, time: str | None) -> str:
    """Return the SQL that orders the rows of a sequence: a number, a time, or the place in the file."""
    if time is None:
        return "row"
    numbers = mostly_numeric(table, field) and not looks_numeric(table, field, r"(19|20)\d{6}")
    return number_sql(table, field, time) if numbers else time_sql(table, field, time)


def _rising(table: Table, time: str, aggregate: str | None, sort: bool) -> None:
    """Refuse times that fall or repeat within a sequence."""
    tests = ([] if sort or aggregate else ["t < before"]) + ([] if aggregate else ["t = before"])
    order = "t, row" if sort or aggregate else "row"
    for test in tests:
        found = table.run(
            f"SELECT row, id, t, before FROM (SELECT row, id, t, lag(t) OVER (PARTITION BY id ORDER BY {order}) AS before "
            f"FROM points) WHERE {test} ORDER BY row LIMIT 1"
        )
        if found:
            row, name, moment, before = found[0]
            way = "sort the file, or pass --sort" if "<" in test else "pass --aggregate mean, first or another"
            raise DataError(f"{table.place(row)}: {time} must rise in {name!r}, got {moment} after {before}; {way}")


def _gather(table: Table, features: tuple[str, ...], target: str, kind: str) -> NumberSequences:
    """Return the sequences of the prepared points, one after the other."""
    picked = ", ".join(f"v{i}" for i in range(len(features)))
    table.run(
        "CREATE OR REPLACE TEMP TABLE ids AS SELECT c0 AS id, min(row) AS row, any_value(c1) AS target FROM rows GROUP BY c0"
    )
    read = table.arrays(
        f"SELECT ids.row AS start, {picked} FROM points JOIN ids USING (id) ORDER BY ids.row, t, points.row"
    )
    cells = np.stack([_floats(read[f"v{i}"]) for i in range(len(features))], axis=1)
    for i, name in enumerate(features):
        _must_vary(table, cells[:, i], name)
    ends = np.flatnonzero(np.diff(np.asarray(read["start"]))) + 1
    table.run("CREATE OR REPLACE TEMP TABLE rows AS SELECT row, id AS c0, target AS c1 FROM ids")
    targets = _targets(table, "c1", target, kind, "rows")
    provenance = f"{table.path.name}, {len(features)} features, {target!r}"
    return NumberSequences(tuple(np.split(cells, ends)), targets, features, provenance)


def _floats(column: np.ndarray) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan).astype(np.float32)


def _must_vary(table: Table, numbers: np.ndarray, name: str) -> None:
    if len(numbers) and np.ptp(numbers) == 0:
        raise DataError(
            f"{table.path}: {name} must vary, got {numbers[0]:g} everywhere; leave it out, or name another column"
        )
