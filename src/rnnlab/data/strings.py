"""Labelled strings from a folder of ``LABEL.txt`` files, or from two columns of a table.

Spaces around a string are dropped, and so are repeated (string, label) pairs: a copy says nothing new of a string.
A string with several labels keeps all of them.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from rnnlab.data.source import LabelledStrings
from rnnlab.data.tables import Table
from rnnlab.errors import DataError

TEXT_NAMES = ("name", "text", "string", "surname", "word", "sequence")
TARGET_NAMES = ("origin", "label", "target", "class", "category", "nationality", "language")
LEAST_LABELS = 20
# Files that stand beside data and are not data; written in capitals, as no label is.
COMPANIONS = frozenset(
    {"README", "LICENSE", "LICENCE", "SOURCE", "SOURCES", "NOTICE", "CHANGELOG", "COPYING", "AUTHORS"}
)


def strings_of_folder(folder: Path) -> LabelledStrings:
    """Return the strings of a folder's ``LABEL.txt`` files; `COMPANIONS` are left alone.

    Raises:
        DataError: no such files, an empty or unreadable one, one label only.
    """
    try:
        files = sorted(p for p in folder.glob("*.txt") if p.is_file() and p.stem not in COMPANIONS)
    except OSError as error:
        raise DataError(f"{folder} must be readable, got {error.strerror!r}; check its permissions") from None
    if not files:
        raise DataError(f"{folder} must hold LABEL.txt files, got none; put one string a line into a file a label")
    pairs: dict[tuple[str, str], None] = {}
    total = 0
    for file in files:
        lines = list(_lines(file))
        if not lines:
            raise DataError(f"{file} must hold one string a line, got none; fill the file or remove it")
        total += len(lines)
        pairs.update(dict.fromkeys((line, file.stem) for line in lines))
    texts, labels = tuple(text for text, _ in pairs), tuple(label for _, label in pairs)
    return _labelled(texts, labels, f"{folder.resolve().name}/, {len(files)} files", total)


def strings_of_table(
    table: Table, text: str | None, target: str | None, where: dict[str, str] | None = None, *, drop: bool = False
) -> LabelledStrings:
    """Return the strings of two columns.

    Args:
        table: an open table.
        text: the column of the strings; None takes a usual name, or the first of two columns.
        target: the column of the labels; None takes a usual name, or the second of two columns.
        where: rows to keep.
        drop: whether rows with an empty cell are dropped rather than refused.

    Raises:
        DataError: a column is missing or cannot be told, a cell is empty, one label only.
    """
    target = table.require(target, "target") if target else _pick(table, TARGET_NAMES, 1, "target", text)
    text = table.require(text, "text") if text else _pick(table, TEXT_NAMES, 0, "text", target)
    for column in where or {}:
        table.require(column, "where")
    table.load([text, target], where)
    total = table.count()
    if not drop:
        _no_empty(table, {"c0": text, "c1": target})
    texts: list[str] = []
    labels: list[str] = []
    filled = "FROM rows WHERE c0 IS NOT NULL AND c1 IS NOT NULL"
    for block in table.stream(f"SELECT c0, c1 {filled} GROUP BY c0, c1 ORDER BY min(row)"):
        texts.extend(string for string, _ in block)
        labels.extend(sys.intern(label) for _, label in block)
    if not texts:
        raise DataError(f"{table.path} must have rows with {text!r} and {target!r}, got none; check the columns")
    return _labelled(tuple(texts), tuple(labels), f"{table.path.name}, {text!r} and {target!r}", total)


def _lines(file: Path) -> Iterator[str]:
    """Yield the strings of a text file, without the spaces around them."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise DataError(f"{file} line {line} must be UTF-8 text, got the byte 0x{byte:02x}; save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"{file} must be readable, got {error.strerror!r}; check its permissions") from None
    return (line.strip() for line in text.split("\n") if line.strip())


def _no_empty(table: Table, fields: dict[str, str]) -> None:
    for field, column in fields.items():
        row = table.run(f"SELECT min(row) FROM rows WHERE {field} IS NULL")[0][0]
        if row is not None:
            raise DataError(
                f"{table.place(row)}: {column} must be text, got an empty cell; fill it, or pass --missing drop"
            )


def _labelled(texts: tuple[str, ...], labels: tuple[str, ...], provenance: str, total: int) -> LabelledStrings:
    if len(set(labels)) < 2:
        raise DataError(
            f"target must have at least two classes, got one: {labels[0]!r} in {provenance}; add strings of another class"
        )
    distinct = set(labels)
    if 2 * len(distinct) > len(labels) >= LEAST_LABELS and all(map(_is_number, distinct)):
        raise DataError(
            f"target must be labels that come again, got {len(distinct)} different numbers for {len(labels)} strings in {provenance}; "
            "name a column of labels, or pass --time and --value for a series, --steps or --features for sequences of numbers"
        )
    dropped = total - len(texts)
    return LabelledStrings(
        texts, labels, provenance + (f", {dropped} repeated or empty rows dropped" if dropped else "")
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
        f"{option} must be named, got the columns {table.list_columns()} in {table.path}; pass {option} with one of them"
    )
