"""What a study or a comparison hands on: claims, tables and the data of its pictures, as JSON types.

Nothing here computes and nothing here draws: `rnnlab.studies` fills these in, `rnnlab.reports` shows them, and
``results.json`` is them, field by field.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rnnlab.display import Displayed
from rnnlab.findings import Finding

Verdict = Literal["reproduced", "corrected", "contradicted", "untestable"]
FigureKind = Literal["curves", "confusion", "forecast", "series", "map", "bars", "strip"]
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Claim:
    """One sentence with a reported figure, a measured one, and a verdict.

    Args:
        id: ``study.name``, stable across versions.
        study: the study's name.
        claim: what the report says, in one sentence.
        reported: the report's figure, or its words.
        measured: ours, or None where nothing can be measured.
        spread: lowest and highest over the seeds, or None.
        seeds: the seeds behind ``measured``.
        verdict: ``reproduced``, ``corrected`` (the reported figure stems from a defect), ``contradicted``, ``untestable``.
        evidence: one sentence that says why.
    """

    id: str
    study: str
    claim: str
    reported: Value
    measured: Value
    spread: tuple[float, float] | None
    seeds: tuple[int, ...]
    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Table(Displayed):
    """A table: ``rows`` hold a value a column, in the order of ``columns``; ``note`` says how to read it."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Figure(Displayed):
    """The data of one picture, one record a mark, and what its axes are.

    ``kind`` says which fields the records have, ``x`` and ``y`` title the axes (with units):

    ==========  ======================================================================================
    curves      ``x, y, series`` and, if there is a spread, ``low, high``; ``marked`` rings a point; ``log_y`` for losses
    confusion   ``truth, guess, share, count``, for every pair of labels, in the order they are shown
    forecast    ``time`` (ISO date), ``value, series`` (``data`` is the truth), ``held_out`` (bool) and, with intervals, ``low, high``
    series      ``time, value, series``
    map         ``x, y, value, diverged`` (share 0..1): learning rate and size against a metric; one panel a ``series``
    bars        ``label, value`` and, if there is a spread, ``low, high``; ``group`` colours; ``reference`` (bool) for baselines
    strip       ``label, value``, one point a seed; ``group`` colours
    ==========  ======================================================================================
    """

    id: str
    kind: FigureKind
    title: str
    caption: str
    x: str
    y: str
    data: tuple[dict[str, Value], ...]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Trace:
    """Lines of text to be shown as they are, such as a training trace."""

    id: str
    title: str
    lines: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A heading, its sentences, and what stands below them in order."""

    title: str
    text: tuple[str, ...] = ()
    parts: tuple[Table | Figure | Trace, ...] = ()


@dataclass(frozen=True)
class StudyResult(Displayed):
    """One study, answered.

    Args:
        study: ``binary``, ``memorise``, ``sales`` or ``names``.
        title: a headline.
        question: what is asked, in one sentence.
        answer: two to four sentences that answer it, with figures.
        sections: the evidence.
        claims: the report's claims of this study.
        findings: what is wrong with which variant, as (variant, finding).
        provenance: where the data come from, with licence.
        seconds: time the study took.
        complete: False where the user interrupted it: what is there is valid, but not all is there.
    """

    study: str
    title: str
    question: str
    answer: tuple[str, ...]
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    findings: tuple[tuple[str, Finding], ...] = ()
    provenance: str = ""
    seconds: float = 0.0
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types."""
        return asdict(self)
