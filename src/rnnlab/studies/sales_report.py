"""What the `sales` study concludes: its tables, forecasts and curves, the lab's network beside recurrent ones and none."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.data import describe
from rnnlab.results import Figure, Section, StudyResult, Table, Value
from rnnlab.studies.figures import curves, median, record, show, spread
from rnnlab.studies.jobs import LabData, Outcome
from rnnlab.studies.sales_claims import claims, findings
from rnnlab.studies.sales_evidence import CELLS, Evidence, live

ZOOM = 56
BEFORE = 60
COLUMNS = ("forecast", "seeds", "dead or diverged", "MAE", "lowest", "highest", "RMSE", "MASE")
METRICS = ("mae", "rmse", "mase")


def conclude(
    scale: dict[str, Any], data: LabData, windows: Sequence[int], outcomes: Mapping[str, Outcome]
) -> StudyResult:
    """Return the study's answer from the outcomes of all its jobs."""
    seen = Evidence(scale, data.sales, tuple(windows), outcomes)
    return StudyResult(
        study="sales",
        title="Sales, one step ahead",
        question="Can a recurrent network forecast the next sales from those before, better than no network can?",
        answer=_answer(seen),
        sections=(_series(seen), _published(seen, scale), _recurrent(seen), _against(seen)),
        claims=claims(seen),
        findings=findings(seen),
        provenance=data.sales.provenance,
        settings={
            "series": describe(data.sales), "windows": list(windows), "hidden size, as published": scale["hidden"],
            "updates, as published": seen.published()["updates"], "seeds, as published": scale["seeds"],
            "hidden size, recurrent": scale["units"], "epochs, recurrent": scale["epochs"], "seeds, recurrent": scale["step_seeds"],
        },
    )  # fmt: skip


def _answer(seen: Evidence) -> tuple[str, ...]:
    starts, found = seen.start("lstm"), seen.stacked["mae"]
    ridge, alike = seen.baseline("ridge"), seen.stacked_ridge["mae"]
    rivals = {"ridge": ridge["mae"], "simple": seen.simplest()["mae"], "alike": alike}
    if all(found < value for value in rivals.values()):
        word = "Yes, if it is recurrent"
    elif found < ridge["mae"]:
        word = "Better than ridge regression on the values, but not than every forecast without a network"
    else:
        word = "Not better on these data"
    return (
        f"{word}: networks that read {seen.windows[-1]} values one by one reach a held-out mean absolute error of {show(found)}"
        f" together; {ridge['title']} reaches {show(ridge['mae'])}, {seen.simplest()['title']} {show(seen.simplest()['mae'])}, and ridge"
        f" regressions on the networks' own inputs, summed the same way, {show(alike)}.",
        f"The lab's network is not recurrent: its window is one step, {starts['learning']:,} of its {starts['parameters']:,} weights"
        f" ever get a gradient, and {_beside(median(r['mae'] for r in live(seen.published())), seen)}.",
        f"Its ReLU is dead before training begins in {starts['dead']:.0%} of {seen.starts['starts']} seeds, so that it forecasts one"
        " number for ever; that, and not the window, can be why a network 'does not learn'.",
    )


def _beside(published: float | None, seen: Evidence) -> str:
    if published is None:
        return "not one of its seeds lives"
    last = seen.baseline("last")["mae"]
    return f"its error is {show(published)}, {'worse' if published > last else 'better'} than the last value's ({show(last)})"


def _series(seen: Evidence) -> Section:
    rows = tuple(_fixed_row(one["title"], one) for one in seen.baselines)
    table = Table(
        "baselines", "Forecasts without a network, one step ahead on the held-out part", COLUMNS, rows,
        "MASE: the error against that of the value a season back on the training part; below 1 is better than that.",
    )  # fmt: skip
    data = tuple(record(time=t, value=v, series="data") for t, v in seen.points(range(len(seen.series))))
    figure = Figure(
        "series", "series", f"{seen.series.name}, all of it", describe(seen.series) + ".", "date", seen.series.name, data
    )  # fmt: skip
    share = len(seen.held_out) / len(seen.series)
    return Section(
        "The series, and what needs no network",
        (f"The last {share:.0%} is held out; the report held nothing out.", "Every figure below is of that part, in the data's units."),
        (figure, table),
    )  # fmt: skip


