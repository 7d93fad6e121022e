"""A sweep as a map of learning rate and size, a panel a cell of the network; a place opens its runs."""

from collections.abc import Sequence
from pathlib import Path

from nicegui import run as threads
from nicegui import ui

from rnnlab.reports.grids import ramp_step
from rnnlab.reports.rounding import compact
from rnnlab.results import Table
from rnnlab.web.page import results
from rnnlab.web.page.drawing import percent, table
from rnnlab.web.page.frame import section
from rnnlab.web.page.grids import Cell, grid
from rnnlab.web.page.numbers import numbers
from rnnlab.web.page.runs import Listed, Runs

SAME_RATE = 0.2


def sweep_map(one: results.Found, store: Runs, runs: Sequence[Listed]) -> None:
    """Put the map of a sweep here.

    Args:
        one: the sweep, and its folder.
        store: the runs on this server.
        runs: of these, those that were there when the page was built.
    """
    sweep: results.SweepRecord = one.content
    with section(
        f"Sensitivity of {sweep.task}",
        f"{sweep.metric.replace('_', ' ')} on the validation part over learning rate and size, the mean of the seeds that held. "
        "Press a cell to open its runs.",
    ):
        for name in dict.fromkeys(place.cell for place in sweep.map):
            with ui.element("h3"):
                ui.label(name)
            _panel(one, [place for place in sweep.map if place.cell == name], store, runs)


def _panel(one: results.Found, places: list[results.Place], store: Runs, runs: Sequence[Listed]) -> None:
    sweep: results.SweepRecord = one.content
    rates = sorted({place.lr for place in places})
    sizes = sorted({place.hidden_size for place in places}, reverse=True)
    at = {(place.hidden_size, place.lr): place for place in places}
    values = [place.score for place in sweep.map if place.score is not None]
    cells = [[place_cell(at.get((size, rate)), values, sweep.metric) for rate in rates] for size in sizes]

    async def press(row: int, column: int) -> None:
        place = at.get((sizes[row], rates[column]))
        if place is None:
            return
        opened.clear()
        with opened:
            rows = results.rows_at(sweep, place, places)
            where = f"{place.cell} with {place.hidden_size} units at the rate {compact(place.lr)}"
            ui.label(f"{len(rows)} runs of {where}:").classes("note")
            ui.html(table(_runs_table(sweep, rows)), sanitize=False).classes("table-holder")
            await _links(one.folder, place, store, runs)

    grid([str(size) for size in sizes], [compact(rate) for rate in rates], cells, "units \\ rate", press)
    numbers(lambda: _map_table(sweep, places))
    opened = ui.element("div").props("role=status aria-live=polite")


async def _links(folder: Path, place: results.Place, store: Runs, runs: Sequence[Listed]) -> None:
    kept = await threads.io_bound(_runs_at, store, folder, place, runs) or []
    with ui.row().classes("line"):
        for id in kept:
            ui.link(f"Try {id}", f"/?run={id}")
    if not kept:
        ui.label("A sweep keeps the runs of its best settings; of this place none was kept.").classes("note")


def place_cell(place: results.Place | None, values: Sequence[float], metric: str) -> Cell:
    """Return a cell of a sweep's map."""
    if place is None:
        return Cell("", -1, "not tried")
    where = f"{place.hidden_size} units, rate {compact(place.lr)}"
    lost = f", {percent(place.diverged)} diverged" if place.diverged else ""
    if place.score is None:
        return Cell("lost", 0, f"{where}: all diverged")
    note = f"{percent(place.diverged)} lost" if place.diverged else ""
    words = f"{where}: {metric} {compact(place.score)}{lost}"
    return Cell(compact(place.score), ramp_step(place.score, values), words, note=note)


def _runs_at(store: Runs, folder: Path, place: results.Place, runs: Sequence[Listed]) -> list[str]:
    """Return the ids of the runs below a sweep's folder that are of a place of its map; a copy of a run is left out."""
    found: dict[object, str] = {}
    for one in runs:
        if one.folder.resolve().is_relative_to(folder) and not one.entry.problem:
            run = store.get(one.id)
            same = (run.model_config.cell, run.model_config.hidden_size) == (place.cell, place.hidden_size)
            if same and abs(run.train_config.lr / place.lr - 1) < SAME_RATE:
                found.setdefault((run.model_config, run.train_config), one.id)
    return list(found.values())


def _runs_table(sweep: results.SweepRecord, rows: Sequence[results.SweepRow]) -> Table:
    names = tuple(dict.fromkeys(name for row in rows for name in row.setting))
    scores = tuple((row.metrics.get("validation", {}).get(sweep.metric)) for row in rows)
    found = tuple(
        (*(row.setting.get(name) for name in names), row.seed, row.status, score) for row, score in zip(rows, scores)
    )
    return Table("runs", "The runs", (*names, "seed", "status", f"{sweep.metric} (validation)"), found)


def _map_table(sweep: results.SweepRecord, places: Sequence[results.Place]) -> Table:
    rows = tuple((p.cell, p.hidden_size, p.lr, p.score, p.diverged, p.runs) for p in places)
    return Table(
        "map", f"Sensitivity of {sweep.task}", ("cell", "units", "rate", sweep.metric, "diverged", "runs"), rows
    )
