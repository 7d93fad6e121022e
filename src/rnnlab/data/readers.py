"""Readers of the two kinds of file that the lab takes: labelled strings, and one series.

They say what is wrong with a file and guess nothing that changes a figure.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from rnnlab.data.source import LabelledStrings
from rnnlab.data.tables import Table, open_table
from rnnlab.errors import DataError

TEXT_NAMES = ("name", "text", "string", "surname", "word", "sequence")
TARGET_NAMES = ("origin", "label", "target", "class", "category", "nationality", "language")
# Files that stand beside data and are not data; a label is written another way than in capitals.
COMPANIONS = frozenset({"README", "LICENSE", "LICENCE", "SOURCE", "SOURCES", "NOTICE", "CHANGELOG", "COPYING", "AUTHORS"})


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
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    with open_table(path) as table:
        target = table.require(target, "target") if target else _pick(table, TARGET_NAMES, 1, "target", text)
        text = table.require(text, "text") if text else _pick(table, TEXT_NAMES, 0, "text", target)
        return _read_columns(table, text, target)


def _read_folder(folder: Path) -> LabelledStrings:
    files = sorted(p for p in folder.glob("*.txt") if p.is_file() and p.stem not in COMPANIONS)
    if not files:
        raise DataError(f"{folder} must hold LABEL.txt files, got none; put one string a line into a file a label")
    pairs: dict[tuple[str, str], None] = {}
    for file in files:
        before = len(pairs)
        pairs.update(dict.fromkeys((line, file.stem) for line in _lines(file)))
        if len(pairs) == before:
            raise DataError(f"{file} must hold one string a line, got none; fill the file or remove it")
    return _labelled(pairs, f"{folder.name}/, {len(files)} files")


def _lines(file: Path) -> Iterator[str]:
    """Yield the strings of a text file, without the spaces around them."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{file} line {line} must be UTF-8 text, got the byte 0x{error.object[error.start]:02x}; save it as UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{file} must be readable, got {error.strerror!r}; check its permissions") from None
    return (line.strip() for line in text.splitlines() if line.strip())


def _read_columns(table: Table, text: str, target: str) -> LabelledStrings:
    table.load([text, target])
    table.count()
    for column, field in ((text, "c0"), (target, "c1")):
        missing = table.run(f"SELECT min(row) FROM rows WHERE {field} IS NULL")[0][0]
        if missing is not None:
            raise DataError(f"{table.place(missing)} must have a {column!r}, got an empty cell; fill it or drop the row")
    pairs: dict[tuple[str, str], None] = {}
    for block in table.stream("SELECT c0, c1 FROM rows ORDER BY row"):
        pairs.update(dict.fromkeys((string, sys.intern(label)) for string, label in block))
    return _labelled(pairs, f"{table.path.name}, {text!r} and {target!r}")


def _labelled(pairs: dict[tuple[str, str], None], provenance: str) -> LabelledStrings:
    texts = tuple(text for text, _ in pairs)
    labels = tuple(label for _, label in pairs)
    if len(set(labels)) < 2:
        raise DataError(f"target must have at least two classes, got one: {labels[0]!r}; add strings of another class")
    return LabelledStrings(texts, labels, provenance)


def _pick(table: Table, usual: tuple[str, ...], position: int, option: str, taken: str | None) -> str:
    """Return the column with a usual name; of two columns, the one that is left."""
    free = [name for name in table.columns if name != taken]
    for name in usual:
        for column in free:
            if column.casefold() == name:
                return column
    if len(table.columns) == 2:
        return free[0] if len(free) == 1 else table.columns[position]
    raise DataError(
        f"{option} must be named, got the columns {table.list_columns()} in {table.path}; "
        f"pass {option} with one of them"
    )
