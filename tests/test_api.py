"""rnnlab from Python: the same as the command line, and examples that run."""

import doctest
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnlab import api
from rnnlab.cli import main
from rnnlab.data import LabelledStrings, NumberSequences, Series
from rnnlab.errors import ConfigError, DataError, InputError, RunFolderError
from rnnlab.runs import load

TEXTS = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345")
STRINGS = LabelledStrings(TEXTS, tuple(text[0].upper() for text in TEXTS))


def write(path: Path) -> Path:
    path.write_text("name,origin\n" + "".join(f"{text},{text[0].upper()}\n" for text in TEXTS))
    return path


def test_the_examples_run() -> None:
    found = doctest.testmod(api)
    assert found.attempted >= 10
    assert found.failed == 0


def test_every_name_is_documented_with_an_example() -> None:
    for name in api.__all__:
        assert ">>>" in (getattr(api, name).__doc__ or ""), name


def test_it_trains_what_the_command_line_trains(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv")
    run = api.train(path, hidden_size=4, max_steps=5)
    assert (
        main(["train", str(path), "--hidden-size", "4", "--max-steps", "5", "--out", str(tmp_path / "run"), "--json"])
        == 0
    )
    assert torch.equal(run.weights, load(tmp_path / "run").weights)
    assert [one["name"] for one in run.data["baselines"]] == ["prior", "ngrams"]


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    api.train(STRINGS, hidden_size=2, max_steps=1, threads=2)
    assert torch.get_num_threads() == before


def test_sources_in_memory_train_and_say_that_they_cannot_be_verified(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    numbers = NumberSequences(
        tuple(draw.normal(size=(4, 1)) for _ in range(30)), draw.normal(size=30).astype(np.float32)
    )
    days = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
    series = Series(days, np.sin(np.arange(len(days)) / 3) + 5, "visits", season=7)
    for source, kind in ((STRINGS, "classify"), (numbers, "regress"), (series, "forecast")):
        run = api.train(source, hidden_size=3, max_steps=2, out=tmp_path / kind)
        assert run.data["kind"] == kind
        with pytest.raises(RunFolderError, match="must say where its data are"):
            api.verify(tmp_path / kind)
    assert api.predict(tmp_path / "classify", ["ax1"])[0]["prediction"] in "AB"
    assert api.resume(tmp_path / "classify").status == "done"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hiden_size": 3}, ConfigError, "nearest: hidden_size"),
        ({"cell": "lsmt"}, ConfigError, "nearest: lstm"),
        ({"lr": float("nan")}, ConfigError, "lr must"),
        ({"device": "warp"}, ConfigError, "device must be available"),
        ({"test": 0.9}, InputError, "validation must"),
    ],
)
def test_bad_options_say_what_to_do(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        api.train(STRINGS, **options)  # type: ignore[arg-type]


def test_bad_data_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got nothing"):
        api.train(tmp_path / "none.csv")
    with pytest.raises(RunFolderError, match="got nothing"):
        api.load(tmp_path / "none")
