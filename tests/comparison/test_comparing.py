"""A whole comparison on small data: equal budgets, matched sizes, paired seeds, interruptions, bad requests."""

import json
import math
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from rnnlab.comparison import Comparing, ComparisonConfig, compare, prepare
from rnnlab.comparison.report import study_of
from rnnlab.comparison.sizes import matched
from rnnlab.config import CELL_NAMES, Interface, ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, NumberSequences, Series
from rnnlab.errors import ConfigError
from rnnlab.models import Model
from rnnlab.models.parameters import count_weights
from rnnlab.reports import render
from rnnlab.runs import save
from rnnlab.tasks import classify_strings
from rnnlab.training import train
from rnnlab.training.verification import Verifying, _stack

TEXTS = tuple(f"{a}{b}{c}" for a in "abc" for b in "uvwxyz" for c in "123456")
STRINGS = LabelledStrings(TEXTS, tuple(text[0].upper() for text in TEXTS))
SMALL = {"hidden_size": 6, "bidirectional": False, "embedding_size": 4, "rates": "0.01,0.03"}


def waves() -> Series:
    days = np.arange("2024-01-01", "2024-07-19", dtype="datetime64[D]")
    noise = np.random.default_rng(0).standard_normal(len(days))
    return Series(days, 100 + 20 * np.sin(np.arange(len(days)) * 2 * np.pi / 7) + noise, "visits", 7)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("face", [Interface(0, 3, 1), Interface(50, 0, 18)])
def test_weights_are_counted_as_the_model_has_them(cell: str, face: Interface) -> None:
    config = ModelConfig(cell=cell, hidden_size=7, num_layers=2, bidirectional=True, embedding_size=5, ngram_size=2)
    assert count_weights(config, face) == Model(config, face).parameters_a_run


@pytest.mark.parametrize("bidirectional", [False, True])
def test_sizes_are_matched_to_the_largest_cell(bidirectional: bool) -> None:
    face = Interface(50, 0, 18)
    base = ModelConfig(hidden_size=48, bidirectional=bidirectional)
    found = matched(base, ["elman", "lstm", "gru"], face)
    assert found["lstm"].hidden_size == 48
    goal = count_weights(found["lstm"], face)
    for cell, config in found.items():
        assert config.cell == cell
        assert abs(count_weights(config, face) - goal) / goal < 0.02
        for size in (config.hidden_size - 1, config.hidden_size + 1):
            other = count_weights(config.replace(hidden_size=size), face)
            assert abs(other - goal) >= abs(count_weights(config, face) - goal)


def test_strings_are_compared() -> None:
    comparing = prepare(STRINGS, {**SMALL, "seeds": 5, "max_steps": 40})
    spent = [step.spent for step in comparing]
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(1.0)
    found = comparing.result()
    assert found.complete
    assert [cell.cell for cell in found.cells] == ["elman", "lstm", "gru"]
    assert [one.name for one in found.baselines] == ["prior", "ngrams"]
    assert (len(found.pairs), len(found.against)) == (3, 3)
    assert "baseline" in found.verdicts[-1]
    assert {pair.second for pair in found.against} == {"the n-gram baseline"}
    for pair in found.against:
        assert pair.examples is not None
        assert pair.mean is not None
        assert pair.examples[0] <= pair.mean <= pair.examples[1]
    for cell in found.cells:
        assert [seed.seed for seed in cell.seeds] == [0, 1, 2, 3, 4]
        assert [one.lr for one in cell.tried] == [0.01, 0.03]
        best = max(one.score for one in cell.tried if one.score is not None)
        assert next(one.score for one in cell.tried if one.lr == cell.lr) == best
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["metric"] == "macro_f1"
    page = render([study_of(found, comparing.runs)], title="Comparison")
    assert all(verdict.replace("'", "&#39;") in page for verdict in found.verdicts)


