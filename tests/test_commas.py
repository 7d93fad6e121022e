"""Lists in one text: what is quoted comes back, and what is quoted wrongly is said in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.commas import joined, parts, quotes
from rnnlab.errors import ConfigError

NAMES = st.text(st.one_of(st.sampled_from(',"\\ \n\t*='), st.characters(exclude_categories=["Cs"])), max_size=12)


@given(st.lists(NAMES, max_size=6))
def test_reading_gives_back_what_was_joined(names: list[str]) -> None:
    assert parts(joined(names)) == tuple(names)


@given(st.lists(st.text(st.sampled_from('ab ,"'), max_size=4), max_size=4))
def test_blanks_around_parts_change_nothing(names: list[str]) -> None:
    spaced = " , ".join(joined([name]) for name in names)
    assert parts(f" {spaced} ") == tuple(names)


@given(st.text(st.sampled_from('ab ,"')))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parts(text)
    except ConfigError:
        assert quotes(text)
    else:
        assert parts(joined(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("a,b", ("a", "b")),
        (" a , ,b, ", ("a", "b")),
        ('"a, b",c', ("a, b", "c")),
        ('5" pipe,c', ('5" pipe', "c")),
        ('"5"" pipe"', ('5" pipe',)),
        ('""', ("",)),
    ],
)
def test_parts_of(text: str, expected: tuple[str, ...]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize("text", ['"a', 'c,"a, b', '"a" b,c', '"a"b"'])
def test_a_quote_that_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="a quoted name must end with a quote"):
        parts(text)


def test_nothing_is_quoted_that_need_not_be() -> None:
    assert joined(["a b", 'x"', "t*", "1.5"]) == 'a b,x",t*,1.5'
