"""The built-in data: names, sales, binary, memorise. Where each comes from stands in ``builtin/PROVENANCE.md``."""

import csv
import io
from dataclasses import replace
from importlib.resources import files
from typing import Literal

import numpy as np

from rnnlab.data.source import LabelledStrings, NumberSequences, Series, SeriesCollection
from rnnlab.errors import ConfigError, suggest

SALES_COLUMNS = ("revenue", "units", "orders")
_SALES = "UCI Online Retail II (Chen 2019, CC BY 4.0), goods sold a day, cancelled orders left out"


def names() -> LabelledStrings:
    """Return 17,986 surnames of 18 origins (Arabic .. Vietnamese), distinct (name, origin) pairs.

    Source: the list ``surname-nationality`` (MIT), its part that stems from S. Robertson, 2017 (MIT); residue removed.

    Example:
        >>> len(names().classes)
        18
    """
    rows = _rows("names.csv")
    return LabelledStrings(
        tuple(row["name"] for row in rows),
        tuple(row["origin"] for row in rows),
        "surname-nationality (MIT), after a list of S. Robertson, 2017 (MIT); residue removed",
    )


def sales(column: str = "revenue", country: str | None = None) -> Series:
    """Return two years of a British online shop, a value a day, 2009-12-01 .. 2011-12-08, with ``season`` 7.

    Every day of the calendar has a row. On closed days (Saturdays, Christmas to New Year, bank holidays) nothing was
    sold: the value is 0 and the known series ``open`` is 0. Cancelled orders were never sales: they are left out on
    the day of the order, so no value is negative. Postage, fees, vouchers and corrections are not counted.

    Args:
        column: ``revenue`` (pounds), ``units`` (pieces) or ``orders`` (invoices).
        country: one of the eight largest (``United Kingdom``, ``EIRE``, ``Netherlands``, ``Germany``, ``France``,
            ``Australia``, ``Switzerland``, ``Spain``); all countries where None.

    Raises:
        ConfigError: an unknown column or country.

    Example:
        >>> len(sales())
        738
    """
    if column not in SALES_COLUMNS:
        raise ConfigError(f"column must be {suggest(column, SALES_COLUMNS)}, got {column!r}; name one of them")
    rows = _rows("sales.csv" if country is None else "sales_by_country.csv")
    if country is not None:
        choices = dict.fromkeys(row["country"] for row in rows)
        if country not in choices:
            raise ConfigError(f"country must be {suggest(country, choices)}, got {country!r}; name one of them")
        rows = [row for row in rows if row["country"] == country]
    return Series(
        times=np.array([row["date"] for row in rows], dtype="datetime64[D]"),
        values=np.array([float(row[column]) for row in rows]),
        name=column if country is None else f"{column} of {country}",
        season=7,
        provenance=_SALES,
        known={"open": np.array([float(row["open"]) for row in rows])},
    )


def sales_by_country(column: str = "revenue") -> SeriesCollection:
    """Return the sales of the eight largest countries, largest first, as eight series with the same days; see `sales`.

    Raises:
        ConfigError: an unknown column.

    Example:
        >>> sales_by_country().names[:3]
        ('United Kingdom', 'EIRE', 'Netherlands')
    """
    names = dict.fromkeys(row["country"] for row in _rows("sales_by_country.csv"))
    series = tuple(replace(sales(column, name), name=name) for name in names)
    return SeriesCollection(series, _SALES)


def binary(layout: Literal["steps", "features"] = "steps") -> NumberSequences:
    """Return all 256 numbers of eight bits, most significant bit first, with targets 0 .. 255 (not scaled).

    Args:
        layout: ``steps`` (eight steps of one bit) or ``features`` (one step of eight bits).

    Raises:
        ConfigError: another layout.

    Example:
        >>> binary().values[5][:, 0].tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]
    """
    if layout not in ("steps", "features"):
        raise ConfigError(f"layout must be {suggest(layout, ('steps', 'features'))}, got {layout!r}; name one of them")
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
    shape = (8, 1) if layout == "steps" else (1, 8)
    return NumberSequences(
        values=tuple(row.reshape(shape) for row in bits),
        targets=np.arange(256, dtype=np.float32),
        features=("bit",) if layout == "steps" else tuple(f"bit{7 - i}" for i in range(8)),
        provenance="all numbers of eight bits, made by rule",
    )


def memorise() -> NumberSequences:
    """Return three sequences of three numbers, with the targets 1/3, 2/3 and 1.

    The lab's own inputs are lost; these targets are the simplest that fit the losses it prints.

    Example:
        >>> memorise().targets.round(4).tolist()
        [0.33329999446868896, 0.666700005531311, 1.0]
    """
    numbers = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1) / 10
    targets = np.array([1 / 3, 2 / 3, 1], dtype=np.float32)
    return NumberSequences(tuple(numbers), targets, ("number",), "made by rule: 0.1 .. 0.9 in threes")


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("rnnlab.data") / "builtin" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
