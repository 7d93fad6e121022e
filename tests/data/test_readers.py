"""Every kind of bad file ends in one line that names the file, the place, the rule and the way out."""

import bz2
import gzip
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from rnnlab.data import (
    DataConfig,
    LabelledStrings,
    NumberSequences,
    Series,
    SeriesCollection,
    read,
    read_names,
    read_series,
    sales,
)
from rnnlab.errors import ConfigError, DataError, InputError

DAYS = "date,sales\n2024-01-01,1\n2024-01-02,2\n2024-01-03,4\n"


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def message(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    assert ";" in text
    return text


# --- what is read ---------------------------------------------------------------------------------------------------


def test_folder_gives_distinct_pairs_without_companions(tmp_path: Path) -> None:
    (tmp_path / "Czech.txt").write_text("Novak \nHora\n\nNovak\n", encoding="utf-8")
    (tmp_path / "Polish.txt").write_bytes("\ufeffNowak\r\nHora\r\n".encode())
    (tmp_path / "README.txt").write_text("not names", encoding="utf-8")
    source = read_names(tmp_path)
    assert list(zip(source.texts, source.labels)) == [
        ("Novak", "Czech"),
        ("Hora", "Czech"),
        ("Nowak", "Polish"),
        ("Hora", "Polish"),
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_strings_of_any_delimiter_and_compression(file, pack, delimiter) -> None:  # type: ignore[no-untyped-def]
    rows = [("text", "label"), ('"O, B; C\t|"', "x"), ("NA", "y"), (" é ", "x")]
    content = "\ufeff" + "\r\n".join(delimiter.join(row) for row in rows)
    source = read_names(file(pack(content.encode())))
    assert source.texts == ("O, B; C\t|", "NA", "é")
    assert source.labels == ("x", "y", "x")


def test_zstd_is_read_by_a_package_that_is_there(
    file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "names.csv.zst"
    with arrow.CompressedOutputStream(str(path), "zstd") as out:
        out.write(b"name,origin\nHora,Czech\nNowak,Polish\n")
    assert read_names(path).texts == ("Hora", "Nowak")

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("rnnlab.data.files.import_module", absent)
    assert message(lambda: read_names(path)) == (
        f"{path} must be unpacked by a package, got zstd and none of zstandard, pyarrow; pip install zstandard, or zstd -d {path}"
    )


def test_numbers_that_do_not_come_again_are_no_labels(file: Callable[..., Path]) -> None:
    """A series without its flags has two columns, as labelled strings have."""
    days = file("day,visits\n" + "".join(f"2024-01-{day:02},{day}.5\n" for day in range(1, 32)))
    assert message(lambda: read_names(days)).startswith(
        f"target must be labels that come again, got 31 different numbers for 31 strings in {days.name}, 'day' and 'visits'; name a "
        "column of labels, or pass --time and --value for a series"
    )
    stars = file("text,stars\n" + "".join(f"review {row},{row % 5}\n" for row in range(31)))
    assert len(read_names(stars).classes) == 5
    few = file("text,label\na,1\nb,2\nc,3\n")
    assert len(read_names(few).classes) == 3


def test_json_lines_parquet_and_utf16_give_the_same_strings(file, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    plain = read_names(file("name,origin\nA b,x\nÉ,y\n"))
    lines = read_names(file('{"name": "A b", "origin": "x"}\n{"name": "É", "origin": "y"}\n', "data.jsonl"))
    array = read_names(file('[{"name": "A b", "origin": "x"},\n {"name": "É", "origin": "y"}]', "data.json"))
    wide = read_names(file("name,origin\nA b,x\nÉ,y\n".encode("utf-16"), "wide.csv"))
    duckdb.sql(f"COPY (FROM (VALUES ('A b', 'x'), ('É', 'y')) t(name, origin)) TO '{tmp_path / 'data.parquet'}'")
    parquet = read_names(tmp_path / "data.parquet")
    assert {one.fingerprint for one in (plain, lines, array, wide, parquet)} == {plain.fingerprint}


def test_file_name_with_wildcards_is_one_file(file) -> None:  # type: ignore[no-untyped-def]
    file("date,sales\n2024-01-01,9\n2024-01-02,8\n", "a1.csv")
    assert read_series(file(DAYS, "a[1]*?.csv")).values.tolist() == [1, 2, 4]


def test_lab_file_gives_the_mean_or_one_store(file) -> None:  # type: ignore[no-untyped-def]
    rows = [
        f"2024-01-0{day},{store},{item},{day * 100 + store * 10 + item}"
        for item in (1, 2)
        for store in (1, 2)
        for day in (1, 2, 3)
    ]
    path = file("date,store,item,sales\n" + "\n".join(rows))
    assert read_series(path).values.tolist() == [116.5, 216.5, 316.5]
    assert read_series(path, where={"store": "1"}).values.tolist() == [111.5, 211.5, 311.5]
    assert read_series(path, where={"store": "2", "item": "1"}).values.tolist() == [121, 221, 321]


@pytest.mark.parametrize(
    ("times", "season"),
    [
        (["2024-01-31", "2024-02-01", "2024-02-02"], 7),
        (["31.01.2024", "01.02.2024", "02.02.2024"], 7),
        (["31/1/2024", "1/2/2024", "2/2/2024"], 7),
        (["1/31/2024", "2/1/2024", "2/2/2024"], 7),
        (["20240131", "20240201", "20240202"], 7),
        (["31 Jan 2024", "01 Feb 2024", "02 Feb 2024"], 7),
        (["2024-01-31 22:00", "2024-01-31 23:00", "2024-02-01 00:00"], 24),
        (["2024-01-31T23:30:00Z", "2024-01-31T23:45:00Z", "2024-02-01T00:00:00Z"], 96),
        (["2023-11-01", "2023-12-01", "2024-01-01"], 12),
        (["2023-11", "2023-12", "2024-01"], 12),
        (["2023-01-01", "2023-04-01", "2023-07-01"], 4),
        (["2023", "2024", "2025"], 1),
        (["2024-01-01", "2024-01-08", "2024-01-15"], 52),
    ],
)
def test_dates_are_recognised(file, times: list[str], season: int) -> None:  # type: ignore[no-untyped-def]
    series = read_series(file("when,value\n" + "".join(f"{time},{i}\n" for i, time in enumerate(times))), time="when")
    assert series.season == season
    assert len(series) == 3
    if season == 7:
        assert series.times.astype(str).tolist() == ["2024-01-31", "2024-02-01", "2024-02-02"]


def test_decimal_commas_are_recognised(file) -> None:  # type: ignore[no-untyped-def]
    path = file("date;sales\n2024-01-01;1,5\n2024-01-02;-1.234,25\n2024-01-03;7\n")
    assert read_series(path).values.tolist() == [1.5, -1234.25, 7]


@pytest.mark.parametrize(
    ("fill", "expected"),
    [("zero", [1, 0, 0, 4, 0, 6]), ("previous", [1, 1, 1, 4, 4, 6]), ("linear", [1, 2, 3, 4, 5, 6])],
)
def test_fill_closes_gaps_and_missing_values(file, fill, expected: list[float]) -> None:  # type: ignore[no-untyped-def]
    path = file("date,sales\n2024-01-01,1\n2024-01-04,4\n2024-01-05,\n2024-01-06,6\n")
    assert read_series(path, fill=fill).values.tolist() == expected


# --- what is refused ------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_read_are_named(tmp_path: Path, file) -> None:  # type: ignore[no-untyped-def]
    absent = tmp_path / "absent.csv"
    assert message(lambda: read_names(absent)) == (
        f"{absent} must be a file or folder, got nothing at that place; check the path"
    )
    assert message(lambda: read_names(tmp_path)) == (
        f"{tmp_path} must hold LABEL.txt files, got none; put one string a line into a file a label"
    )
    assert message(lambda: read_series(tmp_path)) == f"{tmp_path} must be a file, got a folder; name a file in it"
    empty = file(b"")
    assert message(lambda: read_names(empty)) == (
        f"{empty} must have a header and rows, got an empty file; check where it was written"
    )
    for name, content, noun in [
        ("a.xlsx", b"PK\x03\x04abc", "an archive or a workbook"),
        ("a.pkl", b"\x80\x04\x95x", "a pickle"),
    ]:
        foreign = file(content, name)
        assert message(lambda path=foreign: read_names(path)).startswith(
            f"{foreign} must be CSV, TSV, JSON lines or Parquet, got {noun}"
        )
    cut = file(gzip.compress(DAYS.encode() * 50)[:-20], "cut.csv.gz")
    assert message(lambda: read_series(cut)).startswith(f"{cut} must be a whole compressed file, got ")


def test_empty_label_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n")
    assert message(lambda: read_names(tmp_path)).startswith(
        f"{tmp_path / 'a.txt'} must hold one string a line, got none"
    )


def test_label_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"ok\nM\xfcller\n")
    assert f"{tmp_path / 'a.txt'} line 2 must be UTF-8 text, got the byte 0xfc;" in message(
        lambda: read_names(tmp_path)
    )


def test_one_class_is_refused(tmp_path: Path, file) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.txt").write_text("x\ny\n")
    assert message(lambda: read_names(tmp_path)).startswith("target must have at least two classes, got one: 'a' in ")
    path = file("name,origin\na,x\nb,x\n")
    assert message(lambda: read_names(path)).startswith(
        "target must have at least two classes, got one: 'x' in data.csv"
    )


BAD_STRINGS = [
    ("name,origin\n", "{} must have rows, got a header alone; check the file"),
    ("\n\nname\n", "{} line 1 must be a header, got a blank line; name the columns in the first line"),
    ("a,a\n1,2\n", "{} line 1 must name each column once, got 'a' twice; rename one of them"),
    ("a,b,c\n1,2,3\n", "target must be named, got the columns a, b, c in {}; pass target with one of them"),
    (
        'name,origin\na,x\n"b\nc",y,z\n',
        "{} line 3 must have 2 cells like the header, got 3; mend the line, or quote a cell that holds the delimiter",
    ),
    ("name,origin\na\n", "{} line 2 must have 2 cells like the header, got 1; "),
    ('name,origin\na,"x\nb,y\n', "{} line 2 must close its quote, got a quote that stays open; "),
    (b"name,origin\na,x\nM\xfcller,y\n", "{} line 3 must be UTF-8 text, got the byte 0xfc; save it as UTF-8"),
    (b"name,origin\na,x\nb\0,y\n", "{} line 3 must be text, got a NUL byte; save it as UTF-8 text"),
    ("name,origin\na,x\n,y\n", "{} line 3: name must be text, got an empty cell; fill it, or pass --missing drop"),
    (
        "name,origin\na,x\n\nb,  \n",
        "{} line 4: origin must be text, got an empty cell; fill it, or pass --missing drop",
    ),
]


@pytest.mark.parametrize(("content", "expected"), BAD_STRINGS)
def test_bad_strings_are_named_by_line(file, content: str | bytes, expected: str) -> None:  # type: ignore[no-untyped-def]
    path = file(content)
    assert message(lambda: read_names(path)).startswith(expected.format(path))


def test_missing_column_lists_the_columns(file) -> None:  # type: ignore[no-untyped-def]
    path = file("name,origin\na,x\n")
    assert message(lambda: read_names(path, target="orign")) == (
        f"{path} must have the column 'orign', got name, origin (nearest: origin); pass target with one of them"
    )
    assert message(lambda: read_series(path, time="origins", value="name")).startswith(
        f"{path} must have the column 'origins'"
    )


def test_broken_json_is_named_by_line(file) -> None:  # type: ignore[no-untyped-def]
    path = file('{"name": "a", "origin": "x"}\n{"name": "b" "origin": "y"}\n', "data.jsonl")
    assert message(lambda: read_names(path)).startswith(f"{path} line 2 must be JSON, got ")


BAD_SERIES = [
    (
        "2024-01-01,1\n2024-01-02,two\n",
        "{} line 3: sales must be a number, got 'two'; correct it, or name another column",
    ),
    ("2024-01-01,1\n2024-01-02,NaN\n", "{} line 3: sales must be a number, got 'NaN'; fill it, or pass --fill zero"),
    (
        "2024-01-01,1\n2024-01-02,\n",
        "{} line 3: sales must be a number, got an empty cell; fill it, or pass --fill zero",
    ),
    ("2024-01-01,1\n2024-01-02,-inf\n", "{} line 3: sales must be finite, got '-inf'; correct the value"),
    ("2024-01-01,1\n2024-01-02,1e999\n", "{} line 3: sales must be within the range of a double, got '1e999'; "),
    (
        '2024-01-01,"1,234.5"\n2024-01-02,2\n',
        "{} line 2: sales must be a number without separators of thousands, got '1,",
    ),
    ('2024-01-01,"1,234"\n2024-01-02,2\n', "{} line 2: sales must be a number of one meaning, got '1,234' (decimal"),
    ('2024-01-01,"1,5"\n2024-01-02,2.5\n', "{} line 2: sales must have one decimal sign, got '1,5' beside numbers"),
    ("2024-01-01,1\nyesterday,2\n", "{} line 3: date must be a time, got 'yesterday'; write it as 2024-01-31"),
    ("2024-01-01,1\n2024-02-30,2\n", "{} line 3: date must be a time, got '2024-02-30'; write it as 2024-01-31"),
    ("2024-01-01,1\n,2\n", "{} line 3: date must be a time, got an empty cell; fill it or drop the row"),
    ("01/02/2024,1\n01/03/2024,2\n", "{} line 2: date must be a date of one meaning, got '01/02/2024' (day first or"),
    (
        "2024-01-02,1\n2024-01-01,2\n",
        "{} line 3: date must rise, got 2024-01-01 after 2024-01-02; sort the file, or pass",
    ),
    (
        "2024-01-01,1\n2024-01-02,2\n2024-01-02,2\n",
        "{} line 4: date must be there once, got 2024-01-02 in 2 rows; pass",
    ),
    (
        "2024-01-01,1\n2024-01-02,2\n2024-01-04,2\n",
        "{} must have every day, got none between 2024-01-02 and 2024-01-04 (1 of 4 missing); pass --fill zero",
    ),
    ("2024-01-01,3\n2024-01-02,3\n", "{}: sales must vary, got 3 in all 2 rows; name another column"),
    ("2024-01-01,3\n", "{} must have at least 2 times, got 1; give a longer series"),
    (
        "2024-01-01,1\n2024-01-02,2\n2024-01-03 07:00,2\n",
        "{} must have one time a day, got 2024-01-03T07:00:00 off the grid; pass --frequency",
    ),
]


@pytest.mark.parametrize(("rows", "expected"), BAD_SERIES)
def test_bad_series_are_named_by_line(file, rows: str, expected: str) -> None:  # type: ignore[no-untyped-def]
    path = file("date,sales\n" + rows)
    assert message(lambda: read_series(path, time="date", value="sales")).startswith(expected.format(path))


def test_several_series_where_one_was_named(file) -> None:  # type: ignore[no-untyped-def]
    rows = [f"2024-01-0{day},{shop},{day * len(shop)}" for shop in ("a", "bb") for day in (1, 2, 3)]
    path = file("date,shop,sales\n" + "\n".join(rows))
    assert message(lambda: read_series(path, value="sales")) == (
        f"{path} must hold one series, got 2 told apart by 'shop'; pass --id shop, or --aggregate mean"
    )


def test_several_series_told_apart_by_two_columns(file) -> None:  # type: ignore[no-untyped-def]
    rows = [f"2024-01-0{d},{s},{i},{d}" for s in (1, 2) for i in (1, 2) for d in (1, 2, 3)]
    path = file("date,store,item,sales\n" + "\n".join(rows))
    assert message(lambda: read(DataConfig(data=str(path), time="date", value="sales"))) == (
        f"{path} must hold one series, got 4 told apart by 'store' and 'item'; "
        "pass --where store=...,item=..., or --aggregate mean"
    )


def test_newest_first_is_one_series_whatever_stands_beside_it(file) -> None:  # type: ignore[no-untyped-def]
    """A column of two values does not make two series of times that are all different."""
    rows = [f"2024-01-{day:02},{day % 2},{day}" for day in range(28, 0, -1)]
    path = file("date,promo,sales\n" + "\n".join(rows))
    assert message(lambda: read(DataConfig(data=str(path), time="date", value="sales"))) == (
        f"{path} line 3: date must rise, got 2024-01-27 after 2024-01-28; sort the file, or pass --sort"
    )
    assert len(read(DataConfig(data=str(path), time="date", value="sales", sort=True))) == 28


def test_ambiguous_columns_and_empty_filter_are_named(file) -> None:  # type: ignore[no-untyped-def]
    path = file("date,a,b\n2024-01-01,1,2\n2024-01-02,3,4\n")
    assert message(lambda: read_series(path)) == (
        f"value must be named, got 2 columns that fit in {path}: a, b; pass value"
    )
    assert message(lambda: read_series(path, value="a", where={"b": "7"})) == (
        f"{path} must have rows, got none with b=7; check the file and the filter"
    )
    path = file("x,a\n1,1\n2,3\n")
    assert message(lambda: read_series(path)) == (
        f"{path} must have a column of dates, got a, x; pass time with a column's name"
    )


# --- read(DataConfig) -----------------------------------------------------------------------------------------------


def test_flags_say_the_shape(file) -> None:  # type: ignore[no-untyped-def]
    path = str(file("name,origin\na,x\nb,y\n"))
    assert isinstance(read(DataConfig(data=path)), LabelledStrings)
    assert isinstance(read(DataConfig(data=path, text="origin", target="name")), LabelledStrings)
    assert isinstance(read(DataConfig(data=str(file(DAYS)), time="date", value="sales")), Series)


def test_wide_rows_come_in_natural_order(file) -> None:  # type: ignore[no-untyped-def]
    path = file("t10,t2,t1,y\n3,2,1,0.5\n6,5,4,1.5\n")
    for steps in ("t*", "t1,t2,t10"):
        source = read(DataConfig(data=str(path), steps=steps, target="y"))
        assert isinstance(source, NumberSequences)
        assert [one[:, 0].tolist() for one in source.values] == [[1, 2, 3], [4, 5, 6]]
        assert source.targets.tolist() == [0.5, 1.5]  # type: ignore[union-attr]
    first = read(DataConfig(data=str(path), steps="t{1..2}", target="y"))
    assert isinstance(first, NumberSequences)
    assert first.values[0].shape == (2, 1)


@pytest.mark.parametrize(
    ("targets", "kind", "expected"),
    [
        ("1,2,1", None, ("1", "2", "1")),
        ("a,b,a", None, ("a", "b", "a")),
        ("1.0,2.5,1.0", None, [1, 2.5, 1]),
        ("1,2,1", "regress", [1, 2, 1]),
        ("1.5,2,1.5", "classify", ("1.5", "2", "1.5")),
    ],
)
def test_target_says_the_kind(file, targets: str, kind: str | None, expected: object) -> None:  # type: ignore[no-untyped-def]
    rows = "".join(f"{i},{i + 1},{target}\n" for i, target in enumerate(targets.split(",")))
    source = read(DataConfig(data=str(file("a1,a2,y\n" + rows)), steps="a*", target="y", kind=kind))
    assert isinstance(source, NumberSequences)
    assert (source.targets if isinstance(source.targets, tuple) else source.targets.tolist()) == expected


def test_quantities_are_not_taken_for_labels(file) -> None:  # type: ignore[no-untyped-def]
    path = file("a1,a2,y\n" + "".join(f"{i},{-i},{i}\n" for i in range(50)))
    assert message(lambda: read(DataConfig(data=str(path), steps="a*", target="y"))) == (
        "kind must be said where y is whole numbers, 50 different ones in 50 sequences; "
        "pass --kind regress or --kind classify"
    )


def test_empty_ends_end_wide_rows_and_holes_are_refused(file) -> None:  # type: ignore[no-untyped-def]
    path = str(file("a1,a2,a3,y\n1,2,3,x\n4,5,,y\n6,,,x\n"))
    assert (
        "line 4: a2 must be a number, got an empty cell; fill it, or pass --missing drop, or --missing end"
        in message(lambda: read(DataConfig(data=path, steps="a*", target="y")))
    )
    source = read(DataConfig(data=path, steps="a*", target="y", missing="end"))
    assert isinstance(source, NumberSequences)
    assert [len(one) for one in source.values] == [3, 2, 1]
    holed = str(file("a1,a2,a3,y\n1,2,3,x\n4,,5,y\n"))
    assert "line 3: a2 must be a number, got an empty cell before the end" in message(
        lambda: read(DataConfig(data=holed, steps="a*", target="y", missing="end"))
    )
    kept = read(DataConfig(data=str(file("a1,a2,y\n1,2,x\n4,,y\n6,7,y\n")), steps="a*", target="y", missing="drop"))
    assert len(kept) == 2


LONG = "who,t,a,b,y\np,1,1,5,x\nq,1,9,8,z\np,2,2,6,x\nq,3,7,7,z\np,10,3,7,x\n"


def test_long_rows_become_ragged_sequences(file) -> None:  # type: ignore[no-untyped-def]
    source = read(DataConfig(data=str(file(LONG)), id="who", time="t", features="a,b", target="y"))
    assert isinstance(source, NumberSequences)
    assert source.targets == ("x", "z")
    assert source.features == ("a", "b")
    assert [one.tolist() for one in source.values] == [[[1, 5], [2, 6], [3, 7]], [[9, 8], [7, 7]]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("p,10,3,7,x", "p,1.5,3,7,x", "line 6: t must rise in 'p', got 1.5 after 2.0; sort the file, or pass --sort"),
        ("p,10,3,7,x", "p,2,3,7,x", "line 6: t must rise in 'p', got 2.0 after 2.0; pass --aggregate mean"),
        ("p,10,3,7,x", "p,10,3,7,z", "line 6: y must be one value a sequence, got 'x' and 'z' in who 'p'; "),
        ("p,10,3,7,x", "p,10,,7,x", "line 6: a must be a number, got an empty cell; fill it, or pass --missing drop"),
        ("p,10,3,7,x", ",10,3,7,x", "line 6: who must name a sequence, got an empty cell; fill it"),
        ("p,10,3,7,x", "p,soon,3,7,x", "line 6: t must be a number, got 'soon'; "),
    ],
)
def test_bad_long_rows_are_named_by_line(file, old: str, new: str, expected: str) -> None:  # type: ignore[no-untyped-def]
    path = file(LONG.replace(old, new))
    config = DataConfig(data=str(path), id="who", time="t", features="a,b", target="y")
    assert message(lambda: read(config)).startswith(f"{path} {expected}")


def test_sorting_and_aggregating_mend_long_rows(file) -> None:  # type: ignore[no-untyped-def]
    path = str(file(LONG.replace("p,10,3,7,x", "p,1,3,7,x")))
    flags = {"id": "who", "time": "t", "features": "a,b", "target": "y"}
    mended = read(DataConfig(data=path, **flags, aggregate="mean"))
    assert isinstance(mended, NumberSequences)
    assert mended.values[0].tolist() == [[2, 6], [2, 6]]
    ordered = read(DataConfig(data=str(file(LONG.replace("p,10,3,7,x", "p,0,3,7,x"))), **flags, sort=True))
    assert isinstance(ordered, NumberSequences)
    assert ordered.values[0][:, 0].tolist() == [3, 1, 2]


def test_constant_feature_is_refused(file) -> None:  # type: ignore[no-untyped-def]
    path = file("who,a,b,y\np,1,5,x\nq,1,9,z\n")
    assert message(lambda: read(DataConfig(data=str(path), id="who", features="a,b", target="y"))) == (
        f"{path}: a must vary, got 1 everywhere; leave it out, or name another column"
    )


def test_collection_has_a_series_for_each_id_and_its_known_columns(file) -> None:  # type: ignore[no-untyped-def]
    builtin = Path(__file__).resolve().parents[2] / "src/rnnlab/data/builtin/sales_by_country.csv"
    source = read(DataConfig(data=str(builtin), time="date", value="revenue", id="country", known="open"))
    assert isinstance(source, SeriesCollection)
    assert len(source) == 8
    assert source.names[0] == "United Kingdom"
    assert np.array_equal(source.series[0].values, sales("revenue", "United Kingdom").values)
    assert np.array_equal(source.series[0].known["open"], sales().known["open"])
    assert source.season == 7


def test_frequency_and_aggregate_make_a_calendar(file) -> None:  # type: ignore[no-untyped-def]
    rows = "2024-01-01 07:00,1\n2024-01-01 19:00,2\n2024-01-03 08:00,5\n2024-01-02 08:00,7\n"
    path = str(file("time,value\n" + rows))
    source = read(DataConfig(data=path, time="time", value="value", frequency="day", aggregate="sum"))
    assert isinstance(source, Series)
    assert source.values.tolist() == [3, 7, 5]
    monthly = str(file("time,value\n2024-01-07,1\n2024-02-29,2\n2024-03-01,5\n"))
    source = read(DataConfig(data=monthly, time="time", value="value", frequency="month"))
    assert isinstance(source, Series)
    assert source.season == 12


def test_business_days_have_no_weekends(file) -> None:  # type: ignore[no-untyped-def]
    path = str(file("date,value\n2024-01-04,1\n2024-01-05,2\n2024-01-08,5\n2024-01-10,5\n"))
    flags = {"data": path, "time": "date", "value": "value"}
    assert "got none between 2024-01-05 and 2024-01-08" in message(lambda: read(DataConfig(**flags)))
    source = read(DataConfig(**flags, frequency="business", fill="previous"))
    assert isinstance(source, Series)
    assert source.values.tolist() == [1, 2, 5, 5, 5]
    assert source.season == 5


def test_series_shorter_than_the_horizon_is_refused(file) -> None:  # type: ignore[no-untyped-def]
    path = str(file(DAYS))
    assert message(lambda: read(DataConfig(data=path, time="date", value="sales", horizon=7))).startswith(
        f"{path}: series must be longer than the horizon 7, got 3 times in 'sales'; "
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"text": "a", "value": "b"}, "value must not go with text, got both; pass text (strings), steps"),
        ({"steps": "t*"}, "target must be named with steps, got none; pass the column to predict"),
        ({"features": "a,b", "target": "y"}, "id and target must be named with features, got not both; "),
        (
            {"time": "t", "value": "v", "known": "a,a"},
            "'a' must be named once among the columns, got it twice; drop one",
        ),
        ({"text": "a", "target": "b", "kind": "regress"}, "kind must fit the columns, got regress for strings; "),
        ({"where": "store"}, "where must be COLUMN=TEXT, got 'store'; write it as store=1"),
        ({"time": "t", "value": "v", "horizon": 0}, "horizon must be greater than or equal to 1, got 0; "),
    ],
)
def test_flags_that_contradict_are_refused(flags: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DataConfig(data="x.csv", **flags)
    assert str(caught.value).startswith(expected)


def test_folder_takes_no_columns(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="columns must be left out with a folder"):
        read(DataConfig(data=str(tmp_path), text="a", target="b"))


@pytest.mark.parametrize("steps", ["x*", "t{3..1}"])
def test_pattern_that_fits_nothing_is_named(file, steps: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="steps must"):
        read(DataConfig(data=str(file("t1,y\n1,2\n")), steps=steps, target="y"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_does_not_grow_with_text_that_is_not_asked_for(tmp_path: Path) -> None:
    """The peak of reading 200,000 rows has a ceiling: DuckDB's buffers fill, and then 1,200 characters more a row change little."""
    # VmHWM, not ru_maxrss: the latter begins with the size of the process that started this one.
    code = (
        "import sys; from rnnlab.data import read_names; read_names(sys.argv[1], text='t', target='l'); "
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    peaks = []
    for width in (600, 1800):
        path = tmp_path / f"{width}.csv"
        with path.open("w") as out:
            out.write("t,l,notes\n")
            out.writelines(f"name{i},{i % 5},{'x' * width}\n" for i in range(200_000))
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 80  # MiB; the file grew by 229
