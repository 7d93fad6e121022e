"""Sentences word for word, and how often they claim what is not there."""

from dataclasses import replace

import numpy as np
import pytest

from rnnlab.comparison.result import Against, CellResult, Pair, Seed
from rnnlab.comparison.settings import TITLES
from rnnlab.comparison.verdicts import chance, claim, figures, judge, sentences, strongest

NGRAMS = Against("ngrams", "character n-grams", "the n-gram baseline", {"macro_f1": 0.9, "mae": 1.0})


def cell(name: str, values: list[float | None], metric: str = "macro_f1") -> CellResult:
    seeds = tuple(
        Seed(number, "diverged" if value is None else "done", None if value is None else {metric: value})
        for number, value in enumerate(values)
    )
    return CellResult(name, TITLES[name], 8, 100, 0.004, (), seeds, 1.0)


def verdict(cells: list[CellResult], baseline: Against | None = NGRAMS, metric: str = "macro_f1") -> list[str]:
    return sentences(*judge(cells, baseline, metric), metric)


def test_a_verdict_word_for_word() -> None:
    noise = np.array([0.01, -0.01, 0.005, -0.005, 0.0, 0.01, -0.01, 0.005, -0.005, 0.0])
    other = np.array([0.004, 0.003, -0.006, 0.002, -0.001, -0.004, 0.002, 0.001, -0.003, 0.002])
    rnn, lstm, gru = 0.70 + noise, 0.731 + noise + other, 0.731 + noise - other
    cells = [cell(name, list(values)) for name, values in (("elman", rnn), ("lstm", lstm), ("gru", gru))]
    assert verdict(cells) == [
        "LSTM beats RNN by 3.1 points of macro F1 [2.9, 3.3], 10 paired seeds, p < 0.001 (Holm).",
        "GRU beats RNN by 3.1 points of macro F1 [2.9, 3.3], 10 paired seeds, p < 0.001 (Holm).",
        "LSTM and GRU are indistinguishable.",
        "The n-gram baseline beats RNN by 20.0 points of macro F1 [19.5, 20.5], 10 seeds, p < 0.001 (Holm).",
        "The n-gram baseline beats LSTM by 16.9 points of macro F1 [16.4, 17.4], 10 seeds, p < 0.001 (Holm).",
        "The n-gram baseline beats GRU by 16.9 points of macro F1 [16.3, 17.5], 10 seeds, p < 0.001 (Holm).",
        "No network beats the n-gram baseline.",
    ]


def test_lower_errors_win() -> None:
    random = np.random.default_rng(0)
    base = 1500 + 20 * random.standard_normal(10)
    cells = [cell("elman", list(base), "mae"), cell("gru", list(base - 300 - random.random(10)), "mae")]
    ridge = Against("ridge", "ridge on 28 lags", "ridge on lags", {"mae": float(base.mean()) - 1})
    said = verdict(cells, ridge, "mae")
    assert said[0] == "GRU beats RNN by 300 in MAE [300, 301], 10 paired seeds, p < 0.001 (Holm)."
    assert said[1].startswith("GRU beats ridge on lags by 299 in MAE [288, 311], 10 seeds")
    assert said[2] == "RNN and ridge on lags are indistinguishable."
    assert len(said) == 3


def test_statistics_of_a_pair_are_those_of_its_differences() -> None:
    one, other = [0.8, 0.82, 0.79, 0.85, 0.9], [0.7, 0.75, 0.71, 0.8, 0.78]
    (pair,), () = judge([cell("lstm", list(other)), cell("gru", list(one))], None, "macro_f1")
    # differences .1 .07 .08 .05 .12: mean .084, sd .02702, t = 6.952 with 4 degrees of freedom; t(.975, 4) = 2.776
    assert (pair.first, pair.second, pair.count) == ("GRU", "LSTM", 5)
    assert pair.mean == pytest.approx(0.084)
    assert (pair.low, pair.high) == pytest.approx((0.0505, 0.1175), abs=1e-4)
    assert pair.p_holm == pytest.approx(pair.p)
    assert pair.p == pytest.approx(0.00225, abs=1e-5)


def test_no_claim_from_fewer_than_five_seeds() -> None:
    cells = [cell("lstm", [0.9, 0.91, 0.92, 0.93]), cell("gru", [0.1, 0.12, 0.13, 0.11])]
    pairs, against = judge(cells, NGRAMS, "macro_f1")
    assert {pair.outcome for pair in (*pairs, *against)} == {"too few seeds"}
    assert verdict(cells) == ["No claim: 4 seeds are too few, at least 5 are needed."]
    one = [cell("lstm", [0.9]), cell("gru", [0.1])]
    assert verdict(one) == ["No claim: 1 seed is too few, at least 5 are needed."]


def test_diverged_seeds_are_left_out_on_both_sides() -> None:
    lost = cell("gru", [None, None, 0.7, 0.71, 0.72, 0.73])
    sound = cell("lstm", [0.6, 0.61, 0.62, 0.6, 0.61, 0.6])
    (pair,), against = judge([lost, sound], NGRAMS, "macro_f1")
    assert (pair.count, pair.outcome) == (4, "too few seeds")
    assert [(one.count, one.outcome) for one in against] == [(4, "too few seeds"), (6, "loses")]
    assert "No claim about GRU and LSTM: of 4 paired seeds, at least 5 are needed." in verdict([lost, sound])


