"""A sweep as the report draws it: the map of the metric and of what diverged, the best rate over size, the best settings."""

from collections.abc import Iterator, Sequence

from rnnlab.results import Figure, Section, StudyResult, Table, Value
from rnnlab.sweeps.result import Place, Sweep, notes
from rnnlab.sweeps.stack_work import Row

TITLES = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU", "combined": "linear RNN"}
MOST_SETTINGS = 20


def study_of(sweep: Sweep) -> StudyResult:
    """Return the sweep as what `rnnlab.reports.write_report` takes."""
    sections = [
        Section("The map", tuple(_how(sweep)), tuple(_maps(sweep))),
        Section("The best learning rate", (), tuple(_rates(sweep))),
        Section("The best settings", (), tuple(_settings(sweep))),
    ]
    return StudyResult(
        study="sweep",
        title=f"{sweep.task}: {len(sweep.rows):,} runs",
        question="Which setting answers these data best, and how much does it matter?",
        answer=tuple(answer(sweep)),
        sections=tuple(section for section in sections if section.parts),
        claims=(),
        provenance=str(sweep.data.get("provenance", "")),
        seconds=sweep.seconds,
        complete=sweep.complete,
        settings={**sweep.settings.get("axes", {}), **sweep.settings.get("search", {})},
    )


def answer(sweep: Sweep) -> Iterator[str]:
    """Yield what was found, in sentences."""
    if not sweep.best:
        yield (
            "No run is done."
            if not sweep.rows
            else "Every run diverged: lower the learning rates, or clip the gradient (--clip 1)."
        )
        return
    best = sweep.best[0]
    chosen = ", ".join(f"{name} {_shown(value)}" for name, value in best.setting.items())
    said = f"Best on the validation part: {chosen}: {sweep.metric} {_mean(sweep.best, 'validation', sweep.metric):.4g}"
    test = _mean(sweep.best, "test", sweep.metric)
    told = "" if test is None else f" (test part, not used to choose: {test:.4g})"
    yield f"{said}, mean of {len(sweep.best)} seed{'s' if len(sweep.best) > 1 else ''}{told}."
    yield from notes(sweep)


def _how(sweep: Sweep) -> Iterator[str]:
    others = [name for name in sweep.axes if name not in ("cell", "hidden_size", "lr")]
    best = f"; of {', '.join(others)}, the best is shown" if others else ""
    yield (
        f"Every place is the mean {sweep.metric} of its seeds on the validation part{best}. "
        f"{'Higher' if sweep.higher_is_better else 'Lower'} is better."
    )


def _maps(sweep: Sweep) -> Iterator[Figure]:
    if not sweep.map:
        return
    yield _map(
        sweep, "metric", f"{sweep.metric} on the validation part", [place.score for place in sweep.map], lost=True
    )
    if any(place.diverged for place in sweep.map):
        shares: list[float | None] = [100 * place.diverged for place in sweep.map]
        yield _map(sweep, "diverged", "Runs that diverged, per cent", shares)
    if any(place.dropped for place in sweep.map):
        shares = [100 * place.dropped for place in sweep.map]
        yield _map(sweep, "dropped", "Runs that were dropped for better ones, per cent", shares)


def _map(sweep: Sweep, name: str, title: str, values: Sequence[float | None], *, lost: bool = False) -> Figure:
    data: list[dict[str, Value]] = [
        {"x": place.lr, "y": place.hidden_size, "value": value, "diverged": place.diverged if lost else 0.0,
         "series": _title(place)}
        for place, value in zip(sweep.map, values, strict=True)
    ]  # fmt: skip
    caption = "A panel a cell." + (" 'lost' is the share of runs that diverged." if lost else "")
    return Figure(name, "map", title, caption, "learning rate", "hidden size", tuple(data))


def _rates(sweep: Sweep) -> Iterator[Figure | Table]:
    if not sweep.best_rates:
        return
    data: list[dict[str, Value]] = [
        {"x": one.parameters, "y": one.lr, "low": one.low or one.lr, "high": one.high or one.lr,
         "series": TITLES.get(one.cell, one.cell)}
        for one in sweep.best_rates
    ]  # fmt: skip
    caption = "The band holds 95% of the rates that would have been best had the seeds been drawn again (bootstrap over seeds)."
    sizes = {cell: len({one.parameters for one in sweep.best_rates if one.cell == cell}) for cell in _cells(sweep)}
    if max(sizes.values()) > 1:
        yield Figure(
            "best-rates", "curves", "Best learning rate over parameters", caption, "parameters", "learning rate",
            tuple(data), log_x=True, log_y=True,
        )  # fmt: skip
    rows = tuple(
        (TITLES.get(one.cell, one.cell), one.hidden_size, one.parameters, one.lr, one.low, one.high, one.score)
        for one in sweep.best_rates
    )
    columns = ("cell", "hidden size", "parameters", "best rate", "low", "high", f"validation {sweep.metric}")
    yield Table(
        "rates",
        "Best learning rate of every size",
        columns,
        rows,
        "From low to high lie 95% of the rates that would have been best had the seeds been drawn again.",
    )


def _settings(sweep: Sweep) -> Iterator[Table]:
    left, rows = list(sweep.rows), list[tuple[Value, ...]]()
    while left and len(rows) < MOST_SETTINGS and (best := sweep.best_of(left)):
        taken = {id(row) for row in best}
        figures = (_mean(best, part, sweep.metric) for part in ("validation", "test"))
        rows.append((*map(_shown, best[0].setting.values()), len(best), best[0].parameters, *figures))
        left = [row for row in left if id(row) not in taken]
    if rows:
        names = (*sweep.axes, "seeds", "parameters", f"validation {sweep.metric}", f"test {sweep.metric}")
        note = "Ordered by the validation part; the test part took no part in it. All runs: sweep.csv."
        yield Table("settings", f"The {len(rows)} best settings, mean of their seeds", names, tuple(rows), note)


def _mean(rows: Sequence[Row], part: str, metric: str) -> float | None:
    found = [
        row.metrics[part][metric] for row in rows if row.status != "diverged" and metric in row.metrics.get(part, {})
    ]
    return sum(found) / len(found) if found else None


def _cells(sweep: Sweep) -> list[str]:
    return list(dict.fromkeys(one.cell for one in sweep.best_rates))


def _title(place: Place) -> str:
    return TITLES.get(place.cell, place.cell)


def _shown(value: Value) -> Value:
    return f"{value:g}" if isinstance(value, float) else value
