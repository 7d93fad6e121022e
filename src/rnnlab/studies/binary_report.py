"""What the `binary` study concludes: its tables, curves and claims, in the report's own terms beside ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.findings import Finding
from rnnlab.results import Claim, Figure, Section, StudyResult, Table, Value
from rnnlab.studies.examined import by_variant
from rnnlab.studies.figures import claim, median, show, spaced, spread
from rnnlab.studies.jobs import Outcome

TRUTH = np.arange(256.0)
ZEROS = float((TRUTH**2).mean())
CONSTANT = float(((TRUTH - TRUTH.mean()) ** 2).mean())
BOUNDED = float(((TRUTH - np.minimum(TRUTH, 1.0)) ** 2).mean())
NAMES = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}
REPORTED_255 = {"elman": 246.0029, "lstm": 252.4994}

Record = dict[str, Any]


def conclude(scale: Record, seeds: Sequence[int], outcomes: Mapping[str, Outcome]) -> StudyResult:
    """Return the study's answer from the outcomes of all its jobs."""
    grid = [
        record | {"cell": cell, "hidden": hidden}
        for cell in ("elman", "lstm")
        for hidden in scale["hidden"][cell]
        for record in outcomes[f"{cell}-{hidden}"].measured["runs"]
    ]
    starts = outcomes["starts"].measured
    sections = (
        _bounded(outcomes, starts),
        _tables(grid, scale),
        _moments(grid, scale),
        _recurrence(outcomes, starts, seeds),
    )
    return StudyResult(
        study="binary",
        title="Binary numbers to decimal",
        question="Can a recurrent network turn eight bits into a number, and which learning rate and size does it need?",
        answer=_answer(grid, outcomes, starts),
        sections=sections,
        claims=_claims(grid, scale, outcomes, starts, seeds),
        findings=_findings(outcomes, starts, scale),
        provenance="All 256 eight-bit numbers, made by the program; the report's own files are not in it.",
        settings={"epochs": scale["epochs"], "hidden sizes": scale["hidden"], "seeds": list(seeds)},
    )


def _live(grid: Sequence[Record], **wanted: Any) -> list[Record]:
    return [r for r in grid if not r["dead"] and r["status"] == "done" and all(r[k] == v for k, v in wanted.items())]


def _all(grid: Sequence[Record], **wanted: Any) -> list[Record]:
    return [r for r in grid if all(r[k] == v for k, v in wanted.items())]


def _answer(grid: list[Record], outcomes: Mapping[str, Outcome], starts: Record) -> tuple[str, ...]:
    best = min(_live(grid), key=lambda r: r["mse"], default=None)
    steps = {cell: outcomes[f"steps-{cell}"].measured["runs"] for cell in NAMES}
    exact = ", ".join(f"{NAMES[c]} {show(median(r['exact'] for r in runs))}" for c, runs in steps.items())
    held = ", ".join(
        f"{NAMES[c]} {show(median(r['held_out_exact'] for r in runs))} of {runs[0]['held_out']}"
        for c, runs in steps.items()
    )
    found = (
        f"A bare RNN cannot: its outputs stay below 1, and no such output has a squared error under {show(BOUNDED, 6)}."
        f" With a linear unit and a ReLU the best run gets {best['exact']} of 256 numbers right after rounding"
        f" ({NAMES[best['cell']]}, hidden {best['hidden']}, learning rate {best['lr']:g})."
        if best
        else "No network with a ReLU on its output survived.",
        f"The ReLU is dead before training begins in {starts['dead_elman']:.0%} of RNNs and {starts['dead_lstm']:.0%} of LSTMs"
        f" ({starts['starts']} seeds): such a network answers 0 to everything, for ever.",
        "As published nothing is recurrent: the eight bits are one step, and the recurrent weights never get a gradient."
        f" Read bit by bit, the task is real, and the numbers exactly right of 256 (median over seeds) are: {exact};"
        f" on numbers never trained on: {held}.",
    )
    return found


