"""`diagnose` itself: it leaves everything as it was, keeps its time, and refuses in one line what it cannot examine."""

import copy
import dataclasses
import json
import random
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rnnlab.doctor import CHECKS, Subject, diagnose
from rnnlab.errors import ConfigError, InputError
from rnnlab.findings import SEVERITIES

from . import faults, lessons
from .lessons import PATIENT


def photograph(subject: Any) -> dict[str, Any]:
    """Return everything that an examination must not change."""
    model, optimizer = subject.model, subject.optimizer
    return copy.deepcopy(
        {
            "weights": {name: value.detach().clone() for name, value in model.state_dict().items()},
            "grads": {name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()},
            "wants": {name: p.requires_grad for name, p in model.named_parameters()},
            "modes": {name: module.training for name, module in model.named_modules()},
            "hooks": {name: list(module._forward_hooks) for name, module in model.named_modules()},
            "optimizer": optimizer.state_dict(),
            "data": (subject.inputs.clone(), subject.targets.clone()),
            "torch": torch.get_rng_state(),
            "numpy": np.random.get_state()[1],  # noqa: NPY002
            "python": random.getstate(),
        }
    )


def same(one: Any, other: Any) -> bool:
    """Compare to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return bool((one == other).all())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "RMSprop"])
@pytest.mark.parametrize("training", [True, False])
def test_everything_is_left_as_it_was(optimizer: str, training: bool) -> None:
    subject = lessons.regression("lstm")
    subject.model.fc = nn.Sequential(nn.BatchNorm1d(16), nn.Dropout(0.3), subject.model.fc)
    subject.optimizer = getattr(torch.optim, optimizer)(subject.model.parameters(), lr=0.01)
    lessons.step(subject.model, subject.optimizer, subject.inputs, subject.targets)  # grads and a state are there
    subject.model.train(training)
    subject.model.rnn.bias_ih_l0.requires_grad_(False)
    subject.model.register_forward_hook(lambda *_: None)
    before = photograph(subject)
    diagnose(subject)
    after = photograph(subject)
    assert [name for name in before if not same(before[name], after[name])] == []


def test_closures_over_the_original_leave_no_trace() -> None:
    subject = lessons.regression("gru")
    model, optimizer = subject.model, subject.optimizer
    lessons.step(model, optimizer, subject.inputs, subject.targets)
    subject.loss = lambda outputs, targets: F.mse_loss(outputs, targets) + sum((p**2).sum() for p in model.parameters())
    subject.train_step = lambda *_: lessons.step(model, optimizer, subject.inputs, subject.targets)
    before = photograph(subject)
    diagnose(subject, checks=["parameters_do_not_move", "zero_grad_forgotten", "loss_without_gradient"])
    after = photograph(subject)
    assert [name for name in before if not same(before[name], after[name])] == []


def test_kept_state_of_a_model_is_left_alone() -> None:
    subject = faults.FAULTS["the state kept with its graph"][1]("gru")
    subject.model(subject.inputs)
    kept = subject.model.state
    diagnose(subject)
    assert subject.model.state is kept


def test_same_findings_twice() -> None:
    first, second = (diagnose(faults.FAULTS["a step skipped"][1]("gru"), seconds=PATIENT) for _ in range(2))
    assert [finding.to_dict() for finding in first] == [finding.to_dict() for finding in second]


def test_findings_come_worst_first_and_as_json() -> None:
    findings = diagnose(faults.FAULTS["(5, 1, 1) against (5, 1)"][1]("lstm"), seconds=PATIENT)
    ranks = [SEVERITIES.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert ranks
    for finding in findings:
        assert json.loads(json.dumps(finding.to_dict(), allow_nan=False)) == finding.to_dict()
        assert finding.remedy


def test_examination_keeps_its_time() -> None:
    subject = lessons.regression("lstm", model=lessons.Reader("lstm", 3, 128))
    subject.inputs, subject.targets = torch.randn(256, 200, 3), torch.randn(256, 1)
    began = time.perf_counter()
    findings = diagnose(subject, seconds=1.0)
    assert time.perf_counter() - began < 10  # probes under way end; loaded machines are slow
    assert all(finding.check != "not_examined" or finding.severity == "hint" for finding in findings)


@pytest.mark.slow
def test_300000_parameters_take_under_ten_seconds_of_work() -> None:
    model = lessons.Reader("lstm", 8, 256)
    assert sum(p.numel() for p in model.parameters()) > 270_000
    torch.manual_seed(0)
    inputs = torch.randn(512, 32, 8)
    subject = lessons.lesson(model, inputs, inputs.mean((1, 2))[:, None], nn.MSELoss())
    began = time.process_time()
    diagnose(subject, seconds=10.0)
    assert time.process_time() - began < 10


def test_only_the_checks_asked_for_run() -> None:
    subject = faults.FAULTS["(5, 1, 1) against (5, 1)"][1]("gru")
    assert [finding.check for finding in diagnose(subject, checks=["one_step_sequence"])] == ["one_step_sequence"]


def test_mapping_is_a_subject_too() -> None:
    subject = vars(faults.FAULTS["the optimizer of the other network"][1]("gru"))
    assert "optimizer_misses_parameters" in {finding.check for finding in diagnose(subject, seconds=PATIENT)}


def test_unknown_check_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="dead_relu"):
        diagnose(lessons.regression(), checks=["ded_relu"])


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_seconds_must_be_positive(seconds: float) -> None:
    with pytest.raises(ConfigError, match="seconds must be above 0"):
        diagnose(lessons.regression(), seconds=seconds)


def wrong(**changes: Any) -> SimpleNamespace:
    """Return a sound subject with something replaced."""
    subject = lessons.regression()
    for name, value in changes.items():
        setattr(subject, name, value)
    return subject


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (None, "without model"),
        (SimpleNamespace(model=nn.Linear(1, 1)), "without optimizer, loss, inputs, targets"),
        (wrong(model=lambda x: x), "model must be an nn.Module"),
        (wrong(optimizer="adam"), "optimizer must be a torch.optim.Optimizer"),
        (wrong(loss=3.0), "loss must be callable"),
        (wrong(inputs=[[1, 2]]), "inputs must be a tensor"),
        (wrong(inputs=torch.zeros(0, 3, 3)), "at least one sample"),
        (wrong(inputs=torch.randn(64, 12, 7)), "must run, got RuntimeError"),
        (wrong(forward=lambda model: model), "must run, got TypeError"),
        (wrong(loss=lambda outputs, targets: (outputs - targets) ** 2), "loss must return one number"),
        (wrong(validation=3), "validation must be"),
        (wrong(history=[1, 2]), "history must be"),
        (wrong(lengths=[1, 2, 3]), "lengths must hold one number a sample"),
        (wrong(inputs=torch.empty(64, 12, 3, device="meta")), "inputs must be on the CPU, got meta"),
        (wrong(model=lessons.Reader("gru").to("meta")), "must be on the CPU, got meta"),
    ],
)
def test_unfit_subject_is_refused_in_one_line(subject: object, said: str) -> None:
    with pytest.raises(InputError) as caught:
        diagnose(subject)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_model_without_recurrent_layers_is_examined_too() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(32, 5)
    model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
    assert diagnose(lessons.lesson(model, inputs, inputs[:, :1], nn.MSELoss())) == []


def test_check_that_fails_on_an_odd_model_is_a_hint_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setitem(CHECKS, "dead_relu", dataclasses.replace(CHECKS["dead_relu"], run=broken))
    findings = diagnose(lessons.regression(), checks=["dead_relu"])
    assert [(finding.check, finding.severity) for finding in findings] == [("not_examined", "hint")]


def test_subject_class_is_what_factories_may_return() -> None:
    sound = lessons.regression()
    subject = Subject(sound.model, sound.optimizer, sound.loss, sound.inputs.numpy(), sound.targets.numpy())
    assert diagnose(subject) == []
