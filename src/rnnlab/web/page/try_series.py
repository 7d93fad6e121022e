"""A series run, asked: the series, the forecast with its interval, a slider for where it starts and one for how far it goes."""

from pathlib import Path

import numpy as np
from nicegui import run as threads
from nicegui import ui

from rnnlab.errors import InputError
from rnnlab.reports.rounding import number
from rnnlab.results import Figure, Value
from rnnlab.runs import Run
from rnnlab.training.fit import COVERAGE
from rnnlab.web.page.behind import behind
from rnnlab.web.page.forecasting import MOST_STEPS, Forecast, Past, forecast, half_widths, past_of
from rnnlab.web.page.frame import Said, section
from rnnlab.web.page.pictures import Picture

SHOWN_BEFORE = 60


async def show(run: Run, folder: Path) -> None:
    """Put the sliders and the picture here."""
    said = Said("Reading the series, and measuring how wide the intervals have to be ...")
    try:
        found = await threads.io_bound(_read, run, folder)
    except InputError as error:
        said.wrong(str(error))
        return
    if found is None:
        return
    past, widths = found
    steps = min(MOST_STEPS, max(getattr(run.codec, "horizon", 1), 2 * getattr(run.codec, "season", 1), 14))
    with ui.element("div").classes("fields sliders"):
        with ui.element("div"):
            start_words = ui.label()
            start = ui.slider(min=past.first, max=len(past.series), value=min(past.held_out, len(past.series)), step=1)
            start.props('aria-label="Start of the forecast" label')
        with ui.element("div"):
            steps_words = ui.label()
            ahead = ui.slider(min=1, max=MOST_STEPS, value=steps, step=1).props('aria-label="Horizon" label')
    with section(
        "Forecast",
        f"The band should hold {COVERAGE:.0%} of the values: it is as wide as the errors so many steps ahead were in the "
        f"validation part. The network forecasts {_steps(getattr(run.codec, 'horizon', 1))} at once; beyond, its own forecast "
        "stands in for the past.",
    ):
        picture = Picture()

    async def follow() -> None:
        at, far = int(start.value), int(ahead.value)
        start_words.set_text(f"Start: {_time(past, at)}")
        steps_words.set_text(f"Horizon: {_steps(far)}")
        try:
            made = await threads.io_bound(forecast, run, past, at, far, widths)
        except InputError as error:
            said.wrong(str(error))
            return
        if made is None or (at, far) != (int(start.value), int(ahead.value)):
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
    inside = np.abs(made.values[: len(made.truth)] - made.truth) <= made.half_width[: len(made.truth)]
    return f"{words} The mean error is {number(made.error, 3)}; {int(inside.sum())} of {len(made.truth)} values lie in the band."


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
    for time, value, width in zip(made.times, made.values.tolist(), made.half_width.tolist()):
        ends: dict[str, Value] = {} if np.isnan(width) else {"low": value - width, "high": value + width}
        data.append({"time": _iso(time), "value": value, "series": "forecast", "held_out": False, **ends})
    words = f"{_steps(len(made.values))} of {series.name} from {_day(made.times[0])}"
    return Figure("forecast", "forecast", words, "", "time", series.name, tuple(data))


def _read(run: Run, folder: Path) -> tuple[Past, np.ndarray]:
    past = past_of(behind(run, folder))
    return past, half_widths(run, past)


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"


def _time(past: Past, at: int) -> str:
    return _day(past.series.times[at]) if at < len(past.series) else f"after {_day(past.series.times[-1])}"


def _day(time: np.datetime64) -> str:
    return _iso(time).replace("T", " ").removesuffix(" 00:00:00")


def _iso(time: np.datetime64) -> str:
    return str(time.astype("datetime64[s]")) if np.datetime_data(time.dtype)[0] != "D" else str(time)
