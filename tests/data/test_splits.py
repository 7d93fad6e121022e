"""Splits are disjoint and complete, keep their shares, and never let a held-out string be trained on."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.data import Splits, names, split_key, split_rows, split_strings, split_time
from rnnlab.errors import ConfigError, DataError

LABELLED = st.lists(
    st.tuples(st.text("aAbBéß 1", min_size=1, max_size=3), st.sampled_from("xyz")), min_size=6, max_size=60
)


def parts(split: Splits) -> list[list[int]]:
    return [split.train.tolist(), split.validation.tolist(), split.test.tolist()]


def is_partition(split: Splits, rows: int) -> bool:
    together = [row for part in parts(split) for row in part]
    return sorted(together) == list(range(rows)) and all(part == sorted(part) for part in parts(split))


@given(LABELLED, st.floats(0.05, 0.5), st.floats(0, 0.4), st.integers(0, 5))
def test_no_string_lies_in_two_parts(rows: list[tuple[str, str]], test: float, validation: float, seed: int) -> None:
    texts, labels = zip(*rows)
    try:
        split = split_strings(texts, labels, test=test, validation=validation, seed=seed)
    except DataError:
        return
    assert is_partition(split, len(texts))
    keys = [{split_key(texts[row]) for row in part} for part in parts(split)]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]


@given(LABELLED, st.randoms())
def test_split_does_not_depend_on_the_order_of_rows(rows: list[tuple[str, str]], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = rows[:]
    random.shuffle(shuffled)
    try:
        one, two = (split_strings(*zip(*order), seed=3) for order in (rows, shuffled))
    except DataError:
        return
    for mine, other in zip(parts(one), parts(two)):
        assert Counter(rows[i] for i in mine) == Counter(shuffled[i] for i in other)


def test_names_keep_their_shares_in_every_class() -> None:
    source = names()
    split = split_strings(source.texts, source.labels, seed=1)
    assert is_partition(split, len(source))
    sizes = [len(part) / len(source) for part in parts(split)]
    assert sizes == pytest.approx([0.7, 0.1, 0.2], abs=0.01)
    whole = Counter(source.labels)
    for part, share in zip(parts(split), (0.7, 0.1, 0.2)):
        counts = Counter(source.labels[row] for row in part)
        assert set(counts) == set(whole)
        # A string of two labels is dealt with its rarest one, so a common label may be off by its shared strings.
        for label in whole:
            assert counts[label] == pytest.approx(share * whole[label], abs=0.03 * whole[label] + 4)


def test_string_of_several_labels_stays_together() -> None:
    texts, labels = list("abcdefgh") * 2, list("xxxxyyyy") + list("yyyyxxxx")
    split = split_strings(texts, labels, test=0.25, validation=0.25)
    for part in parts(split):
        assert Counter(texts[row] for row in part).most_common()[-1][1] == 2


def test_seed_moves_the_split() -> None:
    one, two = (split_rows(200, seed=seed).test for seed in (0, 1))
    assert not np.array_equal(one, two)
    assert np.array_equal(one, split_rows(200, seed=0).test)


@given(st.integers(3, 400), st.floats(0.05, 0.45), st.floats(0.05, 0.45))
def test_rows_keep_their_shares(rows: int, test: float, validation: float) -> None:
    try:
        split = split_rows(rows, test=test, validation=validation)
    except DataError:
        assert rows < 10
        return
    assert is_partition(split, rows)
    assert abs(len(split.test) - test * rows) <= 1
    assert abs(len(split.validation) - validation * rows) <= 1


@given(st.integers(2, 3000), st.floats(0.01, 0.5), st.floats(0, 0.45))
def test_time_is_never_shuffled(times: int, test: float, validation: float) -> None:
    try:
        split = split_time(times, test=test, validation=validation)
    except DataError:
        return
    assert np.concatenate([split.train, split.validation, split.test]).tolist() == list(range(times))
    assert len(split.train) > 0
    assert 0 <= len(split.test) - test * times < 1 + 1e-6


def test_a_fifth_of_five_years_of_days_is_366() -> None:
    # 2013-01-01 .. 2017-12-31, held out from 2016-12-31.
    assert split_time(1826).test[0] == 1460
    assert len(split_time(30, test=0.1).test) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: split_strings(["a", "b"], ["x", "x"]), "target must have at least two classes, got one: 'x'; "),
        (lambda: split_rows(2, ["x", "x"]), "target must have at least two classes, got one: 'x'; "),
        (lambda: split_strings([], []), "target must have at least two classes, got none; "),
        (lambda: split_strings(["a", "b"], ["x", "y"]), "data must have enough distinct strings for train, valid"),
        (lambda: split_rows(2), "data must have enough rows for train, validation and test, got 2 in 1 classes; "),
        (lambda: split_time(2), "series must have at least 3 steps to split, got 2; give more"),
        (lambda: split_rows(9, test=1.0), "test must be between 0 and 1, got 1.0; give the share to hold out"),
        (lambda: split_rows(9, test=0.0), "test must be between 0 and 1, got 0.0; give the share to hold out"),
        (lambda: split_time(9, test=0.5, validation=0.5), "validation must be at least 0 and leave a part to train"),
    ],
)
def test_impossible_splits_say_why(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((DataError, ConfigError)) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
