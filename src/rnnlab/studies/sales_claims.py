"""The lab report's claims about sales, each checked; and what is wrong with its network, as findings."""

from typing import Any

from rnnlab.findings import Finding
from rnnlab.results import Claim, Verdict
from rnnlab.studies.examined import by_variant
from rnnlab.studies.figures import claim, show
from rnnlab.studies.sales_evidence import Evidence, Measured, live, typical

LEARNT = 0.95


def claims(seen: Evidence) -> tuple[Claim, ...]:
    """Return all claims of the third question."""
    found = [_learns(seen)] if 8 in seen.windows else []
    if len(seen.windows) > 1:
        found += [_better(seen, window, before) for before, window in zip(seen.windows, seen.windows[1:], strict=False)]
    return (*found, _good_enough(seen), _lstm(seen), _recurrent(seen), _next_day(seen), _softmax(), _held_out(seen))


def _maes(measured: Measured) -> dict[str, Any]:
    runs = live(measured)
    return {"values": [run["mae"] for run in runs], "seeds": [run["seed"] for run in runs]}


def _dead(seen: Evidence, window: int, cell: str = "lstm") -> str:
    row = next(r for r in seen.starts["rows"] if r["cell"] == cell and r["window"] == window)
    return f"{row['dead']:.0%}"


def _learns(seen: Evidence) -> Claim:
    measured = seen.published(8)
    learnt = [run for run in live(measured) if run["unexplained"] < LEARNT]
    deaths = ", ".join(f"{window}: {_dead(seen, window)}" for window in seen.windows)
    left = ", ".join(f"{window}: {show(typical(seen.published(window), 'unexplained'), 3)}" for window in seen.windows)
    return claim(
        "sales.window_8", "With a window of 8 the network does not learn.", reported="does not learn",
        measured=None if live(measured) else "every seed is dead", **_maes(measured),
        verdict="corrected" if learnt or not live(measured) else "reproduced",
        evidence=f"{len(learnt)} of {len(measured['seeds'])} seeds learn something in {measured['updates']:,} updates (training error as a"
        f" share of the variance, by window, live seeds: {left}); a dead seed never learns, with any window; dead at the start: {deaths}.",
    )  # fmt: skip


def _better(seen: Evidence, window: int, before: int) -> Claim:
    now, then = typical(seen.published(window)), typical(seen.published(before))
    verdict: Verdict = "untestable" if now is None or then is None else "reproduced" if now < then else "contradicted"
    return claim(
        f"sales.window_{window}", f"A window of {window} is better than {before}.", reported="better", **_maes(seen.published(window)),
        verdict=verdict, evidence=f"Held-out mean absolute error of the live seeds: {show(then)} with {before}, {show(now)} with {window}.",
    )  # fmt: skip


def _good_enough(seen: Evidence) -> Claim:
    measured, window = seen.published(), seen.windows[-1]
    value, last, simple = typical(measured), seen.baseline("last"), seen.simplest()
    good = value is not None and value < simple["mae"]
    beside = "" if simple is last else f", {simple['title']} of {show(simple['mae'])}"
    return claim(
        "sales.good_enough", f"With a window of {window} the results are good enough.", reported="good enough",
        measured=None if live(measured) else "every seed is dead", **_maes(measured),
        verdict="reproduced" if good else "contradicted",
        evidence=f"Its held-out error is {show(value)}; the last value has an error of {show(last['mae'])}{beside}, ridge regression"
        f" {show(seen.baseline('ridge')['mae'])}, the recurrent networks together {show(seen.stacked['mae'])}.",
    )  # fmt: skip


def _lstm(seen: Evidence) -> Claim:
    lstm, rnn = typical(seen.published()), typical(seen.published(cell="elman"))
    wins = lstm is not None and rnn is not None and lstm < rnn
    window = seen.windows[-1]
    return claim(
        "sales.lstm_256", "An LSTM with 32 inputs, one hidden layer of 256, SGD and a learning rate of 0.01 fits best.",
        reported="LSTM 32-256-1", **_maes(seen.published()),
        verdict="untestable" if lstm is None or rnn is None else "reproduced" if wins else "contradicted",
        evidence=f"Live seeds, hidden {seen.scale['hidden']}, same updates: LSTM {show(lstm)}, RNN {show(rnn)}; dead at the start are"
        f" {_dead(seen, window)} of LSTMs and {_dead(seen, window, 'elman')} of RNNs, and neither is recurrent.",
    )  # fmt: skip


def _recurrent(seen: Evidence) -> Claim:
    start = seen.start("lstm")
    return claim(
        "sales.recurrent", "A recurrent network is trained on the series of past values: weights that learn.",
        reported=start["parameters"], measured=start["learning"], seeds=(0,), verdict="contradicted",
        evidence=f"The window is one step, so the recurrent weights have a gradient of exactly {start['recurrent_gradient']:g};"
        f" {start['learning']:,} of {start['parameters']:,} weights ({start['learning'] / start['parameters']:.1%}) ever get one.",
    )  # fmt: skip


def _next_day(seen: Evidence) -> Claim:
    skipped, mended = typical(seen.published()), typical(seen.mended())
    return claim(
        "sales.next_value", "The network predicts the immediate next value from the past ones.", reported="next value",
        **_maes(seen.mended()), verdict="corrected",
        evidence=f"The published target, i + window + 1, skips a value; held-out error {show(skipped)} with it and {show(mended)} without.",
    )  # fmt: skip


def _softmax() -> Claim:
    return claim(
        "sales.softmax", "The loss is softmax and MSE.", reported="softmax and MSE", measured="MSE", verdict="contradicted",
        evidence="The published code has no softmax, and could not: over one output it is 1 whatever goes in.",
    )  # fmt: skip


def _held_out(seen: Evidence) -> Claim:
    train, test = typical(seen.published(), "train_mae"), typical(seen.published())
    return claim(
        "sales.forecast_plot", "The plot shows how the network predicts future sales.", reported="future sales", **_maes(seen.published()),
        verdict="corrected",
        evidence=f"The report holds nothing out, so its plot shows training data; with the last fifth held out the error is {show(test)}"
        f" there, and {show(train)} on the training part.",
    )  # fmt: skip


def findings(seen: Evidence) -> tuple[tuple[str, Finding], ...]:
    """Return what the doctor says of the published network, and how many seeds are dead at the start."""
    start, widest = seen.start("lstm"), seen.windows[-1]
    return (
        *by_variant(f"as published, window {widest}", seen.published(widest).get("doctor", [])),
        *by_variant("with five samples a batch", seen.starts.get("doctor", [])),
        ("as published", Finding(
            "dead_relu", "error",
            f"In {start['dead']:.0%} of {seen.starts['starts']} seeds the output's ReLU is 0 for every window at the start.",
            {"share": start["dead"], "seeds": seen.starts["starts"]},
            "Drop the ReLU behind the last layer; a linear output can be any number.",
        )),
    )  # fmt: skip