def _published(seen: Evidence, scale: dict[str, Any]) -> Section:
    rows, records = [], []
    for title, measured, runs in seen.all_published():
        rows.append(_run_row(title, live(measured), len(measured["seeds"])))
        records += curves([run for run in runs if run.status != "diverged"], title, x="step")
    epochs = show(seen.published()["epochs"], 3)
    table = Table(
        "published", f"SGD 0.01, hidden {scale['hidden']}, {seen.published()['updates']:,} updates in order ({epochs} epochs at the"
        " largest window)", COLUMNS, tuple(rows), "Medians over the seeds that live; a dead one answers 0 to everything.",
    )  # fmt: skip
    starts = Table(
        "starts", f"Before training, {seen.starts['starts']} seeds",
        ("network", "window", "dead at the start", "weights", "weights that get a gradient", "largest gradient of the recurrent weights"),
        tuple((CELLS[r["cell"]], r["window"], f"{r['dead']:.0%}", r["parameters"], r["learning"], r["recurrent_gradient"])
              for r in seen.starts["rows"]),
        "Counted where the ReLU is alive; a network whose ReLU is dead gets no gradient at all.",
    )  # fmt: skip
    figure = Figure(
        "published-loss", "curves", "Training loss, as published", "Median and range over the live seeds, scaled units.",
        "update", "mean squared error", tuple(records), log_y=True,
    )  # fmt: skip
    shape = ",".join(map(str, seen.starts["broadcast"]))
    return Section(
        "As published: one step, and a value skipped",
        (
            "The window is the feature vector of a single step. The state before it is zero, so the recurrent weights never get a"
            " gradient, and neither do those of the LSTM's forget gate.",
            "The target is i + window + 1 behind a window that ends at i + window - 1: the next value is skipped, and the one after it"
            " is forecast. The last row mends that.",
            f"It works with a batch of one only: with five samples, outputs (5,1,1) against targets (5,1) broadcast to ({shape})"
            " without a word, and every output is compared with every target.",
        ),
        (starts, table, figure) if records else (starts, table),
    )  # fmt: skip


def _recurrent(seen: Evidence) -> Section:
    rows, records = [], []
    for one in seen.networks:
        title = f"{CELLS[one.cell]}, {one.preparation}"
        rows.append(
            (*_run_row(title, one.sound, len(one.runs)), median(r["validation_mae"] for r in one.sound),
             one.together["mae"], one.ridge["mae"])
        )  # fmt: skip
        if one.preparation == "the values themselves":
            records += curves([r for r in one.trained if r.status != "diverged"], CELLS[one.cell], y="validation_loss")
    for title, scores in (("networks together", seen.stacked), ("ridge regressions together", seen.stacked_ridge)):
        rows.append(
            (
                *_fixed_row(title, scores),
                None,
                scores["mae"] if scores is seen.stacked else None,
                seen.stacked_ridge["mae"],
            )
        )
    table = Table(
        "recurrent", f"{seen.windows[-1]} steps of one value, hidden {seen.scale['units']}, Adam 0.01 with a one-cycle schedule",
        (*COLUMNS, "MAE, validation", "MAE, mean of the seeds", "MAE, ridge on the same inputs"), tuple(rows),
        "Weights of the best validation are kept. Ridge is fitted on training and validation part, the networks on the training part.",
    )  # fmt: skip
    figure = Figure(
        "recurrent-loss", "curves", "Validation loss of the recurrent networks", "Median and range over the seeds, scaled units.",
        "epoch", "mean squared error", tuple(records), log_y=True,
    )  # fmt: skip
    weights = ", ".join(f"{weight:.2f} {name}" for name, weight in seen.weights if weight >= 0.005)
    return Section(
        "As it should be: one value a step",
        (
            "The same values, one a step, standardised by the training part, a linear head, batches of 32.",
            f"All networks together are a weighted sum whose weights are fitted on the validation part (Breiman, 1996): {weights}.",
        ),
        (table, figure) if records else (table,),
    )


