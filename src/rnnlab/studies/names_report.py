"""What the `names` study shows: tables, traces, curves and confusion matrices. Its claims are in `names_claims`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnlab.findings import Finding
from rnnlab.results import Figure, Section, StudyResult, Table, Trace, Value
from rnnlab.studies.examined import by_variant
from rnnlab.studies.figures import curves, median, show, spread
from rnnlab.studies.jobs import LabData, Outcome
from rnnlab.studies.names_claims import NAMES, best_rates, claims, published_runs

Record = dict[str, Any]


def conclude(scale: Record, data: LabData, outcomes: Mapping[str, Outcome]) -> StudyResult:
    """Return the study's answer from the outcomes of all its jobs."""
    labels = sorted(set(data.names.labels))
    return StudyResult(
        study="names",
        title="Names to origins",
        question="Which recurrent network tells a name's origin best, at which learning rate, and is it worth a network at all?",
        answer=_answer(scale, outcomes),
        sections=(
            _held_out(scale, outcomes),
            _confusions(scale, outcomes, labels),
            _published(scale, outcomes),
            _speed(outcomes),
            _larger_rates(scale, outcomes),
        ),
        claims=claims(scale, data, outcomes),
        findings=_findings(scale, outcomes),
        provenance=data.names.provenance,
        settings={"steps of the published loop": scale["steps"], "epochs": scale["epochs"], "seeds": scale["seeds"]},
    )


