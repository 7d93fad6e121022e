"""What a run of rnnlab's own says of itself: each fault by its name, nothing of sound runs, and the same bits as without."""

import html
import json
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import rnnlab
from rnnlab.data import LabelledStrings, library
from rnnlab.doctor import RUN_CHECKS, examine
from rnnlab.doctor.case_data import fingerprints
from rnnlab.doctor.learning import curves
from rnnlab.errors import ConfigError
from rnnlab.findings import SEVERITIES, Finding, Findings, worst_first
from rnnlab.reports import chart
from rnnlab.reports.findings import figure_of
from rnnlab.runs import load
from rnnlab.tasks import forecast_series
from rnnlab.training import Training

from . import run_faults
from .lessons import PATIENT

TEXTS = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345")
STRINGS = LabelledStrings(TEXTS, tuple(text[0].upper() for text in TEXTS))


def loud(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.check for finding in findings if finding.severity != "hint"]


@pytest.mark.parametrize("what", run_faults.RUN_FAULTS)
def test_fault_of_a_run_is_named(what: str) -> None:
    expected, make = run_faults.RUN_FAULTS[what]
    findings = {finding.check: finding for finding in examine(*make())}
    assert expected in findings
    found = findings[expected]
    assert found.evidence
    assert found.remedy
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()
    assert "not_examined" not in findings


def test_every_check_of_runs_has_a_fault_and_says_what_it_looks_for() -> None:
    assert set(RUN_CHECKS) == {expected for expected, _ in run_faults.RUN_FAULTS.values()}
    assert {by for one in RUN_CHECKS.values() for by in one.silenced_by} <= {*RUN_CHECKS, "diverged", "exploded"}
    assert all(len(one.about) > 80 and one.about.endswith(".") for one in RUN_CHECKS.values())


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("sound", [run_faults.regression, run_faults.classification, run_faults.chaotic])
def test_nothing_is_said_of_sound_runs(sound: object, cell: str) -> None:
    made = sound()
    task = forecast_series(made, context_length=6) if sound is run_faults.chaotic else made
    training = run_faults.TRAINING.replace(max_steps=250, schedule="one_cycle")
    run, task = run_faults.trained(task, run_faults.MODEL.replace(cell=cell), training)
    assert loud(examine(run, task)) == []


@pytest.mark.parametrize("cell", ["gru", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("elman", "lstm"))])
def test_default_sales_run_is_silent(cell: str) -> None:
    assert loud(rnnlab.train("sales", cell=cell).findings) == []


@pytest.mark.slow
def test_a_year_back_that_is_better_is_named_with_what_lets_the_network_see_it() -> None:
    (found,) = (one for one in rnnlab.train("sales", cell="combined").findings if one.check == "worse_than_baseline")
    assert "364 steps back without a network has" in found.message
    assert "--difference 364" in found.remedy


def test_numbers_are_the_same_with_and_without_the_doctor(tmp_path: Path) -> None:
    torch.manual_seed(5), np.random.seed(5), random.seed(5)  # noqa: NPY002 - the user's own state
    runs = [
        rnnlab.train(STRINGS, hidden_size=8, max_steps=60, dropout=0.2, out=tmp_path / str(on), doctor=on)
        for on in (True, False)
    ]
    state = torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
    torch.manual_seed(5), np.random.seed(5), random.seed(5)  # noqa: NPY002
    assert torch.equal(state[0], torch.rand(3))
    assert (state[1] == np.random.rand(3)).all()  # noqa: NPY002
    assert state[2] == random.random()
    assert torch.equal(*(run.weights.view(torch.int32) for run in runs))
    assert runs[0].metrics == runs[1].metrics
    untimed = [[{**entry, "seconds": 0} for entry in run.history] for run in runs]
    assert untimed[0] == untimed[1]
    saved = [load(tmp_path / str(on)) for on in (True, False)]
    assert torch.equal(saved[0].weights, saved[1].weights)
    assert saved[0].findings == runs[0].findings


def test_examination_changes_nothing_of_the_run_and_its_training() -> None:
    task = run_faults.regression()
    training = Training(task, run_faults.MODEL, run_faults.TRAINING.replace(max_steps=30))
    for _ in training:
        pass
    (run,) = training.runs()
    weights, outputs = run.weights.clone(), run.outputs(task.raw)
    examine(run, task)
    assert torch.equal(run.weights, weights)
    assert (run.outputs(task.raw) == outputs).all()


def test_findings_are_saved_worst_first(tmp_path: Path) -> None:
    run = rnnlab.train(STRINGS, hidden_size=8, lr=1e-7, max_steps=60, out=tmp_path / "run")
    assert run.findings == load(tmp_path / "run").findings
    assert run.findings[0].check == "learning_rate_too_small"
    ranks = [SEVERITIES.index(finding.severity) for finding in run.findings]
    assert ranks == sorted(ranks)


def test_diverged_runs_keep_their_finding_and_their_data_are_looked_at() -> None:
    run, task = run_faults.trained(
        run_faults.regression(), training=run_faults.TRAINING.replace(optimizer="sgd", lr=1e4, clip=0.0, batch_size=1)
    )
    assert run.status == "diverged"
    findings = examine(run, task)
    assert findings[0].check in ("diverged", "exploded")
    assert "updates_on_single_examples" in [finding.check for finding in findings]


