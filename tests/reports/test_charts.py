"""Every kind of figure renders, says its labels, and bears gaps, zeros, infinities and emptiness."""

import math
import re
from dataclasses import replace
from html import unescape

import altair
import pytest

from rnnlab.reports import charts
from rnnlab.reports.axes import domain
from rnnlab.reports.charts import DRAWINGS, NARROW, WIDE, chart, drawn, png, spec, svg
from rnnlab.reports.describe import describe
from rnnlab.reports.inline import inline, size
from rnnlab.reports.palette import THEMES
from rnnlab.results import Figure

from . import sample

FIGURES = {figure.id: figure for figure in sample.every_figure()}
EACH = pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())


def texts(picture: str) -> str:
    """Return all that is written in the picture, a space between the pieces."""
    return unescape(" ".join(re.findall(r"<t(?:ext|span)[^>]*>([^<]*)", picture)))


def test_sample_has_every_kind() -> None:
    assert {figure.kind for figure in FIGURES.values()} == set(DRAWINGS)


@EACH
def test_picture_carries_its_labels(figure: Figure) -> None:
    words = texts(svg(figure))
    assert figure.title.split()[0] in words
    assert figure.y in words
    named = {str(r[field]) for r in figure.data for field in ("series", "label", "truth", "guess") if r.get(field)}
    for name in named:
        assert all(word in words for word in name.split()), name
    assert "…" not in words


@EACH
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_picture_has_about_the_width_asked_for(figure: Figure, width: int) -> None:
    across, high = size(drawn(figure, width=width))
    assert width * 0.75 < across < width * 1.2
    assert high > 60


@EACH
def test_png_is_a_picture_of_twice_the_size(figure: Figure) -> None:
    data = png(figure)
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == pytest.approx(2 * size(svg(figure))[0], abs=2)


@EACH
def test_dark_picture_uses_dark_colours(figure: Figure) -> None:
    picture = drawn(figure, "dark").lower()
    assert THEMES["dark"].surface in picture
    light = THEMES["light"]
    assert not any(colour in picture for colour in (light.surface, light.ink, light.muted, light.grid, *light.series))


@EACH
def test_inline_picture_follows_the_page(figure: Figure) -> None:
    picture = inline(drawn(figure), "fig")
    assert not re.findall(r'"#[0-9a-fA-F]{3,6}"', picture)
    assert "var(--ink)" in picture
    assert "font-family" not in picture
    ids = re.findall(r'\bid="([^"]+)"', picture)
    assert all(name.startswith("fig-") for name in ids)
    assert set(re.findall(r"url\(#([^)]+)\)", picture)) <= set(ids)


@EACH
def test_chart_is_an_altair_chart_that_validates(figure: Figure) -> None:
    made = chart(figure)
    assert isinstance(made, altair.TopLevelMixin)
    assert made.to_dict()["title"] == figure.title


@EACH
def test_same_figure_gives_the_same_picture(figure: Figure) -> None:
    first = svg(figure)
    charts._rendered.cache_clear()
    assert svg(figure) == first


@EACH
def test_description_names_title_and_axis(figure: Figure) -> None:
    words = describe(figure)
    assert figure.title in words
    assert figure.y in words
    assert describe(replace(figure, data=())).endswith("No data.")


@EACH
def test_without_data_says_so(figure: Figure) -> None:
    assert "no data" in texts(svg(replace(figure, data=())))


@EACH
def test_gaps_draw_no_nan(figure: Figure) -> None:
    fields = ("y", "value", "low", "high", "share")
    for gap in (None, math.nan, math.inf, -math.inf):
        data = tuple(
            {name: gap if name in fields else value for name, value in record.items()} for record in figure.data[:40]
        )
        picture = svg(replace(figure, data=data))
        assert not re.search(r"NaN|Infinity|undefined|null", picture)
        assert describe(replace(figure, data=data))


def test_hostile_text_is_escaped() -> None:
    picture = svg(replace(FIGURES["mae"], title=sample.HOSTILE))
    assert "<script" not in picture


def test_baselines_look_unlike_networks() -> None:
    values = spec(FIGURES["mae"])["data"]["values"]
    assert {row["kind"] for row in values if row["label"] in ("last value", "7 days back", "ridge on 32 lags")} == {
        "baseline, no network"
    }
    assert "baseline, no network" in texts(svg(FIGURES["mae"]))
    assert "stroke-dasharray" in svg(FIGURES["mae"])


