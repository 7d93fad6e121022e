"""Intervals, tests and Holm's correction against scipy, hand-computed tables, and what must hold for all numbers."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnlab.comparison.statistics import holm, paired

# Student (1908), "The probable error of a mean": hours of sleep gained, a drug against another, ten patients.
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
lists = st.lists(numbers, min_size=2, max_size=12)
chances = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_paired_t_on_students_own_data() -> None:
    found = paired(SLEEP)
    assert found is not None
    # mean 1.58, sd 1.23, t = 4.062 with 9 degrees of freedom; t(0.975, 9) = 2.262
    assert found.mean == pytest.approx(1.58)
    assert found.p == pytest.approx(0.00283, abs=1e-5)
    assert (found.low, found.high) == pytest.approx((0.700, 2.460), abs=1e-3)
    assert found.count == 10


def test_by_hand_with_three_differences() -> None:
    # mean 2, sd 1, error 1/sqrt(3); t(0.975, 2) = 4.302653
    found = paired([1.0, 2.0, 3.0])
    assert found is not None
    half = 4.302653 / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half), abs=1e-6)
    # With 2 degrees of freedom the p-value has a closed form: 1 - t / sqrt(2 + t^2), t = 2 sqrt(3).
    assert found.p == pytest.approx(1 - math.sqrt(12 / 14), abs=1e-12)


@settings(deadline=None)
@given(lists)
def test_matches_scipy_on_two_samples(values: list[float]) -> None:
    assume(np.ptp(values) > 1e-3)
    found = paired(values)
    base = np.arange(len(values), dtype=float)
    expected = stats.ttest_rel(base + values, base)
    assert found is not None
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(lists, numbers)
def test_a_constant_moves_the_interval_and_leaves_its_width(values: list[float], constant: float) -> None:
    assume(np.ptp(values) > 1e-3)
    found, moved = paired(values), paired([value + constant for value in values])
    assert found is not None
    assert moved is not None
    assert moved.mean == pytest.approx(found.mean + constant, abs=1e-6)
    assert moved.high - moved.low == pytest.approx(found.high - found.low, rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(lists, st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(values: list[float], factor: float) -> None:
    assume(np.ptp(values) > 1e-3)
    found, scaled = paired(values), paired([factor * value for value in values])
    assert found is not None
    assert scaled is not None
    assert scaled.p == pytest.approx(found.p, rel=1e-6, abs=1e-12)


@settings(deadline=None)
@given(lists)
def test_turning_the_pair_turns_the_interval(values: list[float]) -> None:
    found, turned = paired(values), paired([-value for value in values])
    assert found is not None
    assert turned is not None
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert turned.p == pytest.approx(found.p)


@settings(deadline=None)
@given(lists)
def test_interval_without_zero_is_p_below_five_percent(values: list[float]) -> None:
    assume(np.ptp(values) > 1e-3)
    found = paired(values)
    assert found is not None
    assume(abs(found.p - 0.05) > 1e-9)
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)


def test_differences_without_spread_get_the_sign_test() -> None:
    five, none, ten = paired([0.5] * 5), paired([0.0] * 5), paired([0.1 + 0.2] * 10)
    assert five is not None
    assert none is not None
    assert ten is not None
    assert (five.p, none.p) == (0.0625, 1.0)
    assert ten.p == pytest.approx(stats.binomtest(10, 10).pvalue)
    assert five.low == five.high == 0.5


def test_one_difference_says_nothing() -> None:
    assert paired([1.0]) is None
    assert paired([]) is None


def test_ranks_by_hand() -> None:
    # Ten positive differences: of the 2^10 ways to give them signs, two are as extreme.
    found = paired([float(value) for value in range(1, 11)])
    assert found is not None
    assert found.p_ranks == pytest.approx(2 / 1024)
    # -1 alone against 2 to 6: rank sum 1; of 64 signs, those with sums 0 and 1 at either end, 4 in all.
    one_down = paired([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert one_down is not None
    assert one_down.p_ranks == pytest.approx(4 / 64)
    tied = paired([1.0, 1.0, 2.0, 3.0])
    assert tied is not None
    assert tied.p_ranks is None


def test_holm_by_hand() -> None:
    # 4 x 0.005; 3 x 0.01; then 2 x 0.03 = 0.06, which 0.04 may not fall below.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


@settings(deadline=None)
@given(chances)
def test_holm_is_between_the_plain_p_and_bonferroni(values: list[float]) -> None:
    for plain, corrected in zip(values, holm(values), strict=True):
        assert plain <= corrected <= min(1.0, len(values) * plain) + 1e-12 or plain == corrected
        assert corrected <= 1


@settings(deadline=None)
@given(chances, st.randoms())
def test_holm_does_not_depend_on_the_order(values: list[float], random: object) -> None:
    order = list(range(len(values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found, shuffled = holm(values), holm([values[i] for i in order])
    assert shuffled == pytest.approx([found[i] for i in order])
    assert [found[i] for i in np.argsort(values, kind="stable")] == sorted(found)