def _answer(scale: Record, outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
    hidden = scale["hidden"][0]
    scores = {cell: _median(outcomes, f"{cell}-{hidden}", "accuracy") for cell in NAMES}
    ranked = sorted(scores, key=lambda cell: -(scores[cell] or 0))
    beside = outcomes["best"].measured["baselines"]
    network, ngrams, both = (beside[name]["accuracy"] for name in ("network", "n-grams", "both"))
    winner = "The n-grams win against the network" if ngrams >= network else "The network wins against the n-grams"
    listed = ", ".join(f"{NAMES[cell]} {scores[cell]:.3f}" for cell in ranked)
    return (
        f"On names never trained on, with {hidden} hidden units and equal training: {listed} (accuracy, median over seeds).",
        f"The best recurrent recipe reaches {network:.3f}; a linear model on character n-grams {ngrams:.3f}; both together {both:.3f}."
        f" {winner}{'; no cell that reads the letters alone does' if max(v or 0 for v in scores.values()) < ngrams else ''}.",
        "The report draws its confusion matrices from names the network was trained on; those below are of names it never saw.",
    )


def _median(outcomes: Mapping[str, Outcome], job: str, metric: str) -> float | None:
    return median(run["metrics"]["test"][metric] for run in outcomes[job].measured["runs"])


def _scored(scale: Record, outcomes: Mapping[str, Outcome]) -> list[Record]:
    """Return label, group, size, metrics and time of everything that answered the held-out names, baselines first."""
    beside = outcomes["best"].measured["baselines"]
    best = outcomes["best"].measured["runs"][0]
    found = [
        {"label": name, "group": "baseline", "reference": True, **_metrics([beside[name]])}
        for name in ("class prior", "n-grams")
    ]
    for hidden in scale["hidden"]:
        for cell, name in NAMES.items():
            runs = outcomes[f"{cell}-{hidden}"].measured["runs"]
            scores = [
                run["metrics"]["test"] | {"adjusted_macro_recall": run["adjusted"]["macro_recall"]} for run in runs
            ]
            found.append(
                {"label": f"{name} {hidden}", "group": name, "parameters": runs[0]["parameters"],
                 "seconds": median(run["seconds"] for run in runs), **_metrics(scores)}
            )  # fmt: skip
    size = {"parameters": best["parameters"], "seconds": best["seconds"]}
    found.append({"label": "best recurrent recipe", "group": "best", **size, **_metrics([beside["network"]])})
    found.append({"label": "both: recipe and n-grams", "group": "best", **_metrics([beside["both"]])})
    return found


def _metrics(scores: list[dict[str, float]]) -> Record:
    """Return the medians over the seeds, and the range of the accuracy where there are several."""
    names = ("accuracy", "macro_recall", "macro_f1", "adjusted_macro_recall")
    low, high = spread(score["accuracy"] for score in scores) or (None, None)
    ends = {"low": low, "high": high} if len(scores) > 1 else {}
    return {name: median(score[name] for score in scores) for name in names} | ends


def _held_out(scale: Record, outcomes: Mapping[str, Outcome]) -> Section:
    scored = _scored(scale, outcomes)
    columns = ("label", "parameters", "accuracy", "macro_recall", "macro_f1", "adjusted_macro_recall", "seconds")
    table = Table(
        "held-out", "Held-out names, split by distinct string",
        ("model", "parameters", "accuracy", "macro recall", "macro F1", "macro recall, prior-adjusted", "seconds"),
        tuple(tuple(entry.get(column) for column in columns) for entry in scored),
        "Medians over seeds; class prior and n-grams are no networks. Prior-adjusted: the logits moved by the class prior, so that rare"
        " origins count as much as frequent ones.",
    )  # fmt: skip
    figure = Figure(
        "accuracy", "bars", "Accuracy on held-out names", "Median and range over seeds; baselines without a network are marked.",
        "", "accuracy", tuple(_bar(entry) for entry in scored),
    )  # fmt: skip
    records = [
        record
        for cell, name in NAMES.items()
        for record in curves(outcomes[f"{cell}-{scale['hidden'][0]}"].runs, name, y="validation_loss")
    ]
    losses = Figure(
        "losses", "curves", f"Loss on validation names, hidden {scale['hidden'][0]}", "Median and range over seeds, an epoch a point.",
        "epoch", "cross-entropy (nats)", tuple(records),
    )  # fmt: skip
    return Section(
        "On names never trained on",
        (
            "Four cells, the same batches, optimizer, schedule and epochs. No string of the test part was trained on, whatever its origin.",
            "The best recipe is a bidirectional GRU over embedded letters with a max readout, beside which stands a bag of hashed letter"
            " n-grams with learnt embeddings; dropout, and one cycle of AdamW.",
        ),
        (figure, table, losses),
    )


def _bar(entry: Record) -> dict[str, Value]:
    kept = {key: entry[key] for key in ("label", "group", "reference", "low", "high") if key in entry}
    return kept | {"value": entry["accuracy"]}


def _confusions(scale: Record, outcomes: Mapping[str, Outcome], labels: list[str]) -> Section:
    hidden = scale["hidden"][0]
    parts: list[Figure | Table] = []
    for job, name in (
        (f"combined-{hidden}", "linear RNN"),
        (f"elman-{hidden}", "nn.RNN"),
        (f"lstm-{hidden}", "nn.LSTM"),
        ("best", "best recipe"),
    ):
        table = np.array(outcomes[job].measured["confusion"])
        parts.append(
            Figure(
                f"confusion-{job}", "confusion", f"{name}: what a held-out name was taken for",
                f"Per cent of each true origin's held-out names; rows add up to 100. {name}, first seed.", "guess", "truth",
                tuple(_cells(table, labels)),
            )
        )  # fmt: skip
    parts.append(_by_class(np.array(outcomes["best"].measured["confusion"]), labels))
    return Section(
        "Who is taken for whom",
        ("Every matrix is of held-out names; the report's are of training names.",),
        tuple(parts),
    )


def _cells(table: np.ndarray, labels: list[str]) -> list[dict[str, Value]]:
    totals = np.maximum(table.sum(axis=1), 1)
    return [
        {"truth": labels[i], "guess": labels[j], "share": float(table[i, j] / totals[i]), "count": int(table[i, j])}
        for i in range(len(labels))
        for j in range(len(labels))
    ]


def _by_class(table: np.ndarray, labels: list[str]) -> Table:
    rows = []
    for i, label in enumerate(labels):
        right, truth, guessed = int(table[i, i]), int(table[i].sum()), int(table[:, i].sum())
        recall = right / truth if truth else None
        precision = right / guessed if guessed else None
        both = 2 * right / (truth + guessed) if truth + guessed else None
        rows.append((label, truth, recall, precision, both))
    return Table(
        "by-origin", "The best recipe by origin", ("origin", "held-out names", "recall", "precision", "F1"), tuple(rows),
        "Macro figures are the means of these columns.",
    )  # fmt: skip


def _published(scale: Record, outcomes: Mapping[str, Outcome]) -> Section:
    rows: list[tuple[Value, ...]] = []
    for (cell, hidden), runs in published_runs(scale, outcomes).items():
        for run, full in zip(runs, outcomes[f"published-{cell}-{hidden}"].runs, strict=True):
            test, train = run["metrics"].get("test", {}), run["metrics"].get("train", {})
            alive = run["status"] != "diverged"
            fate = "trained" if alive else f"ended at step {run['steps']:,}: {run['findings'][0]['check']}"
            values = (
                (train.get("accuracy"), test.get("accuracy"), test.get("macro_recall")) if alive else (None, None, None)
            )
            last = median([e["loss"] for e in full.history[-4:]])
            rows.append((f"{NAMES[cell]} {hidden}", run["lr"], run["parameters"], last, *values, fate))
    table = Table(
        "published", f"The published loop after {scale['steps']:,} single-name steps",
        ("network", "learning rate", "parameters", "last loss", "training accuracy", "held-out accuracy", "held-out macro recall", "fate"),
        tuple(rows), "Training accuracy is what the report's confusion matrices show. A run whose loss doubles or is no number is ended.",
    )  # fmt: skip
    losses = [
        _published_losses(outcomes, cell, scale["published_hidden"][-1]) for cell in ("combined", "elman", "lstm")
    ]
    traces = []
    for cell in ("combined", "elman", "lstm"):
        rate = best_rates(scale, outcomes)[cell]
        hidden = scale["published_hidden"][-1]
        run = next(r for r in outcomes[f"published-{cell}-{hidden}"].measured["runs"] if r["lr"] == rate)
        traces.append(
            Trace(f"trace-{cell}", f"{NAMES[cell]} {hidden}, learning rate {rate:g}", tuple(run["trace"]),
                  "step, share, time, loss, name / guess, and the truth where it was another")
        )  # fmt: skip
    return Section(
        "As published",
        (
            "One name an update, its origin drawn evenly first, SGD, no batches, nothing clipped. Each network trains at every learning rate"
            " that the report names.",
        ),
        (table, *losses, *traces),
    )


def _published_losses(outcomes: Mapping[str, Outcome], cell: str, hidden: int) -> Figure:
    records = [
        record
        for run in outcomes[f"published-{cell}-{hidden}"].runs
        for record in curves([run], f"{run.train_config.lr:g}", x="step")
    ]
    return Figure(
        f"published-losses-{cell}", "curves", f"Training loss of the published loop, {NAMES[cell]} {hidden}, by learning rate",
        "Mean over a fortieth of the steps; a curve that ends early, or is not there, is a run that exploded.", "step",
        "cross-entropy (nats)", tuple(records),
    )  # fmt: skip


def _speed(outcomes: Mapping[str, Outcome]) -> Section:
    found = outcomes["timing"].measured
    rows = tuple(
        (
            NAMES[cell],
            e["parameters"],
            e["milliseconds"],
            e["low"],
            e["high"],
            e["milliseconds"] / found["combined"]["milliseconds"],
        )
        for cell, e in found.items()
    )
    table = Table(
        "speed", "One update on one name, plain PyTorch, one core",
        ("network", "parameters", "milliseconds (median)", "lower quartile", "upper quartile", "against the linear RNN"), rows,
        "The three networks take turns on the same names.",
    )  # fmt: skip
    return Section(
        "Milliseconds an iteration",
        (
            "The linear RNN and nn.RNN have as many parameters; what differs is how the library runs one name at a time.",
        ),
        (table,),
    )


def _larger_rates(scale: Record, outcomes: Mapping[str, Outcome]) -> Section:
    records: list[dict[str, Value]] = []
    rows: list[tuple[Value, ...]] = []
    for cell in ("elman", "lstm"):
        for hidden in scale["rate_sizes"]:
            runs = outcomes[f"rates-{cell}-{hidden}"].measured["runs"]
            alive = [run for run in runs if run["loss"] is not None]
            best = min(alive, key=lambda run: run["loss"], default=None)
            rows.append((NAMES[cell], hidden, runs[0]["parameters"], best and best["lr"], best and best["loss"]))
            for run in runs:
                records.append(
                    {
                        "x": run["lr"],
                        "y": hidden,
                        "value": run["loss"],
                        "diverged": float(run["loss"] is None),
                        "series": NAMES[cell],
                    }
                )
    figure = Figure(
        "rates", "map", "Validation loss by learning rate and hidden size",
        f"Plain SGD, batches of 32, {scale['rate_steps']} steps, all else equal; one seed.", "learning rate", "hidden size",
        tuple(records), log_x=True,
    )  # fmt: skip
    table = Table(
        "best-rates", "The best learning rate of each size", ("network", "hidden", "parameters", "best learning rate", "validation loss"),
        tuple(rows),
    )  # fmt: skip
    return Section(
        "Do more parameters need a larger learning rate?",
        ("The report compares three kinds of network. Here the kind is held fixed, and only the size changes.",),
        (figure, table),
    )


def _findings(scale: Record, outcomes: Mapping[str, Outcome]) -> tuple[tuple[str, Finding], ...]:
    found = []
    for (cell, hidden), runs in published_runs(scale, outcomes).items():
        for run in runs:
            for finding in run["findings"]:
                found.append((f"{NAMES[cell]} {hidden}, learning rate {run['lr']:g}", Finding(**finding)))
    largest = outcomes.get(f"published-lstm-{scale['published_hidden'][-1]}")
    found += by_variant(
        f"LSTM {scale['published_hidden'][-1]}, as published", largest.measured["doctor"] if largest else ()
    )
    gap = [
        r
        for r in published_runs(scale, outcomes).get(("lstm", scale["published_hidden"][-1]), ())
        if r["status"] != "diverged"
    ]
    if gap:
        best = max(gap, key=lambda r: r["metrics"]["test"]["accuracy"])
        train, test = best["metrics"]["train"]["accuracy"], best["metrics"]["test"]["accuracy"]
        found.append(
            (
                "as published",
                Finding(
                    "judged_on_training_data", "error",
                    f"The report holds nothing out and judges on training names (here: accuracy {show(train, 3)} on training names,"
                    f" {show(test, 3)} on held-out names).",
                    {"train": train, "test": test}, "Hold names out by distinct string and draw the confusion matrix of those.",
                ),
            )
        )  # fmt: skip
    return tuple(found)
