"""What a notebook shows of a run, a comparison, a sweep, a study, findings, a figure or a table: a fragment of HTML that is whole in itself.

The parts are those of the report, and so are its colours, which follow the theme of Jupyter, VS Code, Colab and the
documentation. A place that strips styles still shows tables and pictures.
"""

import re
from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from markupsafe import Markup

from rnnlab.comparison.report import study_of as comparison_study
from rnnlab.comparison.result import Comparison
from rnnlab.findings import Finding, Findings
from rnnlab.reports.findings import finding_view
from rnnlab.reports.page import TEMPLATES, templates
from rnnlab.reports.palette import THEMES
from rnnlab.reports.rounding import number
from rnnlab.reports.runs import losses, result_of
from rnnlab.reports.views import Anchors, part_view
from rnnlab.results import Figure, StudyResult, Table, Trace
from rnnlab.runs import Run
from rnnlab.sweeps.report import study_of as sweep_study
from rnnlab.sweeps.result import Sweep

Part = Table | Figure | Trace
Shown = Run | Comparison | Sweep | StudyResult | Finding | Findings | Figure | Table


def html(thing: Shown) -> str:
    """Return what a notebook shows of ``thing``.

    Raises:
        TypeError: nothing is known of it.

    Example:
        >>> table = Table("a", "Scores", ("name", "score"), (("gru", 0.7),))
        >>> "<td" in html(table)
        True
    """
    if isinstance(thing, Run):
        return _run(thing)
    if isinstance(thing, Comparison):
        return _study(comparison_study(thing), first=("test", "pairs"), more_title="every seed, all metrics, tuning")
    if isinstance(thing, Sweep):
        return _study(sweep_study(thing), more_title="the best learning rates, the best settings")
    if isinstance(thing, StudyResult):
        return _study(thing, more_title="the evidence")
    if isinstance(thing, Figure | Table):
        return _fragment([thing])
    if isinstance(thing, Finding):
        return _fragment([], findings=[("", thing)])
    if isinstance(thing, Findings):
        return _fragment([], title="" if thing else "nothing found", findings=[("", finding) for finding in thing])
    raise TypeError(f"thing must be a run, a comparison, a figure, a table or findings, got {type(thing).__name__}")


def _run(run: Run) -> str:
    """Show its figures beside the baselines and its losses; the rest behind a fold."""
    parts = [part for section in result_of({run.name: run}).sections for part in section.parts]
    tables = [part for part in parts if isinstance(part, Table)]
    curve = losses(run)
    config = run.model_config
    said = f"{config.cell} {config.hidden_size}, {len(run.weights):,} weights, {run.status}, {number(run.seconds, 3)} s"
    return _fragment(
        [*tables[:1], *([curve] if curve else [])],
        title=run.name,
        subtitle=said,
        findings=[(run.name, finding) for finding in run.findings],
        more=tables[1:],
        more_title="other parts of the data, and settings",
    )


def _study(study: StudyResult, *, first: Sequence[str] = (), more_title: str) -> str:
    """Show the answer, and the parts whose ids are named, or the first; the rest behind a fold."""
    parts = [part for section in study.sections for part in section.parts]
    named = [part for name in first for part in parts if part.id == name] or parts[:1]
    return _fragment(
        named,
        title=study.title,
        subtitle="" if study.complete else "interrupted: what was done until then",
        sentences=study.answer,
        more=[part for part in parts if part not in named],
        more_title=more_title,
    )


def _fragment(
    parts: Sequence[Part],
    *,
    title: str = "",
    subtitle: str = "",
    sentences: Sequence[str] = (),
    findings: Sequence[tuple[str, Finding]] = (),
    more: Sequence[Part] = (),
    more_title: str = "",
) -> str:
    # Many fragments stand on one page: ids are made of what is shown.
    mark = sha256(repr((parts, more, findings)).encode()).hexdigest()[:8]
    anchors = Anchors()
    text = (
        templates()
        .get_template("notebook.html.jinja")
        .render(
            css=Markup(_css()),
            title=title,
            subtitle=subtitle,
            sentences=sentences,
            findings=[finding_view(name, one, anchors.new(mark, one.check)) for name, one in findings],
            parts=[part_view(mark, part, anchors) for part in parts],
            more=[part_view(mark, part, anchors) for part in more],
            more_title=more_title,
        )
    )
    return _with_fallback(text)


@cache
def _css() -> str:
    text = (TEMPLATES / "notebook.css").read_text(encoding="utf-8")
    for name, theme in THEMES.items():
        colours = " ".join(f"--{key}:{value};" for key, value in theme.variables().items())
        text = text.replace(f"{{{{{name}}}}}", colours)
    return text


def _with_fallback(text: str) -> str:
    """Give the colours of pictures a value for where the style is stripped."""
    light = THEMES["light"].variables()
    return re.sub(r'"var\(--([\w-]+)\)"', lambda found: f'"var(--{found[1]},{light[found[1]]})"', text)
