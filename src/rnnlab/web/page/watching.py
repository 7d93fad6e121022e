"""A training, watched: how far it is in words, its curves as they grow, what is wrong with it, and its result."""

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from markupsafe import Markup
from nicegui import run as threads
from nicegui import ui

from rnnlab.doctor.learning import curves
from rnnlab.findings import Finding, worst_first
from rnnlab.results import Figure, Table, Value
from rnnlab.web.page.drawing import table
from rnnlab.web.page.frame import Said, section
from rnnlab.web.page.jobs import OVER, Job, Look
from rnnlab.web.page.pictures import Picture
from rnnlab.web.page.runs import Runs

EVERY = 0.5
BETWEEN_PICTURES = 1.5
HALF = 500
WIDE_RANGE = 20.0
MOST_RUNS = 7
MOST_FINDINGS = 12
FLAG = re.compile(r"(--[a-z][a-z-]*(?: [\d.e+-]*\d)?)")
History = Sequence[Mapping[str, Any]]
Point = tuple[int, float, str]


def watch(job: Job, runs: Runs, resume: Callable[[Path], None], ended: Callable[[], Awaitable[None]]) -> None:
    """Put the view of ``job`` here; it looks twice a second until the job is over.

    Args:
        job: a training, or the lab.
        runs: where its result is entered.
        resume: goes on with a run.
        ended: called when it is over.
    """
    View(job, runs, resume, ended)


class View:
    """One visitor's view of one job."""

    def __init__(
        self, job: Job, runs: Runs, resume: Callable[[Path], None], ended: Callable[[], Awaitable[None]]
    ) -> None:
        self.job, self.runs, self.resume, self.ended = job, runs, resume, ended
        self._drawn, self._shown = 0.0, -1
        heading = f"Training {job.title}"
        if job.lab:
            heading = job.title[:1].upper() + job.title[1:]
        with section(heading).classes("job"):
            self.said = Said()
            self.clock = ui.label().classes("note")
            self.bar = ui.linear_progress(0, show_value=False).props(
                'aria-label="Share of the work that is done" rounded'
            )
            with ui.row():
                self.stop = ui.button("Stop", on_click=self._stop, color=None).props("outline no-caps")
                self.go_on = ui.button("Go on", on_click=lambda: resume(job.folder), color=None).props(
                    "outline no-caps"
                )
            self.go_on.visible = False
            self.findings = ui.html("", sanitize=False).props("aria-live=polite")
            with ui.element("div").classes("two"):
                self.losses, self.metrics = Picture(HALF), Picture(HALF)
            self.result = ui.element("div")
        self.timer = ui.timer(EVERY, self._look)

    def _stop(self) -> None:
        self.job.stop()
        self.said.say("Stopping: saving what is there.")

    async def _look(self) -> None:
        look = await threads.io_bound(self.job.look)
        if look is None:
            return
        over = look.state in OVER
        if look.words != self.said.text:
            (self.said.wrong if look.state == "failed" else self.said.say)(look.words)
        # Not in the line that is read out: it would never fall silent.
        self.clock.set_text(f"{self.job.seconds:.0f} s")
        self.bar.set_value(look.share or 0.0)
        self.bar.props(
            add="indeterminate" if look.share is None and not over else "",
            remove="" if look.share is None and not over else "indeterminate",
        )
        self.findings.set_content(findings_html(all_findings(look)))
        if over:
            self.timer.deactivate()
            self.bar.visible = look.state == "done"
            self.stop.visible = False
            await self._conclude(look)
        points = sum(map(len, look.curves.values()))
        if points != self._shown and (over or monotonic() > self._drawn + BETWEEN_PICTURES):
            self._shown = points
            await self._draw(look)
            self._drawn = monotonic()

    async def _draw(self, look: Look) -> None:
        losses, metrics = figures(look.curves)
        if losses is not None:
            await self.losses.show(losses)
        if metrics is not None:
            await self.metrics.show(metrics)

    async def _conclude(self, look: Look) -> None:
        found = (
            [self.job.folder]
            if not self.job.lab
            else [path.parent for path in self.job.folder.glob("*/runs/*/run.json")]
        )
        unfinished = look.record is not None and look.record.status in ("interrupted", "training")
        self.go_on.visible = unfinished
        self.result.clear()
        with self.result:
            if look.record is not None and not unfinished:
                ui.html(table(results(look.record)), sanitize=False).classes("table-holder")
            if not unfinished and look.state == "done":
                with ui.row().classes("line"):
                    for folder in sorted(found):
                        if (folder / "run.json").is_file():
                            id = await threads.io_bound(self.runs.add, folder)
                            ui.link(f"Try {folder.name}", f"/?run={id}")
                    ui.link("Compare it", "/compare")
        await self.ended()


