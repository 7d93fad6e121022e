"""Raw input from lines and tables: in its order, in batches, and refused by line."""

import bz2
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.errors import DataError
from rnnlab.runs import Run
from rnnlab.runs.reading import from_file, from_lines, future_times
from rnnlab.tasks import NumberCodec, SeriesCodec, TextCodec

TEXT = TextCodec(characters="ab", labels=("x", "y"))
NUMBERS = {
    features: NumberCodec(offset=(0.0,) * features, scale=(1.0,) * features, labels=("x", "y")) for features in (1, 2)
}
SERIES = SeriesCodec(context_length=3, horizon=2, offset=0.0, scale=1.0)


def run_of(codec: Any, **columns: Any) -> Run:
    about = {"config": {"data": "memory", **columns}} if columns else {}
    return Run("r", ModelConfig(), TrainConfig(), codec, torch.zeros(0), data=about)


def read(run: Run, path: Path, **options: Any) -> list[Any]:
    with from_file(run, path, **options) as batches:
        return [np.asarray(one).tolist() for batch in batches for one in batch.raw]


def test_lines_are_inputs_in_their_order() -> None:
    found = [asked.raw for asked in from_lines(run_of(TEXT), ["\ufeffé ".encode(), b"", b" b"], "names.txt")]
    assert found == [["é", "", "b"]]


def test_lines_are_read_as_they_are_wanted() -> None:
    def endless() -> Iterator[bytes]:
        for number in itertools.count():
            assert number < 20_000, "read on beyond what was asked for"
            yield b"abc\n"

    assert len(next(from_lines(run_of(TEXT), endless(), "pipe")).raw) > 100


@pytest.mark.parametrize("line", ["1 2.5,3", "1;2.5; 3", "[1, 2.5, 3]", "1\t2.5\t3"])
def test_numbers_of_a_line(line: str) -> None:
    (asked,) = from_lines(run_of(NUMBERS[1]), [line], "input")
    assert asked.raw[0].tolist() == [[1.0], [2.5], [3.0]]


def test_features_come_as_json() -> None:
    (asked,) = from_lines(run_of(NUMBERS[2]), ["[[1, 2], [3, 4]]"], "input")
    assert asked.raw[0].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_lines_of_a_series_are_its_last_values() -> None:
    (asked,) = from_lines(run_of(SERIES), ["1", "2 3", "", "4"], "input")
    assert asked.raw[0].tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("codec", "lines", "message"),
    [
        (TEXT, [b"ok", b"\xff"], "input line 2 must be UTF-8 text, got the byte 0xff"),
        (NUMBERS[1], ["1 2", "1 two"], "input line 2 must be numbers, got '1 two'"),
        (NUMBERS[1], ["1 nan"], "input line 1 must be finite numbers"),
        (NUMBERS[1], [""], "input line 1 must be a sequence of 1 features"),
        (NUMBERS[1], ["[1, [2]]"], "input line 1 must be JSON numbers"),
        (NUMBERS[1], ["[" * 100_000], "input line 1 must be JSON numbers"),
        (NUMBERS[1], ["[1, Infinity]"], "input line 1 must be a sequence"),
        (NUMBERS[2], ["1 2 3"], "input line 1 must be a sequence of 2 features"),
        (SERIES, ["1", "2"], "input must have at least the last 3 values, got 2"),
    ],
)
def test_bad_lines_are_named(codec: Any, lines: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message.replace("[", r"\[")):
        list(from_lines(run_of(codec), lines, "input"))


def test_a_table_of_strings_gives_its_column(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('age,who,name\n1,"a, b",x\n2,,y\n3,c,z\n')
    assert read(run_of(TEXT, text="who"), path) == ["a, b", "", "c"]
    assert read(run_of(TEXT), path) == ["x", "y", "z"]
    assert read(run_of(TEXT), path, text="age") == ["1", "2", "3"]


def test_lines_and_tables_may_be_compressed(tmp_path: Path) -> None:
    (tmp_path / "names.txt.bz2").write_bytes(bz2.compress(b"ann\nbob\n"))
    (tmp_path / "names.jsonl.bz2").write_bytes(bz2.compress(b'{"name": "ann"}\n{"name": "bob"}\n'))
    assert read(run_of(TEXT), tmp_path / "names.txt.bz2") == ["ann", "bob"]
    assert read(run_of(TEXT), tmp_path / "names.jsonl.bz2") == ["ann", "bob"]


def test_wide_rows(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("t2,t1,t10,label\n2,1,3,\n5,4,,x\n")
    run = run_of(NUMBERS[1], steps="t*", target="label", missing="end")
    assert read(run, path) == [[[1.0], [2.0], [3.0]], [[4.0], [5.0]]]
    path.write_text("t1,t2\n1,2\n,3\n")
    with pytest.raises(DataError, match=r"wide.csv line 3 must have numbers up to its end"):
        read(run, path)
    path.write_text("t1,t2\n1,2\nx,3\n")
    with pytest.raises(DataError, match=r"wide.csv line 3: t1 must be a number, got 'x'"):
        read(run, path)


def test_long_rows_keep_the_order_of_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("who,t,a,b\nz,2,3,4\nz,1,1,2\ny,1,5,6\nz,3,7,8\n")
    run = run_of(NUMBERS[2], id="who", time="t", features=["a", "b"], target="label")
    with from_file(run, path) as batches:
        (asked,) = batches
    assert asked.ids == ("z", "y")
    assert [one.tolist() for one in asked.raw] == [[[1, 2], [3, 4], [7, 8]], [[5, 6]]]


def test_a_series_continues_after_its_last_time(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("day,visits,other\n" + "".join(f"2024-01-{day:02},{day},{day % 3}\n" for day in range(1, 11)))
    with from_file(run_of(SERIES, value="visits", time="day"), path) as batches:
        (asked,) = batches
    assert asked.raw[0].values[-3:].tolist() == [8.0, 9.0, 10.0]
    (times,) = asked.times
    assert times.astype(str).tolist() == ["2024-01-11", "2024-01-12"]


@pytest.mark.parametrize(
    ("times", "following"),
    [
        (["2024-01-01", "2024-02-01", "2024-03-01"], ["2024-04-01", "2024-05-01"]),
        (["2024-01-15", "2024-02-15", "2024-03-15"], ["2024-04-15", "2024-05-15"]),
        (["2023-10-01", "2024-01-01", "2024-04-01"], ["2024-07-01", "2024-10-01"]),
        (["2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01"], ["2026-01-01", "2027-01-01"]),
        (["2024-01-04", "2024-01-05", "2024-01-08"], ["2024-01-09", "2024-01-10"]),
        (["2024-01-01T22:00:00", "2024-01-01T23:00:00"], ["2024-01-02T00:00:00", "2024-01-02T01:00:00"]),
    ],
)
def test_future_times_follow_the_calendar(times: list[str], following: list[str]) -> None:
    stamps = np.array(times, dtype="datetime64[s]" if "T" in times[0] else "datetime64[D]")
    assert future_times(stamps, 2).astype(stamps.dtype).astype(str).tolist() == following


@pytest.mark.parametrize("name", ["none.txt", "none.csv"])
def test_no_such_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="got nothing at that place"):
        read(run_of(TEXT), tmp_path / name)


def test_json_of_many_sequences_is_one_line_each() -> None:
    lines = [json.dumps([[i, i]] * (i + 1)) for i in range(3)]
    (asked,) = from_lines(run_of(NUMBERS[2]), lines, "input")
    assert [len(one) for one in asked.raw] == [1, 2, 3]
