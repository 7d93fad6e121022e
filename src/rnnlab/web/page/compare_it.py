"""*Compare it*: the runs as a table, their curves over each other, sweeps as maps, who was taken for whom, the lab's claims."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import Request
from nicegui import run as threads
from nicegui import ui

from rnnlab.errors import InputError
from rnnlab.reports.grids import SHARES
from rnnlab.results import Figure, Value
from rnnlab.runs import Run
from rnnlab.web.page import results
from rnnlab.web.page.behind import behind
from rnnlab.web.page.claims import claims
from rnnlab.web.page.confusion import Confusion, confuse
from rnnlab.web.page.drawing import percent, table
from rnnlab.web.page.frame import Said, frame, section
from rnnlab.web.page.grids import Cell, grid
from rnnlab.web.page.numbers import numbers
from rnnlab.web.page.pictures import Picture, as_table
from rnnlab.web.page.run_table import RunTable
from rnnlab.web.page.runs import Listed, Runs, title
from rnnlab.web.page.sweep_map import sweep_map

MOST_LABELS = 60
MOST_KEPT = 8


def add(folder: Path, runs: Runs) -> None:
    """Add the page at ``/compare``."""
    matrices = Matrices(runs)

    @ui.page("/compare", title="Compare it - rnnlab")
    async def compare_page(request: Request) -> None:
        with frame(request, "/compare"):
            await Comparing(folder, runs, matrices).build()


class Matrices:
    """The confusion matrices of runs, kept for the next who asks, as long as the run is the same.

    Args:
        runs: the runs on this server.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._kept: dict[str, tuple[Run, Confusion]] = {}

    def get(self, id: str) -> Confusion:
        """Return the matrix of a run; takes as long as reading its data and asking it for all of them.

        Raises:
            InputError: a run or data that are gone, or no classifier.
        """
        run = self._runs.get(id)
        kept = self._kept.get(id)
        if kept is not None and kept[0] is run:
            return kept[1]
        made = confuse(run, behind(run, self._runs.folder(id)).task)
        self._kept[id] = run, made
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return made


class Comparing:
    """One visitor's view of the page."""

    def __init__(self, folder: Path, runs: Runs, matrices: Matrices) -> None:
        self.folder, self.runs, self.matrices = folder, runs, matrices

    async def build(self) -> None:
        """Put the page here."""
        with ui.element("h1"):
            ui.label("Compare it")
        found = await threads.io_bound(self.runs.list) or []
        if not found:
            ui.label("There are no runs yet. Train some, and compare them here.").classes("lead")
            ui.link("Watch one train", "/watch")
            return
        with section("Runs", "Press a heading to sort by it; tick runs to lay their curves over each other."):
            self.table = RunTable(found, self._overlay)
        with section("Curves"):
            self._curves()
        self._confusion(found)
        for one in await threads.io_bound(results.sweeps, self.folder, found) or []:
            sweep_map(one, self.runs, found)
        for one in await threads.io_bound(results.claims, self.folder, found) or []:
            claims(one)

    def _curves(self) -> None:
        self.said = Said("Tick runs in the table above.")
        with ui.row().classes("line"):
            self.metric = ui.select(["loss"], value="loss", label="Curve", on_change=self._overlay).props(
                "outlined dense"
            )
            self.across = ui.select(["step", "seconds"], value="step", label="Over", on_change=self._overlay).props(
                "outlined dense"
            )
        self.picture = Picture()

    async def _overlay(self) -> None:
        loaded: dict[str, Run] = {}
        for id in self.table.ticked:
            try:
                run = await threads.io_bound(self.runs.get, id)
            except InputError as error:
                self.said.wrong(str(error))
                return
            if run is not None:
                loaded[id] = run
        if not loaded:
            self.said.say("Tick runs in the table above.")
            self.picture.clear()
            return
        names = list(dict.fromkeys(key for run in loaded.values() for entry in run.history for key in entry))
        names = [name for name in names if name not in ("step", "epoch", "seconds")]
        self.metric.set_options(names, value=self.metric.value if self.metric.value in names else names[0])
        figure = overlaid(loaded, str(self.metric.value), str(self.across.value))
        self.said.say(f"{figure.title} of {', '.join(loaded)}.")
        await self.picture.show(figure)

    def _confusion(self, found: Sequence[Listed]) -> None:
        options = {
            one.id: title(one.id, one.entry)
            for one in found if one.entry.task == "classify" and not one.entry.problem and one.entry.status != "training"
        }  # fmt: skip
        if not options:
            return
        with section(
            "Who is taken for whom",
            "A row a true label, a column a guess, in per cent of the row. Press a cell to see who is behind it.",
        ):
            chosen = ui.select(options, value=None, label="Run", clearable=True).props("outlined dense").classes("wide")
            said = Said()
            place = ui.element("div")

        async def show() -> None:
            place.clear()
            if chosen.value is None:
                said.say("")
                return
            said.say("Reading the data, and asking the run ...")
            try:
                made = await threads.io_bound(self.matrices.get, str(chosen.value))
            except InputError as error:
                said.wrong(str(error))
                return
            if made is not None:
                right = int(made.counts.trace())
                said.say(f"{right} of {len(made.names)} examples of the {made.part} part are told rightly.")
                with place:
                    matrix(made)

        chosen.on_value_change(show)