def all_findings(look: Look) -> list[Finding]:
    """Return what is wrong as far as can be told: what the runs say, and what the curves of the others say while they grow."""
    found = [Finding(**one.model_dump()) for one in look.record.findings] if look.record else []
    for name, record in look.finished.items():
        for one in record.findings:
            found.append(Finding(one.check, one.severity, f"{name}: {one.message}", one.evidence, one.remedy))
    for name, history in look.curves.items():
        said = None if name in look.finished else curves(*_losses(history))
        if said is not None and said.check not in {one.check for one in found}:
            message = f"{name}: {said.message}" if len(look.curves) > 1 else said.message
            found.append(Finding(said.check, said.severity, message, said.evidence, said.remedy))
    return worst_first(found)


def findings_html(found: Sequence[Finding]) -> Markup:
    """Return the worst findings as a list: how bad, what, and what to do, with flags that no line breaks."""
    if not found:
        return Markup("")
    items = [
        Markup('<li class="{}"><b>{}</b> {} <span>{}</span></li>').format(
            one.severity, one.severity, one.message, _with_flags(one.remedy)
        )
        for one in found[:MOST_FINDINGS]
    ]
    if len(found) > MOST_FINDINGS:
        items.append(Markup("<li>and {} more, in the report of each run.</li>").format(len(found) - MOST_FINDINGS))
    return Markup('<ul class="findings">{}</ul>').format(Markup("").join(items))


def _with_flags(remedy: str) -> Markup:
    """Return a remedy as HTML, its flags as code."""
    parts = FLAG.split(remedy)
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def figures(curves: Mapping[str, History]) -> tuple[Figure | None, Figure | None]:
    """Return the curves of the losses and of the metrics of some runs, or None where there is nothing to draw yet.

    Of several runs, a curve each: of those `MOST_RUNS` that grew last.
    """
    several = len(curves) > 1
    losses: list[Point] = []
    metrics: list[Point] = []
    for name, history in sorted(list(curves.items())[:MOST_RUNS]):
        for entry in history:
            for key, value in entry.items():
                if not isinstance(value, int | float) or not math.isfinite(value):
                    continue
                held = key.removeprefix("validation_")
                if held == "loss" and not (several and key != "loss"):
                    losses.append(
                        (entry["step"], float(value), name if several else "training" if key == held else "validation")
                    )
                elif key != held and held != "loss":
                    metrics.append(
                        (entry["step"], float(value), f"{name}: {_plain(held)}" if several else _plain(held))
                    )
    return _figure("losses", "Loss", losses), _figure("metrics", "Metrics on the validation part", metrics)


def results(record: Any) -> Table:
    """Return a run's figures on held-out data, and its baselines' below them."""
    part = "test" if "test" in record.metrics else next(iter(record.metrics), "")
    own = record.metrics.get(part, {})
    rows = [(f"{record.model.cell} ({part})", *own.values())]
    for one in record.data.get("baselines", ()):
        rows.append((one["title"], *(one["metrics"].get(name) for name in own)))
    return Table("results", "Figures, and those of the baselines", ("", *own), tuple(rows))


def _figure(id: str, title: str, points: list[Point]) -> Figure | None:
    if not points:
        return None
    values = [value for _, value, _ in points]
    log = id == "losses" and min(values) > 0 and max(values) > WIDE_RANGE * min(values)
    data: tuple[dict[str, Value], ...] = tuple(
        {"x": step, "y": value, "series": series} for step, value, series in points
    )
    return Figure(id, "curves", title, "", "updates", title.lower().split(" on ")[0], data, log_y=log)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _losses(history: History) -> tuple[list[float], list[float]]:
    train = [float(entry["loss"]) for entry in history if entry.get("loss") is not None]
    held = [float(entry["validation_loss"]) for entry in history if entry.get("validation_loss") is not None]
    return train, held if len(held) == len(train) else []
