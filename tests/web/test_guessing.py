"""Guessed columns: each of the four shapes, from files as people have them; and never a guess that cannot be asked."""

import csv
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab.data import DataConfig, LabelledStrings, NumberSequences, Series, library, read
from rnnlab.errors import DataError
from rnnlab.web.page.guessing import describe, guess

DRAW = random.Random(5)
DAYS = [f"2024-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 29)]


def table(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def strings(path: Path) -> Path:
    source = library.names()
    return table(
        path, ["nr", "surname", "origin"], [[i, source.texts[i * 40], source.labels[i * 40]] for i in range(400)]
    )


def wide(path: Path) -> Path:
    rows = [[f"p{i}", *(round(DRAW.random(), 3) for _ in range(6)), DRAW.choice(["up", "down"])] for i in range(40)]
    return table(path, ["who", *(f"t{step}" for step in range(1, 7)), "label"], rows)


def long(path: Path) -> Path:
    rows = [[i, step, DRAW.random(), DRAW.random(), "ill" if i % 3 else "well"] for i in range(20) for step in range(5)]
    return table(path, ["subject", "time", "x", "y", "class"], rows)


def series(path: Path) -> Path:
    return table(path, ["date", "visitors"], [[f"2024-01-{day:02d}", DRAW.randrange(90)] for day in range(1, 32)])


def stores(path: Path) -> Path:
    return table(
        path,
        ["date", "store", "item", "sales"],
        [[day, store, 1, DRAW.randrange(90)] for day in DAYS[:28] for store in (1, 2)],
    )


SHAPES = {
    "strings": (strings, {"text": "surname", "target": "origin"}, LabelledStrings),
    "wide": (wide, {"steps": "t*", "target": "label"}, NumberSequences),
    "long": (long, {"id": "subject", "target": "class", "features": ("x", "y"), "time": "time"}, NumberSequences),
    "series": (series, {"time": "date", "value": "visitors", "kind": "forecast"}, Series),
    "stores": (stores, {"time": "date", "value": "sales", "kind": "forecast", "aggregate": "sum"}, Series),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_guesses_the_columns_of(shape: str, tmp_path: Path) -> None:
    make, expected, kind = SHAPES[shape]
    path = make(tmp_path / f"{shape}.csv")
    found = guess(path)
    assert found.options == expected
    assert len(found.sample) == 5
    source = read(DataConfig(data=str(path), **found.options))
    assert isinstance(source, kind)
    assert str(len(source)) in describe(source).replace(",", "")


def test_the_words_name_the_columns(tmp_path: Path) -> None:
    assert "surname" in guess(strings(tmp_path / "a.csv")).words
    assert "sum of sales" in guess(stores(tmp_path / "b.csv")).words


def test_columns_with_commas_are_quoted_in_the_steps(tmp_path: Path) -> None:
    rows = [[DRAW.random(), DRAW.random(), DRAW.random(), f"p{at}", "ab"[at % 2]] for at in range(40)]
    path = table(tmp_path / "file.csv", ["at, 1", "at, 2", "at, 3", "at, who", "label"], rows)
    found = guess(path).options
    assert found["steps"] == '"at, 1","at, 2","at, 3"'
    source = read(DataConfig(data=str(path), **found))
    assert source.values[0].shape == (3, 1)


def test_what_is_no_table_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "rubbish.csv").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DataError, match="UTF-8"):
        guess(tmp_path / "rubbish.csv")
    (tmp_path / "header.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="must have rows"):
        guess(tmp_path / "header.csv")


CELL = st.sampled_from(["1", "2.5", "2024-01-01", "2024-02-03", "a", "long text", "x", "", "nan", "0", "-3"])
NAME = st.sampled_from(
    ["id", "time", "date", "value", "text", "label", "t1", "t2", "t3", "x1", "1", "2", "3", "a b", "Ü", "target"]
)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(NAME, min_size=1, max_size=6, unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.lists(st.tuples(*[CELL] * len(names)), min_size=1, max_size=8))
    )
)
def test_any_guess_is_one_that_can_be_asked(made: tuple[list[str], list[tuple[str, ...]]]) -> None:
    import tempfile

    names, rows = made
    with tempfile.TemporaryDirectory() as folder:
        path = table(Path(folder) / "t.csv", names, [list(row) for row in rows])
        try:
            found = guess(path)
        except DataError:
            return
        config = DataConfig(data=str(path), **found.options)
        named = [config.text, config.target, config.id, config.time, config.value, *config.features]
        assert {name for name in named if name} <= set(names)
