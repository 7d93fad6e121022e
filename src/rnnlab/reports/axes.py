"""Axes and legends in Vega-Lite: ticks a reader would have chosen, labels that wrap and are never cut.

Every function returns a piece of a Vega-Lite specification; none knows what kind of picture it is for.
"""

import json
import math
import textwrap
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from rnnlab.reports.rounding import compact, finite

Spec = dict[str, Any]
Domain = tuple[float, float]

LETTER = 6.4  # mean width of a letter at 12 px, in the widest of the usual fonts (DejaVu Sans)
LABEL_PADDING = 6
LINE = 14  # px from line to line in a label


def values_of(records: Iterable[Spec], *fields: str) -> list[float]:
    """Return the finite numbers of the fields, in order."""
    found = (finite(record.get(name)) for record in records for name in fields)
    return [value for value in found if value is not None]


def domain(values: Sequence[float], *, log: bool, zero: bool = False) -> Domain:
    """Return the ends of an axis over ``values``, with a little room; logarithmic ones lie at 1, 2 or 5 times a power."""
    if log:
        values = [value for value in values if value > 0]
        low, high = (min(values), max(values)) if values else (0.1, 1.0)
        return (_log_edge(low, up=False), _log_edge(high, up=True)) if low < high else (low / 2, high * 2)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high == 0:
        return 0.0, 1.0
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return (low if zero and low == 0 else low - room, high if zero and high == 0 else high + room)


def quantitative(field: str, title: str, ends: Domain, *, log: bool, ticks: int = 6) -> Spec:
    """Return the encoding of a number, linear or logarithmic."""
    axis: Spec = {"title": wrapped(title, 60), "labelFlush": False} | (
        log_axis(ends, ticks) if log else _linear_axis(ends, ticks)
    )
    scale: Spec = {"type": "log" if log else "linear", "domain": list(ends), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def log_axis(ends: Domain, most: int = 6) -> Spec:
    """Return ticks at powers of ten, or at 1, 2, 5 where the axis spans little, as many as ``most``."""
    low, high = (math.log10(end) for end in ends)
    steps = (1, 2, 5) if high - low < 2.2 else (1,)
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    ticks = [tick for tick in ticks if ends[0] * 0.999 <= tick <= ends[1] * 1.001]
    stride = max(1, math.ceil(len(ticks) / (most + 2)))
    return ticks_at([float(f"{tick:.3g}") for tick in ticks[::stride]])


def ticks_at(values: Sequence[float]) -> Spec:
    """Return ticks at just these values."""
    return {"values": list(values), "labelExpr": _lookup(list(values), [compact(value) for value in values])}


def wrapped(text: str, width: int) -> list[str] | str:
    """Return ``text`` as lines of at most ``width`` letters where it does not fit into one."""
    lines = textwrap.wrap(text, width)
    return lines if len(lines) > 1 else text


def nominal_axis(labels: Sequence[str], width: int, **more: Any) -> Spec:
    """Return an axis whose labels wrap after ``width`` letters and are never cut."""
    shown = [label_lines(label, width) for label in labels]
    most = max((len(lines) for lines in shown), default=1)
    centred = [
        {
            "test": f"indexof({json.dumps([k for k, lines in zip(labels, shown) if len(lines) == n])}, datum.value) >= 0",
            "value": -LINE / 2 * (n - 1),
        }
        for n in range(2, most + 1)
    ]
    return {
        "labelExpr": _lookup(list(labels), [lines[0] if len(lines) == 1 else lines for lines in shown]),
        "labelLimit": 0,
        "labelOverlap": False,
        "labelPadding": LABEL_PADDING,
        "labelLineHeight": LINE,
        "labelOffset": {"condition": centred, "value": 0} if centred else 0,
        **more,
    }


def label_lines(label: str, width: int) -> list[str]:
    """Return a label as lines of at most ``width`` letters."""
    return textwrap.wrap(label, width, break_on_hyphens=False) or [" "]


def label_width(labels: Iterable[str], width: int) -> float:
    """Return the room in px that wrapped labels need."""
    return LETTER * max((len(line) for label in labels for line in label_lines(label, width)), default=0)


def legend(names: Sequence[str], width: int, **more: Any) -> Spec | None:
    """Return a legend above the picture in as many columns as fit into ``width`` px; None for a single unnamed series."""
    if not any(names) or not names:
        return None
    room = width - 110
    lines = [label_lines(name, int(room / LETTER)) for name in names]
    longest = max(len(line) for label in lines for line in label)
    columns = max(1, min(len(names), int((width - 70) // (longest * LETTER + 40))))
    shown = {} if all(len(label) == 1 for label in lines) else {"labelExpr": _lookup(list(names), lines)}
    return {
        "orient": "top",
        "direction": "horizontal",
        "columns": columns,
        "title": None,
        "labelLimit": 0,
        **shown,
        **more,
    }


def is_time(values: Iterable[object]) -> bool:
    """Return whether all values are ISO dates."""
    return all(_date(value) is not None for value in values)


def time_axis(field: str, title: str, values: Sequence[object], *, ticks: int) -> Spec:
    """Return the encoding of time: dates in UTC, or plain numbers."""
    if values and is_time(values):
        axis = {"title": title, "tickCount": ticks, "labelOverlap": True}
        return {"field": field, "type": "temporal", "scale": {"type": "utc"}, "axis": axis}
    numbers = [value for value in map(finite, values) if value is not None]
    ends = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    return quantitative(field, title, ends, log=False, ticks=ticks)


def _date(value: object) -> date | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _linear_axis(ends: Domain, ticks: int) -> Spec:
    size = max(abs(ends[0]), abs(ends[1]))
    return {"tickCount": ticks, "format": "~s" if size >= 1e6 else "~g" if size < 1e-3 else ",~r"}


def _log_edge(value: float, *, up: bool) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    if up:
        return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)
    return next(step * power for step in (5, 2, 1) if step * power <= value * 1.001)


def _lookup(keys: Sequence[Any], shown: Sequence[Any]) -> str:
    """Return a Vega expression that shows ``shown[i]`` for ``keys[i]``."""
    return f"{json.dumps(list(shown))}[indexof({json.dumps(list(keys))}, datum.value)]"