def test_forecast_marks_what_was_held_out() -> None:
    figure = FIGURES["forecast"]
    picture = svg(figure)
    assert "held out" in texts(picture)
    assert THEMES["light"].shade in picture
    assert "The first 70 held-out steps" in texts(picture)
    seen = replace(figure, data=tuple(record | {"held_out": False} for record in figure.data))
    assert "held out" not in texts(svg(seen))


def test_confusion_shows_every_origin_and_its_diagonal() -> None:
    words = texts(svg(FIGURES["confusion-lstm"]))
    assert all(words.count(origin) >= 2 for origin in sample.ORIGINS)
    share = next(r["share"] for r in FIGURES["confusion-lstm"].data if r["truth"] == r["guess"] == "Greek")
    assert f"{100 * float(share):.0f}" in words.split()  # type: ignore[arg-type]


def test_map_says_how_many_were_lost() -> None:
    words = texts(svg(FIGURES["map"]))
    assert "40% lost" in words
    assert "all lost" in words


def test_logarithmic_axis_has_powers_of_ten() -> None:
    words = texts(svg(FIGURES["loss"])).split()
    assert {"0.001", "0.01", "0.1", "1e-4"} <= set(words)


def test_logarithmic_axis_leaves_zeros_out() -> None:
    data = tuple({"x": x, "y": y, "series": "a"} for x, y in enumerate((1.0, 0.1, 0.0, -1.0)))
    values = spec(Figure("a", "curves", "t", "", "x", "y", data, log_y=True))["data"]["values"]
    assert [row["y"] for row in values] == [1.0, 0.1, None, None]


def test_settings_that_were_tried_are_the_ticks() -> None:
    data = tuple({"x": size, "y": 1.0 / size, "series": "a"} for size in (16, 64, 256))
    words = texts(svg(Figure("a", "curves", "t", "", "hidden size", "y", data, log_x=True))).split()
    assert {"16", "64", "256"} <= set(words)


def test_long_series_are_thinned_but_keep_their_peaks() -> None:
    data = tuple({"time": step, "value": 1e3 if step == 7777 else 1.0, "series": "a"} for step in range(20_000))
    values = spec(Figure("a", "series", "t", "", "x", "y", data))["data"]["values"]
    assert len(values) < 2000
    assert max(row["value"] for row in values) == 1e3


def test_long_legend_wraps_instead_of_being_cut() -> None:
    name = "bidirectional GRU 128, embedding 64, dropout 0.3, label smoothing 0.1, batch 128 by exact length"
    data = tuple({"x": x, "y": x, "series": name} for x in range(30))
    picture = drawn(Figure("a", "curves", "t", "", "x", "y", data), width=NARROW)
    assert all(word in texts(picture) for word in name.split())
    assert size(picture)[0] <= NARROW * 1.02


def test_grouped_bars_stand_beside_each_other() -> None:
    data = tuple({"label": "128", "value": value, "group": group} for group, value in (("LSTM", 0.5), ("GRU", 0.6)))
    words = texts(svg(Figure("a", "bars", "t", "", "", "accuracy", data)))
    assert {"LSTM", "GRU", "0.5", "0.6"} <= set(words.split())


def test_whole_epochs_have_whole_ticks() -> None:
    data = tuple({"x": epoch, "y": 1.0 / epoch, "series": "a"} for epoch in (1, 2))
    words = texts(svg(Figure("a", "curves", "t", "", "epoch", "loss", data))).split()
    assert "2" in words
    assert "1.5" not in words


def test_a_forecast_with_intervals_has_a_band_that_fits_into_the_picture() -> None:
    days = [f"2024-01-{day:02d}" for day in range(1, 9)]
    truth = [{"time": day, "value": 5.0, "series": "data", "held_out": False} for day in days[:6]]
    ahead = [
        {"time": day, "value": 5.0, "series": "forecast", "held_out": False, "low": -40.0, "high": 90.0}
        for day in days[6:]
    ]
    drawn = spec(Figure("f", "forecast", "F", "", "day", "sales", (*truth, *ahead)))
    [band] = [layer for layer in drawn["layer"] if layer["mark"]["type"] == "area"]
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("low", "high")
    low, high = band["encoding"]["y"]["scale"]["domain"]
    assert low <= -40 < 90 <= high
    plain = spec(Figure("f", "forecast", "F", "", "day", "sales", tuple(truth)))
    assert not [layer for layer in plain["layer"] if layer["mark"]["type"] == "area"]


@pytest.mark.parametrize("zero", [False, True])
def test_an_axis_of_zeros_has_room_and_no_negative_half(zero: bool) -> None:
    assert domain([0.0, 0.0], log=False, zero=zero) == (0, 1)
    low, high = domain([3.0, 3.0], log=False, zero=zero)
    assert low < high
    assert low <= 3 <= high
