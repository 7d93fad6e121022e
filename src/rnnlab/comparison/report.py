"""A comparison as the report draws it: verdicts, the figures of every seed, pairs, tuning, curves. It computes no statistics."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median

from rnnlab.comparison.result import CellResult, Comparison, Pair
from rnnlab.comparison.verdicts import METRICS
from rnnlab.findings import Finding
from rnnlab.results import Figure, Section, StudyResult, Table, Value
from rnnlab.runs import Run

CURVE_POINTS = 120
UNITS = {
    "macro_f1": "macro F1",
    "mae": "MAE (in the data's own units)",
    "mase": "MASE (mean of the series; 1 is the seasonal naive forecast's error in training)",
}
HOW = (
    "Differences are of runs with the same seed. Intervals hold 95% and are of Student's t over seeds; p-values are of the paired "
    "t-test, corrected by Holm's method over all pairs of this page, those with the baseline included. The test part is the same "
    "for all seeds; the column 'over test examples' draws its examples again instead (bootstrap)."
)


def study_of(comparison: Comparison, runs: Mapping[str, Sequence[Run]] | None = None) -> StudyResult:
    """Return the comparison as what `rnnlab.reports.write_report` takes.

    Args:
        comparison: what was found.
        runs: of each cell, for the curves; none where None.
    """
    sections = [Section("Verdict", (*comparison.verdicts, HOW), tuple(_tables(comparison)))]
    sections.append(Section("On the test part", (), tuple(_test_part(comparison))))
    sections.append(
        Section("How they were tuned and trained", comparison.notes, tuple(_training(comparison, runs or {})))
    )
    return StudyResult(
        study="comparison",
        title=f"{comparison.task}: {', '.join(cell.title for cell in comparison.cells) or 'nothing done'}",
        question="Which cell answers these data best, and is it better than no network at all?",
        answer=comparison.verdicts or ("No cell is done.",),
        sections=tuple(sections),
        claims=(),
        findings=tuple(_findings(runs or {})),
        provenance=str(comparison.data.get("provenance", "")),
        seconds=comparison.seconds,
        complete=comparison.complete,
        settings={name: value for name, value in comparison.settings.items() if name not in ("model", "training")},
    )


def _tables(comparison: Comparison) -> list[Table]:
    rows = tuple(_pair_row(pair, comparison.metric) for pair in (*comparison.pairs, *comparison.against))
    columns = (
        "first", "second", "difference", "low", "high", "over test examples", "seeds", "p", "p (Holm)", "p (Wilcoxon)", "the first",
    )  # fmt: skip
    note = "The difference is how much better the first is; negative where it is worse."
    if METRICS[comparison.metric][1]:
        note += " In points: hundredths of macro F1."
    return [Table("pairs", "Pairs", columns, rows, note)] if rows else []


def _pair_row(pair: Pair, metric: str) -> tuple[Value, ...]:
    scale = 100 if METRICS[metric][1] else 1
    mean, low, high = (None if value is None else scale * value for value in (pair.mean, pair.low, pair.high))
    over = "" if pair.examples is None else " to ".join(f"{scale * value:.4g}" for value in pair.examples)
    return pair.first, pair.second, mean, low, high, over, pair.count, pair.p, pair.p_holm, pair.p_ranks, pair.outcome


def _test_part(comparison: Comparison) -> list[Table | Figure]:
    metric, unit = comparison.metric, UNITS[comparison.metric]
    done = [cell for cell in comparison.cells if cell.sound]
    bars: list[dict[str, Value]] = [
        {"label": one.title, "value": one.metrics[metric], "reference": True} for one in comparison.baselines
    ]
    for cell in done:
        values = cell.values(metric)
        bars.append({"label": cell.title, "value": fmean(values), "low": min(values), "high": max(values)})
    caption = "Networks are shown with the mean of their seeds; the line reaches from the lowest to the highest."
    parts: list[Table | Figure] = [Figure("test", "bars", f"{unit} on the test part", caption, "", unit, tuple(bars))]
    points: list[dict[str, Value]] = [
        {"label": cell.title, "value": value} for cell in done for value in cell.values(metric)
    ]
    if points:
        parts.append(
            Figure(
                "seeds",
                "strip",
                "Every seed",
                "One point a seed; the tick is their median.",
                "cell",
                unit,
                tuple(points),
            )
        )
    return [*parts, _metrics(comparison, done)]


def _metrics(comparison: Comparison, done: Sequence[CellResult]) -> Table:
    found = [one.metrics for one in comparison.baselines] + [m for cell in done for m in cell.sound.values()]
    names = list(dict.fromkeys(name for metrics in found for name in metrics))
    rows: list[tuple[Value, ...]] = [
        (one.title, None, *(one.metrics.get(name) for name in names)) for one in comparison.baselines
    ]
    rows += [(cell.title, len(cell.sound), *(fmean(cell.values(name)) for name in names)) for cell in done]
    return Table("metrics", "All metrics, mean of the seeds", ("", "seeds", *names), tuple(rows))


def _training(comparison: Comparison, runs: Mapping[str, Sequence[Run]]) -> list[Table | Figure]:
    unit = UNITS[comparison.metric]
    rows: list[tuple[Value, ...]] = [
        (cell.title, cell.hidden_size, cell.weights, cell.lr, len(cell.seeds) - len(cell.sound), cell.seconds)
        for cell in comparison.cells
    ]
    columns = ("cell", "hidden size", "weights", "learning rate", "diverged", "seconds")
    parts: list[Table | Figure] = [Table("cells", "Cells", columns, tuple(rows))]
    tried: list[dict[str, Value]] = [
        {"x": one.lr, "y": one.score, "series": cell.title}
        for cell in comparison.cells
        for one in cell.tried
        if one.score is not None
    ]
    if len({point["x"] for point in tried}) > 1:
        caption = "What the learning rate was chosen by. Rates at which a run diverged are left out."
        title = f"{unit} on the validation part over learning rates"
        parts.append(Figure("tuning", "curves", title, caption, "learning rate", unit, tuple(tried), log_x=True))
    for key, title in (("loss", "Loss on the training part"), ("validation_loss", "Loss on the validation part")):
        points = [point for cell in comparison.cells for point in _curve(cell.title, runs.get(cell.cell, ()), key)]
        if points:
            log = all(isinstance(point["low"], float) and point["low"] > 0 for point in points)
            caption = "Median of the seeds; the band reaches from the lowest to the highest."
            parts.append(Figure(key, "curves", title, caption, "epoch", "loss", tuple(points), log_y=log))
    return parts


def _curve(title: str, runs: Sequence[Run], key: str) -> list[dict[str, Value]]:
    """Return median, lowest and highest of ``key`` at each epoch, over the runs that did not diverge."""
    at: dict[float, list[float]] = {}
    for run in runs:
        for entry in run.history if run.status != "diverged" else ():
            if isinstance(entry.get(key), int | float):
                at.setdefault(entry["epoch"], []).append(float(entry[key]))
    epochs = sorted(at)[:: max(1, len(at) // CURVE_POINTS)]
    return [{"x": x, "y": median(at[x]), "low": min(at[x]), "high": max(at[x]), "series": title} for x in epochs]


def _findings(runs: Mapping[str, Sequence[Run]]) -> Iterator[tuple[str, Finding]]:
    for cell, found in runs.items():
        for run in found:
            for finding in run.findings:
                yield f"{cell}, seed {run.train_config.seed}", finding
