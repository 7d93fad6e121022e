"""``rnnlab runs``: the runs below a folder, filtered and sorted; broken ones are named."""

import json as jsonlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from rnnlab.runs.catalogue import Entry


def runs(
    folder: Path = Path("runs"),
    /,
    *,
    task: str | None = None,
    cell: str | None = None,
    status: str | None = None,
    data: str | None = None,
    sort: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """List the runs in a folder and below it.

    Args:
        folder: where to look.
        task: only classify, regress or forecast.
        cell: only this cell.
        status: only done, stopped, diverged, interrupted, training (begun, not over) or broken.
        data: only runs on the data of this name.
        sort: name, task, data, cell, seconds, status; a metric (accuracy, macro_f1, rmse, mae, mase, ...), the best first; or metric:
            the one that each run is judged by, MASE where it forecasts several series.
        json: print {"runs": [...]}, and nothing else, on stdout.
    """
    from rnnlab.runs.catalogue import find_runs, select
    from rnnlab.runs.files import finite

    chosen = select(find_runs(folder), task=task, cell=cell, status=status, data=data, sort=sort)
    if json:
        print(jsonlib.dumps(finite({"runs": [entry.to_dict() for entry in chosen]}), ensure_ascii=False))
        return 0
    whole = [entry for entry in chosen if not entry.problem]
    if not chosen:
        print(f"no runs in {folder}")
    if whole:
        _print_table(whole, sort)
    for entry in chosen:
        if entry.problem:
            print(f"broken: {entry.problem}")
    return 0


def _print_table(entries: "Sequence[Entry]", sort: str | None) -> None:
    rows = [("run", "task", "data", "cell", "hidden", "status", "seconds", "metric", "test")]
    for entry in entries:
        metrics = entry.metrics or {}
        name = sort if sort in metrics else entry.metric
        value = metrics.get(str(name))
        rows.append(
            (
                str(entry.folder), entry.task, entry.data, entry.cell, str(entry.hidden_size), entry.status,
                f"{entry.seconds:.0f}", str(name), "-" if value is None else f"{value:.4g}",
            )
        )  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
