"""Four studies with every kind of figure, long texts, gaps and hostile names, as the reports must bear them.

The numbers are made up (seeded), but their shapes are those of real runs: losses over decades, 18 origins, two years
of days, runs that diverge.
"""

import datetime
import math

import numpy as np

from rnnlab.findings import Finding
from rnnlab.results import Claim, Figure, Section, StudyResult, Table, Trace

ORIGINS = tuple(
    word
    for line in (
        "Arabic Chinese Czech Dutch English French German Greek Irish",
        "Italian Japanese Korean Polish Portuguese Russian Scottish Spanish Vietnamese",
    )
    for word in line.split()
)
HOSTILE = "<script>alert('x')</script> & Sons"


def curves() -> Figure:
    rng = np.random.default_rng(0)
    records = []
    for name, rate in (("Elman, SGD 0.9", 0.0), ("LSTM, as published", 0.0), ("LSTM, mended", 0.12), ("GRU", 0.2)):
        for epoch in range(0, 101, 2):
            mean = 0.35 * math.exp(-rate * epoch) + 1e-5 * (1 + rng.random())
            spread = 1.0 + 0.6 * rng.random()
            record = {"x": epoch, "y": mean, "series": name, "low": mean / spread, "high": mean * spread}
            records.append(record)
    title = "Loss over epochs: the published optimizer never moves the LSTM"
    caption = "Median over five seeds; the band reaches from the lowest to the highest seed."
    return Figure("loss", "curves", title, caption, "epoch", "loss (MSE)", tuple(records), log_y=True)


def single_curve() -> Figure:
    records = tuple({"x": 10.0**power, "y": 0.5 + 0.08 * power, "series": ""} for power in range(-5, 1))
    return Figure(
        "lr-curve", "curves", "Accuracy over learning rate", "", "learning rate", "accuracy", records, log_x=True
    )


def confusion() -> Figure:
    rng = np.random.default_rng(1)
    records = []
    for row, truth in enumerate(ORIGINS):
        total = int(rng.integers(12, 1900))
        weights = rng.dirichlet(np.full(len(ORIGINS), 0.25)) * 0.4
        weights[row] += 0.6
        records += [
            {"truth": truth, "guess": guess, "share": float(share), "count": round(float(share) * total)}
            for guess, share in zip(ORIGINS, weights, strict=True)
        ]
    caption = "Held-out names only, each row sums to 100 %. English and Scottish share their names."
    title = "What the LSTM takes each origin for"
    return Figure("confusion-lstm", "confusion", title, caption, "guessed origin", "true origin", tuple(records))


def _days(count: int) -> list[str]:
    start = datetime.date(2009, 12, 1)
    return [(start + datetime.timedelta(days=day)).isoformat() for day in range(count)]


def forecast() -> Figure:
    rng = np.random.default_rng(2)
    records = []
    days = _days(738)
    truth = [
        20_000 + 6_000 * math.sin(day / 58) + 5_000 * (day % 7 < 5) + 2_500 * rng.normal() for day in range(len(days))
    ]
    for name, noise in (("data", 0.0), ("GRU 64, window 32", 1_500.0), ("ridge on 32 lags", 3_200.0)):
        for day, (time, value) in enumerate(zip(days, truth, strict=True)):
            if name == "data" or day >= 590:
                shown = None if day == 700 else value + noise * rng.normal()
                records.append({"time": time, "value": shown, "series": name, "held_out": day >= 590})
    caption = "One step ahead; nothing to the right of the line was seen in training, in scaling or in choosing."
    return Figure(
        "forecast", "forecast", "A forecast beside the data", caption, "day", "revenue a day (£)", tuple(records)
    )


def series() -> Figure:
    rng = np.random.default_rng(3)
    records = tuple(
        {"time": time, "value": float(level * (1 + 0.3 * rng.random())), "series": name}
        for name, level in (("United Kingdom", 20_000), ("EIRE", 1_400), ("Germany", 900))
        for time in _days(200)
    )
    return Figure("countries", "series", "Revenue by country", "", "day", "revenue (£)", records, log_y=True)


