"""From figures to pairs and sentences: who beats whom, by how much, and what cannot be told. It trains nothing."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from rnnlab.comparison.resampling import Answers, over_examples
from rnnlab.comparison.result import Against, CellResult, Outcome, Pair
from rnnlab.comparison.statistics import ALPHA, LEAST_SEEDS, holm, paired
from rnnlab.tasks import Task

METRICS = {"macro_f1": ("macro F1", True), "mae": ("MAE", False), "mase": ("MASE", False)}
SPOKEN = {
    "prior": "the class prior", "ngrams": "the n-gram baseline", "mean": "the mean of the targets",
    "linear": "the linear baseline", "last": "the last value", "season": "the seasonal baseline", "ridge": "ridge on lags",
}  # fmt: skip


def judge(
    cells: Sequence[CellResult],
    baseline: Against | None,
    metric: str,
    task: Task | None = None,
    found: dict[str, Answers] | None = None,
) -> tuple[list[Pair], list[Pair]]:
    """Return cells against cells, the better one first, and cells against ``baseline``; Holm's correction is over all of them.

    Args:
        cells: with the same seeds.
        baseline: the one to beat; None where there is none.
        metric: ``macro_f1``, ``mae`` or ``mase``.
        task: with ``found``, gives the interval over test examples.
        found: what each cell, and perhaps the baseline, answered on the test part, by name.
    """
    pairs = []
    for one, other in combinations(cells, 2):
        pair = _pair(one.title, other.title, _differences(one.sound, other.sound, metric))
        if task is not None and found is not None:
            pair = replace(pair, examples=over_examples(task, found[one.cell], found[other.cell]))
        pairs.append(pair if (pair.mean or 0.0) >= 0 else _turned(pair))
    against = []
    if baseline is not None:
        for cell in cells:
            same = dict.fromkeys(cell.sound, baseline.metrics)
            pair = _pair(cell.title, baseline.spoken, _differences(cell.sound, same, metric))
            if task is not None and found is not None and baseline.name in found:
                always = found[baseline.name].for_seeds(found[cell.cell].seeds)
                pair = replace(pair, examples=over_examples(task, found[cell.cell], always))
            against.append(pair)
    judged = _corrected([*pairs, *against])
    return judged[: len(pairs)], judged[len(pairs) :]


def strongest(baselines: Sequence[Against], metric: str) -> Against | None:
    """Return the baseline with the best ``metric``, or None where there is none."""
    if not baselines:
        return None
    sign = 1 if METRICS[metric][1] else -1
    return max(baselines, key=lambda one: sign * one.metrics[metric])


def sentences(pairs: Sequence[Pair], against: Sequence[Pair], metric: str, examples: int = 0) -> list[str]:
    """Return the verdicts, claims first, those about baselines last.

    Args:
        pairs: cells against cells.
        against: cells against the strongest baseline.
        metric: of the differences.
        examples: of the test part, for the sentence that says where a claim rests on too few of them.
    """
    few = [pair for pair in (*pairs, *against) if pair.outcome == "too few seeds"]
    if few and len(few) == len(pairs) + len(against):
        most = max(pair.count for pair in few)
        return [
            f"No claim: {most} {'seed is' if most == 1 else 'seeds are'} too few, at least {LEAST_SEEDS} are needed."
        ]
    said = [claim(pair, metric) for pair in pairs if pair.outcome == "beats"]
    said += [_rests(pair, metric, examples) for pair in pairs if pair.outcome == "beats" and _turns(pair)]
    said += [
        f"{pair.first} and {pair.second} are indistinguishable."
        for pair in pairs
        if pair.outcome == "indistinguishable"
    ]
    said += [
        f"No claim about {pair.first} and {pair.second}: of {pair.count} paired seeds, at least {LEAST_SEEDS} are needed."
        for pair in pairs
        if pair.outcome == "too few seeds"
    ]
    said += _about_baseline(against, metric, examples)
    return [sentence[:1].upper() + sentence[1:] for sentence in said]


def claim(pair: Pair, metric: str, seeds: str = "paired seeds") -> str:
    """Return the sentence of a pair whose first beats its second.

    Example:
        >>> claim(Pair("LSTM", "RNN", 0.031, 0.022, 0.04, 0.003, 0.008, 0.002, None, 10, "beats"), "macro_f1")
        'LSTM beats RNN by 3.1 points of macro F1 [2.2, 4.0], 10 paired seeds, p = 0.008 (Holm).'
    """
    mean, low, high = figures([pair.mean or 0.0, pair.low or 0.0, pair.high or 0.0], metric)
    unit = f"{'points of' if METRICS[metric][1] else 'in'} {METRICS[metric][0]}"
    return f"{pair.first} beats {pair.second} by {mean} {unit} [{low}, {high}], {pair.count} {seeds}, {chance(pair.p_holm or 0.0)} (Holm)."


def figures(values: Sequence[float], metric: str) -> list[str]:
    """Return differences with one form for all: at least two digits of the first, in points (hundredths) for a share.

    Example:
        >>> figures([0.0312, 0.0224, 0.0401], "macro_f1"), figures([1312.4, -20.0, 3000.0], "mae")
        (['3.1', '2.2', '4.0'], ['1,312', '-20', '3,000'])
    """
    if METRICS[metric][1]:
        values = [100 * value for value in values]
    size, decimals = abs(values[0]), 1 if METRICS[metric][1] else 0
    while size and decimals < 9 and size * 10**decimals < 9.95:
        decimals += 1
    return [f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in values]


def chance(p: float) -> str:
    """Return a p-value as a sentence says it; one below 0.05 is never rounded up to it.

    Example:
        >>> chance(0.0079), chance(0.0004), chance(0.04996)
        ('p = 0.008', 'p < 0.001', 'p = 0.04996')
    """
    if p < 0.001:
        return "p < 0.001"
    decimals = 3
    while p < ALPHA <= round(p, decimals) and decimals < 12:
        decimals += 1
    return f"p = {p:.{decimals}f}"


def _differences(one: dict[int, dict[str, float]], other: dict[int, dict[str, float]], metric: str) -> list[float]:
    """Return how much better ``one`` is on each seed that both have."""
    sign = 1 if METRICS[metric][1] else -1
    return [sign * (one[seed][metric] - other[seed][metric]) for seed in one if seed in other]


def _pair(first: str, second: str, differences: list[float]) -> Pair:
    found = paired(differences)
    if found is None:
        mean = differences[0] if differences else None
        return Pair(first, second, mean, None, None, None, None, None, None, len(differences), "too few seeds")
    outcome: Outcome = "too few seeds" if found.count < LEAST_SEEDS else "indistinguishable"
    return Pair(
        first, second, found.mean, found.low, found.high, found.p, None, found.p_ranks, None, found.count, outcome
    )


def _turned(pair: Pair) -> Pair:
    """Return the pair with its second first."""
    mean, low, high = (None if value is None else -value for value in (pair.mean, pair.high, pair.low))
    examples = None if pair.examples is None else (-pair.examples[1], -pair.examples[0])
    return replace(pair, first=pair.second, second=pair.first, mean=mean, low=low, high=high, examples=examples)


def _corrected(pairs: list[Pair]) -> list[Pair]:
    enough = [position for position, pair in enumerate(pairs) if pair.outcome != "too few seeds"]
    judged = list(pairs)
    for position, p in zip(enough, holm([pairs[i].p or 0.0 for i in enough]), strict=True):
        pair = pairs[position]
        outcome: Outcome = "indistinguishable" if p >= ALPHA else "beats" if (pair.mean or 0.0) > 0 else "loses"
        judged[position] = replace(pair, p_holm=p, outcome=outcome)
    return judged


def _about_baseline(against: Sequence[Pair], metric: str, examples: int) -> list[str]:
    known = [pair for pair in against if pair.outcome != "too few seeds"]
    if not known:
        return []
    baseline = known[0].second
    winners = [claim(pair, metric, "seeds") for pair in known if pair.outcome == "beats"]
    lost = [_turned(pair) for pair in known if pair.outcome == "loses"]
    losers = [claim(pair, metric, "seeds") for pair in lost] + [
        _rests(pair, metric, examples) for pair in lost if _turns(pair)
    ]
    open_ones = [pair.first for pair in known if pair.outcome == "indistinguishable"]
    if not winners:
        return [*losers, f"No network beats {baseline}."]
    winners += [_rests(pair, metric, examples) for pair in known if pair.outcome == "beats" and _turns(pair)]
    return [*winners, *losers, *(f"{title} and {baseline} are indistinguishable." for title in open_ones)]


def _turns(pair: Pair) -> bool:
    return pair.examples is not None and pair.examples[0] <= 0


def _rests(pair: Pair, metric: str, examples: int) -> str:
    assert pair.examples is not None
    _, low, high = figures([pair.mean or 0.0, *pair.examples], metric)
    return (
        f"That {pair.first} beats {pair.second} holds for these {examples:,} test examples: "
        f"over other examples of their kind it ranges over [{low}, {high}]."
    )
