"""The runs as a table that sorts and filters; some are ticked, to be laid over each other."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from markupsafe import Markup
from nicegui import events, ui

from rnnlab.reports.rounding import NOTHING, cell, finite
from rnnlab.runs.catalogue import HIGHER_IS_BETTER
from rnnlab.web.page.frame import Said
from rnnlab.web.page.runs import Listed

PLAIN = ("run", "task", "data", "cell", "units", "status", "seconds")
MOST_METRICS = 4
MOST_ROWS = 300
MOST_TICKED = 7
HEARD = """event => {
  const sort = event.target.closest('[data-sort]'), tick = event.target.closest('[data-row]');
  if (sort) emit('sort', Number(sort.dataset.sort)); else if (tick) emit('tick', Number(tick.dataset.row), tick.checked);
}"""
Row = dict[str, Any]


class RunTable:
    """The table; ``ticked`` are the ids of the runs that are ticked, in the order in which they were.

    Args:
        runs: all of them.
        on_tick: called when that changes.
    """

    def __init__(self, runs: Sequence[Listed], on_tick: Callable[[], Awaitable[None]]) -> None:
        self.rows = [row_of(one) for one in runs]
        metrics = dict.fromkeys(name for row in self.rows for name in row["metrics"])
        self.columns = [*PLAIN, *list(metrics)[:MOST_METRICS]]
        self.ticked: list[str] = []
        self._on_tick, self._sort, self._falling = on_tick, 0, False
        self._shown: list[Row] = []
        with ui.row().classes("line"):
            self._filter = ui.input("Filter", on_change=self._draw).props(
                'outlined dense clearable hint="words, such as: gru classify"'
            )
            tasks = sorted({row["task"] for row in self.rows} - {""})
            self._task = ui.select(["all", *tasks], value="all", label="Task", on_change=self._draw).props(
                "outlined dense"
            )
        self._said = Said()
        self._place = ui.html("", sanitize=False).classes("table-holder tall")
        self._place.on("click", self._hear, js_handler=HEARD)
        self._draw()

    async def _hear(self, event: events.GenericEventArguments) -> None:
        kind, number, *rest = event.args
        if kind == "sort" and number in range(len(self.columns)):
            self._falling = not self._falling if number == self._sort else self.columns[number] in HIGHER_IS_BETTER
            self._sort = number
            self._draw()
            ui.run_javascript(f"document.querySelector('[data-sort=\"{number}\"]').focus()")
        elif kind == "tick" and number in range(len(self._shown)):
            id = self._shown[number]["run"]
            self.ticked = [one for one in self.ticked if one != id] + ([id] if rest == [True] else [])
            del self.ticked[:-MOST_TICKED]
            await self._on_tick()

    def _draw(self) -> None:
        words = (self._filter.value or "").casefold().split()
        task = None if self._task.value == "all" else self._task.value
        found = chosen(self.rows, words, task)
        self._shown = in_order(found, self.columns[self._sort], falling=self._falling)[:MOST_ROWS]
        more = f", the first {MOST_ROWS} shown" if len(found) > MOST_ROWS else ""
        way = "falling" if self._falling else "rising"
        self._said.say(f"{len(found)} of {len(self.rows)} runs{more}, by {self.columns[self._sort]}, {way}.")
        self._place.set_content(as_html(self.columns, self._shown, self.ticked, self._sort, falling=self._falling))


def row_of(one: Listed) -> Row:
    """Return what the table shows of a run."""
    entry = one.entry
    return {
        "run": one.id, "task": entry.task, "data": entry.data, "cell": entry.cell, "units": entry.hidden_size or None,
        "status": (entry.problem and "broken") or entry.status, "seconds": entry.seconds or None, "problem": entry.problem,
        "metrics": dict(entry.metrics or {}),
    }  # fmt: skip


def chosen(rows: Sequence[Row], words: Sequence[str], task: str | None = None) -> list[Row]:
    """Return the rows in which every word stands, and that do ``task``."""
    texts = [" ".join(str(row[name]) for name in PLAIN).casefold() for row in rows]
    return [
        row for row, text in zip(rows, texts) if all(word in text for word in words) and task in (None, row["task"])
    ]


def in_order(rows: Sequence[Row], column: str, *, falling: bool) -> list[Row]:
    """Return the rows sorted by a column; those without a value last, either way."""
    known = [row for row in rows if _value(row, column) is not None]
    known.sort(key=lambda row: _value(row, column), reverse=falling)
    return known + [row for row in rows if _value(row, column) is None]


def as_html(columns: Sequence[str], rows: Sequence[Row], ticked: Sequence[str], sort: int, *, falling: bool) -> Markup:
    """Return the table."""
    heads = []
    for number, name in enumerate(columns):
        way = ("descending" if falling else "ascending") if number == sort else "none"
        mark = ("▼" if falling else "▲") if number == sort else ""
        heads.append(
            Markup('<th scope="col" aria-sort="{}"><button type="button" data-sort="{}">{} <i aria-hidden="true">{}</i></button></th>').format(
                way, number, name.replace("_", " "), mark
            )
        )  # fmt: skip
    body = Markup("").join(_row(columns, row, number, row["run"] in ticked) for number, row in enumerate(rows))
    return Markup(
        '<table class="plain runs"><thead><tr><td><span class="hidden">overlay</span></td>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(Markup("").join(heads), body)


def _row(columns: Sequence[str], row: Row, number: int, ticked: bool) -> Markup:
    box = Markup('<input type="checkbox" data-row="{}" aria-label="Overlay the curves of {}"{}>').format(
        number, row["run"], Markup(" checked") if ticked else ""
    )
    cells = []
    for name in columns:
        if name == "run" and row["status"] in ("broken", "training"):
            text = Markup("{}").format(row["run"])
        elif name == "run":
            text = Markup('<a href="/?run={}">{}</a>').format(row["run"], row["run"])
        elif name == "status" and row["problem"]:
            text = Markup('<span title="{}">broken: {}</span>').format(row["problem"], row["problem"][:60])
        else:
            text = Markup("{}").format(_shown(_value(row, name)))
        cells.append(Markup("<td>{}</td>").format(text))
    return Markup("<tr><td>{}</td>{}</tr>").format("" if row["problem"] else box, Markup("").join(cells))


def _value(row: Row, column: str) -> Any:
    if column in PLAIN:
        return row[column] if row[column] != "" else None
    return finite(row["metrics"].get(column))


def _shown(value: Any) -> str:
    return NOTHING if value is None else f"{value:.0f}" if isinstance(value, float) and value >= 1000 else cell(value)
