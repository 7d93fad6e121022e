"""Pictures with a row a thing: bars with their spread, and strips with a point a seed.

Rows lie horizontally, so that names of any length can be read. ``Figure.y`` titles the values and ``Figure.x`` the
rows (label and value, in the order of the records' fields). Baselines are hollow and dashed, networks filled.
"""

import statistics
from collections.abc import Sequence

from rnnlab.reports.axes import (
    LABEL_PADDING,
    LINE,
    Spec,
    domain,
    label_lines,
    label_width,
    legend,
    nominal_axis,
    quantitative,
    values_of,
    wrapped,
)
from rnnlab.reports.palette import SHAPES, Theme
from rnnlab.reports.rounding import finite, number
from rnnlab.results import Figure

BASELINE = "baseline, no network"
ROW = 30


def bars(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return a bar a record from zero to its value, with its spread and its number; points on a logarithmic axis."""
    labels = _labels(figure.data)
    records = [_bar(record, index) for index, record in enumerate(figure.data)]
    groups = list(dict.fromkeys(record["kind"] for record in records))
    ends = domain(values_of(records, "value", "low", "high"), log=figure.log_y, zero=not figure.log_y)
    ends = ends if figure.log_y else _with_room(ends, width)
    x = quantitative("value", figure.y, ends, log=figure.log_y, ticks=6 if width > 500 else 4)
    y = _rows(labels, figure.x, width) | {"sort": labels}
    twice = len(records) > len(labels)
    place: Spec = {"y": y} | ({"yOffset": {"field": "kind", "sort": groups}} if twice else {})
    layers = _bar_layers(place, x, groups, theme, width, bar=14 if twice else 18, log=figure.log_y)
    per_label = max(sum(record["label"] == label for record in records) for label in labels) if labels else 1
    height = len(labels) * max(_row(labels, width), 22 * per_label + 8)
    return {"data": {"values": records}, "layer": layers, "width": width, "height": height}


def strip(figure: Figure, theme: Theme, width: int) -> Spec:
    """Return a row a label with a point a seed, and a tick at their median."""
    labels = _labels(figure.data)
    records = [dict(record) | {"value": _drawable(record.get("value"), log=figure.log_y)} for record in figure.data]
    groups = list(dict.fromkeys(str(record.get("group") or "") for record in records))
    records = [record | {"label": str(record["label"]), "kind": str(record.get("group") or "")} for record in records]
    x = quantitative("value", figure.y, domain(values_of(records, "value"), log=figure.log_y), log=figure.log_y)
    x["axis"] |= {} if width > 500 or figure.log_y else {"tickCount": 4}
    y = _rows(labels, figure.x, width) | {"sort": labels}
    key = legend(groups, width, symbolSize=80)
    colour = _kinds(groups, [theme.series[i % len(theme.series)] for i in range(len(groups))], key)
    shape = _kinds(groups, [SHAPES[i % len(SHAPES)] for i in range(len(groups))], key)
    point = {"type": "point", "filled": True, "size": 62, "opacity": 0.75, "stroke": theme.surface, "strokeWidth": 0.7}
    tick = {"type": "tick", "color": theme.ink, "thickness": 2, "size": 18}
    return {
        "data": {"values": records},
        "layer": [
            {"mark": point, "encoding": {"x": x, "y": y, "color": colour, "shape": shape}},
            {"data": {"values": _medians(records, labels)}, "mark": tick, "encoding": {"x": x, "y": y}},
        ],
        "width": width,
        "height": len(labels) * _row(labels, width),
    }


def _bar_layers(
    place: Spec, x: Spec, groups: list[str], theme: Theme, width: int, *, bar: int, log: bool
) -> list[Spec]:
    others = [group for group in groups if group != BASELINE]
    hue = {group: theme.series[index % len(theme.series)] for index, group in enumerate(others)}
    key = legend(groups, width, symbolType="square", symbolSize=110) if len(groups) > 1 else None
    fill = _kinds(groups, [hue.get(group, theme.surface) for group in groups], key)
    edge = _kinds(groups, [hue.get(group, theme.outline) for group in groups], key)
    dash = _kinds(groups, [[3, 2] if group == BASELINE else [1, 0] for group in groups], key)
    mark: Spec = (
        {"type": "bar", "strokeWidth": 1.3, "height": bar} if not log else {"type": "point", "size": 70, "opacity": 1}
    )
    spread = {
        "mark": {"type": "rule", "color": theme.ink, "strokeWidth": 2},
        "encoding": place | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
    }
    text = {"type": "text", "align": "left", "dx": 7, "color": theme.ink, "fontSize": 12}
    inked = place | {"x": x | {"field": "end"}, "text": {"field": "text"}}
    return [
        {"mark": mark, "encoding": place | {"x": x, "fill": fill, "stroke": edge, "strokeDash": dash}},
        {"transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}]} | spread,
        {"mark": text, "encoding": inked},
    ]


def _bar(record: Spec, index: int) -> Spec:
    value, low, high = (finite(record.get(name)) for name in ("value", "low", "high"))
    group = str(record.get("group") or "")
    kind = BASELINE if record.get("reference") else group or "network"
    far = max((v for v in (value, high) if v is not None), default=0.0)
    text = "no value" if value is None else number(value, 3)
    return {
        "label": str(record["label"]),
        "kind": kind,
        "value": value,
        "low": low,
        "high": high,
        "end": max(far, 0.0),
        "text": text,
    }


def _rows(labels: Sequence[str], title: str, width: int) -> Spec:
    letters = _letters(width)
    # A browser without the font that the picture was measured in draws wider letters, and would cut the labels at the left.
    room = label_width(labels, letters) + LABEL_PADDING
    axis = nominal_axis(
        labels,
        letters,
        title=wrapped(title, 40) if title else None,
        grid=False,
        ticks=False,
        domain=False,
        minExtent=room,
    )
    return {"field": "label", "type": "nominal", "axis": axis, "scale": {"paddingInner": 0.3, "paddingOuter": 0.15}}


def _letters(width: int) -> int:
    return 34 if width > 500 else 18


def _row(labels: Sequence[str], width: int) -> int:
    """Return the height of a row that holds the longest label."""
    return max(ROW, LINE * max((len(label_lines(label, _letters(width))) for label in labels), default=1) + 8)


def _kinds(groups: list[str], values: Sequence[object], key: Spec | None) -> Spec:
    return {"field": "kind", "type": "nominal", "legend": key, "scale": {"domain": groups, "range": list(values)}}


def _medians(records: list[Spec], labels: list[str]) -> list[Spec]:
    found = {label: values_of([r for r in records if r["label"] == label], "value") for label in labels}
    return [{"label": label, "value": statistics.median(values)} for label, values in found.items() if values]


def _with_room(ends: tuple[float, float], width: int) -> tuple[float, float]:
    """Return the ends with room on the right for the numbers that stand behind the bars."""
    low, high = ends
    return low, high + (high - low) * (0.1 if width > 500 else 0.3)


def _drawable(value: object, *, log: bool) -> float | None:
    figure = finite(value)
    return None if figure is None or (log and figure <= 0) else figure


def _labels(records: Sequence[Spec]) -> list[str]:
    return list(dict.fromkeys(str(record["label"]) for record in records))
