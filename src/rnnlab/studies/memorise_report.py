"""What the `memorise` study concludes: its traces, tables and curves; the claims are in `memorise_claims`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.results import Figure, Section, StudyResult, Table, Trace, Value
from rnnlab.studies.capacity import best_by_count
from rnnlab.studies.figures import curves, median, record, show, spaced, spread
from rnnlab.studies.jobs import Outcome
from rnnlab.studies.memorise_claims import claims, findings
from rnnlab.studies.memorise_evidence import CELLS, CONSTANT, MINUS, PLUS, REACHED, ZERO, Evidence, epochs_to

HEAD_TITLES = {"bounded": "third layer's state (bounded by 1)", "linear": "linear unit"}
COLLINS = "Collins, Sohl-Dickstein and Sussillo (2017)"


def conclude(settings: dict[str, Any], outcomes: Mapping[str, Outcome], sizes: Sequence[int]) -> StudyResult:
    """Return the study's answer from the outcomes of all its jobs.

    Args:
        settings: ``seeds``, ``epochs as published``, ``epochs as it should be``, ``learning rates``, and the capacity's.
        outcomes: by job.
        sizes: about how many parameters the networks of the capacity have.
    """
    seen = Evidence(settings, outcomes, tuple(sizes))
    return StudyResult(
        study="memorise",
        title="Three sequences to remember",
        question="How fast do an RNN and an LSTM learn three short sequences by heart, and how much can each remember?",
        answer=_answer(seen),
        sections=(_published(seen), _samples(seen), _mended(seen), _capacity(seen)),
        claims=claims(seen),
        findings=findings(seen),
        provenance="Three sequences 0.1 .. 0.9 with targets 1/3, 2/3, 1, made by the program; the report's own inputs are lost.",
        settings=settings,
    )


def _answer(seen: Evidence) -> tuple[str, ...]:
    equal = ", ".join(f"{CELLS[c]} {seen.reached(c, 'bounded', 0.9)} of {len(seen.seeds)}" for c in CELLS)
    own = ", ".join(_own(seen, cell) for cell in CELLS)
    stored = ", ".join(f"{CELLS[cell]} {show(seen.capacity(cell)['bits'], 3)}" for cell in CELLS)
    return (
        f"The published LSTM never trained: its optimizer holds {seen.held:,} of its {seen.parameters:,} parameters, and its loss"
        f" takes {seen.distinct} distinct value in {seen.settings['epochs as published']} epochs, to the last bit. The published RNN died:"
        f" {seen.dead} of {len(seen.pairs)} seeds end with every output at +1 or -1, a loss of 5/27 or 77/27, and no gradient.",
        f"With its own optimizer and samples kept apart, at the published rate of 0.9 a loss below {REACHED:g} is reached by: {equal}"
        f" seeds. At each cell's best rate the median number of epochs is: {own}.",
        f"Random labels tell what a parameter can store; found under a fixed budget, in bits: {stored}. These are lower bounds:"
        f" {COLLINS} report about 5 after far longer searches.",
    )


def _own(seen: Evidence, cell: str) -> str:
    rate = seen.best_rate(cell, "bounded")
    needed = median(seen.epochs(cell, "bounded", rate))
    when = "not reached" if needed is None else show(needed)
    return f"{CELLS[cell]} {when} (at {rate:g}, {seen.reached(cell, 'bounded', rate)} of {len(seen.seeds)} seeds)"


def _published(seen: Evidence) -> Section:
    first, epochs = seen.pairs[0], seen.settings["epochs as published"]
    shown = sorted({0, 1, 2, 3, epochs - 1} & set(range(epochs)))
    lines = tuple(f"{i} lossRNN: {first['rnn']['losses'][i]} lossLSTM: {first['lstm']['losses'][i]}" for i in shown)
    trace = Trace(
        "trace", f"The report's trace, made again (seed {first['seed']})", lines, "The report prints epochs 0 and 1."
    )
    rows = tuple(_pair_row(pair, mended) for pair, mended in zip(seen.pairs, seen.mended, strict=True))
    table = Table(
        "published", f"{epochs} epochs as published, a row a seed",
        ("seed", "RNN, epoch 0", "RNN, epoch 1", "RNN, last", "RNN gradient, last", "LSTM, first", "LSTM, last", "distinct values",
         "LSTM gradient, first", "LSTM gradient, last", "LSTM mended, last", f"epochs to {REACHED:g}"),
        rows, "Losses and gradient norms. The last two columns change one thing: the LSTM's optimizer holds the LSTM's parameters.",
    )  # fmt: skip
    levels = Table(
        "levels", "Losses that are no learning", ("outputs", "loss", "as a fraction"),
        (("all +1", PLUS, "5/27"), ("all -1", MINUS, "77/27"), ("all 0", ZERO, "14/27"), ("all 2/3, the best constant", CONSTANT, "2/27")),
        "Mean squared error against the targets 1/3, 2/3 and 1.",
    )  # fmt: skip
    return Section(
        "As published: the optimizer of one network given to the other",
        (
            "Both optimizers are built from the RNN's parameters. The LSTM's weights never move, so its loss repeats to the last bit;"
            " since only the RNN's gradient is set to zero, the LSTM's adds up epoch after epoch.",
            "The RNN's first step at 0.9 throws the last layer far out: a tanh at exactly 1 has slope 0, and nothing moves from there.",
            f"With that one line mended {_count(seen.mended_epochs)} of {len(seen.mended)} LSTMs get below {REACHED:g}; those that do not"
            f" stay near {show(ZERO, 3)}, outputs of 0."
            if _stuck_at_zero(seen)
            else f"With that one line mended {_count(seen.mended_epochs)} of {len(seen.mended)} LSTMs get below {REACHED:g}.",
        ),
        (trace, table, _published_curves(seen), levels),
    )


def _count(found: Sequence[float]) -> int:
    return int(np.isfinite(found).sum())


def _stuck_at_zero(seen: Evidence) -> bool:
    last = [p["lstm"]["losses"][-1] for p, e in zip(seen.mended, seen.mended_epochs, strict=True) if not np.isfinite(e)]
    return bool(last) and all(abs(loss - ZERO) < 0.01 for loss in last)


def _pair_row(pair: dict[str, Any], mended: dict[str, Any]) -> tuple[Value, ...]:
    rnn, lstm = pair["rnn"], pair["lstm"]
    needed = epochs_to(mended["lstm"]["losses"])
    return (
        pair["seed"], rnn["losses"][0], rnn["losses"][1], rnn["losses"][-1], rnn["gradients"][-1], lstm["losses"][0],
        lstm["losses"][-1], len(set(lstm["losses"])), lstm["gradients"][0], lstm["gradients"][-1], mended["lstm"]["losses"][-1],
        int(needed) if np.isfinite(needed) else None,
    )  # fmt: skip


def _published_curves(seen: Evidence) -> Figure:
    series = {
        "RNN, as published": [pair["rnn"]["losses"] for pair in seen.pairs],
        "LSTM, as published": [pair["lstm"]["losses"] for pair in seen.pairs],
        "LSTM, optimizer mended": [pair["lstm"]["losses"] for pair in seen.mended],
    }
    records = []
    for name, losses in series.items():
        values = np.array(losses)
        for epoch in spaced(values.shape[1]):
            here = values[:, epoch]
            records.append(
                record(x=epoch, y=float(np.median(here)), low=float(here.min()), high=float(here.max()), series=name)
            )
    return Figure(
        "published-loss", "curves", "Both losses, SGD 0.9",
        f"Median and range over {len(seen.pairs)} seeds. The flat LSTM is a network that does not train; the flat RNN one that died.",
        "epoch", "mean squared error", tuple(records), log_y=True,
    )  # fmt: skip


def _samples(seen: Evidence) -> Section:
    rows: list[tuple[Value, ...]] = []
    for name, title in (("published", "as published"), ("batch_first", "batch_first=True")):
        reach = seen.influence[name]
        for answer, moved in enumerate(reach["samples"]):
            rows.append((title, f"answer to sample {answer + 1}", *moved))
        rows.append((title, "steps read, of 3", sum(moved > 0 for moved in reach["steps"]), None, None))
    table = Table(
        "samples", "How far an answer moves when 0.1 is added to a sample",
        ("axes", "answer", "sample 1", "sample 2", "sample 3"), tuple(rows),
        "An untrained RNN in float64. Off the diagonal stands what another sample does to an answer: it must be 0.",
    )  # fmt: skip
    return Section(
        "The third sample, not the third step",
        (
            "Without batch_first the first axis is time, so [:, 2, :] takes the third entry of the batch axis. The three samples become"
            " three steps of one sequence, and of each sample only its third number is read.",
        ),
        (table,),
    )


def _mended(seen: Evidence) -> Section:
    rows = tuple(
        _mended_row(seen, cell, head, rate) for head in HEAD_TITLES for cell in CELLS for rate in seen.settings["learning rates"]
    )  # fmt: skip
    table = Table(
        "mended", f"{seen.settings['epochs as it should be']} epochs of SGD, batch_first, {len(seen.seeds)} seeds",
        ("output", "cell", "learning rate", f"below {REACHED:g}", "epochs (median)", "lowest", "highest", "last loss (median)",
         "at 5/27 or 77/27", "elsewhere, loss doubled"),
        rows, "Epochs are counted over the seeds that get there. A run whose loss rises to twice its first is stopped.",
    )  # fmt: skip
    return Section(
        "As it should be: own optimizer, samples apart",
        (
            f"At equal rates: {_at_rates(seen)}.",
            f"Each cell at its best rate: {', '.join(_own(seen, cell) for cell in CELLS)}.",
            "A linear unit in place of the third layer is not bounded and cannot saturate; at 0.9 its loss grows instead. Seeds"
            f" stopped for that, and the epochs needed at the best rate: {'; '.join(_linear(seen, cell) for cell in CELLS)}.",
        ),
        (
            _mended_curves(seen, "equal", "All three at the published rate of 0.9, mended", lambda cell: 0.9),
            _mended_curves(seen, "best", "Each at its best rate", lambda cell: seen.best_rate(cell, "bounded")),
            table,
        ),
    )  # fmt: skip


def _at_rates(seen: Evidence) -> str:
    parts = []
    for rate in (0.9, 0.1, 0.01):
        counts = ", ".join(f"{CELLS[c]} {seen.reached(c, 'bounded', rate)}" for c in CELLS)
        parts.append(f"{rate:g}: {counts}")
    return f"seeds of {len(seen.seeds)} that get below {REACHED:g} at " + "; ".join(parts)


def _linear(seen: Evidence, cell: str) -> str:
    rate = seen.best_rate(cell, "linear")
    needed = median(seen.epochs(cell, "linear", rate))
    when = f"{show(needed)} epochs at {rate:g}" if needed is not None else f"not reached, nearest at {rate:g}"
    return f"{CELLS[cell]} {sum(r.status == 'diverged' for r in seen.runs(cell, 'linear', 0.9))} of {len(seen.seeds)} ({when})"


def _mended_row(seen: Evidence, cell: str, head: str, rate: float) -> tuple[Value, ...]:
    runs, epochs = seen.runs(cell, head, rate), seen.epochs(cell, head, rate)
    low, high = spread(epochs) or (None, None)
    last = [run.history[-1]["loss"] for run in runs]
    stuck = [min(abs(loss - PLUS), abs(loss - MINUS)) < 1e-3 for loss in last]
    rose = sum(run.status == "diverged" and not held for run, held in zip(runs, stuck, strict=True))
    return (
        HEAD_TITLES[head], CELLS[cell], rate, f"{_count(epochs)} of {len(runs)}", median(epochs), low, high, median(last), sum(stuck), rose,
    )  # fmt: skip


def _mended_curves(seen: Evidence, name: str, title: str, rate_of: Any) -> Figure:
    records: list[dict[str, Value]] = []
    for cell, label in CELLS.items():
        rate = rate_of(cell)
        records += curves(seen.runs(cell, "bounded", rate), f"{label}, {rate:g}")
    return Figure(
        f"mended-{name}", "curves", title, f"Median and range over {len(seen.seeds)} seeds.", "epoch", "mean squared error",
        tuple(records), log_y=True,
    )  # fmt: skip


def _capacity(seen: Evidence) -> Section:
    rows: list[tuple[Value, ...]] = []
    records: list[dict[str, Value]] = []
    ends: list[float] = []
    for size in seen.sizes:
        for cell, label in CELLS.items():
            measured = seen.capacities(cell, size)
            best = seen.capacity(cell, size)
            whole = [r["count"] for r in best_by_count(measured) if r["wrong"] == 0]
            rows.append((label, measured["hidden"], measured["parameters"], best["bits"], best["count"], best["wrong"], best["lr"],
                         max(whole, default=None)))  # fmt: skip
            for point in best_by_count(measured):
                series = f"{label}, {measured['parameters']} parameters"
                records.append(record(x=point["count"] / measured["parameters"], y=point["bits"], series=series))
            ends += [point["count"] / measured["parameters"] for point in best_by_count(measured)]
    records += [record(x=end, y=end, series="all remembered") for end in (min(ends), max(ends))]
    table = Table(
        "capacity", "Bits a parameter", ("cell", "hidden", "parameters", "bits a parameter", "sequences", "answered wrong", "learning rate",
        "most sequences without a fault"), tuple(rows),
        f"The best of {seen.settings['runs of a capacity'][0]} runs and of all numbers of sequences; N (1 - H2(share wrong)) / parameters.",
    )  # fmt: skip
    figure = Figure(
        "capacity-curve", "curves", "What is stored of more and more sequences",
        "The best run of each number of sequences. Where a curve leaves the line, the network is full or the budget spent.",
        "sequences a parameter", "bits a parameter", tuple(records),
    )  # fmt: skip
    return Section(
        "How many bits a parameter can store",
        (
            "Sequences of three steps of three random numbers, each with a label drawn by a fair coin: nothing can be inferred, all has to"
            f" be stored. Every run has {seen.settings['updates of a capacity']:,} updates of Adam.",
            f"{COLLINS} find about 5 bits a parameter for every cell when trained to saturation. The figures here are lower bounds under a"
            " fixed budget; their order says which cell is easier to train, not which can store more.",
        ),
        (table, figure),
    )  # fmt: skip