def test_a_seed_is_the_run_that_train_gives() -> None:
    task = classify_strings(STRINGS)
    comparing = prepare(task, {**SMALL, "cells": "gru", "seeds": 3, "max_steps": 15, "rates": "0.02"})
    for _ in comparing:
        pass
    found = comparing.result()
    alone = train(task, comparing.models["gru"], comparing.plan.training.replace(lr=0.02, seed=2))[0]
    assert found.cells[0].seeds[2].metrics == pytest.approx(alone.metrics["test"])
    assert comparing.runs["gru"][2].history[-1]["step"] == 15
    assert found.cells[0].tried[0].score is None


def test_a_saved_run_is_verified_in_its_stack(tmp_path: Path) -> None:
    """Alone its last bits would be others; beside the others of its stack they are the same."""
    rows = "".join(f"{text},{text[0]}\n" for text in TEXTS)
    (tmp_path / "data.csv").write_text("text,label\n" + rows)
    options = {**SMALL, "cells": "gru", "seeds": 4, "max_steps": 12, "rates": "0.02", "first_seed": 3}
    comparing = prepare(str(tmp_path / "data.csv"), options)
    for _ in comparing:
        pass
    for position in (0, 2):
        save(comparing.runs["gru"][position], tmp_path / f"run{position}")
        verifying = Verifying(tmp_path / f"run{position}")
        for _ in verifying:
            pass
        assert verifying.beside == 3
        assert verifying.result().same, verifying.result().differences
    record = json.loads((tmp_path / "run0" / "run.json").read_text())
    assert record["data"]["stack"] == [3, 4, 5, 6]
    # An older rnnlab noted their number alone.
    record["data"]["stack"] = 4
    (tmp_path / "run0" / "run.json").write_text(json.dumps(record))
    verifying = Verifying(tmp_path / "run0")
    for _ in verifying:
        pass
    assert verifying.result().same


@pytest.mark.parametrize("stack", [[], ["a"], 10**9, True, [7, 8], {"seeds": 3}])
def test_a_stack_that_was_edited_is_a_run_alone(stack: object) -> None:
    assert _stack(TrainConfig(seed=1), stack) == ([TrainConfig(seed=1)], 0)


@pytest.mark.slow
def test_workers_do_not_change_a_figure() -> None:
    options = {**SMALL, "cells": "gru,lstm", "seeds": 5, "max_steps": 20}
    found = []
    for workers in (1, 2):
        comparing = prepare(STRINGS, options, workers=workers)
        assert [step.spent for step in comparing][-1] == pytest.approx(1.0)
        found.append(comparing.result())
    one, two = found
    assert [cell.cell for cell in two.cells] == ["gru", "lstm"]
    assert [(cell.lr, cell.tried, cell.seeds) for cell in one.cells] == [
        (cell.lr, cell.tried, cell.seeds) for cell in two.cells
    ]
    assert one.verdicts == two.verdicts


@pytest.mark.slow
def test_leaving_early_ends_the_workers() -> None:
    comparing = prepare(STRINGS, {**SMALL, "cells": "gru,lstm", "seeds": 5, "max_steps": 20000}, workers=2)
    steps = iter(comparing)
    for step in steps:
        if step.title != "baselines":
            break
    assert multiprocessing.active_children()
    steps.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()
    assert not comparing.result().complete


def test_series_are_compared_with_what_needs_no_network() -> None:
    found = compare(waves(), "rnn,gru", seeds=5, hidden_size=4, max_steps=20, rates="0.01")
    assert found.metric == "mae"
    assert [one.name for one in found.baselines] == ["last", "season", "ridge"]
    assert found.strongest == min(found.baselines, key=lambda one: one.metrics["mae"]).name
    assert {"mae", "rmse", "mase"} <= set(found.cells[0].seeds[0].metrics or {})
    assert found.verdicts[-1].startswith("No network beats")
    for pair in found.against:
        assert pair.examples is not None
        assert pair.mean is not None
        assert pair.examples[0] < pair.mean < pair.examples[1]


