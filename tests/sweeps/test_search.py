"""Optuna asked and told a stack at a time: stacks of one shape, the same again, better than chance; missing, it is named."""

import sys

import pytest

from rnnlab.errors import MissingExtraError
from rnnlab.sweeps import prepare
from rnnlab.sweeps.search import Optuna
from rnnlab.sweeps.settings import Range, SweepConfig

AXES = {
    "cell": ("elman", "gru"),
    "hidden_size": Range(4, 64, whole=True, log=True),
    "lr": Range(1e-5, 1.0, whole=False, log=True),
}


def test_a_missing_optuna_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r'pip install "rnnlab\[search\]"'):
        prepare("binary", {"search": "optuna"})


def test_a_round_is_two_stacks_of_one_shape_each() -> None:
    pytest.importorskip("optuna", reason="needs rnnlab[search]")
    search = Optuna(AXES, SweepConfig(search="optuna", trials=48), higher=False)
    asked = search.ask()
    assert len(asked) == 16
    for stack in (asked[:8], asked[8:]):
        assert len({(setting["cell"], setting["hidden_size"]) for setting in stack}) == 1
        assert len({setting["lr"] for setting in stack}) == 8


def test_it_learns_from_what_it_is_told_and_asks_the_same_again() -> None:
    pytest.importorskip("optuna", reason="needs rnnlab[search]")
    import math

    found = []
    for _ in range(2):
        search = Optuna(AXES, SweepConfig(search="optuna", trials=96), higher=False)
        rounds = []
        while settings := search.ask():
            # Best at 0.01; above 0.3 all diverge.
            search.tell([None if s["lr"] > 0.3 else abs(math.log10(s["lr"]) + 2) for s in settings])
            rounds.append([s["lr"] for s in settings])
        found.append(rounds)
    assert found[0] == found[1]
    assert sum(map(len, found[0])) == 96
    first, last = (sum(abs(math.log10(rate) + 2) for rate in found[0][at]) / len(found[0][at]) for at in (0, -1))
    assert last < first / 2


def test_a_search_that_is_broken_off_goes_on(tmp_path) -> None:
    pytest.importorskip("optuna", reason="needs rnnlab[search]")
    options = {
        "search": "optuna", "trials": 12, "seeds": 2, "epochs": 4, "bidirectional": False,
        "lr": "1e-4:1e-1", "hidden_size": "4:8", "cell": "rnn,gru",
    }  # fmt: skip

    def begun(folder):
        made = prepare("binary", options)
        made.keep_in(folder)
        return made

    first = begun(tmp_path / "out")
    for _ in first:
        if len(first.result().rows) >= 12:
            break
    second, whole = begun(tmp_path / "out"), begun(tmp_path / "whole")
    for sweeping in (second, whole):
        for _ in sweeping:
            pass
    assert second.result().reused >= 12
    assert second.result().complete
    assert [row.metrics for row in second.result().rows] == [row.metrics for row in whole.result().rows]
    assert len({str(row.setting) for row in whole.result().rows}) == 12