def _bounded(outcomes: Mapping[str, Outcome], starts: Record) -> Section:
    rows: list[tuple[Value, ...]] = [
        ("best output between -1 and 1", round(BOUNDED, 2), None, None),
        ("all zeros, a dead ReLU", round(ZEROS, 2), None, None),
        ("the mean, 127.5, for every number", round(CONSTANT, 2), None, None),
    ]
    for name, title in (("bare-tanh", "bare RNN, trained"), ("bare-relu", "bare RNN with relu, trained")):
        runs = outcomes[name].measured["runs"]
        losses = [r["mse"] for r in runs]
        low, high = spread(losses) or (None, None)
        rows.append((f"{title} (median of {len(runs)} seeds)", median(losses), low, high))
    table = Table(
        "bounded", "Squared error over 0..255", ("output", "mean squared error", "lowest", "highest"), tuple(rows),
        "The report saw 2,117.5; all zeros give 21,717.5, the same digits with one 7 more.",
    )  # fmt: skip
    return Section(
        "What a bare RNN cannot do",
        (
            "A tanh ends at 1, and the targets end at 255. No tuning can help; the activation has to change.",
            "With relu in its place the bare network can reach 0, since the task is linear in the bits: a sum of powers of two.",
        ),
        (table,),
    )


def _tables(grid: list[Record], scale: Record) -> Section:
    parts: list[Table | Figure] = []
    for cell in ("elman", "lstm"):
        used = sorted({r["lr"] for r in grid if r["cell"] == cell}, reverse=True)
        rows = tuple(_grid_row(grid, cell, rate, hidden) for rate in used for hidden in scale["hidden"][cell])
        parts.append(
            Table(
                f"grid-{cell}", f"{NAMES[cell]} + linear + ReLU after {scale['epochs']} epochs of Adam",
                ("learning rate", "hidden", "MSE (median, live)", "lowest", "highest", "f(11111111)", "exact of 256", "dead"),
                rows, "Medians over the seeds that live; dead counts the seeds whose ReLU is stuck at 0.",
            )
        )  # fmt: skip
    parts.append(_map(grid, scale))
    return Section(
        "Learning rate and hidden size",
        (
            f"Each cell of the tables is {len({r['seed'] for r in grid})} seeds, an update on every number, as published.",
            "The report's 'hidden 16 is best' is a moment of a training still under way: given the same epochs, or more, larger"
            " networks are further along.",
        ),
        tuple(parts),
    )


def _grid_row(grid: list[Record], cell: str, rate: float, hidden: int) -> tuple[Value, ...]:
    chosen, live = _all(grid, cell=cell, lr=rate, hidden=hidden), _live(grid, cell=cell, lr=rate, hidden=hidden)
    low, high = spread(r["mse"] for r in live) or (None, None)
    dead = sum(r["dead"] for r in chosen)
    exact = median(r["exact"] for r in live)
    return (
        rate, hidden, median(r["mse"] for r in live), low, high, median(r["f255"] for r in live), exact, f"{dead} of {len(chosen)}",
    )  # fmt: skip


def _map(grid: list[Record], scale: Record) -> Figure:
    records: list[dict[str, Value]] = []
    for cell in ("elman", "lstm"):
        for rate in sorted({r["lr"] for r in grid if r["cell"] == cell}):
            for hidden in scale["hidden"][cell]:
                chosen = _all(grid, cell=cell, lr=rate, hidden=hidden)
                lost = sum(r["dead"] or r["status"] == "diverged" for r in chosen) / len(chosen)
                value = median(r["mse"] for r in _live(grid, cell=cell, lr=rate, hidden=hidden))
                logged = None if value is None else float(np.log10(max(value, 1e-9)))
                records.append({"x": rate, "y": hidden, "value": logged, "diverged": lost, "series": NAMES[cell]})
    return Figure(
        "map", "map", "Learning rate and hidden size",
        f"Base-10 logarithm of the median squared error of the live seeds after {scale['epochs']} epochs, and the share of seeds"
        " that died or diverged.",
        "learning rate", "hidden size", tuple(records), log_x=True,
    )  # fmt: skip


def _moments(grid: list[Record], scale: Record) -> Section:
    """When f(11111111) passes the figures of the report."""
    records: list[dict[str, Value]] = []
    for cell, hidden in (("elman", _near(scale, "elman", 16)), ("lstm", _near(scale, "lstm", 64))):
        live = _live(grid, cell=cell, hidden=hidden, lr=0.001)
        if not live:
            continue
        answers = np.array([r["f255_by_epoch"] for r in live])
        for epoch in spaced(answers.shape[1]):
            here = answers[:, epoch]
            records.append(
                {"x": epoch + 1, "y": float(np.median(here)), "low": float(here.min()), "high": float(here.max()),
                 "series": f"{NAMES[cell]}, hidden {hidden}"}
            )  # fmt: skip
        reported = REPORTED_255[cell]
        for epoch in (1, answers.shape[1]):
            records.append({"x": epoch, "y": reported, "low": None, "high": None, "series": f"report, {NAMES[cell]}"})
    figure = Figure(
        "f255", "curves", "f(11111111) while it trains, Adam 0.001",
        "Median and range over the live seeds. The report's two figures are points that every such training passes.",
        "epoch", "f(11111111)", tuple(records),
    )  # fmt: skip
    return Section("246.0 and 252.5 are moments, not results", (), (figure,) if records else ())