def _against(seen: Evidence) -> Section:
    best = f"{CELLS[seen.best.cell]}, {seen.best.preparation}"
    forecasts = {
        "networks together": seen.stacked["forecast"],
        seen.baseline("ridge")["title"]: seen.baseline("ridge")["forecast"],
    }
    caption = "The network never saw the held-out part; each value is forecast from those before it."
    parts: list[Table | Figure] = [
        _bars(seen, best),
        _forecast_figure(seen, "forecast", "One step ahead on the held-out part", caption, forecasts, 0),
    ]
    if len(seen.held_out) > 2 * ZOOM:
        parts.append(
            _forecast_figure(
                seen, "forecast-zoom", f"The last {ZOOM} steps of it", caption, forecasts, len(seen.held_out) - ZOOM
            )
        )
    return Section("Against each other", (f"The best network by the validation part is the {best}.",), tuple(parts))


def _bars(seen: Evidence, best: str) -> Figure:
    bars = [
        record(label=one["title"], value=one["mae"], low=None, high=None, group="no network", reference=True)
        for one in seen.baselines
    ]
    alike = seen.stacked_ridge["mae"]
    bars.append(
        record(label="ridge regressions together", value=alike, low=None, high=None, group="no network", reference=True)
    )
    for title, measured, _ in seen.all_published():
        bars.append(_bar(title, live(measured), "as published"))
    bars += [_bar(f"{CELLS[one.cell]}, {one.preparation}", one.sound, "recurrent") for one in seen.networks]
    bars.append(
        record(
            label="networks together",
            value=seen.stacked["mae"],
            low=None,
            high=None,
            group="recurrent",
            reference=False,
        )
    )
    return Figure(
        "mae", "bars", "Mean absolute error on the held-out part", f"Medians over seeds and their range. Chosen by validation: {best}.",
        "forecast", f"mean absolute error ({seen.series.name})", tuple(bar for bar in bars if bar["value"] is not None),
    )  # fmt: skip


def _bar(title: str, runs: Sequence[dict[str, Any]], group: str) -> dict[str, Value]:
    low, high = spread(r["mae"] for r in runs) or (None, None)
    return record(label=title, value=median(r["mae"] for r in runs), low=low, high=high, group=group, reference=False)


def _forecast_figure(
    seen: Evidence, name: str, title: str, caption: str, forecasts: Mapping[str, Sequence[float]], skip: int
) -> Figure:
    first = seen.held_out[0]
    held = seen.held_out[skip:]
    shown = range(max(0, held[0] - (0 if skip else BEFORE)), len(seen.series))
    data = [
        record(time=t, value=v, series="data", held_out=at >= first)
        for at, (t, v) in zip(shown, seen.points(shown), strict=True)
    ]
    times = seen.times(held)
    for series, values in forecasts.items():
        shown_values = np.asarray(values, dtype=np.float64)[skip:]
        data += [
            record(time=t, value=float(v), series=series, held_out=True)
            for t, v in zip(times, shown_values, strict=True)
        ]
    return Figure(name, "forecast", title, caption, "date", seen.series.name, tuple(data))


def _run_row(title: str, runs: Sequence[dict[str, Any]], seeds: int) -> tuple[Value, ...]:
    low, high = spread(r["mae"] for r in runs) or (None, None)
    mae, rmse, mase = (median(r[metric] for r in runs) for metric in METRICS)
    return (title, seeds, f"{seeds - len(runs)} of {seeds}", mae, low, high, rmse, mase)


def _fixed_row(title: str, scores: Mapping[str, Any]) -> tuple[Value, ...]:
    return (title, None, None, scores["mae"], None, None, scores["rmse"], scores["mase"])