def overlaid(runs: dict[str, Run], metric: str, across: str) -> Figure:
    """Return one curve of several runs as a figure."""
    data: list[dict[str, Value]] = []
    values: list[float] = []
    for id, run in runs.items():
        for entry in run.history:
            if entry.get(metric) is not None:
                values.append(float(entry[metric]))
                data.append({"x": float(entry[across]), "y": values[-1], "series": id})
    log = "loss" in metric and min(values, default=0) > 0 and max(values) > 20 * min(values)
    words, over = metric.replace("_", " "), {"step": "updates"}.get(across, across)
    return Figure("overlay", "curves", words.capitalize(), "", over, words, tuple(data), log_y=log)


def matrix(made: Confusion) -> None:
    """Put a confusion matrix here, and below it the examples of the cell that is pressed."""
    counts = made.counts
    totals = counts.sum(axis=1)
    cells = [
        [share_cell(made, i, j, int(counts[i, j]), int(totals[i])) for j in range(len(made.labels))]
        for i in range(len(made.labels))
    ]

    def press(truth: int, guess: int) -> None:
        found = made.behind(truth, guess)
        opened.clear()
        with opened:
            ui.label(f"{found.title}: {len(found.rows)}.").classes("said").props("role=status")
            ui.html(table(found), sanitize=False).classes("table-holder")
            numbers(lambda: found)

    with ui.row().classes("line"):
        ui.label("Most often:").classes("note")
        for truth, guess, count in made.worst(6):
            words = f"{made.labels[truth]} for {made.labels[guess]} ({count})"
            ui.button(words, on_click=lambda truth=truth, guess=guess: press(truth, guess), color=None).props(
                "outline dense no-caps"
            )
    rows = [f"{label} ({total})" for label, total in zip(made.labels, totals.tolist())]
    if len(made.labels) <= MOST_LABELS:
        grid(rows, made.labels, cells, "", press)
    numbers(lambda: as_table(made.figure()))
    opened = ui.element("div").classes("opened")


def share_cell(made: Confusion, truth: int, guess: int, count: int, total: int) -> Cell:
    """Return a cell of the matrix; one that is empty cannot be pressed."""
    words = f"{made.labels[truth]} taken for {made.labels[guess]}: {count} of {total}"
    share = count / total if total else 0.0
    if not count:
        return Cell("", -1, words, framed=truth == guess)
    return Cell(
        f"{100 * share:.0f}" if share >= 0.005 else "·",
        sum(share >= edge for edge in SHARES),
        f"{words} ({percent(share)})",
        truth == guess,
    )