def test_a_run_without_data_is_examined_by_its_history() -> None:
    run, _ = run_faults.RUN_FAULTS["few examples, many units"][1]()
    assert loud(examine(run, None))[0] == "overfitting"


def test_a_check_that_fails_is_named_and_loses_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(RUN_CHECKS["overfitting"], run=lambda case: 1 / 0)
    monkeypatch.setitem(RUN_CHECKS, "overfitting", broken)
    findings = examine(*run_faults.trained(run_faults.regression()))
    assert findings[-1].check == "not_examined"
    assert "ZeroDivisionError" in findings[-1].evidence["overfitting"]


def test_examination_keeps_its_time() -> None:
    run, task = run_faults.trained(run_faults.regression())
    began = time.process_time()
    findings = examine(run, task, seconds=1e-9)
    assert time.process_time() - began < 1
    assert findings[-1].check == "not_examined"


def test_fingerprints_are_those_of_the_inputs_however_padded() -> None:
    task = run_faults.regression(60)
    everything = torch.arange(60)
    keys = fingerprints(task.inputs, everything)
    assert len(keys.unique()) == 60
    few = torch.tensor([4, 0, 17])
    longest = fingerprints(task.inputs, torch.cat([few, everything]))
    assert torch.equal(longest[:3], keys[few])
    names = forecast_series(library.sales(), context_length=5)
    assert len(fingerprints(names.inputs, torch.arange(20)).unique()) == 20


def test_saved_runs_are_examined_anew_with_their_data(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    rnnlab.train("sales", hidden_size=8, dropout=0.95, epochs=6, out=folder, doctor=False)
    assert load(folder).findings == ()
    state = torch.get_rng_state()
    found = rnnlab.diagnose(folder, seconds=PATIENT)
    assert {"underfitting", "batch_not_memorised"} <= {finding.check for finding in found}
    assert torch.equal(state, torch.get_rng_state())
    assert all(finding.remedy.startswith("--") for finding in found if finding.check == "batch_not_memorised")
    assert rnnlab.diagnose(load(folder), seconds=PATIENT) == found


def test_saved_runs_of_the_full_examination_try_learning_rates_where_little_was_learned(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    rnnlab.train("sales", hidden_size=8, optimizer="sgd", lr=1e-5, max_steps=30, out=folder)
    (found,) = [one for one in rnnlab.diagnose(folder, seconds=PATIENT) if one.check == "learning_rate_too_small"]
    assert found.remedy.startswith("--lr 0")
    assert found.evidence["factor"] > 10


def test_runs_whose_data_are_gone_are_examined_by_their_history(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,origin\n" + "".join(f"{text},{text[0].upper()}\n" for text in TEXTS))
    rnnlab.train(path, hidden_size=4, max_steps=3, out=tmp_path / "run")
    path.rename(tmp_path / "moved.csv")
    found = rnnlab.diagnose(tmp_path / "run")
    assert found[-1].check == "not_examined"
    assert "must be where it was" in found[-1].evidence["reason"]
    again = rnnlab.diagnose(tmp_path / "run", data=tmp_path / "moved.csv", seconds=PATIENT)
    assert "not_examined" not in [finding.check for finding in again]


def test_runs_in_memory_say_what_could_not_be_looked_at() -> None:
    run = rnnlab.train(STRINGS, hidden_size=4, max_steps=3)
    assert [finding.check for finding in rnnlab.diagnose(run)][-1] == "not_examined"


def test_checks_are_for_plain_pytorch() -> None:
    with pytest.raises(ConfigError, match="checks must be left out for a run"):
        rnnlab.diagnose(rnnlab.train(STRINGS, hidden_size=4, max_steps=3), checks=["dead_relu"])


def test_findings_show_themselves_as_cards_with_their_picture() -> None:
    run, task = run_faults.RUN_FAULTS["recurrent weights near zero"][1]()
    found = worst_first(examine(run, task))
    page = found._repr_html_()
    assert page.count('class="finding ') == len(found)
    (curve,) = [one for one in found if one.check == "vanishing_gradients"]
    card = curve._repr_html_()
    assert "<svg" in card
    assert "effective memory" in card
    assert curve.remedy in html.unescape(card)
    assert figure_of(curve).kind == "curves"
    assert "nothing found" in Findings()._repr_html_()
    assert found.loud == [one for one in found if one.severity != "hint"]


@pytest.mark.parametrize(
    "what",
    ["few examples, many units", "Adam at three", "weights grown a thousandfold", "a rare event that is never told"],
)
def test_evidence_has_a_picture(what: str) -> None:
    expected, make = run_faults.RUN_FAULTS[what]
    (finding,) = [one for one in examine(*make()) if one.check == expected]
    figure = figure_of(finding)
    assert figure is not None
    assert len(figure.data) > 1
    assert chart(figure).to_dict()


def test_best_evaluation_is_ringed() -> None:
    finding = curves([1.0, 0.5, 0.2, 0.1, 0.05, 0.02], [1.0, 0.7, 0.6, 0.7, 0.9, 1.1])
    figure = figure_of(finding)
    (marked,) = [record for record in figure.data if record.get("marked")]
    assert (marked["x"], marked["y"]) == (3, 0.6)
