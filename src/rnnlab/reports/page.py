"""The report as one HTML file: self-contained, offline, for a screen, a phone and paper, light and dark.

`render` turns results into plain values (`views`) and hands them to the template, which escapes everything
but the pictures. No script, no font, no address is loaded.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from rnnlab.reports.palette import THEMES, ThemeName
from rnnlab.reports.rounding import cell
from rnnlab.reports.views import VERDICTS, Anchors, study_view
from rnnlab.results import StudyResult

TEMPLATES = Path(__file__).parent / "templates"


def render(
    results: Sequence[StudyResult],
    *,
    title: str,
    subtitle: str = "",
    size: str = "",
    environment: Mapping[str, Any] | None = None,
    command: str | None = None,
) -> str:
    """Return the report as one HTML document.

    Args:
        results: the studies, in the order they are shown.
        title: the headline.
        subtitle: one sentence below it: what this is.
        size: ``smoke``, ``quick``, ``full``, or nothing.
        environment: what it ran on, name to value.
        command: how to make it again; ``rnnlab lab ...`` where None.

    Example:
        >>> render([], title="Lab").startswith("<!doctype html>")
        True
    """
    anchors = Anchors()
    studies = [study_view(result, anchors) for result in results]
    counts = Counter(claim.verdict for result in results for claim in result.claims)
    return (
        templates()
        .get_template("report.html.jinja")
        .render(
            title=title,
            subtitle=subtitle,
            size=size,
            studies=studies,
            verdicts=[
                {"name": name, "mark": mark, "means": means, "count": counts[name]}
                for name, (mark, means) in VERDICTS.items()
            ],
            claims=sum(counts.values()),
            seconds=sum(result.seconds for result in results),
            complete=all(result.complete for result in results),
            environment=[(name, cell(value)) for name, value in (environment or {}).items()],
            command=command or _command(results, size),
            colours={name: _css(name) for name in THEMES},
        )
    )


@cache
def templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _css(theme: ThemeName) -> Markup:
    return Markup("".join(f"--{name}:{colour};" for name, colour in THEMES[theme].variables().items()))


def _command(results: Sequence[StudyResult], size: str) -> str:
    words = ["rnnlab", "lab", *(result.study for result in results), *(["--size", size] if size else [])]
    return shlex.join(words)
