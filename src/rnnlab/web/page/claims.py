"""The claims of a lab as a table, by verdict."""

from collections.abc import Sequence
from typing import cast

from markupsafe import Markup
from nicegui import ui

from rnnlab.reports.rounding import NOTHING, cell
from rnnlab.reports.views import VERDICTS
from rnnlab.results import Table, Verdict
from rnnlab.web.page import results
from rnnlab.web.page.frame import section
from rnnlab.web.page.numbers import numbers


def claims(found: results.Found) -> None:
    """Put the claims of one lab here."""
    records: list[results.ClaimRecord] = found.content
    with section(
        f"Claims of the lab report ({found.folder.name})", "What the report says, what was measured, and a verdict."
    ):
        verdicts = [name for name in VERDICTS if any(one.verdict == name for one in records)]
        shown = ui.select(["all", *verdicts], value="all", label="Verdict").props("outlined dense").classes("narrow")
        place = ui.html("", sanitize=False).classes("table-holder tall")

        def draw() -> None:
            place.set_content(_claims_html([one for one in records if shown.value in ("all", one.verdict)]))

        shown.on_value_change(draw)
        draw()
        columns = ("id", "claim", "reported", "measured", "verdict", "evidence")
        numbers(
            lambda: Table(
                "claims", "Claims", columns, tuple(tuple(getattr(one, name) for name in columns) for one in records)
            )
        )


def _claims_html(records: Sequence[results.ClaimRecord]) -> Markup:
    names = ("claim", "reported", "measured", "verdict", "why")
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(name) for name in names)
    rows = Markup("").join(map(_claim_row, records))
    return Markup('<table class="plain claims"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(heads, rows)


def _claim_row(one: results.ClaimRecord) -> Markup:
    mark, meaning = VERDICTS.get(cast(Verdict, one.verdict), ("", ""))
    verdict = Markup('<td class="verdict" title="{}">{} {}</td>').format(meaning, mark, one.verdict)
    cells = (NOTHING if one.reported is None else str(one.reported), cell(one.measured))
    return Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td>{}<td>{}</td></tr>').format(
        one.claim, *cells, verdict, one.evidence
    )