def _near(scale: Record, cell: str, wanted: int) -> int:
    sizes: list[int] = scale["hidden"][cell]
    return min(sizes, key=lambda hidden: abs(hidden - wanted))


def _recurrence(outcomes: Mapping[str, Outcome], starts: Record, seeds: Sequence[int]) -> Section:
    rows = []
    for cell, name in NAMES.items():
        runs = outcomes[f"steps-{cell}"].measured["runs"]
        low, high = spread(r["exact"] for r in runs) or (None, None)
        rows.append(
            (name, median(r["mse"] for r in runs), median(r["exact"] for r in runs), low, high, median(r["f255"] for r in runs),
             f"{show(median(r['held_out_exact'] for r in runs))} of {runs[0]['held_out']}")
        )  # fmt: skip
    table = Table(
        "steps", f"Eight steps of one bit, hidden 64, Adam 0.01 with a one-cycle schedule, {len(seeds)} seeds",
        ("cell", "MSE", "exact of 256", "lowest", "highest", "f(11111111)", "exact, held out"), tuple(rows),
        "The last column trains again without a fifth of the numbers and answers those.",
    )  # fmt: skip
    largest = max(starts["recurrent_gradient_elman"], starts["recurrent_gradient_lstm"])
    return Section(
        "Where recurrence begins",
        (
            "With all eight bits in one step, the state before it is zero, and so is the gradient of the recurrent weights: the"
            f" largest, over the first seeds of either network and through torch's own layers, is {largest:g}."
            " Neither published network is recurrent.",
            f"The parameter layer_dim cannot be changed either: with 2 torch says '{starts['layer_dim_2']}'.",
            "One bit a step, a linear head and standardised targets make it the sequence task that was meant.",
        ),
        (table,),
    )


def _findings(outcomes: Mapping[str, Outcome], starts: Record, scale: Record) -> tuple[tuple[str, Finding], ...]:
    """Return what the doctor says of a published network of each kind, and how many seeds are dead at the start."""
    found = [*by_variant("bare RNN", outcomes["bare-tanh"].measured["doctor"])]
    for cell in ("elman", "lstm"):
        hidden, variant = scale["hidden"][cell][-1], f"{NAMES[cell]} + ReLU"
        found += by_variant(f"{variant}, hidden {hidden}", outcomes[f"{cell}-{hidden}"].measured["doctor"])
        found.append(
            (
                variant,
                Finding(
                    "dead_relu", "error",
                    f"In {starts[f'dead_{cell}']:.0%} of {starts['starts']} seeds the output's ReLU is 0 for every input at the start.",
                    {"share": starts[f"dead_{cell}"], "seeds": starts["starts"]},
                    "Drop the ReLU behind the last layer; a linear output can be any number.",
                ),
            )
        )  # fmt: skip
    return tuple(found)


def _claims(
    grid: list[Record], scale: Record, outcomes: Mapping[str, Outcome], starts: Record, seeds: Sequence[int]
) -> tuple[Claim, ...]:
    bare = [r["mse"] for r in outcomes["bare-tanh"].measured["runs"]]
    return (
        claim(
            "binary.bare_rnn_loss", "The bare RNN converges at a loss of 2117.5 and cannot be brought lower.",
            reported=2117.5, values=bare, seeds=seeds, verdict="corrected",
            evidence=f"It cannot indeed, but no output between -1 and 1 gets under {show(BOUNDED, 6)} on 0..255; all zeros give"
            f" {ZEROS:,.1f}, which is 2117.5 with one 7 more.",
        ),
        claim(
            "binary.ones", "1111111 in binary is 255.", reported=255, measured=int("1111111", 2), verdict="contradicted",
            evidence="1111111 has seven ones and is 127; 255 has eight.",
        ),
        _best_rate(grid, scale, seeds),
        *(_best_size(grid, scale, seeds, cell) for cell in ("elman", "lstm")),
        *(_answer_255(grid, scale, seeds, cell) for cell in ("elman", "lstm")),
        _lstm_loss(grid, scale, seeds),
        claim(
            "binary.relu_helps", "A linear layer and a ReLU behind the RNN give much better results.", reported="much better",
            values=[r["mse"] for r in _live(grid, cell="elman", lr=0.001)], seeds=seeds,
            verdict=_verdict_relu(grid),
            evidence=f"The linear layer does; the ReLU adds the risk to be dead at the start ({starts['dead_elman']:.0%} of RNNs,"
            f" {starts['dead_lstm']:.0%} of LSTMs).",
        ),
    )  # fmt: skip


