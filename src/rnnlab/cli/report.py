"""``rnnlab report``: runs beside each other in one page: figures, curves laid over each other, findings."""

import json as jsonlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rnnlab.errors import ConfigError


def report(
    runs: list[Path],
    /,
    *,
    out: Path = Path("report"),
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Put runs beside each other in report.html: a table of their figures, their curves, what was found wrong.

    Args:
        runs: run folders.
        out: a folder for report.html and its pictures and tables.
        json: print the path of the page and the figures, and nothing else, on stdout.
    """
    if not runs:
        raise ConfigError("RUN must be one or more run folders, got none; pass those that train wrote")
    if out.suffix.lower() in (".html", ".htm"):
        raise ConfigError(f"out must be a folder, for report.html and its pictures, got {out}; write --out {out.stem}")
    from rnnlab.reports import write_report
    from rnnlab.reports.runs import result_of
    from rnnlab.runs import load

    names = _names(runs)
    loaded = {name: load(folder) for name, folder in zip(names, runs, strict=True)}
    result = result_of(loaded)
    kinds = {run.data.get("kind") for run in loaded.values()}
    subtitle = "" if len(kinds) == 1 else "The runs are of different kinds: their figures have no common scale."
    page = write_report(
        [result], out, title="Runs", subtitle=subtitle, environment=next(iter(loaded.values())).environment,
        command=f"rnnlab report {' '.join(map(str, runs))}",
    )  # fmt: skip
    if json:
        from rnnlab.runs.files import finite

        found = {"report": str(page), "runs": {name: run.metrics for name, run in loaded.items()}}
        print(jsonlib.dumps(finite(found), ensure_ascii=False))
    else:
        print(page)
    return 0


def _names(folders: Sequence[Path]) -> list[str]:
    """Return a short name a run: the folder's, or its path where two are alike."""
    short = [folder.resolve().name for folder in folders]
    found = [name if short.count(name) == 1 else str(folder) for name, folder in zip(short, folders, strict=True)]
    if len(set(found)) < len(found):
        raise ConfigError("RUN must be different folders, got one twice; leave it out once")
    return found
