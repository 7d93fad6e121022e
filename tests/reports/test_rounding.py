"""Figures are rounded as a reader expects, and nothing is made to look more exact than it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.reports.rounding import cell, column, compact, finite, is_numeric, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.83861, "0.8386"),
        (0.5, "0.5"),
        (245.98217, "246.0"),
        (21463.5, "21,464"),
        (1024, "1024"),
        (205700, "205,700"),
        (3.2e-7, "3.2×10⁻⁷"),
        (1e-5, "10⁻⁵"),
        (-0.003, "−0.003"),
        (0.0, "0"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (1e30, "10³⁰"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (True, "yes"), (False, "no"), ("<b>", "<b>"), (3, "3")])
def test_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_column_shares_its_decimals() -> None:
    assert column([0.83861, 0.5, None, math.nan]) == ["0.8386", "0.5000", "–", "NaN"]


def test_column_of_settings_stays_as_given() -> None:
    assert column([0.001, 0.01, 0.1]) == ["0.001", "0.01", "0.1"]
    assert column([4, 16, None]) == ["4", "16", "–"]


def test_column_over_decades_rounds_each_value() -> None:
    assert column([83.5172839, 21463.5, 0.00083512]) == ["83.52", "21,464", "0.0008351"]


def test_numeric_columns_are_known() -> None:
    assert is_numeric([1, 2.5, None, "0.8 ± 0.1"])
    assert is_numeric(["12%", "−3.5", "2 of 5", "2/5"])
    assert not is_numeric(["LSTM 64", 3])
    assert not is_numeric([True, False])
    assert not is_numeric([None])


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e8, max_value=1e8).filter(lambda v: abs(v) >= 1e-4))
def test_number_is_within_half_a_unit_of_the_fourth_digit(value: float) -> None:
    shown = float(number(value).replace("−", "-").replace(",", ""))
    assert shown == pytest.approx(value, rel=5.01e-4)


@given(st.one_of(st.floats(), st.integers(-(10**20), 10**20)))
def test_every_number_is_some_text(value: float) -> None:
    assert number(value)
    assert column([value])[0]
    assert (finite(value) is None) == (not math.isfinite(value))


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_compact_stays_short_and_true(value: float) -> None:
    text = compact(value)
    assert len(text) <= 9
    assert float(text.replace(",", "")) == pytest.approx(value, rel=6e-3)