def _verdict_relu(grid: list[Record]) -> Any:
    value = median(r["mse"] for r in _live(grid, cell="elman", lr=0.001))
    return "reproduced" if value is not None and value < BOUNDED else "contradicted"


def _best_rate(grid: list[Record], scale: Record, seeds: Sequence[int]) -> Claim:
    hidden = _near(scale, "elman", 16)
    scores = {
        rate: median(r["mse"] for r in _live(grid, cell="elman", lr=rate, hidden=hidden))
        for rate in sorted({r["lr"] for r in grid if r["cell"] == "elman"})
    }
    ranked = sorted((value, rate) for rate, value in scores.items() if value is not None)
    best = ranked[0][1] if ranked else None
    listed = ", ".join(f"{rate:g}: {show(value, 3)}" for rate, value in scores.items())
    return claim(
        "binary.rnn_best_lr", "A learning rate of 0.001 is best for the RNN.", reported=0.001, measured=best, seeds=seeds,
        verdict="reproduced" if best == 0.001 else "contradicted",
        evidence=f"Median squared error of live seeds at hidden {hidden} after {scale['epochs']} epochs of Adam: {listed}.",
    )  # fmt: skip


def _best_size(grid: list[Record], scale: Record, seeds: Sequence[int], cell: str) -> Claim:
    reported = {"elman": 16, "lstm": 64}[cell]
    scores = {h: median(r["mse"] for r in _live(grid, cell=cell, lr=0.001, hidden=h)) for h in scale["hidden"][cell]}
    ranked = sorted((value, hidden) for hidden, value in scores.items() if value is not None)
    best = ranked[0][1] if ranked else None
    listed = ", ".join(f"{hidden}: {show(value, 3)}" for hidden, value in scores.items())
    name = {"elman": "binary.rnn_best_size", "lstm": "binary.lstm_best_size"}[cell]
    return claim(
        name, f"A hidden size of {reported} is best for the {NAMES[cell]}.", reported=reported, measured=best, seeds=seeds,
        verdict="reproduced" if best == reported else "corrected",
        evidence=f"Median squared error of live seeds at 0.001 after {scale['epochs']} epochs: {listed}; the best size moves with the"
        " number of epochs and the seeds that happen to live.",
    )  # fmt: skip


def _answer_255(grid: list[Record], scale: Record, seeds: Sequence[int], cell: str) -> Claim:
    reported, hidden = REPORTED_255[cell], _near(scale, cell, {"elman": 16, "lstm": 64}[cell])
    live = _live(grid, cell=cell, lr=0.001, hidden=hidden)
    passed = [next((i + 1 for i, v in enumerate(r["f255_by_epoch"]) if v >= reported), None) for r in live]
    reached = [epoch for epoch in passed if epoch is not None]
    when = (
        f"passed in epoch {min(reached)} to {max(reached)}"
        if reached
        else f"not yet reached in {scale['epochs']} epochs"
    )
    name = {"elman": "binary.rnn_f255", "lstm": "binary.lstm_f255"}[cell]
    return claim(
        name, f"After training the {NAMES[cell]} answers {reported} to 11111111.", reported=reported,
        values=[r["f255"] for r in live], seeds=[r["seed"] for r in live], verdict="corrected",
        evidence=f"A moment of a training under way: hidden {hidden}, Adam 0.001, {len(live)} of {len(seeds)} seeds alive;"
        f" {reported} is {when}, and the answer goes on towards 255.",
    )  # fmt: skip


def _lstm_loss(grid: list[Record], scale: Record, seeds: Sequence[int]) -> Claim:
    live = _live(grid, cell="lstm", lr=0.001, hidden=_near(scale, "lstm", 64))
    share = (255 - REPORTED_255["lstm"]) ** 2 / 256
    return claim(
        "binary.lstm_loss", "The LSTM with hidden 64 reaches a loss of 0.000835.", reported=0.000835,
        values=[r["mse"] for r in live], seeds=[r["seed"] for r in live], verdict="contradicted",
        evidence=f"f(11111111) = 252.4994 alone adds {show(share)} to the mean over 256 numbers: loss and answer cannot be of one model"
        " and these data.",
    )  # fmt: skip