def heat_map() -> Figure:
    records = []
    for cell in ("RNN + ReLU", "LSTM + ReLU"):
        for size in (4, 16, 64, 128):
            for rate in (0.0001, 0.001, 0.01, 0.1, 0.8):
                gone = 1.0 if rate == 0.8 else 0.4 if rate == 0.1 else 0.0
                value = None if gone == 1.0 else 21_000 / size**1.7 / (rate * 1e4)
                records.append({"x": rate, "y": size, "value": value, "diverged": gone, "series": cell})
    caption = "Median MSE of the seeds that lived; the share of runs whose ReLU died or that diverged stands below."
    title = "Learning rate and hidden size"
    return Figure("map", "map", title, caption, "learning rate", "hidden size", tuple(records))


def bars() -> Figure:
    rows = (
        ("last value", 6.76, None, None, True, ""),
        ("7 days back", 1.81, None, None, True, ""),
        ("ridge on 32 lags", 1.03, None, None, True, ""),
        ("LSTM 256, SGD 0.01, window as features (as published)", 9.5, 9.2, 9.9, False, "as published"),
        ("LSTM 64, real sequence", 0.77, 0.73, 0.97, False, "as it should be"),
        ("GRU 64, real sequence", 0.69, 0.64, 0.75, False, "as it should be"),
        (HOSTILE, None, None, None, False, "as it should be"),
    )
    names = ("label", "value", "low", "high", "reference", "group")
    records = tuple(dict(zip(names, row, strict=True)) for row in rows)
    return Figure("mae", "bars", "Error one step ahead", "Lower is better.", "", "MAE (units sold a day)", records)


def strip() -> Figure:
    rng = np.random.default_rng(4)
    records = tuple(
        {"label": label, "value": float(centre + 0.01 * rng.normal()), "group": group}
        for label, centre, group in (
            ("linear RNN 128", 0.547, "network"),
            ("LSTM 256", 0.704, "network"),
            ("bidirectional GRU 128", 0.837, "network"),
            ("character n-grams, softmax", 0.845, "no network"),
        )
        for _ in range(10)
    )
    return Figure("seeds", "strip", "Accuracy over ten seeds", "One point a seed.", "", "held-out accuracy", records)


def every_figure() -> tuple[Figure, ...]:
    return (curves(), single_curve(), confusion(), forecast(), series(), heat_map(), bars(), strip())


def _claim(study: str, index: int, verdict: str, **changes: object) -> Claim:
    given: dict[str, object] = {
        "id": f"{study}.claim-{index}",
        "study": study,
        "claim": f"The {study} network reaches its reported figure number {index}.",
        "reported": 246.0029,
        "measured": 245.98217,
        "spread": (244.9, 246.7123),
        "seeds": (0, 1, 2, 3, 4),
        "verdict": verdict,
        "evidence": "Five seeds of the same recipe end between 244.9 and 246.7, with the training still under way.",
    }
    return Claim(**{**given, **changes})  # type: ignore[arg-type]


def _claims(study: str) -> tuple[Claim, ...]:
    return (
        _claim(study, 1, "reproduced"),
        _claim(
            study,
            2,
            "corrected",
            claim="The LSTM converged faster than the RNN, but to a higher loss; " * 3,
            reported=0.3476763665676117,
            measured="0.0041 after 39 epochs",
            evidence="optimizerLSTM = SGD(rnn.parameters()) holds the other network's parameters: the LSTM never moves.",
        ),
        _claim(study, 3, "contradicted", measured=float("nan"), spread=None, reported="'amazing' at 0.05"),
        _claim(study, 4, "untestable", measured=None, spread=None, seeds=(), claim=f"Claimed by {HOSTILE}."),
    )


