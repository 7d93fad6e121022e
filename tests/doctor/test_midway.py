"""What a run says of itself while it trains: what can be told by then, nothing of sound runs, and no look at the test part."""

from dataclasses import replace

import pytest
import torch

from rnnlab.config import TrainConfig
from rnnlab.doctor import RUN_CHECKS, case, examine
from rnnlab.runs import Run
from rnnlab.tasks import Task, forecast_series
from rnnlab.training import Training

from . import run_faults

AT_THE_END = {
    "forecast_is_last_value", "worse_than_baseline", "learning_rate_too_small", "underfitting", "overfitting",
}  # fmt: skip


def midway(run: Run) -> Run:
    """Return the run as it would be if its training went on."""
    return replace(run, status="training", metrics={}, findings=())


def names(run: Run, task: Task, severities: tuple[str, ...] = ("error", "warning", "hint")) -> set[str]:
    return {finding.check for finding in examine(run, task) if finding.severity in severities}


@pytest.mark.parametrize("what", run_faults.RUN_FAULTS)
def test_a_fault_is_named_before_the_end_unless_the_end_must_tell(what: str) -> None:
    expected, make = run_faults.RUN_FAULTS[what]
    run, task = make()
    found = names(midway(run), task)
    assert (expected in found) is (expected not in AT_THE_END)
    assert not found & {*AT_THE_END, "not_examined"}


def test_the_table_says_which_checks_wait_for_the_end() -> None:
    assert {name for name, one in RUN_CHECKS.items() if one.at_the_end} == AT_THE_END


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("schedule", ["one_cycle", "constant"])
@pytest.mark.parametrize("sound", [run_faults.regression, run_faults.classification, run_faults.chaotic])
def test_sound_runs_raise_no_alarm_at_any_evaluation(sound: object, cell: str, schedule: str) -> None:
    made = sound()
    task = forecast_series(made, context_length=6) if sound is run_faults.chaotic else made
    config = run_faults.TRAINING.replace(max_steps=250, schedule=schedule, evaluate_every=10)
    training = Training(task, run_faults.MODEL.replace(cell=cell), config)
    for step in training:
        if step.records:
            assert names(training.midway(), task, ("error", "warning")) == set(), step.step


def rates(schedule: str, losses: list[float]) -> set[str]:
    """Return what is found of a run with these losses at its evaluations."""
    run, task = run_faults.trained(run_faults.regression(), training=run_faults.TRAINING.replace(max_steps=60))
    history = tuple({"step": 20 * (at + 1), "loss": loss} for at, loss in enumerate(losses))
    config = run.train_config.replace(schedule=schedule)
    return names(midway(replace(run, history=history, train_config=config)), task)


def test_a_learning_rate_is_too_large_midway_where_the_loss_stays_up() -> None:
    fell, up = [1.0, 0.5, 0.2, 0.1, 0.1, 0.1, 0.1], [0.9] * 5
    assert "learning_rate_too_large" in rates("constant", fell + up)
    assert "learning_rate_too_large" not in rates("constant", [*fell, *up[1:], 0.11])
    assert "learning_rate_too_large" not in rates("constant", [*fell, 0.9])
    # A rate that rises and falls again: the loss may too.
    assert "learning_rate_too_large" not in rates("one_cycle", fell + up)
    assert "learning_rate_too_large" not in rates("constant", [3.0, 3.0])
    assert "learning_rate_too_large" in rates("one_cycle", [3.0] * 6)


def test_a_network_that_has_hardly_trained_says_nothing() -> None:
    run, task = run_faults.RUN_FAULTS["weights grown a thousandfold"][1]()
    young = tuple(entry for entry in run.history if entry["step"] < 50)
    assert young
    assert "saturated_gates" not in names(midway(replace(run, history=young)), task)
    assert "saturated_gates" in names(midway(run), task)


def test_the_test_part_is_not_asked_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.Tensor] = []
    outputs = case.Case.outputs
    monkeypatch.setattr(case.Case, "outputs", lambda self, index: asked.append(index) or outputs(self, index))
    run, task = run_faults.RUN_FAULTS["a rare event that is never told"][1]()
    assert "class_imbalance" in names(midway(run), task)
    assert asked
    assert not set(torch.cat(asked).tolist()) & set(task.part("test").tolist())


def test_a_run_that_was_broken_off_keeps_what_could_be_told() -> None:
    run, task = run_faults.RUN_FAULTS["every row twice"][1]()
    assert names(replace(run, status="interrupted"), task) == names(midway(run), task) == {"test_examples_in_training"}


def test_looking_midway_changes_nothing() -> None:
    task = run_faults.classification()
    config = TrainConfig(max_steps=80, lr=0.01, batch_size=16, evaluate_every=10)
    model = run_faults.MODEL.replace(dropout=0.3)
    alone, watched = Training(task, model, config), Training(task, model, config)
    for _ in alone:
        pass
    for _ in watched:
        state = torch.get_rng_state()
        examine(watched.midway(), task)
        assert torch.equal(state, torch.get_rng_state())
    (one,), (other,) = alone.runs(), watched.runs()
    assert torch.equal(one.weights.view(torch.int32), other.weights.view(torch.int32))
    assert one.metrics == other.metrics
    assert [{**entry, "seconds": 0} for entry in one.history] == [{**entry, "seconds": 0} for entry in other.history]
