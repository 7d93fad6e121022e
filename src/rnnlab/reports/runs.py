"""Runs beside each other as a `StudyResult`: their figures, their curves, how they were trained, what was found wrong.

Computes nothing but which run is best; what it returns is drawn by the page and by notebooks.
"""

from collections.abc import Mapping
from typing import Any

from rnnlab.results import Figure, Section, StudyResult, Table
from rnnlab.runs import Run
from rnnlab.runs.catalogue import HIGHER_IS_BETTER, metric_of

CURVES = (
    ("loss", "Loss on the training part", "loss", True),
    ("validation_loss", "Loss on the validation part", "loss", True),
    ("validation_accuracy", "Accuracy on the validation part", "accuracy", False),
    ("grad_norm", "Largest norm of the gradient", "norm", True),
)
MOST_POINTS = 400


def result_of(runs: Mapping[str, Run]) -> StudyResult:
    """Return the runs, by the name that each is shown with, as what the report draws."""
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


def losses(run: Run) -> Figure | None:
    """Return the losses of the training and the validation part in one picture, or None where there are none."""
    points: list[dict[str, Any]] = []
    for key, series in (("loss", "training"), ("validation_loss", "validation")):
        found = _curve({series: run}, key, "", "", True)
        points += found.data if found else ()
    log = all(point["y"] > 0 for point in points)
    title = "Loss while training"
    return Figure("losses", "curves", title, "", "updates", "loss", tuple(points), log_y=log) if points else None


def _answer(runs: Mapping[str, Run]) -> list[str]:
    said, judged = [], {name: (run.data.get("kind"), metric_of(run.codec, run.data)) for name, run in runs.items()}
    for kind, metric in dict.fromkeys(judged.values()):
        found = {
            name: run.metrics["test"][metric]
            for name, run in runs.items()
            if judged[name] == (kind, metric) and metric in run.metrics.get("test", {})
        }
        if found:
            pick = max if metric in HIGHER_IS_BETTER else min
            best = pick(found, key=lambda name: found[name])
            among = f" of {len(found)} runs" if len(found) > 1 else ""
            said.append(f"{best} has the best test {metric}{among}: {found[best]:.4g}.")
    if len({run.data.get("fingerprint") for run in runs.values()}) > 1:
        said.append("The runs were trained on different data, so their figures cannot be compared directly.")
    return said or ["No run has figures on a test part."]


def _sections(runs: Mapping[str, Run]) -> list[Section]:
    found = [Section("Figures", parts=tuple(_tables(runs)))]
    curves = [figure for figure in (_curve(runs, *curve) for curve in CURVES) if figure is not None]
    if curves:
        found.append(Section("While training", parts=tuple(curves)))
    found.append(Section("How they were trained", parts=(_settings(runs),)))
    return found


def _tables(runs: Mapping[str, Run]) -> list[Table]:
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


def _baseline_rows(runs: Mapping[str, Run], metrics: list[str]) -> list[tuple[Any, ...]]:
    rows: dict[tuple[Any, ...], None] = {}
    for run in runs.values():
        for one in run.data.get("baselines", []):
            rows[(f"{one['title']} (no network)", *(_plain(one["metrics"].get(metric)) for metric in metrics))] = None
    return list(rows)


def _curve(runs: Mapping[str, Run], key: str, title: str, unit: str, log: bool) -> Figure | None:
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


def _settings(runs: Mapping[str, Run]) -> Table:
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
