"""Pictures made of cells: confusion matrices, and maps of learning rate and size against a metric.

Colours come in nine steps of one hue and every cell says its number, so that no legend is needed.
"""

import math
from collections.abc import Sequence

from rnnlab.reports.axes import LETTER, Spec, label_width, nominal_axis, wrapped
from rnnlab.reports.palette import RAMP_FLIP, Theme
from rnnlab.reports.rounding import compact, finite, number
from rnnlab.results import Figure

OWN_COLOURS = {"scale": {"color": "independent"}}  # a cell and the text on it share their field, not their colour
SHARES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


def confusion(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return a matrix of shares of a row in per cent; the diagonal is framed, rows say how many they hold."""
    truths = _distinct(figure.data, "truth")
    guesses = _distinct(figure.data, "guess")
    totals = dict.fromkeys(truths, 0.0)
    for record in figure.data:
        totals[str(record["truth"])] += finite(record.get("count")) or 0.0
    rows = {truth: f"{truth} ({number(int(total))})" if total else truth for truth, total in totals.items()}
    margin = label_width(rows.values(), 40) + 34
    step = max(13.0, min(56.0, (width - margin) / max(len(guesses), 1)))
    cells = [_share_cell(record, rows, step) for record in figure.data]
    x_axis = nominal_axis(guesses, 40, title=figure.x, labelAngle=-50, orient="bottom", labelAlign="right")
    y_axis = nominal_axis(list(rows.values()), 40, title=f"{figure.y} (number)" if any(totals.values()) else figure.y)
    x = {"field": "guess", "type": "nominal", "sort": guesses, "axis": x_axis | {"grid": False}}
    y = {"field": "truth", "type": "nominal", "sort": list(rows.values()), "axis": y_axis | {"grid": False}}
    size = max(7.0, min(12.0, step * 0.36))
    right = [cell for cell in cells if cell["right"]]
    frame = {"type": "rect", "fill": None, "stroke": theme.ink, "strokeWidth": 1}
    layers = [*_filled(x, y, theme, size), {"data": {"values": right}, "mark": frame, "encoding": {"x": x, "y": y}}]
    return {
        "data": {"values": cells},
        "layer": layers,
        "width": round(step * len(guesses)),
        "height": round(step * len(truths)),
        "resolve": OWN_COLOURS,
    }


def heat_map(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return a panel a series: the value of every pair of settings, and how many runs of it diverged."""
    panels = list(dict.fromkeys(str(record.get("series") or "") for record in figure.data))
    xs, ys = _axis_values(figure.data, "x"), _axis_values(figure.data, "y")
    across = 1 if len(panels) == 1 or width < 500 else 2
    margin = label_width(ys, 30) + 40
    step = max(40.0, min(96.0, (width / across - margin) / max(len(xs), 1)))
    values = [value for value in (finite(record.get("value")) for record in figure.data) if value is not None]
    drawn = [_panel(figure, panel, xs, ys, step, values, theme) for panel in panels]
    if len(drawn) == 1:
        return drawn[0]
    return {"concat": drawn, "columns": across, "spacing": 24}


def _panel(
    figure: Figure, panel: str, xs: list[str], ys: list[str], step: float, values: Sequence[float], theme: Theme
) -> Spec:
    records = [record for record in figure.data if str(record.get("series") or "") == panel]
    height = max(38.0, min(54.0, step))
    cells = [_value_cell(record, values, step) for record in records]
    x_axis = nominal_axis(xs, 12, title=wrapped(figure.x, 40), labelAngle=0, grid=False)
    y_axis = nominal_axis(ys, 30, title=wrapped(figure.y, 40), grid=False)
    x = {"field": "x", "type": "nominal", "sort": xs, "scale": {"domain": xs}, "axis": x_axis}
    y = {"field": "y", "type": "nominal", "sort": ys[::-1], "scale": {"domain": ys[::-1]}, "axis": y_axis}
    spec: Spec = {
        "data": {"values": cells},
        "layer": _filled(x, y, theme, 11),
        "width": round(step * len(xs)),
        "height": round(height * len(ys)),
        "resolve": OWN_COLOURS,
    }
    return spec | ({"title": wrapped(panel, int(step * len(xs) / LETTER) + 8)} if panel else {})


def _filled(x: Spec, y: Spec, theme: Theme, size: float) -> list[Spec]:
    """Return the cells and, on them, their text in a colour that is legible there."""
    bins = list(range(-1, len(theme.ramp)))
    inks = [theme.muted] + [theme.on_low if step < RAMP_FLIP else theme.on_high for step in range(len(theme.ramp))]
    fill = {
        "field": "bin",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": bins, "range": [theme.void, *theme.ramp]},
    }
    ink = {"field": "bin", "type": "nominal", "legend": None, "scale": {"domain": bins, "range": inks}}
    rect = {"type": "rect", "stroke": theme.surface, "strokeWidth": 1}
    text = {"type": "text", "fontSize": size, "baseline": "middle", "dy": {"expr": "datum.note ? -6 : 0"}}
    note = {"type": "text", "fontSize": size - 1, "baseline": "middle", "dy": 8}
    place: Spec = {"x": x, "y": y}
    return [
        {"mark": rect, "encoding": place | {"color": fill}},
        {
            "transform": [{"filter": "datum.text"}],
            "mark": text,
            "encoding": place | {"color": ink, "text": {"field": "text"}},
        },
        {
            "transform": [{"filter": "datum.note"}],
            "mark": note,
            "encoding": place | {"color": ink, "text": {"field": "note"}},
        },
    ]


def _share_cell(record: Spec, rows: dict[str, str], step: float) -> Spec:
    share, truth, guess = finite(record.get("share")), str(record["truth"]), str(record["guess"])
    text = "" if share is None or share < 0.005 or step < 17 else f"{100 * share:.0f}"
    steps = -1 if share is None else sum(share >= edge for edge in SHARES)
    return {"truth": rows[truth], "guess": guess, "bin": steps, "text": text, "note": "", "right": truth == guess}


def _value_cell(record: Spec, values: Sequence[float], step: float) -> Spec:
    value, diverged = finite(record.get("value")), finite(record.get("diverged")) or 0.0
    text, note = ("–", "") if value is None else (compact(value, 3 if step >= 52 else 2), "")
    if diverged > 0:
        share = f"{100 * diverged:.0f}% lost"
        text, note = ("all lost", "") if value is None else (text, share)
    return {
        "x": _shown(record.get("x")),
        "y": _shown(record.get("y")),
        "bin": -1 if value is None else ramp_step(value, values),
        "text": text,
        "note": note,
    }


def ramp_step(value: float, values: Sequence[float]) -> int:
    """Return the step of the ramp, 0 to 8, for ``value`` among ``values``; logarithmic where they span more than a factor of 30.

    Example:
        >>> ramp_step(0.5, [0.0, 1.0]), ramp_step(1.0, [0.0, 1.0])
        (4, 8)
    """
    low, high = min(values), max(values)
    if low > 0 and high / low > 30:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return 4 if high == low else min(8, int(9 * (value - low) / (high - low)))


def _axis_values(records: Sequence[Spec], field: str) -> list[str]:
    found = list(dict.fromkeys(record.get(field) for record in records))
    if all(finite(value) is not None for value in found):
        found.sort(key=lambda value: finite(value) or 0.0)
    return [_shown(value) for value in found]


def _shown(value: object) -> str:
    figure = finite(value)
    return str(value) if figure is None else number(figure, 6) if abs(figure) >= 1e-4 or not figure else compact(figure)


def _distinct(records: Sequence[Spec], field: str) -> list[str]:
    return list(dict.fromkeys(str(record[field]) for record in records))
