"""A source checks its shape and has the fingerprint of its content."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.data import LabelledStrings, NumberSequences, Series, SeriesCollection, describe, sales
from rnnlab.data.tables import connected
from rnnlab.errors import DataError

DAYS = np.arange("2024-01-01", "2024-01-06", dtype="datetime64[D]")


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_fingerprints_are_equal_only_for_equal_strings(one: list[tuple[str, str]], two: list[tuple[str, str]]) -> None:
    first, second = (LabelledStrings(tuple(t for t, _ in x), tuple(y for _, y in x)) for x in (one, two))
    assert (first.fingerprint == second.fingerprint) == (one == two)


def test_fingerprint_does_not_depend_on_unit_or_provenance() -> None:
    values = np.arange(5.0)
    one = Series(DAYS, values, "a", provenance="here")
    two = Series(DAYS.astype("datetime64[ns]"), values.astype(np.float32), "b", provenance="there")
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != Series(DAYS, values + 1e-12, "a").fingerprint
    assert one.fingerprint != Series(DAYS + 1, values, "a").fingerprint
    assert one.fingerprint != Series(DAYS, values, "a", known={"open": values}).fingerprint


def test_ragged_sequences_with_the_same_numbers_differ() -> None:
    flat = np.arange(6, dtype=np.float32)[:, None]
    targets = np.array([0.0, 1.0], dtype=np.float32)
    one = NumberSequences((flat[:2], flat[2:]), targets)
    two = NumberSequences((flat[:3], flat[3:]), targets)
    assert one.fingerprint != two.fingerprint


def test_kind_follows_the_targets() -> None:
    values = (np.zeros((2, 3), np.float32),)
    assert NumberSequences(values, np.zeros(1, np.float32)).kind == "regress"
    assert NumberSequences(values, ("a",)).kind == "classify"
    assert NumberSequences(values, ("a",)).features == ("x0", "x1", "x2")


def test_describe_says_what_is_held() -> None:
    assert describe(LabelledStrings(("a", "b"), ("x", "y"))) == "2 strings of 2 classes"
    assert describe(sales()) == "738 values of 'revenue', 2009-12-01 .. 2011-12-08"
    both = SeriesCollection((sales(), sales("units")))
    assert describe(both) == "2 series, 1,476 values"
    assert both.names == ("revenue", "units")
    assert both.season == 7
    assert describe(NumberSequences((np.zeros((2, 3)),), ("a",))) == "1 sequences of 3 features, to classify"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelledStrings(("a",), ()), "labels must be as many as texts, got 0 for 1; "),
        (lambda: Series(DAYS, np.zeros(4), "a"), "'a' must have one value a time (5,), got (4,); "),
        (
            lambda: Series(DAYS, np.zeros(5), "a", known={"b": np.zeros(3)}),
            "'b' must have one value a time (5,), got (3,)",
        ),
        (lambda: Series(DAYS, np.zeros(5), "a", 0), "season must be at least 1, got 0; "),
        (lambda: NumberSequences((np.zeros((2, 1)),), ()), "targets must be as many as sequences, got 0 for 1; "),
        (lambda: NumberSequences((np.zeros(2),), ("a",)), "values must be arrays (time, features) of one width"),
        (lambda: SeriesCollection((sales(), sales())), "series must have distinct names, got 2 series with 1 names"),
    ],
)
def test_wrong_shapes_are_named(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_a_slow_query_prints_no_bar_amid_the_answers() -> None:
    with connected() as connection:
        found = connection.execute(
            "SELECT current_setting('enable_progress_bar'), current_setting('threads')"
        ).fetchall()
    assert found == [(False, 1)]
