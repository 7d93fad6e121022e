"""What the columns of a file may be: a guess from their names and values, to be confirmed by who knows.

It looks at the columns and guesses one of the four shapes of `rnnlab.data.DataConfig`; the readers then say whether it holds. A
guess changes no figure by itself: what is trained on is what was confirmed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.commas import joined
from rnnlab.data import DataConfig, LabelledStrings, NumberSequences, Series, Source
from rnnlab.data.columns import looks_like_time, looks_numeric
from rnnlab.data.series import TIME_NAMES
from rnnlab.data.strings import TARGET_NAMES, TEXT_NAMES
from rnnlab.data.tables import Table, open_table
from rnnlab.reports.rounding import number

ID_NAMES = ("id", "series", "subject", "sequence", "store", "item", "group", "patient", "user")
VALUE_NAMES = ("value", "sales", "y", "target", "revenue", "price", "close", "count", "demand", "load")
SAMPLE = 5
LOOKED_AT = 2000
FEWEST_STEPS = 3


@dataclass(frozen=True)
class Guess:
    """What a file may be.

    Args:
        columns: its columns, in order.
        sample: its first rows, as text.
        options: fields of `DataConfig`.
        words: what it was taken for, and why.
    """

    columns: tuple[str, ...]
    sample: tuple[tuple[str | None, ...], ...]
    options: dict[str, Any]
    words: str


@dataclass(frozen=True)
class Column:
    """A column, looked at: whether its cells are numbers or times, and how many of them differ."""

    name: str
    numeric: bool
    time: bool
    distinct: int
    rows: int

    def called(self, names: Sequence[str]) -> bool:
        return self.name.casefold() in names


def guess(path: Path) -> Guess:
    """Return what the columns of the table in ``path`` may be.

    Raises:
        DataError: it is no table.
    """
    with open_table(path) as table:
        table.load(table.columns)
        table.count()
        fields = ", ".join(f"c{i}" for i in range(len(table.columns)))
        sample = tuple(table.run(f"SELECT {fields} FROM rows ORDER BY row LIMIT {SAMPLE}"))
        table.run(f"DELETE FROM rows WHERE row >= {LOOKED_AT}")
        columns = [_look(table, i, name) for i, name in enumerate(table.columns)]
    options, words = _shape(columns)
    return Guess(tuple(column.name for column in columns), sample, options, words)


def describe(source: Source) -> str:
    """Return in words what was read: how much of what."""
    if isinstance(source, LabelledStrings):
        return f"{len(source):,} strings of {len(source.classes)} labels, such as {source.texts[0][:40]!r} ({source.labels[0][:40]})."
    if isinstance(source, NumberSequences):
        lengths = [len(values) for values in source.values]
        long = f"{min(lengths)}" if min(lengths) == max(lengths) else f"{min(lengths)} to {max(lengths)}"
        kind = f"{len(set(source.targets))} labels" if isinstance(source.targets, tuple) else "a number"
        return f"{len(source):,} sequences of {long} steps and {source.values[0].shape[1]} features, each with {kind} to predict."
    if isinstance(source, Series):
        first, last = str(source.times[0])[:16], str(source.times[-1])[:16]
        low, high = number(float(source.values.min()), 3), number(float(source.values.max()), 3)
        return f"A series of {len(source):,} values from {first} to {last}, between {low} and {high}; a season is {source.season} steps."
    return f"{len(source)} series."


def _look(table: Table, index: int, name: str) -> Column:
    field = f"c{index}"
    rows, distinct = table.run(f"SELECT count(*), count(DISTINCT {field}) FROM rows")[0]
    numeric = looks_numeric(table, field)
    return Column(name, numeric, looks_like_time(table, field), distinct, rows)


def _shape(columns: Sequence[Column]) -> tuple[dict[str, Any], str]:
    for look in (_steps, _series, _long, _strings):
        found = look(columns)
        if found is not None:
            DataConfig(data="file", **found[0])
            return found
    return {}, "It is not clear what the columns are: choose them."


def _steps(columns: Sequence[Column]) -> tuple[dict[str, Any], str] | None:
    """Wide rows: at least three numeric columns whose names differ in a number alone."""
    stems: dict[str, list[Column]] = {}
    for column in columns:
        match = re.fullmatch(r"(.*?)[_ .-]?\d+", column.name)
        if match and column.numeric:
            stems.setdefault(column.name[: match.end(1)], []).append(column)
    if not stems:
        return None
    stem, steps = max(stems.items(), key=lambda item: len(item[1]))
    others = [column for column in columns if column not in steps]
    if len(steps) < FEWEST_STEPS or not others:
        return None
    target = _called(others, TARGET_NAMES) or others[-1]
    if any(column.name.startswith(stem) for column in others if column is not target) or not stem:
        pattern = joined(column.name for column in steps)
    else:
        pattern = f"{stem}*"
    words = f"Rows of {len(steps)} steps ({steps[0].name} to {steps[-1].name}), {target.name} to predict."
    return {"steps": pattern, "target": target.name}, words


def _series(columns: Sequence[Column]) -> tuple[dict[str, Any], str] | None:
    """A series: a column of times that hardly repeat, and a numeric one."""
    times = [column for column in columns if column.time]
    time = _called(times, TIME_NAMES) or next(iter(times), None)
    values = [column for column in columns if column.numeric and column is not time]
    if time is None or not values:
        return None
    value = _called(values, VALUE_NAMES) or values[0]
    groups = [c for c in columns if c not in (time, value) and (c.called(ID_NAMES) or not c.numeric) and c.distinct > 1]
    options: dict[str, Any] = {"time": time.name, "value": value.name, "kind": "forecast"}
    if time.distinct == time.rows:
        return options, f"A series: {value.name} over {time.name}, to forecast."
    if any(not c.numeric and c.called(TARGET_NAMES) for c in columns):
        return None
    several = (
        f" Several rows have one time (told apart by {groups[0].name}?): choose rows, or how they are put together."
        if groups
        else ""
    )
    return options | {"aggregate": "sum"}, f"A series: the sum of {value.name} a {time.name}, to forecast.{several}"


def _long(columns: Sequence[Column]) -> tuple[dict[str, Any], str] | None:
    """Long rows: a column that tells sequences apart, features that vary within them, and a target that may not."""
    ident = _called([c for c in columns if 1 < c.distinct < c.rows], ID_NAMES)
    target = _called([c for c in columns if c is not ident], TARGET_NAMES)
    if ident is None or target is None:
        return None
    rest = [c for c in columns if c not in (ident, target)]
    time = _called(rest, TIME_NAMES) or next((c for c in rest if c.time), None)
    features = [c for c in rest if c.numeric and c is not time]
    if not features:
        return None
    options: dict[str, Any] = {"id": ident.name, "target": target.name, "features": tuple(c.name for c in features)}
    if time is not None:
        options["time"] = time.name
    words = f"Sequences told apart by {ident.name}: {', '.join(options['features'])} at each step, {target.name} to predict."
    return options, words


def _strings(columns: Sequence[Column]) -> tuple[dict[str, Any], str] | None:
    """Labelled strings: a column of text that hardly repeats, and one of few labels."""
    texts = [c for c in columns if not c.numeric and not c.time]
    text = _called(texts, TEXT_NAMES) or max(texts, key=lambda c: c.distinct, default=None)
    if text is None:
        return None
    labels = [c for c in columns if c is not text and 1 < c.distinct <= max(2, c.rows // 2)]
    target = _called([c for c in columns if c is not text], TARGET_NAMES) or min(
        labels, key=lambda c: c.distinct, default=None
    )
    if target is None:
        return None
    return {"text": text.name, "target": target.name}, f"Strings: {text.name} to read, {target.name} to tell."


def _called(columns: Sequence[Column], names: Sequence[str]) -> Column | None:
    return next((column for name in names for column in columns if column.called((name,))), None)
