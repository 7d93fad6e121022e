"""The report's pictures on a page: drawn in a thread, in the width that the window has, in the colours that the page has.

What is drawn last is shown: a picture that was overtaken while it was drawn is dropped.
"""

from markupsafe import Markup
from nicegui import run as threads
from nicegui import ui

from rnnlab.reports.charts import NARROW, WIDE, drawn
from rnnlab.reports.describe import describe
from rnnlab.reports.inline import inline
from rnnlab.results import Figure, Table
from rnnlab.web.page.numbers import numbers

PHONE = 700


class Picture:
    """A picture with its numbers behind it; give it a figure with `show`.

    Args:
        width: in px, on a window that is wider than a phone.
    """

    def __init__(self, width: int = WIDE) -> None:
        self.figure: Figure | None = None
        self._width = width
        with ui.element("figure").classes("picture"):
            self.place = ui.html("", sanitize=False)
            self._buttons = ui.element("div")
        with self._buttons:
            numbers(lambda: as_table(self.figure))
        self._buttons.visible = False

    async def show(self, figure: Figure) -> None:
        """Draw ``figure`` and show it, unless another has come meanwhile."""
        self.figure = figure
        width = NARROW if await _window() < PHONE else self._width
        made = await threads.io_bound(drawn, figure, "light", width)
        if made is None or self.figure is not figure:
            return
        picture = Markup('<div role="img" aria-label="{}">{}</div>').format(
            describe(figure), Markup(inline(made, f"p{self.place.id}"))
        )
        self.place.set_content(picture)
        self._buttons.visible = True

    def clear(self) -> None:
        """Show nothing."""
        self.figure = None
        self.place.set_content("")
        self._buttons.visible = False


def as_table(figure: Figure | None) -> Table:
    """Return the records of a figure as a table."""
    if figure is None:
        return Table("none", "nothing", (), ())
    columns = tuple(dict.fromkeys(name for record in figure.data for name in record))
    rows = tuple(tuple(record.get(name) for name in columns) for record in figure.data)
    return Table(figure.id, figure.title, columns, rows)


async def _window() -> int:
    """Return the width of this visitor's window in px, asked once."""
    client = ui.context.client
    known: dict[str, int] = client.storage
    if "window" not in known:
        await client.connected()
        known["window"] = int(await ui.run_javascript("window.innerWidth", timeout=5))
    return known["window"]
