"""Pictures with lines: training curves, series, forecasts with the part that was held out.

Series differ in colour and dash, and in the shape of their points where there are few. Knows `Figure` records, not
what they mean.
"""

import math
from collections.abc import Sequence
from typing import Any

from rnnlab.reports.axes import Domain, Spec, domain, legend, quantitative, ticks_at, time_axis, values_of
from rnnlab.reports.palette import DASHES, SHAPES, Theme
from rnnlab.reports.rounding import finite
from rnnlab.results import Figure

TRUTH = "data"
MOST_POINTS = 1000  # a line; more than the picture has pixels for
FEW_POINTS = 14


def curves(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return lines over a number, with a band from ``low`` to ``high`` where there is one."""
    records = [_positive(record, figure) for record in figure.data]
    records = thinned(records, "x", "y")
    names = series_names(figure.data)
    spread = any(finite(record.get("low")) is not None for record in records)
    ends_y = domain(values_of(records, "y", *(("low", "high") if spread else ())), log=figure.log_y)
    ends_x = _tight(values_of(records, "x"), log=figure.log_x)
    x = quantitative("x", figure.x, ends_x, log=figure.log_x, ticks=_ticks(width))
    settings = sorted(set(values_of(records, "x")))
    whole = all(value.is_integer() for value in settings) and ends_x[1] - ends_x[0] <= _ticks(width)
    if whole or (figure.log_x and len(settings) <= _ticks(width)):
        x["axis"] |= ticks_at(settings)  # the rates or sizes that were tried; there is no half epoch
    y = quantitative("y", figure.y, ends_y, log=figure.log_y)
    few = len(records) <= FEW_POINTS * max(len(names), 1)
    styles = _styles(names, theme, width, points=few)
    layers = [_band(x, y, styles)] if spread else []
    layers.append({"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"x": x, "y": y} | styles})
    if few:
        layers.append(_points(x, y, styles, names))
    if any(record.get("marked") for record in records):
        layers.append(_marked(x, y, theme))
    clipped = [record | {"low": _clamp(record.get("low"), ends_y)} for record in records] if spread else records
    return {"data": {"values": clipped}, "layer": layers, "width": width, "height": _height(width)}


def series(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return values over time, a line a series."""
    records = thinned([_positive(record, figure, "value") for record in figure.data], "time", "value")
    x, y = _time_and_value(figure, records, width)
    styles = _styles(series_names(figure.data), theme, width)
    line = {"mark": {"type": "line", "strokeWidth": 1.4}, "encoding": {"x": x, "y": y} | styles}
    return {"data": {"values": records}, "layer": [line], "width": width, "height": _height(width, 0.42)}


def forecast(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return the truth and its forecasts over time; the held-out part is shaded and says so.

    Where the held-out part is a small share of the whole, or long, a second panel shows its beginning large.
    """
    records = thinned([_positive(record, figure, "value") for record in figure.data], "time", "value")
    names = series_names(figure.data)
    inner = width - 80  # panels are measured without their axes
    held_out = sorted({r["time"] for r in figure.data if r.get("held_out") and r.get("time") is not None}, key=_order)
    panel = _forecast_panel(figure, records, names, theme, inner, held_out)
    times = {record.get("time") for record in figure.data}
    if not held_out or len(times) < 120 or len(held_out) > len(times) * 0.9:
        return {"data": {"values": records}} | panel | {"width": width}
    shown = set(held_out[: max(28, min(len(held_out), 70))])
    near = [record for record in figure.data if record.get("time") in shown]
    near = [_positive(record, figure, "value") for record in near]
    detail = _forecast_panel(figure, near, names, theme, inner, [], keyed=False)
    whole = len(shown) == len(held_out)
    detail["title"] = "The held-out part" if whole else f"The first {len(shown)} held-out steps"
    return {"vconcat": [{"data": {"values": records}} | panel, {"data": {"values": near}} | detail], "spacing": 22}


def series_names(records: Sequence[Spec]) -> list[str]:
    """Return the series in the order they first appear."""
    return list(dict.fromkeys(str(record.get("series") or "") for record in records))


def thinned(records: list[Spec], x: str, y: str) -> list[Spec]:
    """Return at most about `MOST_POINTS` records a series: of each stretch the lowest, the highest, the first.

    A picture's resolution, not a smoothing: every peak stays.
    """
    kept: list[Spec] = []
    for name in series_names(records):
        own = [record | {"series": name} for record in records if str(record.get("series") or "") == name]
        stride = math.ceil(len(own) / (MOST_POINTS / 3))
        if len(own) <= MOST_POINTS:
            kept += own
            continue
        for start in range(0, len(own), stride):
            kept += _extremes(own[start : start + stride], y)
    return kept


def _extremes(stretch: list[Spec], y: str) -> list[Spec]:
    known = [index for index, record in enumerate(stretch) if finite(record.get(y)) is not None]
    if not known:
        return stretch[:1]
    value = {index: float(stretch[index][y]) for index in known}
    kept = {0, len(stretch) - 1, min(known, key=lambda i: value[i]), max(known, key=lambda i: value[i])}
    return [stretch[index] for index in sorted(kept)]


def _forecast_panel(
    figure: Figure,
    records: list[Spec],
    names: list[str],
    theme: Theme,
    width: int,
    held_out: list[Any],
    *,
    keyed: bool = True,
) -> Spec:
    x, y = _time_and_value(figure, records, width)
    styles = _styles(names, theme, width)
    if not keyed:
        styles = {channel: encoding | {"legend": None} for channel, encoding in styles.items()}
    layers: list[Spec] = []
    if held_out:
        span = {"values": [{"from": held_out[0], "to": held_out[-1], "text": "held out"}]}
        start, end = x | {"field": "from"}, {"field": "to"}
        shade = {"mark": {"type": "rect", "color": theme.shade}, "encoding": {"x": start, "x2": end}}
        edge = {"mark": {"type": "rule", "color": theme.muted, "strokeDash": [3, 3]}, "encoding": {"x": start}}
        word = {
            "mark": {"type": "text", "align": "left", "dx": 5, "y": 9, "color": theme.muted, "fontWeight": "bold"},
            "encoding": {"x": start, "text": {"field": "text"}},
        }
        layers += [{"data": span} | layer for layer in (shade, edge, word)]
    if values_of(records, "low"):
        layers.append(_band(x, y, styles))
    wide = {"condition": {"test": f"datum.series === '{TRUTH}'", "value": 1.3}, "value": 1.8}
    line = {"mark": {"type": "line"}, "encoding": {"x": x, "y": y, "strokeWidth": wide} | styles}
    return {"layer": [*layers, line], "width": width, "height": _height(width, 0.42)}


def _time_and_value(figure: Figure, records: list[Spec], width: int) -> tuple[Spec, Spec]:
    times = [record.get("time") for record in records]
    x = time_axis("time", figure.x, times, ticks=5 if width > 400 else 3)
    low, high = domain(values_of(records, "value", "low", "high"), log=figure.log_y)
    room = any(record.get("held_out") for record in records)  # for the words above the held-out part
    ends = (low, high * 2 if figure.log_y else high + 0.1 * (high - low)) if room else (low, high)
    return x, quantitative("value", figure.y, ends, log=figure.log_y)


def _styles(names: list[str], theme: Theme, width: int, *, points: bool = False) -> Spec:
    """Return colour and dash of every series, with one legend for both."""
    others = [name for name in names if name != TRUTH]
    colour = {name: theme.series[index % len(theme.series)] for index, name in enumerate(others)} | {TRUTH: theme.ink}
    dash = {name: list(DASHES[index % len(DASHES)]) for index, name in enumerate(others)} | {TRUTH: [1, 0]}
    symbol: Spec = {"symbolSize": 80} if points else {"symbolType": "stroke", "symbolSize": 500}
    key = legend(names, width, symbolStrokeWidth=2, symbolOpacity=1, **symbol)
    common: Spec = {"field": "series", "type": "nominal", "legend": key}
    return {
        "color": common | {"scale": {"domain": names, "range": [colour[name] for name in names]}},
        "strokeDash": common | {"scale": {"domain": names, "range": [dash[name] for name in names]}},
    }


def _band(x: Spec, y: Spec, styles: Spec) -> Spec:
    encoding = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": styles["color"]}
    return {"mark": {"type": "area", "opacity": 0.16, "strokeWidth": 0}, "encoding": encoding}


def _points(x: Spec, y: Spec, styles: Spec, names: list[str]) -> Spec:
    shapes = [SHAPES[index % len(SHAPES)] for index in range(len(names))]
    shape = styles["color"] | {"scale": {"domain": names, "range": shapes}}
    mark = {"type": "point", "filled": True, "size": 46, "opacity": 1}
    return {"mark": mark, "encoding": {"x": x, "y": y, "color": styles["color"], "shape": shape}}


def _marked(x: Spec, y: Spec, theme: Theme) -> Spec:
    """Return a ring around the points that are marked."""
    mark = {"type": "point", "filled": False, "size": 130, "strokeWidth": 2.2, "opacity": 1, "color": theme.ink}
    return {"transform": [{"filter": "datum.marked"}], "mark": mark, "encoding": {"x": x, "y": y}}


def _positive(record: Spec, figure: Figure, y: str = "y") -> Spec:
    """Return the record with a gap (None) where a number is not finite or has no logarithm."""
    clean = {
        name: None if isinstance(value, float) and finite(value) is None else value for name, value in record.items()
    }
    value = finite(clean.get(y))
    if value is None or (figure.log_y and value <= 0):
        clean[y] = None
    if figure.log_x and (finite(clean.get("x")) or 0) <= 0:
        clean["x"] = None
    return clean


def _clamp(low: object, ends: Domain) -> float | None:
    value = finite(low)
    return None if value is None else max(value, ends[0])


def _tight(values: list[float], *, log: bool) -> Domain:
    values = [value for value in values if value > 0] if log else values
    if not values or min(values) == max(values):
        return domain(values, log=log)
    return min(values), max(values)


def _order(value: object) -> tuple[int, Any]:
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def _ticks(width: int) -> int:
    return 8 if width > 500 else 4


def _height(width: int, share: float = 0.5) -> int:
    return round(max(width * share, 210))
