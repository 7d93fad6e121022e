"""Results as the template wants them: text that is rounded and ordered, pictures ready to stand in the page.

Everything here is plain text, to be escaped by the template, but the pictures, whose text vl-convert has escaped.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from rnnlab.findings import SEVERITIES, Finding
from rnnlab.reports.charts import NARROW, drawn
from rnnlab.reports.describe import describe
from rnnlab.reports.findings import finding_view
from rnnlab.reports.inline import inline
from rnnlab.reports.rounding import NOTHING, cell, column, is_numeric, number
from rnnlab.results import Claim, Figure, Section, StudyResult, Table, Trace, Verdict

View = dict[str, Any]

VERDICTS: dict[Verdict, tuple[str, str]] = {
    "reproduced": ("✓", "ours agrees with the reported figure"),
    "corrected": ("↻", "the reported figure stems from a defect; ours shows what is true"),
    "contradicted": ("✕", "ours says otherwise"),
    "untestable": ("?", "nothing can be measured"),
}


class Anchors:
    """Hands out ids that are unique in one page."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, *words: str) -> str:
        """Return an id made of the words, with a number where it is taken."""
        base = "-".join(slug(word) for word in words)
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}-{count}"
        self._taken.add(name)
        return name


def slug(text: str) -> str:
    """Return ``text`` as letters, digits, dots and dashes, fit for an anchor and a file name.

    Example:
        >>> slug("LSTM 64: <loss>"), slug("../..")
        ('lstm-64-loss', 'x')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:80] or "x"


def study_view(result: StudyResult, anchors: Anchors) -> View:
    """Return all that the page shows of a study."""
    return {
        "id": anchors.new("study", result.study),
        "name": result.study,
        "title": result.title,
        "question": result.question,
        "answer": result.answer,
        "sections": [_section(result.study, section, anchors) for section in result.sections],
        "claims": [_claim(claim, anchors) for claim in result.claims],
        "claims_id": anchors.new("claims", result.study),
        "findings": _findings(result.study, result.findings, anchors),
        "findings_id": anchors.new("findings", result.study),
        "provenance": result.provenance,
        "seconds": result.seconds,
        "complete": result.complete,
        "settings": [(name, _evidence(value)) for name, value in result.settings.items()],
    }


def _section(study: str, section: Section, anchors: Anchors) -> View:
    parts = [part_view(study, part, anchors) for part in section.parts]
    return {"id": anchors.new(study, section.title), "title": section.title, "text": section.text, "parts": parts}


def part_view(study: str, part: Table | Figure | Trace, anchors: Anchors) -> View:
    """Return a table, a figure or a trace, ready for the template's `part`."""
    anchor = anchors.new(study, part.id)
    if isinstance(part, Table):
        return _table(part) | {"kind": "table", "id": anchor}
    if isinstance(part, Trace):
        return {"kind": "trace", "id": anchor, "title": part.title, "lines": part.lines, "note": part.note}
    return {
        "kind": "figure",
        "id": anchor,
        "shape": part.kind,
        "title": part.title,
        "caption": part.caption,
        "alt": describe(part),
        "wide": Markup(inline(drawn(part), f"{anchor}-w")),
        "narrow": Markup(inline(drawn(part, width=NARROW), f"{anchor}-n")),
    }


def _table(table: Table) -> View:
    columns = [[row[index] for row in table.rows] for index in range(len(table.columns))]
    numeric = [is_numeric(values) for values in columns]
    shown = [column(values) for values in columns]
    return {
        "title": table.title,
        "note": table.note,
        "columns": list(zip(table.columns, numeric, strict=True)),
        "rows": [list(zip(row, numeric, strict=True)) for row in zip(*shown, strict=True)],
    }


def _claim(claim: Claim, anchors: Anchors) -> View:
    return {
        "id": anchors.new("claim", claim.id),
        "claim": claim.claim,
        "reported": NOTHING if claim.reported is None else _reported(claim.reported),
        "measured": cell(claim.measured),
        "spread": None if claim.spread is None else _spread(*claim.spread),
        "seeds": len(claim.seeds),
        "verdict": claim.verdict,
        "mark": VERDICTS[claim.verdict][0],
        "evidence": claim.evidence,
    }


def _findings(study: str, found: Sequence[tuple[str, Finding]], anchors: Anchors) -> list[View]:
    """Return the findings worst first; one that several variants share is shown once, with all their names."""
    shared: list[tuple[Finding, list[str]]] = []
    for variant, finding in sorted(found, key=lambda pair: SEVERITIES.index(pair[1].severity)):
        same = next((names for known, names in shared if known == finding), None)
        if same is None:
            shared.append((finding, [variant]))
        elif variant not in same:
            same.append(variant)
    return [finding_view(", ".join(names), one, anchors.new(study, "finding", one.check)) for one, names in shared]


def _reported(value: object) -> str:
    """Return a reported figure with every digit it was printed with."""
    return cell(value) if isinstance(value, bool | str) else f"{value}"


def _spread(low: float, high: float) -> str:
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _evidence(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_evidence(item) for item in value)
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict) else cell(value)