def test_numbers_are_compared_with_mean_and_linear() -> None:
    random = np.random.default_rng(0)
    values = tuple(random.standard_normal((int(length), 2)) for length in random.integers(3, 6, 80))
    source = NumberSequences(values, np.array([value.sum() for value in values]))
    found = compare(source, "gru,lstm", seeds=2, hidden_size=4, max_steps=4, rates="0.01")
    assert [one.name for one in found.baselines] == ["mean", "linear"]
    assert all(pair.examples is not None for pair in found.against)
    labels = NumberSequences(values, tuple("up" if value.sum() > 0 else "down" for value in values))
    named = compare(labels, "gru", seeds=2, hidden_size=4, max_steps=4, rates="0.01")
    assert [one.name for one in named.baselines] == ["prior", "linear"]
    assert named.verdicts == ("No claim: 2 seeds are too few, at least 5 are needed.",)


def test_what_is_done_stays_done_when_broken_off() -> None:
    comparing = prepare(STRINGS, {**SMALL, "seeds": 5, "max_steps": 10, "cells": "rnn,lstm,gru"})
    for _ in comparing:
        if len(comparing.cells) == 2:
            break
    found = comparing.result()
    assert not found.complete
    assert [cell.cell for cell in found.cells] == ["elman", "lstm"]
    assert len(found.pairs) == 1
    assert found.verdicts
    nothing = prepare(STRINGS, {**SMALL, "seeds": 5}).result()
    assert (nothing.complete, nothing.verdicts, nothing.cells) == (False, (), ())
    assert render([study_of(nothing)], title="Comparison")


def test_divergence_is_counted_and_said() -> None:
    options = {"cells": "rnn", "seeds": 5, "hidden_size": 4, "max_steps": 60, "rates": "1000", "clip": 0.0}
    found = compare(waves(), **options, optimizer="sgd", nonlinearity="relu", schedule="constant")
    lost = sum(seed.metrics is None for seed in found.cells[0].seeds)
    assert lost > 0
    said = f"RNN diverged in {lost} of 5 seeds; those seeds are left out of its pairs."
    assert said in found.verdicts
    assert all(math.isfinite(value) for seed in found.cells[0].sound.values() for value in seed.values())
    assert render([study_of(found)], title="Comparison")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": "lstm,grv"}, "cells must be one of combined, elman, gru, lstm (nearest: gru), got 'grv'"),
        ({"cells": "rnn,elman"}, "cells must be different, got 'elman' twice"),
        ({"cells": ","}, "cells must name at least one"),
        ({"rates": "0.1,-1"}, "rates must be above 0, got -1"),
        ({"seeds": 0}, "seeds must be greater than or equal to 1, got 0"),
        ({"head": "none"}, "head must be linear or relu in a comparison, got none"),
        ({"lr": 0.1}, "lr must be left out in a comparison, got 0.1"),
        ({"max_seconds": 5.0}, "max_seconds must be left out in a comparison"),
        ({"validation": 0.0}, "validation must hold examples, got none"),
        ({"sedes": 3}, "option 'sedes' is unknown"),
    ],
)
def test_bad_requests_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(STRINGS, options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_are_exported() -> None:
    assert ComparisonConfig().cells == ("elman", "lstm", "gru")
    assert issubclass(Comparing, object)


def test_notes_say_what_the_cells_read_and_how_to_get_more() -> None:
    said = compare(STRINGS, "gru", **{**SMALL, "rates": "0.01", "max_steps": 1}).notes
    assert any("--ngram-size 64 compares cells beside it" in note for note in said)
    assert said[-1] == "More certain: --seeds 30. Quicker: --seeds 5 --rates 0.004,0.016."
    quick = compare(STRINGS, "gru", seeds=2, ngram_size=4, **{**SMALL, "rates": "0.01", "max_steps": 1}).notes
    assert not any("ngram" in note or "Quicker" in note for note in quick)
