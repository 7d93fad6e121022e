"""Every check against a training that has its fault, in every cell; and sound trainings, of which nothing is said."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rnnlab.doctor import CHECKS, diagnose

from . import faults, lessons
from .lessons import PATIENT


def loud(subject: object, **options: object) -> list[str]:
    """Return the names of errors and warnings."""
    return [
        finding.check for finding in diagnose(subject, **{"seconds": PATIENT} | options) if finding.severity != "hint"
    ]


@pytest.mark.parametrize("cell", lessons.CELLS)
@pytest.mark.parametrize("name", faults.FAULTS)
def test_fault_is_found_and_named(name: str, cell: str) -> None:
    expected, make = faults.FAULTS[name]
    entry = "curves" if expected in ("overfitting", "underfitting") else expected
    assert expected in loud(make(cell), checks=[entry, *CHECKS[entry].silenced_by])


@pytest.mark.parametrize("cell", lessons.CELLS)
@pytest.mark.parametrize("sound", [lessons.regression, lessons.classification, lessons.forecasting])
def test_sound_training_gets_no_finding(sound: object, cell: str) -> None:
    assert loud(sound(cell)) == []


def test_every_check_has_a_fault_that_it_finds() -> None:
    covered = {expected for expected, _ in faults.FAULTS.values()} | {"curves"}
    assert set(CHECKS) <= covered


def test_every_check_says_what_it_looks_for_and_the_remedy() -> None:
    assert all(len(check.about) > 80 and check.about.endswith(".") for check in CHECKS.values())


def test_silencers_are_checks_themselves() -> None:
    assert {by for check in CHECKS.values() for by in check.silenced_by} <= set(CHECKS)


def test_rnn_run_time_first_is_sound_when_the_targets_say_so() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(12, 40, 3)  # (time, batch, features), torch's own default
    model = lessons.Reader("lstm", batch_first=False)
    subject = lessons.lesson(model, inputs, inputs[:, :, :1].mean(0), nn.MSELoss(), forward=_last_first_axis)
    assert loud(subject) == []


def _last_first_axis(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return model.fc(model.rnn(inputs)[0][-1])


def test_packed_sequences_are_sound() -> None:
    torch.manual_seed(3)
    inputs, lengths = torch.randn(48, 9, 4), torch.randint(2, 10, (48,))
    mask = torch.arange(9)[None] < lengths[:, None]
    inputs = inputs * mask[..., None]
    targets = (inputs[..., 0].sum(1) > 0).long()

    def forward(model: nn.Module, x: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False)
        _, state = model.rnn(packed)
        return model.fc(state[-1])

    subject = lessons.lesson(
        lessons.Reader("gru", 4, 16, 2), inputs, targets, nn.CrossEntropyLoss(), lengths=lengths, forward=forward
    )
    assert loud(subject) == []


def test_bidirectional_tagging_is_no_leak() -> None:
    torch.manual_seed(4)
    inputs = torch.randn(40, 12, 3)
    model = faults.EveryStep("lstm", 3, 12, 2, bidirectional=True)
    targets = (inputs.roll(-1, 1)[..., 0] > 0).long()
    subject = lessons.lesson(model, inputs, targets, lambda o, t: F.cross_entropy(o.transpose(1, 2), t))
    assert loud(subject) == []


def test_weighted_loss_answers_class_imbalance() -> None:
    subject = faults.FAULTS["nearly one class"][1]("gru")
    assert "class_imbalance" in loud(subject, checks=["class_imbalance"])
    subject.loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 19.0, 1.0, 1.0]))
    assert loud(subject, checks=["class_imbalance"]) == []


def test_declared_horizon_answers_target_misaligned() -> None:
    subject = lessons.forecasting(ahead=2)
    assert loud(subject, checks=["target_misaligned"]) == ["target_misaligned"]
    subject.horizon = 2
    assert loud(subject, checks=["target_misaligned"]) == []


def test_gradient_curve_is_that_of_autograd() -> None:
    subject = lessons.regression("rnn")
    (finding,) = [
        f
        for f in diagnose(faults.FAULTS["a cue 120 steps ago"][1]("rnn"), seconds=PATIENT)
        if f.check == "vanishing_gradients"
    ]
    assert len(finding.evidence["norms_by_step"]) == 120
    assert finding.evidence["norms_by_step"][-1] == max(finding.evidence["norms_by_step"]) == 1.0
    assert finding.evidence["memory_length"] < 20
    assert "vanishing_gradients" not in loud(subject)


def test_a_single_sample_is_no_reason_to_call_the_loss_far_from_chance() -> None:
    torch.manual_seed(0)
    subject = lessons.lesson(
        lessons.Reader("rnn", 5, 16, 18), torch.randn(1, 7, 5), torch.tensor([3]), nn.CrossEntropyLoss()
    )
    assert loud(subject, checks=["loss_starts_far"]) == []


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("cell", lessons.CELLS)
def test_last_layer_that_starts_at_zero_is_sound(cell: str, skip: bool) -> None:
    subject = lessons.forecasting(cell)
    nn.init.zeros_(subject.model.fc.weight)
    nn.init.zeros_(subject.model.fc.bias)
    subject.forward = (lambda m, x: x[:, -1] + m(x)) if skip else None
    assert loud(subject) == []


def test_absolute_error_broadcasts_too() -> None:
    subject = faults.FAULTS["outputs squeezed, targets not"][1]("gru")
    subject.loss = nn.L1Loss()
    assert "loss_broadcasts" in loud(subject, checks=["loss_broadcasts"])


def test_unscaled_numbers_are_no_reason_to_say_that_a_batch_cannot_be_memorised() -> None:
    torch.manual_seed(0)
    bits = ((torch.arange(256)[:, None] >> torch.arange(8)) & 1).float().unsqueeze(-1)
    subject = lessons.lesson(lessons.Reader("rnn", 1), bits, torch.arange(256.0).unsqueeze(1), nn.MSELoss())
    assert loud(subject) == []
