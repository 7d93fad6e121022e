"""Matrices whose cells can be pressed: tables of buttons in the colours of the report's grids.

A press comes back as the cell's number, never as text, so that nothing of it is ever opened or shown. Knows no run.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from nicegui import events, ui

from rnnlab.reports.palette import RAMP_FLIP

PRESS = "event => { const cell = event.target.closest('[data-cell]'); if (cell) emit(Number(cell.dataset.cell)); }"


@dataclass(frozen=True)
class Cell:
    """A cell.

    Args:
        text: what it shows.
        step: of the ramp, 0 to 8; -1 for a cell without a value, which cannot be pressed.
        title: what it is, in words.
        framed: whether it stands out.
        note: a second line, smaller.
    """

    text: str
    step: int
    title: str
    framed: bool = False
    note: str = ""


def grid(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]], corner: str,
    press: Callable[[int, int], Awaitable[None] | None],
) -> ui.html:  # fmt: skip
    """Put a matrix here; ``press`` gets the row and the column of a cell that is pressed."""
    place = ui.html(as_html(rows, columns, cells, corner), sanitize=False).classes("grid-holder")

    async def pressed(event: events.GenericEventArguments) -> None:
        number = event.args
        if isinstance(number, int) and 0 <= number < len(rows) * len(columns):
            waiting = press(*divmod(number, len(columns)))
            if waiting is not None:
                await waiting

    return place.on("click", pressed, js_handler=PRESS)


def as_html(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]], corner: str) -> Markup:
    """Return the matrix as a table of buttons."""
    head = Markup("").join(Markup('<th scope="col"><span>{}</span></th>').format(name) for name in columns)
    body = []
    for at, (name, line) in enumerate(zip(rows, cells, strict=True)):
        shown = Markup("").join(_cell(cell, at * len(columns) + column) for column, cell in enumerate(line))
        body.append(Markup('<tr><th scope="row">{}</th>{}</tr>').format(name, shown))
    return Markup('<table class="grid"><thead><tr><td>{}</td>{}</tr></thead><tbody>{}</tbody></table>').format(
        corner, head, Markup("").join(body)
    )


def _cell(cell: Cell, number: int) -> Markup:
    if cell.step < 0:
        return Markup('<td class="void" title="{}">{}</td>').format(cell.title, cell.text)
    note = Markup("<small>{}</small>").format(cell.note) if cell.note else ""
    return Markup(
        '<td><button type="button" data-cell="{}" class="r{} {} {}" title="{}" aria-label="{}">{}{}</button></td>'
    ).format(
        number, cell.step, "low" if cell.step < RAMP_FLIP else "high", "framed" if cell.framed else "",
        cell.title, cell.title, cell.text, note,
    )  # fmt: skip
