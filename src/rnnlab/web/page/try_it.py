"""*Try it*: a run is chosen, and asked in the way of what it reads: a string, numbers, a series."""

from pathlib import Path

from fastapi import Request
from nicegui import run as threads
from nicegui import ui

from rnnlab.errors import InputError
from rnnlab.runs import Run
from rnnlab.web.page import try_numbers, try_series, try_text
from rnnlab.web.page.frame import Said, frame
from rnnlab.web.page.runs import Runs, title, usable


def add(runs: Runs) -> None:
    """Add the page at ``/``; ``/?run=ID`` opens with a run."""

    @ui.page("/", title="Try it - rnnlab")
    async def try_page(request: Request, run: str = "") -> None:
        with frame(request, "/"):
            await _build(runs, run)


async def _build(runs: Runs, wanted: str) -> None:
    with ui.element("h1"):
        ui.label("Try it")
    found = await threads.io_bound(usable, runs)
    if not found:
        ui.label("There are no runs yet. Train one, and ask it here.").classes("lead")
        ui.link("Watch one train", "/watch")
        return
    chosen = wanted if wanted in found else next(iter(found))
    options = {id: title(id, entry) for id, entry in found.items()}
    select = (
        ui.select(options, value=chosen, label="Run", with_input=len(options) > 8)
        .props("outlined dense")
        .classes("wide")
    )
    said = Said()
    if wanted and wanted not in found:
        said.wrong(f"There is no run {wanted!r} here; another one is shown.")
    place = ui.element("div")

    async def open_run() -> None:
        place.clear()
        try:
            loaded = await threads.io_bound(runs.get, select.value)
        except InputError as error:
            said.wrong(str(error))
            return
        if loaded is None:
            return  # the server is stopping
        if not wanted or wanted in found:
            said.say("")
        with place:
            await _ask(loaded, runs.folder(str(select.value)))

    select.on_value_change(open_run)
    await open_run()


async def _ask(run: Run, folder: Path) -> None:
    if run.codec.kind == "text":
        try_text.show(run)
    elif run.codec.kind == "numbers":
        try_numbers.show(run)
    else:
        await try_series.show(run, folder)
