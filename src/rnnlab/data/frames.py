"""Data frames as tables: pandas, polars and pyarrow go the same road as a file, with the same columns, checks and messages.

narwhals knows whose frame it is; DuckDB reads it. This module knows nothing of what the columns mean.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from rnnlab.data.tables import Table, connected
from rnnlab.errors import DataError

NAME = "data frame"


def is_frame(given: Any) -> bool:
    """Return whether ``given`` is a table of pandas, polars or pyarrow, or another that narwhals knows.

    Example:
        >>> import polars
        >>> is_frame(polars.DataFrame({"a": [1]})), is_frame("names.csv")
        (True, False)
    """
    if isinstance(given, str | Path | bytes | list | tuple | dict):
        return False
    import narwhals as nw

    return bool(nw.dependencies.is_into_dataframe(given) or nw.dependencies.is_polars_lazyframe(given))


@contextmanager
def open_frame(frame: Any) -> Iterator[Table]:
    """Open a data frame as `rnnlab.data.tables.open_table` opens a file. A named index of pandas is a column like others.

    Raises:
        DataError: columns without a name of text, or of the same name.
    """
    plain = _plain(frame)
    with connected() as connection, tempfile.TemporaryDirectory(prefix="rnnlab-") as folder:
        if plain.implementation.is_pandas():
            _register(connection, plain.to_native())
            source = "frame"
        else:
            # By way of a file: DuckDB reads polars' own memory only where pyarrow is installed.
            place = Path(folder) / "frame.parquet"
            plain.write_parquet(place)
            source = f"read_parquet('{place}')"
        try:
            yield Table(Path(NAME), Path(source), "frame", connection)
        except duckdb.Error as error:
            raise DataError(
                f"{NAME} must be a table, got {str(error).splitlines()[0][:80]!r}; check its columns"
            ) from None


def _register(connection: duckdb.DuckDBPyConnection, frame: Any) -> None:
    """Let DuckDB read a frame of pandas as ``frame``, where it lies; rows that were turned around are copied first."""
    try:
        connection.register("frame", frame)
    except (duckdb.Error, RuntimeError):
        connection.register("frame", frame.copy())


def _plain(frame: Any) -> Any:
    """Return the frame as narwhals', with named columns alone, and times as the clock on the wall."""
    import narwhals as nw

    if type(frame).__module__.startswith("pandas") and any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    try:
        found = nw.from_native(frame)
        found = found.collect() if isinstance(found, nw.LazyFrame) else found
        names = found.columns
    except Exception as error:
        raise DataError(
            f"{NAME} must have distinct columns, got {str(error).splitlines()[0][:80]!r}; rename them"
        ) from None
    odd = next((name for name in names if not isinstance(name, str) or not name.strip()), None)
    if odd is not None:
        raise DataError(f"{NAME} must have columns with names of text, got {odd!r}; rename it")
    if not len(found):
        raise DataError(f"{NAME} must have rows, got none; check how it was made")
    zoned = [name for name, kind in found.schema.items() if isinstance(kind, nw.Datetime) and kind.time_zone]
    return found.with_columns(*(nw.col(name).dt.replace_time_zone(None) for name in zoned)) if zoned else found
