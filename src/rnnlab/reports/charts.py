"""A Figure as a picture: a Vega-Lite specification, an Altair chart, SVG or PNG, without a browser.

`spec` chooses the drawing by the figure's kind and dresses it in a theme; `svg` and `png` render it through
vl-convert. The drawings themselves are in `lines`, `grids` and `rows`.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import vl_convert

from rnnlab.reports import grids, lines, rows
from rnnlab.reports.axes import Spec
from rnnlab.reports.inline import titled
from rnnlab.reports.palette import THEMES, Theme, ThemeName
from rnnlab.results import Figure, FigureKind

if TYPE_CHECKING:
    import altair

WIDE, NARROW = 720, 340
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

DRAWINGS: dict[FigureKind, Callable[[Figure, Theme, int], Spec]] = {
    "curves": lines.curves,
    "forecast": lines.forecast,
    "series": lines.series,
    "confusion": grids.confusion,
    "map": grids.heat_map,
    "bars": rows.bars,
    "strip": rows.strip,
}


def spec(figure: Figure, theme: ThemeName = "light", width: int = WIDE) -> Spec:
    """Return the figure as a Vega-Lite specification, about ``width`` px wide, without its title.

    Example:
        >>> from rnnlab.results import Figure
        >>> figure = Figure("a", "bars", "MAE", "", "", "MAE", ({"label": "gru", "value": 0.7},))
        >>> spec(figure)["data"]["values"][0]["label"]
        'gru'
    """
    colours = THEMES[theme]
    drawn = DRAWINGS[figure.kind](figure, colours, width) if figure.data else _nothing(colours, width)
    single = not ({"vconcat", "concat"} & drawn.keys()) and figure.kind not in ("confusion", "map")
    fit = {"autosize": {"type": "fit-x", "contains": "padding"}} if single else {}
    return (
        {
            "$schema": SCHEMA,
            "padding": {"left": 6, "right": 16, "top": 6, "bottom": 6},
            "background": colours.surface,
            "config": _config(colours),
        }
        | fit
        | drawn
    )


def chart(figure: Figure, theme: ThemeName = "light") -> "altair.TopLevelMixin":
    """Return the figure as an Altair chart, with its title, to show or change in a notebook."""
    import altair  # late: a report needs the specification only, and Altair takes 0.3 s to import

    made = altair.Chart.from_dict(spec(figure, theme))
    made.title = figure.title
    return made


def svg(figure: Figure, theme: ThemeName = "light") -> str:
    """Return the figure with its title as a picture of its own, an SVG document."""
    return titled(drawn(figure, theme), figure.title, THEMES[theme].ink, FONT)


def png(figure: Figure, theme: ThemeName = "light", scale: float = 2.0) -> bytes:
    """Return the figure with its title as a PNG, ``scale`` pixels a px."""
    return to_png(svg(figure, theme), scale)


def drawn(figure: Figure, theme: ThemeName = "light", width: int = WIDE) -> str:
    """Return the figure as SVG without its title."""
    return _rendered(json.dumps(spec(figure, theme, width)))


@lru_cache(maxsize=64)
def to_png(picture: str, scale: float = 2.0) -> bytes:
    """Return an SVG document as PNG."""
    return bytes(vl_convert.svg_to_png(picture, scale=scale))


@lru_cache(maxsize=128)
def _rendered(specification: str) -> str:
    """Return a specification as SVG; kept, as a lab writes its report anew after every study."""
    return str(vl_convert.vegalite_to_svg(specification, vl_version="v6.4"))


def _nothing(theme: Theme, width: int) -> Spec:
    text = {"type": "text", "text": "no data", "color": theme.muted, "fontSize": 14}
    return {"data": {"values": [{}]}, "mark": text, "width": width, "height": 80}


def _config(theme: Theme) -> dict[str, Any]:
    axis = {
        "labelColor": theme.muted,
        "titleColor": theme.ink,
        "gridColor": theme.grid,
        "domainColor": theme.muted,
        "tickColor": theme.muted,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "labelLimit": 0,
        "titleLimit": 0,
    }
    return {
        "aria": False,
        "font": FONT,
        "axis": axis,
        "legend": {"labelColor": theme.ink, "labelFontSize": 12, "columnPadding": 18, "padding": 4, "labelLimit": 0},
        "title": {"color": theme.ink, "fontSize": 12, "anchor": "start", "fontWeight": "bold", "limit": 0},
        "view": {"stroke": None},
        "text": {"color": theme.ink},
    }
