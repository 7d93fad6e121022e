"""Whatever the bytes: a reader gives a source, or one line of `InputError`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlab.data import DataConfig, LabelledStrings, NumberSequences, Series, SeriesCollection, read
from rnnlab.errors import InputError

SOURCES = (LabelledStrings, NumberSequences, Series, SeriesCollection)
CELLS = st.sampled_from(
    [
        "", "1", "2.5", "-3", "1,5", '"1,5"', "nan", "inf", "1e400", "0x10", "1_000", "-", "NULL", "=1+1",
        "x", "é", '"', '""', '"a\nb"', "\x00", "\ufeff", "t1", "y", "id",
        "2024-01-01", "2024-01-02", "01/02/2024", "20240103", "2024-01-04 10:00",
    ]
)  # fmt: skip
TABLES = st.tuples(
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6),
    st.booleans(),
).map(lambda t: (t[1].join(t[0].join(row) for row in ([["id", "t1", "t2", "y"]] if t[3] else []) + t[2])).encode())
JSON = st.lists(
    st.sampled_from(
        ['{"id": 1, "t1": "2024-01-01", "t2": 2, "y": "a"}', '{"id": {"x": 1}, "y": [1]}', "{}", "null", "[]", "{", "7"]
    )
).map(lambda lines: "\n".join(lines).encode())
HEADS = st.sampled_from(
    [b"", b"\x1f\x8b\x08", b"PAR1", b"PK\x03\x04", b"\xff\xfe", b"BZh9", b"\xfd7zXZ\x00", b"\xef\xbb\xbf", b"id,y\n"]
)
BYTES = st.tuples(HEADS, st.binary(max_size=200)).map(b"".join)
FLAGS = st.sampled_from(
    [
        {},
        {"text": "id", "target": "y"},
        {"text": "id", "target": "y", "missing": "drop"},
        {"steps": "t*", "target": "y"},
        {"steps": "t{1..2}", "target": "y", "missing": "end"},
        {"steps": "t1,t2", "target": "y", "missing": "drop", "kind": "regress"},
        {"id": "id", "time": "t1", "features": "t2", "target": "y"},
        {"id": "id", "time": "t1", "features": "t2", "target": "y", "aggregate": "mean", "sort": True},
        {"time": "t1", "value": "t2"},
        {"kind": "forecast", "sort": True},
        {"time": "t1", "value": "t2", "id": "id", "fill": "linear", "aggregate": "last"},
        {"time": "t1", "value": "t2", "known": "y", "frequency": "month", "aggregate": "sum", "fill": "zero"},
        {"time": "t1", "value": "t2", "frequency": "business", "aggregate": "mean", "fill": "previous"},
    ]
)
SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def source_or_one_line(path: Path, flags: dict[str, object]) -> None:
    try:
        source = read(DataConfig(data=str(path), **flags))
    except InputError as error:
        text = str(error)
        assert text
        assert not set("\n\r") & set(text)
        assert len(text) < 2_000
        return
    assert isinstance(source, SOURCES)
    assert len(source) > 0


@pytest.mark.parametrize(("content", "suffix"), [(TABLES, "csv"), (BYTES, "csv"), (JSON, "jsonl"), (BYTES, "json")])
def test_any_bytes_give_a_source_or_one_line(tmp_path: Path, content: st.SearchStrategy[bytes], suffix: str) -> None:
    @SETTINGS
    @given(content, FLAGS)
    def check(data: bytes, flags: dict[str, object]) -> None:
        path = tmp_path / f"data.{suffix}"
        path.write_bytes(data)
        source_or_one_line(path, flags)

    run: Callable[[], None] = check
    run()


@SETTINGS
@given(content=BYTES)
def test_any_label_files_give_a_source_or_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "b.txt").write_text("x\n")
    source_or_one_line(tmp_path, {})
