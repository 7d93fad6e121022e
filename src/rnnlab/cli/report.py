"""``rnnlab report``: runs beside each other in one page: figures, curves laid over each other, findings."""

import json as jsonlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rnnlab.errors import ConfigError

if TYPE_CHECKING:
    from rnnlab.results import Figure, Section, StudyResult, Table
    from rnnlab.runs import Run

CURVES = (
    ("loss", "Loss on the training part", "loss", True),
    ("validation_loss", "Loss on the validation part", "loss", True),
    ("validation_accuracy", "Accuracy on the validation part", "accuracy", False),
    ("grad_norm", "Largest norm of the gradient", "norm", True),
)
MOST_POINTS = 400


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
    from rnnlab.reports import write_report
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


def result_of(runs: "dict[str, Run]") -> "StudyResult":
    """Return the runs, by the name that each is shown with, as what the report draws."""
    from rnnlab.results import StudyResult

    first = next(iter(runs.values()))
    return StudyResult(
        study="runs",
        title=", ".join(runs) if len(runs) <= 3 else f"{len(runs)} runs",
        question="Which of these runs does best on data that it was not trained on?",
        answer=tuple(_answer(runs)),
        sections=tuple(_sections(runs)),
        claims=(),
        findings=tuple((name, finding) for name, run in runs.items() for finding in run.findings),
        provenance=str(first.data.get("provenance", "")),
        seconds=sum(run.seconds for run in runs.values()),
        complete=all(run.status not in ("training", "interrupted") for run in runs.values()),
    )


def _names(folders: Sequence[Path]) -> list[str]:
    """Return a short name a run: the folder's, or its path where two are alike."""
    short = [folder.resolve().name for folder in folders]
    found = [name if short.count(name) == 1 else str(folder) for name, folder in zip(short, folders, strict=True)]
    if len(set(found)) < len(found):
        raise ConfigError("RUN must be different folders, got one twice; leave it out once")
    return found


def _answer(runs: "dict[str, Run]") -> list[str]:
    from rnnlab.runs.catalogue import HIGHER_IS_BETTER, MAIN_METRIC

    said = []
    for kind, metric in MAIN_METRIC.items():
        found = {
            name: run.metrics["test"][metric]
            for name, run in runs.items()
            if run.data.get("kind") == kind and metric in run.metrics.get("test", {})
        }
        if found:
            pick = max if metric in HIGHER_IS_BETTER else min
            best = pick(found, key=lambda name: found[name])
            among = f" of {len(found)} runs" if len(found) > 1 else ""
            said.append(f"{best} has the best test {metric}{among}: {found[best]:.4g}.")
    if len({run.data.get("fingerprint") for run in runs.values()}) > 1:
        said.append("The runs were trained on different data, so their figures cannot be compared directly.")
    return said or ["No run has figures on a test part."]


def _sections(runs: "dict[str, Run]") -> "list[Section]":
    from rnnlab.results import Section

    found = [Section("Figures", parts=tuple(_tables(runs)))]
    curves = [figure for figure in (_curve(runs, *curve) for curve in CURVES) if figure is not None]
    if curves:
        found.append(Section("While training", parts=tuple(curves)))
    found.append(Section("How they were trained", parts=(_settings(runs),)))
    return found


def _tables(runs: "dict[str, Run]") -> "list[Table]":
    from rnnlab.results import Table

    tables = []
    for part in ("test", "validation", "train"):
        metrics = list(dict.fromkeys(name for run in runs.values() for name in run.metrics.get(part, {})))
        rows = [
            (name, *(_plain(run.metrics[part].get(metric)) for metric in metrics))
            for name, run in runs.items()
            if part in run.metrics
        ]
        if part == "test":
            rows += _baseline_rows(runs, metrics)
        if rows and metrics:
            tables.append(Table(f"runs-{part}", f"On the {part} part", ("run", *metrics), tuple(rows)))
    return tables


def _baseline_rows(runs: "dict[str, Run]", metrics: list[str]) -> list[tuple[Any, ...]]:
    rows: dict[tuple[Any, ...], None] = {}
    for run in runs.values():
        for one in run.data.get("baselines", []):
            rows[(f"{one['title']} (no network)", *(_plain(one["metrics"].get(metric)) for metric in metrics))] = None
    return list(rows)


def _curve(runs: "dict[str, Run]", key: str, title: str, unit: str, log: bool) -> "Figure | None":
    from rnnlab.results import Figure

    points: list[dict[str, Any]] = []
    for name, run in runs.items():
        entries = [entry for entry in run.history if isinstance(entry.get(key), int | float)]
        for entry in entries[:: max(1, len(entries) // MOST_POINTS)]:
            points.append({"x": entry["step"], "y": entry[key], "series": name})
    if not points:
        return None
    log = log and all(point["y"] > 0 for point in points)
    caption = "One line a run; a point is an evaluation."
    return Figure(f"runs-{key.replace('_', '-')}", "curves", title, caption, "updates", unit, tuple(points), log_y=log)


def _settings(runs: "dict[str, Run]") -> "Table":
    from rnnlab.results import Table

    said = {name: {**run.model_config.model_dump(), **run.train_config.model_dump()} for name, run in runs.items()}
    options = [option for option in next(iter(said.values())) if len({str(one[option]) for one in said.values()}) > 1]
    chosen = ["cell", "hidden_size", "num_layers", "lr", "batch_size", "epochs", "seed"]
    columns = [*chosen, *(option for option in options if option not in chosen)]
    rows = tuple(
        (
            name,
            runs[name].status,
            len(runs[name].weights),
            round(runs[name].seconds, 1),
            *(_plain(one[c]) for c in columns),
        )
        for name, one in said.items()
    )
    note = "Options that are the same in all runs are left out, but for the commonest."
    return Table("runs-settings", "Settings", ("run", "status", "weights", "seconds", *columns), rows, note)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
