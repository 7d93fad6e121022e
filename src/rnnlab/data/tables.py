"""Tables: the rows of a CSV, TSV, JSON lines or Parquet file, or of a data frame, as columns of text, through DuckDB.

A table knows columns, rows and lines, and nothing of what they mean. Only the columns that are asked for leave the
file; figures are computed inside DuckDB, so memory does not grow with the rest of the text.
"""

import csv
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from rnnlab.data.files import plain_file
from rnnlab.errors import DataError, suggest

DELIMITERS = ",;\t|"
_LONGEST_HEADER = 1 << 22
# No network, one thread (rows in order, and the machine's other cores left alone), and disk beyond this memory.
_SETTINGS = (
    "autoinstall_known_extensions=false",
    "autoload_known_extensions=false",
    "threads=1",
    "memory_limit='1GB'",
)


class Table:
    """The rows of one file. Columns are text; an empty cell is None. Made by `open_table`.

    Args:
        path: the file, as the user named it.
        columns: the names of its columns, in order.
    """

    def __init__(self, path: Path, plain: Path, kind: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self._plain, self._kind, self._connection = plain, kind, connection
        self.delimiter, self._where = ",", ""
        self._fields: dict[str, str] = {}
        self._types: dict[str, str] = {}
        self.columns, self._relation = self._open()

    def require(self, column: str, option: str) -> str:
        """Return ``column`` if the table has it.

        Raises:
            DataError: it has not; the message lists the columns.
        """
        if column not in self.columns:
            raise DataError(
                f"{self.path} must have the column {column!r}, got {self.list_columns(column)}; pass {option} with one of them"
            )
        return column

    def is_boolean(self, column: str) -> bool:
        """Return whether the column holds true and false, of a format that tells."""
        return self._types.get(column) == "BOOLEAN"

    def list_columns(self, wanted: str = "") -> str:
        """Return the columns as text, with the one nearest to ``wanted``."""
        return suggest(wanted, self.columns).removeprefix("one of ")

    def load(self, columns: Sequence[str], where: dict[str, str] | None = None) -> None:
        """Make the DuckDB table ``rows (row, c0, c1, ...)`` of ``columns``; cells that hold only spaces are NULL.

        ``row`` counts from 0 in the file, so that `place` finds a row again; ``where`` keeps rows by their text.
        """
        picked = "".join(f", nullif({self._cell(name)}, '') AS c{i}" for i, name in enumerate(columns))
        tests = "".join(f" AND {self._cell(name)} = ?" for name in where or {})
        self._where = ", ".join(f"{name}={text}" for name, text in (where or {}).items())
        numbered = f"SELECT *, row_number() OVER () - 1 AS row FROM {self._relation}"
        query = f"CREATE OR REPLACE TEMP TABLE rows AS SELECT row{picked} FROM ({numbered}) WHERE true{tests}"
        self.run(query, list((where or {}).values()))

    def run(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; what is wrong with the file becomes one line."""
        return self._guarded(query, values).fetchall()

    def arrays(self, query: str) -> dict[str, Any]:
        """Return the columns of a query as numpy arrays."""
        return dict(self._guarded(query, ()).fetchnumpy())

    def stream(self, query: str, size: int = 65_536) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query in blocks."""
        cursor = self._guarded(query, ())
        while block := cursor.fetchmany(size):
            yield block

    def place(self, row: int) -> str:
        """Return ``FILE line N`` (``row N`` in a Parquet file) of the row that `load` numbered ``row``."""
        if self._kind in ("parquet", "frame"):
            return f"{self.path} row {row + 1}"
        return f"{self.path} line {self._line(row)}"

    def count(self) -> int:
        """Return the number of rows loaded.

        Raises:
            DataError: there is none.
        """
        rows = int(self.run("SELECT count(*) FROM rows")[0][0])
        if rows == 0:
            got = f"none with {self._where}" if self._where else "a header alone"
            raise DataError(
                f"{self.path} must have rows, got {got}; check the file{' and the filter' * bool(self._where)}"
            )
        return rows

    def _guarded(self, query: str, values: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(query, list(values))
        except duckdb.Error as error:
            raise DataError(self._explain(str(error))) from None

    def _open(self) -> tuple[tuple[str, ...], str]:
        """Return the names of the columns and the SQL that reads them."""
        if self._kind == "frame":
            return self._described(str(self._plain))
        name = _literal(_no_globs(self._plain))
        if self._kind == "csv":
            self.delimiter, header = _header(self._plain, self.path)
            fields = ", ".join(f"'h{i}': 'VARCHAR'" for i in range(len(header)))
            self._fields = {column: f"h{i}" for i, column in enumerate(header)}
            self._types = dict.fromkeys(header, "VARCHAR")
            return tuple(header), (
                f"read_csv({name}, auto_detect=false, header=true, delim={_literal(self.delimiter)}, quote='\"', "
                f"escape='\"', columns={{{fields}}})"
            )
        reader = "read_parquet" if self._kind == "parquet" else "read_json_auto"
        extra = "" if self._kind == "parquet" else ", sample_size=-1, maximum_depth=1, map_inference_threshold=-1"
        return self._described(f"{reader}({name}{extra})")

    def _described(self, relation: str) -> tuple[tuple[str, ...], str]:
        """Return the columns of a relation that knows their types, and the relation."""
        described = self.run(f"DESCRIBE SELECT * FROM {relation}")
        self._types = {str(row[0]): str(row[1]) for row in described}
        self._fields = {column: column for column in self._types}
        return tuple(self._types), relation

    def _cell(self, column: str) -> str:
        """Return the SQL of a column's text, without the spaces around it."""
        field = '"' + self._fields[column].replace('"', '""') + '"'
        text = f"({field} ->> '$')" if self._types[column] == "JSON" else f"CAST({field} AS VARCHAR)"
        return f"trim({text}, ' \t\r\n' || chr(160))"

    def _line(self, row: int) -> int:
        """Return the physical line of a row: quoted cells may span lines, blank lines are no rows."""
        with self._plain.open(encoding="utf-8-sig", newline="") as text:
            if self._kind == "json":
                numbered = (number for number, line in enumerate(text, 1) if line.strip())
                return next((number for i, number in enumerate(numbered) if i == row), row + 1)
            for found, (start, _) in enumerate(_records(text, self.delimiter, len(self.columns))):
                if found == row + 1:
                    return start
        return row + 2

    def _explain(self, message: str) -> str:
        """Turn DuckDB's report into one line."""
        if match := re.search(r"CSV Error on Line: (\d+)", message):
            return self._explain_csv(message, int(match[1]))
        if match := re.search(r"Malformed JSON[^\n]*?: ([^\n:]*)", message):
            return (
                f"{self.path} line {self._bad_json()} must be JSON, got {match[1].strip()!r}; write one object a line"
            )
        first = message.split("\n")[0].replace(str(self._plain), str(self.path))
        return f"{self.path} must be a table, got {first!r}; check the file"

    def _bad_json(self) -> int:
        """Return the first line that is no JSON value; DuckDB may name a later one."""
        with self._plain.open(encoding="utf-8-sig") as text:
            for number, line in enumerate(text, 1):
                try:
                    json.loads(line or "null")
                except ValueError:
                    if line.strip():
                        return number
        return 1

    def _explain_csv(self, message: str, line: int) -> str:
        if match := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
            line, found = self._ragged(line, int(match[2]))
            return (
                f"{self.path} line {line} must have {match[1]} cells like the header, got {found}; "
                "mend the line, or quote a cell that holds the delimiter"
            )
        if "unterminated quote" in message:
            return (
                f"{self.path} line {line} must close its quote, got a quote that stays open; double quotes inside cells"
            )
        if "Maximum line size" in message:
            return f"{self.path} line {line} must be shorter than 2 MB, got a longer one; check for an open quote"
        return f"{self.path} line {line} must be a row of cells, got {message.splitlines()[1][:60]!r}; mend the line"

    def _ragged(self, line: int, found: int) -> tuple[int, int]:
        """Return the line and the number of cells of the first row that has too many or too few."""
        with self._plain.open(encoding="utf-8-sig", newline="") as text:
            for start, cells in _records(text, self.delimiter, len(self.columns)):
                if len(cells) != len(self.columns):
                    return start, len(cells)
        return line, found


@contextmanager
def open_table(path: str | Path) -> Iterator[Table]:
    """Open a file of rows: CSV, TSV (any of ``, ; tab |``), JSON lines or Parquet; plain, gzip, bzip2 or xz.

    Raises:
        DataError: missing, empty or unreadable file; not UTF-8; rows of unequal length; no or repeated header.
    """
    path = Path(path)
    with plain_file(path) as (plain, kind), connected() as connection:
        yield Table(path, plain, kind, connection)


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to an empty database in memory, which spills to disk and reaches for no network."""
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as spill, duckdb.connect(":memory:") as connection:
        for setting in _SETTINGS:
            # Fetched, so that nothing is left unfinished: a frame can only be registered on a connection at rest.
            connection.execute(f"SET {setting}").fetchall()
        connection.execute(f"SET temp_directory={_literal(spill)}").fetchall()
        # It would print on the output after two seconds, amid the answers. It is off in a notebook, where DuckDB refuses even to
        # turn it off unless ipywidgets are installed.
        if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() != [(False,)]:
            connection.execute("SET enable_progress_bar=false").fetchall()
        yield connection


def _header(plain: Path, path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns: the delimiter is the commonest of the header's."""
    with plain.open(encoding="utf-8-sig", newline="") as text:
        line = text.readline(_LONGEST_HEADER)
    bare = re.sub(r'"[^"]*"', "", line)
    delimiter = max(DELIMITERS, key=bare.count)
    try:
        header = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise DataError(f"{path} line 1 must be a header, got {str(error)!r}; name the columns") from None
    if not any(header):
        raise DataError(f"{path} line 1 must be a header, got a blank line; name the columns in the first line")
    for i, name in enumerate(header):
        if not name:
            header[i] = f"column{i + 1}"
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{path} line 1 must name each column once, got {repeated[0]!r} twice; rename one of them")
    return delimiter, header


def _records(text: Iterable[str], delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each record of a CSV file with the line it begins on, as DuckDB counts them: blank lines are no records."""
    reader = csv.reader(text, delimiter=delimiter)
    start = 1
    try:
        for cells in reader:
            if cells or width == 1:
                yield start, cells or [""]
            start = reader.line_num + 1
    except csv.Error:
        return


def _literal(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _no_globs(path: Path) -> str:
    """Return a path whose ``*``, ``?`` and ``[`` DuckDB takes for themselves."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.resolve()))