def _table(study: str) -> Table:
    columns = ("variant", "learning rate", "MSE", "f(11111111)", "exact of 256", "learns", "seconds")
    rows = (
        ("RNN 16 + ReLU", 0.001, 83.5172839, 246.0029, 31, True, "0.8 ± 0.1"),
        ("LSTM 64 + ReLU", 0.001, 1.52345, 252.4994, 201, True, "2.4 ± 0.2"),
        ("bare RNN", 0.1, 21463.5, 1.0, 1, False, None),
        (HOSTILE, 0.8, float("nan"), None, 0, False, None),
    )
    return Table(f"{study}-table", "Variants side by side", columns, rows, "Medians over five seeds.")


def _trace() -> Trace:
    lines = (
        "5000 2% (0m 12s) 2.5932 Shula / Japanese x (Czech)",
        "10000 5% (0m 24s) 0.3120 Nguyen / Vietnamese ✓",
        f"15000 7% (0m 36s) 1.9987 {HOSTILE} / English x (Scottish) " + "and a line that is far too long " * 6,
    )
    return Trace("trace", "Training as the report printed it", lines, "Step, share, time, loss, name, guess.")


def _findings() -> tuple[tuple[str, Finding], ...]:
    return (
        ("LSTM 64", Finding("training_unfinished", "hint", "The loss was still falling.", {"slope": -0.003})),
        (
            "LSTM, as published",
            Finding(
                "optimizer_misses_parameters",
                "error",
                "The optimizer holds none of the LSTM's 205,700 parameters; its loss is constant to the last bit.",
                {"parameters_held": 0, "parameters": 205700, "loss": [0.3476763665676117, 0.3476763665676117]},
                "optimizer = SGD(lstm.parameters(), lr=0.9)",
            ),
        ),
        (
            "RNN 16",
            Finding(
                "dead_relu", "warning", f"All outputs are 0 ({HOSTILE}).", {"share": float("inf")}, "Remove the ReLU."
            ),
        ),
    )


def study(name: str, figures: tuple[Figure, ...], title: str, question: str, complete: bool = True) -> StudyResult:
    text = (
        "Eight bits as the features of one step are not a sequence: the recurrent weights never get a gradient.",
        "With eight steps of one bit the task is real, and harder. " * 4,
    )
    sections = (
        Section("What was done", text, (figures[0], _table(name), *figures[1:])),
        Section("What it printed", ("The report's own form.",), (_trace(),)),
    )
    answer = (
        "No: a tanh output is at most 1, so no bare RNN comes below a loss of 21,463.5.",
        "With a linear layer and a ReLU both networks learn the task where they start alive; 12 to 41 % do not.",
        "The report's 246.0 and 252.5 are moments of a training still under way.",
    )
    source = "UCI 'Online Retail II', CC BY 4.0, D. Chen (2019), https://archive.ics.uci.edu/dataset/502."
    return StudyResult(
        name, title, question, answer, sections, _claims(name), _findings(), source, 41.3, complete, {"seeds": 5}
    )


def results() -> tuple[StudyResult, ...]:
    """Return four studies with all kinds of figures."""
    return (
        study(
            "binary",
            (heat_map(), single_curve()),
            "Reading binary numbers",
            "Can a bare RNN turn eight bits into a number?",
        ),
        study("memorise", (curves(),), "Memorising three numbers", "Does the LSTM converge faster than the RNN?"),
        study(
            "sales", (forecast(), bars(), series()), "Forecasting sales", "Is a recurrent network better than ridge?"
        ),
        study(
            "names",
            (confusion(), strip()),
            f"Where a surname comes from, {HOSTILE}",
            "Which network tells the origin of a surname best?",
            complete=False,
        ),
    )


ENVIRONMENT = {"python": "3.11.9", "torch": "2.13.0", "cores": 2, "platform": "Linux x86_64", "rnnlab": "0.1.0"}
