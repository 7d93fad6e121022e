"""A series run, asked: the series, the forecast with its interval, a slider for where it starts and one for how far it goes."""

import asyncio
from pathlib import Path

import numpy as np
from nicegui import run as threads
from nicegui import ui

from rnnlab.errors import InputError
from rnnlab.reports.rounding import number
from rnnlab.results import Figure, Value
from rnnlab.runs import Run
from rnnlab.tasks import SeriesCodec
from rnnlab.training.intervals import COVERAGE
from rnnlab.web.page.behind import Behind, behind
from rnnlab.web.page.forecasting import Forecast, Past, forecast, half_widths, most_steps, past_of, series_of
from rnnlab.web.page.frame import Said, section
from rnnlab.web.page.pictures import Picture

SHOWN_BEFORE = 60


class Slider(ui.slider):
    """A slider whose knob moves in the browser: an echo of the server's would pull back a key that is held down."""

    LOOPBACK = False


async def show(run: Run, folder: Path) -> None:
    """Put the sliders and the picture here; of many series, one is chosen first."""
    said = Said("Reading the data ...")
    try:
        found = await threads.io_bound(behind, run, folder)
    except InputError as error:
        said.wrong(str(error))
        return
    if found is None:
        return
    names = series_of(found)
    place = ui.element("div")
    if len(names) > 1:
        chosen = ui.select(list(names), value=names[0], label="Series", with_input=True).props("outlined dense")
        chosen.classes("wide").move(target_index=0)

        async def choose() -> None:
            place.clear()
            with place:
                await _series(run, found, str(chosen.value), said)

        chosen.on_value_change(choose)
    with place:
        await _series(run, found, names[0], said)


async def _series(run: Run, found: Behind, name: str, said: Said) -> None:
    said.say("Measuring how wide the intervals have to be ...")
    past = past_of(found, name)
    widths = await threads.io_bound(half_widths, run, past)
    if widths is None:
        return
    assert isinstance(run.codec, SeriesCodec)
    horizon, length = run.codec.horizon, len(past.series)
    last = next(at for at in range(length, past.first - 1, -1) if most_steps(run, past, at))
    first_start = min(past.held_out, last)
    most = most_steps(run, past, first_start)
    with ui.element("div").classes("fields sliders"):
        with ui.element("div"):
            start_words = ui.label()
            start = Slider(min=past.first, max=last, value=first_start, step=1)
            start.props('aria-label="Start of the forecast" label')
        with ui.element("div"):
            steps_words = ui.label()
            ahead = Slider(min=1, max=most, value=min(most, max(horizon, 14)), step=1)
            ahead.props('aria-label="Horizon" label')
    with section(
        "Forecast",
        f"The band should hold {COVERAGE:.0%} of the values. The network forecasts {_steps(horizon)} at once"
        + ("; beyond, its own forecast stands in for the past." if most > horizon else "."),
    ):
        picture = Picture()

    asked, drawing = 0, asyncio.Lock()

    async def follow() -> None:
        """Show what the sliders ask for; of answers that are under way at once only the last one asked for counts."""
        nonlocal asked
        asked += 1
        mine, at = asked, int(start.value)
        far = min(int(ahead.value), most_steps(run, past, at))
        start_words.set_text(f"Start: {_time(past, at)}")
        steps_words.set_text(f"Horizon: {_steps(far)}")
        try:
            made = await threads.io_bound(forecast, run, past, at, far, widths)
        except InputError as error:
            said.wrong(str(error))
            return
        async with drawing:
            if made is None or mine != asked:
                return
            said.say(sentence(past, made, at))
            await picture.show(figure(past, made, at))

    start.on_value_change(follow)
    ahead.on_value_change(follow)
    await follow()


def sentence(past: Past, made: Forecast, start: int) -> str:
    """Return in words what is forecast, whether the network has seen it, and how far off it was."""
    part = "in the part held out" if start >= past.held_out else "in a part that training has seen"
    part = "after the end of the series" if start >= len(past.series) else part
    words = f"{_steps(len(made.values))} from {_day(made.times[0])}, {part}."
    if made.error is None:
        return words
    mean, known = number(made.error, 3), len(made.truth)
    return f"{words} The mean error is {mean}; {made.inside} of {known} values lie in the band."


def figure(past: Past, made: Forecast, start: int) -> Figure:
    """Return the picture's records: the series around the forecast, the forecast, and its interval."""
    series = past.series
    first, last = max(0, start - SHOWN_BEFORE), min(len(series), start + len(made.values))
    data: list[dict[str, Value]] = [
        {
            "time": _iso(series.times[i]),
            "value": float(series.values[i]),
            "series": "data",
            "held_out": i >= past.held_out,
        }
        for i in range(first, last)
    ]
    for time, value, low, high in zip(made.times, made.values.tolist(), made.lower.tolist(), made.upper.tolist()):
        ends: dict[str, Value] = {} if np.isnan(low) else {"low": low, "high": high}
        data.append({"time": _iso(time), "value": value, "series": "forecast", "held_out": False, **ends})
    words = f"{_steps(len(made.values))} of {series.name} from {_day(made.times[0])}"
    return Figure("forecast", "forecast", words, "", "time", series.name, tuple(data))


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"


def _time(past: Past, at: int) -> str:
    return _day(past.series.times[at]) if at < len(past.series) else f"after {_day(past.series.times[-1])}"


def _day(time: np.datetime64) -> str:
    return _iso(time).replace("T", " ").removesuffix(" 00:00:00")


def _iso(time: np.datetime64) -> str:
    return str(time.astype("datetime64[s]")) if np.datetime_data(time.dtype)[0] != "D" else str(time)
