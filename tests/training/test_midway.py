"""A run that is examined while it trains: what is found stands in its folder, and it costs a hundredth of the time."""

import time
from pathlib import Path

import pytest
import torch

from rnnlab.findings import Finding
from rnnlab.runs import Run, load
from rnnlab.runs.folder import read_record
from rnnlab.tasks import Task
from rnnlab.training import fit as fits
from rnnlab.training.fit import Examine, Fit, plan
from rnnlab.training.midway import Turns

OPTIONS = {"hidden_size": 4, "max_steps": 60, "batch_size": 8, "evaluate_every": 5, "dropout": 0.2}


@pytest.fixture
def at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits, "Turns", lambda: Turns(first=0.0, share=1e9))


def begin(folder: Path, examine: Examine | None, **options: object) -> Fit:
    return Fit(plan("sales", OPTIONS | options), folder, examine=examine)


def early(run: Run, task: Task) -> tuple[Finding, ...]:
    """Find something until update 30."""
    return (Finding("early", "hint", "it is early"),) if run.status == "training" and len(run.history) < 6 else ()


def checks(folder: Path) -> list[str]:
    return [finding.check for finding in read_record(folder).findings]


@pytest.mark.usefixtures("at_every_step")
def test_findings_stand_in_the_folder_as_long_as_they_hold(tmp_path: Path) -> None:
    fit = begin(tmp_path / "run", early)
    seen = {}
    for step in fit:
        seen[step.step] = checks(fit.folder)
        assert read_record(fit.folder).status == "training"
    assert seen == {step: ["early"] if step < 30 else [] for step in range(1, 61)}
    assert fit.finish().findings == ()


@pytest.mark.usefixtures("at_every_step")
def test_numbers_are_the_same_and_a_run_that_was_left_goes_on(tmp_path: Path) -> None:
    fit = begin(tmp_path / "watched", early)
    for step in fit:
        if step.step == 20:
            break
    again = Fit(plan("sales", OPTIONS), fit.folder, resume=True, examine=early)
    for _ in again:
        pass
    watched = again.finish()
    alone = begin(tmp_path / "alone", None)
    for _ in alone:
        assert checks(alone.folder) == []
    assert torch.equal(watched.weights, alone.finish().weights)
    runs = load(tmp_path / "watched"), load(tmp_path / "alone")
    assert runs[0].metrics == runs[1].metrics
    assert len(runs[0].history) == 12
    assert [{**one, "seconds": 0} for one in runs[0].history] == [{**one, "seconds": 0} for one in runs[1].history]


def test_a_run_that_broke_says_so_before_its_baselines_are_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits, "Turns", lambda: Turns(first=1e9))
    fit = begin(tmp_path / "run", lambda run, task: run.findings, lr=1e30, optimizer="sgd", clip=0.0)
    for _ in fit:
        pass
    assert checks(fit.folder) == ["diverged"]
    assert read_record(fit.folder).status == "training"
    assert fit.finish().status == "diverged"


def test_examinations_wait_until_they_are_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    turns, spent = Turns(), 0.0
    for _ in range(100_000):
        now += 0.01
        if turns.come():
            cost = 0.05 if spent < 1 else 0.2
            now += cost
            spent += cost
            turns.cost(cost)
    assert 0.005 * (now - 100) < spent <= 0.01 * (now - 100) + 0.2
    first = Turns()
    now += 0.99
    assert not first.come()
    now += 0.02
    assert first.come()
