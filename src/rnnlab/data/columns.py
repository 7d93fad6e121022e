"""What the text of a column means: numbers with a point or a comma, and times in the usual notations.

Each function looks at every value of a loaded column before it decides, refuses what it cannot tell, and returns the
SQL that reads the column. It knows nothing of series or sequences.
"""

from typing import Any

from rnnlab.data.tables import Table
from rnnlab.errors import DataError

_POINT = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_COMMA = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?([eE][+-]?\d+)?"
_THOUSANDS = r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"
_EITHER = r"[+-]?\d{1,3},\d{3}"
WHOLE = r"[+-]?\d+"
MISSING = ("na", "n/a", "nan", "null", "none", "-", "?", ".")
_INFINITE = r"[+-]?inf(inity)?"

ISO = "ISO"
_DATES = ("%Y/%m/%d", "%Y%m%d", "%Y-%m", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
_WORDS = ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%b %Y", "%B %Y", "%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p")
FORMATS = tuple(date + clock for date in _DATES for clock in _CLOCKS) + _WORDS
_ISO_SHAPE = r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?"


def number_sql(table: Table, field: str, column: str, *, missing: bool = False, remedy: str = "fill it") -> str:
    """Return the SQL that reads ``field`` (of ``rows``) as a DOUBLE; missing cells become NULL.

    Args:
        table: with the column loaded.
        field: its name in ``rows``.
        column: its name in the file, for messages.
        missing: whether empty cells and ``NaN``, ``NA``, ``null`` are allowed.
        remedy: what to do about a missing value.

    Raises:
        DataError: the first cell that is text, infinite, missing, or a number that can be read in two ways.
    """
    blank = _blank(field)
    point, comma = (f"regexp_full_match({field}, '{shape}')" for shape in (_POINT, _COMMA))
    swapped = f"replace(replace({field}, '.', ''), ',', '.')"
    total, blanks, points, commas = table.run(
        f"SELECT count(*), count(*) FILTER ({blank}), "
        f"count(*) FILTER ({point} AND isfinite(TRY_CAST({field} AS DOUBLE))), "
        f"count(*) FILTER ({comma} AND isfinite(TRY_CAST({swapped} AS DOUBLE))) FROM rows"
    )[0]
    if blanks and not missing:
        _refuse(table, blank, field, f"{column} must be a number, got {{}}; {remedy}")
    if table.is_boolean(column):
        return f"CASE {field} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 END"
    if points == total - blanks:
        return f"CASE WHEN {blank} THEN NULL ELSE CAST({field} AS DOUBLE) END"
    if commas == total - blanks:
        _refuse_ambiguous(table, field, column)
        return f"CASE WHEN {blank} THEN NULL ELSE CAST({swapped} AS DOUBLE) END"
    raise _not_numbers(table, field, column, f"NOT {blank}", point, comma)


def time_sql(table: Table, field: str, column: str) -> str:
    """Return the SQL that reads ``field`` (of ``rows``) as a TIMESTAMP.

    ISO dates and times, and the notations of `FORMATS`, are recognised where every value fits; day-first and
    month-first are told apart by the values.

    Raises:
        DataError: an empty cell, a value that is no time, or dates that can be read in two ways.
    """
    _refuse(table, f"{field} IS NULL", field, f"{column} must be a time, got {{}}; fill it or drop the row")
    candidates = [ISO, *FORMATS]
    for source in (f"(SELECT DISTINCT {field} FROM rows LIMIT 200)", f"(SELECT DISTINCT {field} FROM rows)"):
        failures = _failures(table, source, field, candidates)
        best = min(candidates, key=lambda form: failures[form])
        candidates = [form for form in candidates if failures[form] == 0]
        if not candidates:
            row, text = table.run(
                f"SELECT row, {field} FROM rows WHERE {_reading(field, best)} IS NULL ORDER BY row LIMIT 1"
            )[0]
            raise DataError(
                f"{table.place(row)}: {column} must be a time, got {text!r}; write it as 2024-01-31 or 2024-01-31 12:00"
            )
    chosen = candidates[0]
    for other in candidates[1:]:
        differs = f"{_reading(field, chosen)} <> {_reading(field, other)}"
        clash = table.run(f"SELECT row, {field} FROM rows WHERE {differs} ORDER BY row LIMIT 1")
        if clash:
            row, text = clash[0]
            raise DataError(
                f"{table.place(row)}: {column} must be a date of one meaning, got {text!r} "
                f"(day first or month first?); write it as 2024-01-31"
            )
    return _reading(field, chosen)


def looks_numeric(table: Table, field: str, shape: str = "") -> bool:
    """Return whether every cell of ``field`` is a number, empty cells aside; at least one must be.

    With a ``shape``, whether every cell has that shape (`WHOLE`: digits alone).
    """
    shapes = (shape,) if shape else (_POINT, _COMMA)
    counts = ", ".join(f"count(*) FILTER (regexp_full_match({field}, '{one}'))" for one in shapes)
    total, *fitting = table.run(f"SELECT count(*), {counts} FROM rows WHERE NOT {_blank(field)}")[0]
    return total > 0 and total in fitting


def mostly_numeric(table: Table, field: str) -> bool:
    """Return whether most cells of ``field`` are numbers, so that the others are mistakes."""
    fitting = f"count(*) FILTER (regexp_full_match({field}, '{_POINT}'))"
    return bool(table.run(f"SELECT 2 * {fitting} > count(*) FROM rows")[0][0])


def looks_like_time(table: Table, field: str) -> bool:
    """Return whether the first cells of ``field`` are times; bare numbers are not."""
    source = f"(SELECT DISTINCT {field} FROM (SELECT {field} FROM rows WHERE {field} IS NOT NULL LIMIT 200))"
    if looks_numeric(table, field):
        return _failures(table, source, field, ["%Y%m%d"])["%Y%m%d"] == 0
    return 0 in _failures(table, source, field, [ISO, *FORMATS]).values()


def _reading(field: str, form: str) -> str:
    if form == ISO:
        return f"CASE WHEN regexp_full_match({field}, '{_ISO_SHAPE}') THEN TRY_CAST({field} AS TIMESTAMP) END"
    if form == "%Y%m%d":
        return f"CASE WHEN length({field}) = 8 THEN try_strptime({field}, '{form}') END"
    if form == "%Y":
        return f"CASE WHEN length({field}) = 4 THEN try_strptime({field}, '{form}') END"
    return f"try_strptime({field}, '{form}')"


def _failures(table: Table, source: str, field: str, forms: list[str]) -> dict[str, int]:
    counts = ", ".join(f"count(*) FILTER ({_reading(field, form)} IS NULL)" for form in forms)
    return dict(zip(forms, map(int, table.run(f"SELECT {counts} FROM {source}")[0])))


def _blank(field: str) -> str:
    words = ", ".join(f"'{word}'" for word in MISSING)
    return f"({field} IS NULL OR lower({field}) IN ({words}))"


def _refuse(table: Table, condition: str, field: str, message: str) -> None:
    """Raise with the first row that meets ``condition``; ``message`` has a place for its text."""
    found: list[Any] = table.run(f"SELECT row, {field} FROM rows WHERE {condition} ORDER BY row LIMIT 1")
    if found:
        row, text = found[0]
        shown = "an empty cell" if text is None else repr(text[:60])
        raise DataError(f"{table.place(row)}: {message.format(shown)}")


def _refuse_ambiguous(table: Table, field: str, column: str) -> None:
    """Raise where every comma may as well part thousands: 1,234."""
    commas, either = table.run(
        f"SELECT count(*), count(*) FILTER (regexp_full_match({field}, '{_EITHER}')) FROM rows WHERE contains({field}, ',')"
    )[0]
    if commas == either:
        meaning = f"{column} must be a number of one meaning, got {{}} (decimal comma or thousands?)"
        _refuse(table, f"contains({field}, ',')", field, f"{meaning}; write 1234 or 1.234")


def _not_numbers(table: Table, field: str, column: str, filled: str, point: str, comma: str) -> DataError:
    """Raise with the first cell that is no number, and why."""
    infinite = f"regexp_full_match({field}, '(?i){_INFINITE}')"
    thousands = f"regexp_full_match({field}, '{_THOUSANDS}')"
    reasons = {
        infinite: "must be finite, got {}; correct the value",
        f"{thousands} AND NOT {comma}": "must be a number without separators of thousands, got {}; remove them",
        f"{filled} AND NOT {point} AND NOT {comma}": "must be a number, got {}; correct it, or name another column",
        f"{filled} AND NOT {point}": "must have one decimal sign, got {} beside numbers with a point; write them alike",
    }
    for condition, reason in reasons.items():
        _refuse(table, condition, field, f"{column} {reason}")
    _refuse(
        table,
        f"{filled} AND NOT coalesce(isfinite(TRY_CAST({field} AS DOUBLE)), false)",
        field,
        f"{column} must be within the range of a double, got {{}}; correct the value",
    )
    return DataError(f"{table.path}: {column} must be numbers, got others; check the column")