def test_correction_counts_all_pairs() -> None:
    random = np.random.default_rng(1)
    cells = [cell(name, list(0.5 + 0.1 * random.random(8))) for name in ("elman", "lstm", "gru")]
    pairs, against = judge(cells, NGRAMS, "macro_f1")
    ordered = sorted([*pairs, *against], key=lambda pair: pair.p or 0)
    assert ordered[0].p_holm == pytest.approx(6 * (ordered[0].p or 0))
    assert all((pair.p_holm or 0) >= (pair.p or 0) for pair in ordered)


def test_a_claim_that_rests_on_its_examples_says_so() -> None:
    pair = Pair("GRU", "RNN", 0.05, 0.03, 0.07, 0.001, 0.002, 0.002, (-0.01, 0.11), 10, "beats")
    assert sentences([pair], [], "macro_f1", 61)[1] == (
        "That GRU beats RNN holds for these 61 test examples: over other examples of their kind it ranges over [-1.0, 11.0]."
    )
    assert len(sentences([replace(pair, examples=(0.01, 0.11))], [], "macro_f1", 61)) == 1


def test_sentences_begin_with_a_capital() -> None:
    pair = Pair("linear RNN", "GRU", 0.0, -0.1, 0.1, 0.9, 0.9, None, None, 10, "indistinguishable")
    against = replace(
        pair, first="GRU", second="the last value", mean=-0.05, low=-0.1, high=-0.01, p_holm=0.01, outcome="loses"
    )
    assert sentences([pair], [against], "mae") == [
        "Linear RNN and GRU are indistinguishable.",
        "The last value beats GRU by 0.050 in MAE [0.010, 0.100], 10 seeds, p = 0.010 (Holm).",
        "No network beats the last value.",
    ]


def test_strongest_baseline_is_by_the_metric() -> None:
    prior = Against("prior", "class prior", "the class prior", {"macro_f1": 0.1, "mae": 0.5})
    assert strongest([prior, NGRAMS], "macro_f1") is NGRAMS
    assert strongest([prior, NGRAMS], "mae") is prior
    assert strongest([], "mae") is None


@pytest.mark.parametrize("p", [0.049, 0.0496, 0.0499999, 0.05, 0.0504])
def test_a_printed_p_is_on_the_right_side_of_five_percent(p: float) -> None:
    assert (float(chance(p).split()[-1]) < 0.05) == (p < 0.05)


def test_figures_show_at_least_two_digits() -> None:
    assert figures([0.00012, -0.0001, 0.0003], "macro_f1") == ["0.012", "-0.010", "0.030"]
    assert figures([0.0, -0.2, 3.0], "mae") == ["0", "0", "3"]
    assert figures([0.0994, 0.0, 0.2], "mae")[0] == "0.099"
    pair = Pair("LSTM", "RNN", 0.031, 0.022, 0.04, 0.003, 0.008, 0.002, None, 10, "beats")
    assert (
        claim(pair, "macro_f1")
        == "LSTM beats RNN by 3.1 points of macro F1 [2.2, 4.0], 10 paired seeds, p = 0.008 (Holm)."
    )


@pytest.mark.parametrize("repeats", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_claims_where_nothing_differs_are_rare_and_real_ones_are_found(repeats: int) -> None:
    random = np.random.default_rng(0)
    false_claims, found = 0, 0
    level = replace(NGRAMS, metrics={"macro_f1": 0.5})
    for _ in range(repeats):
        shared = 0.05 * random.standard_normal(10)
        values = [0.5 + shared + 0.02 * random.standard_normal(10) for _ in range(3)]
        pairs, against = judge([cell(n, list(v)) for n, v in zip(TITLES, values, strict=False)], level, "macro_f1")
        false_claims += any(pair.outcome != "indistinguishable" for pair in (*pairs, *against))
        values[2] = values[2] + 0.06
        better, _ = judge([cell(n, list(v)) for n, v in zip(TITLES, values, strict=False)], level, "macro_f1")
        found += sum(pair.first == "GRU" and pair.outcome == "beats" for pair in better) == 2
    # At most 5% of families hold a false claim; three standard errors are allowed.
    assert false_claims / repeats < 0.05 + 3 * (0.05 * 0.95 / repeats) ** 0.5
    assert found / repeats > 0.9


def test_a_loss_that_rests_on_few_examples_is_told_too() -> None:
    pair = Pair("GRU", "ridge on lags", -0.05, -0.1, -0.01, 0.005, 0.01, None, (-0.2, 0.03), 10, "loses")
    assert sentences([], [pair], "mase", 40) == [
        "Ridge on lags beats GRU by 0.050 in MASE [0.010, 0.100], 10 seeds, p = 0.010 (Holm).",
        "That ridge on lags beats GRU holds for these 40 test examples: over other examples of their kind it ranges over "
        "[-0.030, 0.200].",
        "No network beats ridge on lags.",
    ]
    sure = replace(pair, examples=(-0.2, -0.01))
    assert len(sentences([], [sure], "mase", 40)) == 2
