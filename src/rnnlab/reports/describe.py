"""A Figure in words, for those who cannot see it: what it shows, its axes, its series and its extremes.

Knows the records of every kind of figure and nothing of how they are drawn.
"""

from collections.abc import Callable, Sequence
from typing import Any

from rnnlab.reports.axes import values_of
from rnnlab.reports.rounding import finite, number
from rnnlab.results import Figure, FigureKind

Records = Sequence[dict[str, Any]]


def describe(figure: Figure) -> str:
    """Return one to three sentences that say what the picture shows.

    Example:
        >>> describe(Figure("a", "bars", "MAE", "", "", "MAE", ({"label": "gru", "value": 0.7},)))
        'Bars: MAE. MAE of gru: 0.7.'
    """
    name, sentence = _WORDS[figure.kind]
    title = figure.title.rstrip(".")
    return f"{name}: {title}. {sentence(figure)}" if figure.data else f"{name}: {title}. No data."


def _lines(figure: Figure) -> str:
    x, y = ("x", "y") if figure.kind == "curves" else ("time", "value")
    parts = [f"{figure.y or 'value'} over {figure.x or 'time'}"]
    names = [name for name in _distinct(figure.data, "series") if name]
    parts += [f"series {', '.join(names)}"] if names else []
    ends = [record[x] for record in figure.data if record.get(x) is not None]
    parts += [f"from {_said(ends[0])} to {_said(ends[-1])}"] if ends else []
    held_out = [record.get("time") for record in figure.data if record.get("held_out")]
    parts += [f"held out from {min(map(str, held_out))} on"] if held_out else []
    return f"{'; '.join(parts)}; {_span(values_of(figure.data, y))}."


def _matrix(figure: Figure) -> str:
    right = [r for r in figure.data if r["truth"] == r["guess"] and finite(r.get("share")) is not None]
    wrong = [r for r in figure.data if r["truth"] != r["guess"] and finite(r.get("share")) is not None]
    said = f"{len(_distinct(figure.data, 'truth'))} labels, {figure.y} by {figure.x}."
    if right:
        said += f" Right most often: {_share(max(right, key=_by_share))}; least: {_share(min(right, key=_by_share))}."
    return said + (f" Most frequent confusion: {_share(max(wrong, key=_by_share))}." if wrong else "")


def _cells(figure: Figure) -> str:
    gone = sum((finite(record.get("diverged")) or 0) > 0 for record in figure.data)
    span = _span(values_of(figure.data, "value"))
    return f"{figure.y} against {figure.x}, {len(figure.data)} cells, {span}; runs diverged in {gone}."


def _bars(figure: Figure) -> str:
    said = [f"{r['label']}: {_said(r.get('value'))}{' (baseline)' if r.get('reference') else ''}" for r in figure.data]
    return f"{figure.y} of {'; '.join(said)}."


def _strip(figure: Figure) -> str:
    said = [
        f"{label}: {_span(values_of([r for r in figure.data if str(r['label']) == label], 'value'))}"
        for label in _distinct(figure.data, "label")
    ]
    return f"{figure.y}, a point a run; {'; '.join(said)}."


_WORDS: dict[FigureKind, tuple[str, Callable[[Figure], str]]] = {
    "curves": ("Curves", _lines),
    "series": ("Time series", _lines),
    "forecast": ("Forecast", _lines),
    "confusion": ("Confusion matrix", _matrix),
    "map": ("Map", _cells),
    "bars": ("Bars", _bars),
    "strip": ("Points", _strip),
}


def _span(values: Sequence[float]) -> str:
    if not values:
        return "no values"
    low, high = min(values), max(values)
    return f"value {number(low)}" if low == high else f"values from {number(low)} to {number(high)}"


def _said(value: object) -> str:
    figure = finite(value)
    return number(figure) if figure is not None else "no value" if value is None else str(value)


def _share(record: dict[str, Any]) -> str:
    pair = record["truth"] if record["truth"] == record["guess"] else f"{record['truth']} taken for {record['guess']}"
    return f"{pair} ({100 * record['share']:.0f} %)"


def _by_share(record: dict[str, Any]) -> float:
    return float(record["share"])


def _distinct(records: Records, field: str) -> list[str]:
    return list(dict.fromkeys(str(record.get(field) or "") for record in records))
