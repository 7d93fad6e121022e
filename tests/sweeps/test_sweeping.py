"""A sweep: every combination, the same as runs trained alone, kept through interruptions, mapped, dropped, searched."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

import rnnlab
from rnnlab.config import CELL_NAMES
from rnnlab.data import LabelledStrings
from rnnlab.errors import ConfigError, OutputError
from rnnlab.reports import render
from rnnlab.runs import load
from rnnlab.sweeps import Sweeping, prepare, sweep
from rnnlab.sweeps.report import study_of
from rnnlab.training import train

TEXTS = tuple(f"{a}{b}{c}" for a in "abc" for b in "uvwxyz" for c in "123456")
STRINGS = LabelledStrings(TEXTS, tuple(text[0].upper() for text in TEXTS))
SMALL = {"hidden_size": [4, 6], "bidirectional": False, "epochs": 3, "lr": [0.003, 0.03], "seeds": 2}


def done(sweeping: Sweeping) -> Sweeping:
    for _ in sweeping:
        pass
    return sweeping


def test_every_combination_is_trained_and_mapped() -> None:
    found = rnnlab.sweep("binary", cell="rnn,lstm", dropout=[0.0, 0.2], **SMALL)
    assert found.complete
    wanted = {
        (cell, size, rate, dropout, seed)
        for cell in ("elman", "lstm")
        for size in (4, 6)
        for rate in (0.003, 0.03)
        for dropout in (0.0, 0.2)
        for seed in (0, 1)
    }
    assert {
        (*(row.setting[name] for name in ("cell", "hidden_size", "lr", "dropout")), row.seed) for row in found.rows
    } == wanted
    assert [(place.cell, place.hidden_size, place.lr) for place in found.map] == [
        (cell, size, rate) for cell in ("elman", "lstm") for size in (4, 6) for rate in (0.003, 0.03)
    ]
    place = found.map[0]
    means = [
        sum(row.metrics["validation"]["rmse"] for row in found.rows if row.setting == setting) / 2
        for setting in ({"cell": "elman", "hidden_size": 4, "lr": 0.003, "dropout": dropout} for dropout in (0.0, 0.2))
    ]
    assert place.score == pytest.approx(min(means)), "of other options the map shows the best"
    assert place.runs == 4
    best = min(row.score("rmse") or math.inf for row in found.best)
    assert best <= min(
        sum(r.score("rmse") or 0 for r in found.rows if r.setting == row.setting) / 2 for row in found.rows
    )
    records = list(csv.DictReader(io.StringIO(found.csv())))
    assert len(records) == 32
    assert float(records[5]["validation_rmse"]) == found.rows[5].metrics["validation"]["rmse"]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["done"] == 32
    assert "Best learning rate over parameters" in render([study_of(found)], title="Sweep")


def test_rows_are_the_runs_that_train_gives_alone() -> None:
    sweeping = done(prepare("binary", {**SMALL, "cell": list(CELL_NAMES), "weight_decay": [0.0, 0.1]}))
    found = sweeping.result()
    base = sweeping.plan.training
    for row in found.rows[::5]:
        model = sweeping.plan.model.replace(cell=row.setting["cell"], hidden_size=row.setting["hidden_size"])
        config = base.replace(lr=row.setting["lr"], weight_decay=row.setting["weight_decay"], seed=row.seed)
        alone = train(sweeping.plan.task, model, config)[0]
        for part, metrics in alone.metrics.items():
            assert row.metrics[part] == pytest.approx(metrics, rel=2e-4), row
        assert row.parameters == len(alone.weights)


def test_a_finished_stack_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begun() -> Sweeping:
        made = prepare("binary", {**SMALL, "cell": "rnn,gru"})
        made.keep_in(tmp_path / "out")
        return made

    whole = done(prepare("binary", {**SMALL, "cell": "rnn,gru"})).result()
    first = begun()
    assert len(first.stacks) == 4
    for _ in first:
        if len(first.result().rows) == 8:
            break
    assert not first.result().complete
    second = begun()
    assert second.known == 8
    trained = 0
    steps = iter(second)
    for _ in steps:
        trained = len(second.result().rows) - second.result().reused
    assert trained == 8
    assert second.result().reused == 8
    assert [row.metrics for row in second.result().rows] == [row.metrics for row in whole.rows], "to the bit"
    third = begun()
    monkeypatch.setattr("rnnlab.sweeps.stack_work.Training", None)
    done(third).write()
    assert third.result().reused == 16
    best = third.result().best
    runs = sorted(path.name for path in (tmp_path / "out" / "runs").iterdir())
    assert runs == ["elman-seed0", "elman-seed1", "gru-seed0", "gru-seed1"]
    assert load(tmp_path / "out" / "runs" / f"{best[0].setting['cell']}-seed0").metrics == best[0].metrics


def test_a_larger_grid_trains_what_is_new_in_it(tmp_path: Path) -> None:
    sweep("binary", out=tmp_path / "out", **SMALL)
    more = sweep("binary", out=tmp_path / "out", **{**SMALL, "seeds": 3})
    assert (len(more.rows), more.reused) == (12, 8)


def test_a_damaged_stack_is_trained_again_and_other_folders_are_refused(tmp_path: Path) -> None:
    sweep("binary", out=tmp_path / "out", **SMALL)
    (next((tmp_path / "out" / "stacks").glob("*.json"))).write_text("{")
    assert sweep("binary", out=tmp_path / "out", **SMALL).reused == 4
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("mine")
    with pytest.raises(OutputError, match="must be a new or empty folder or a sweep's"):
        sweep("binary", out=tmp_path / "other", **SMALL)


def test_what_diverges_is_counted_and_costs_no_more() -> None:
    found = sweep(
        "binary", cell="rnn", nonlinearity="relu", optimizer="sgd", clip=0.0, schedule="constant",
        lr=[0.001, 1000.0], hidden_size=4, bidirectional=False, epochs=40, seeds=3,
    )  # fmt: skip
    sound, lost = found.map
    assert (sound.diverged, lost.diverged) == (0.0, 1.0)
    assert lost.score is None
    assert all(row.steps <= 30 for row in found.rows if row.status == "diverged")
    assert [row.setting["lr"] for row in found.best] == [0.001] * 3
    page = render([study_of(found)], title="Sweep")
    assert "3 of 6 runs diverged." in page
    assert "all lost" in page


def test_halving_drops_the_worse_half_and_says_so() -> None:
    rates = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.04]
    options = {"cell": "gru", "hidden_size": 24, "bidirectional": False, "lr": rates, "seeds": 2, "epochs": 16}
    sweeping = done(prepare("binary", {**options, "halving": True}))
    found = sweeping.result()
    status = {rate: {row.status for row in found.rows if row.setting["lr"] == rate} for rate in rates}
    assert all(len(one) == 1 for one in status.values()), "the seeds of a setting go together"
    kept = [rate for rate in rates if status[rate] == {"done"}]
    assert len(kept) == 1, "eight settings, halved three times"
    assert kept[0] >= 0.01
    full = max(row.steps for row in found.rows)
    steps = sorted({row.steps for row in found.rows})
    assert steps[-1] == full
    assert {row.status for row in found.rows if row.steps < full} == {"dropped"}
    assert all(any(abs(step / full - rung) < 0.07 for rung in (1 / 8, 1 / 4, 1 / 2)) for step in steps[:-1])
    assert {row.status for row in found.best} == {"done"}
    assert "were dropped for better ones" in render([study_of(found)], title="Sweep")
    alone = sweep("binary", **{**options, "lr": kept[0]})
    assert (
        alone.rows[0].metrics["test"] == next(row for row in found.rows if row.setting["lr"] == kept[0]).metrics["test"]
    ), "those that stay are not disturbed by those that go"


def test_random_draws_from_lists_and_ranges() -> None:
    options = {"search": "random", "trials": 6, "seeds": 1, "epochs": 1, "bidirectional": False}
    found = sweep("binary", **options, lr="1e-4:1e-1", hidden_size="4:8", cell="rnn,gru")
    again = sweep("binary", **options, lr="1e-4:1e-1", hidden_size="4:8", cell="rnn,gru")
    assert [row.setting for row in found.rows] == [row.setting for row in again.rows]
    assert len(found.rows) == len({str(row.setting) for row in found.rows}) == 6
    assert {place.hidden_size for place in found.map} <= {4, 8}, "drawn sizes stand at steps of the map"
    assert {place.lr for place in found.map} <= {0.0001, 0.00032, 0.001, 0.0032, 0.01, 0.032, 0.1}
    assert sum(place.runs for place in found.map) == 6
    assert all(1e-4 <= row.setting["lr"] <= 1e-1 and row.setting["hidden_size"] in range(4, 9) for row in found.rows)


def test_strings_are_swept_by_accuracy() -> None:
    found = sweep(STRINGS, lr=[0.0001, 0.02], hidden_size=6, embedding_size=4, seeds=2, max_steps=60)
    assert (found.metric, found.higher_is_better) == ("accuracy", True)
    assert found.best[0].setting["lr"] == 0.02
    assert "The best rate is at an end of the axis for gru 6 (0.02)" in " ".join(found.to_dict()["notes"])
    (best,) = found.best_rates
    assert (best.low, best.high) == (0.02, 0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": ","}, "lr must name at least one value, got none"),
        ({"lr": []}, "lr must name at least one value, got none"),
        ({"seeds": 0}, "seeds must be greater than or equal to 1, got 0"),
        ({"hiden_size": 4}, "option 'hiden_size' is unknown; use"),
        ({"hiden_size": 4}, "(nearest: hidden_size)"),
        ({"cell": "rnn,lsmt"}, "cell must be one of combined, elman, gru, lstm (nearest: lstm), got 'lsmt'"),
        ({"lr": "fast"}, "lr must"),
        ({"lr": "0.1:0.01", "search": "random"}, "lr must be a range LOW:HIGH with LOW below HIGH, got '0.1:0.01'"),
        ({"lr": "0.01:0.1"}, "lr must be a list in a grid, got the range 0.01:0.1"),
        ({"cell": "rnn:gru", "search": "random"}, "cell must"),
        ({"seed": 1}, "seed must be left out in a sweep, got 1; say how many in seeds"),
        ({"max_seconds": 5}, "max_seconds must be left out in a sweep"),
        ({"search": "gird"}, "search must be one of grid, optuna, random (nearest: grid), got 'gird'"),
        ({"validation": 0.0}, "validation must hold examples, got none"),
        ({"lr": ",".join(f"{i + 1}e-5" for i in range(400)), "clip": ",".join(map(str, range(300)))}, "grid must have at most"),
        ({"hidden_size": "8,60000", "memory": 1.0}, "hidden_size 60000 with batch_size 64 must fit in memory, got"),
        ({"hidden_size": "8:60000", "search": "random", "memory": 1.0}, "hidden_size 60000 with batch_size 64 must fit"),
        ({"text": "name"}, "text must be left out with the built-in 'binary'"),
    ],
)  # fmt: skip
def test_bad_requests_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare("binary", options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
