"""The numbers behind a picture: to copy, to keep as CSV, to read as a table. Every picture of the page has them."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace

from markupsafe import Markup
from nicegui import ui

from rnnlab.reports.views import slug
from rnnlab.results import Table
from rnnlab.web.page import drawing

MOST_SHOWN = 500


def numbers(table: Callable[[], Table]) -> None:
    """Put *Copy*, *CSV* and *Show the numbers* here; ``table`` is asked when one of them is pressed."""
    with ui.row().classes("numbers"):
        ui.button("Copy numbers", on_click=lambda: _copy(table())).props("flat dense no-caps")
        ui.button("CSV", on_click=lambda: _keep(table())).props("flat dense no-caps")
        button = ui.button("Show numbers").props("flat dense no-caps aria-expanded=false")
        shown = ui.html("", sanitize=False).classes("table-holder")
    shown.visible = False

    def show() -> None:
        shown.visible = not shown.visible
        button.set_text("Hide numbers" if shown.visible else "Show numbers")
        button.props(f"aria-expanded={'true' if shown.visible else 'false'}")
        shown.set_content(as_html(table()) if shown.visible else "")

    button.on_click(show)


def as_csv(table: Table, delimiter: str = ",") -> str:
    """Return the table as CSV, with unrounded numbers.

    Cells that a spreadsheet would run as a formula are led in by an apostrophe.

    Example:
        >>> as_csv(Table("t", "T", ("a", "b"), ((1.5, "x,y"), (None, "=1+1"))))
        'a,b\\r\\n1.5,"x,y"\\r\\n,\\'=1+1\\r\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    for row in (table.columns, *table.rows):
        writer.writerow([_harmless(value) for value in row])
    return out.getvalue()


def as_html(table: Table) -> Markup:
    """Return the table as HTML, rounded, its first rows where it is long."""
    left = len(table.rows) - MOST_SHOWN
    note = Markup("<p>{} more rows are in the CSV.</p>").format(left) if left > 0 else Markup("")
    return drawing.table(replace(table, rows=table.rows[:MOST_SHOWN])) + note


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _copy(table: Table) -> None:
    ui.clipboard.write(as_csv(table, "\t"))
    ui.notify(f"Copied {len(table.rows)} rows.")


def _keep(table: Table) -> None:
    ui.download.content(as_csv(table), f"{slug(table.title)}.csv", "text/csv")
