"""What is said of a training while it goes: findings as a list, from the run and from its curves."""

import pytest

pytest.importorskip("nicegui", reason='needs pip install "rnnlab[web]"')

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.findings import Finding
from rnnlab.runs.record import FindingRecord, RunRecord
from rnnlab.tasks import NumberCodec
from rnnlab.web.page.jobs import Look
from rnnlab.web.page.watching import all_findings, findings_html


def test_findings_are_a_list_whose_flags_no_line_breaks() -> None:
    remedy = "--lr 0.0008, or --clip 1 & --weight-decay"
    shown = findings_html([Finding("a", "warning", "the loss <stays> up", {}, remedy)])
    assert '<li class="warning"><b>warning</b> the loss &lt;stays&gt; up ' in shown
    assert "<code>--lr 0.0008</code>, or <code>--clip 1</code> &amp; <code>--weight-decay</code>" in shown
    assert findings_html([]) == ""


def test_only_the_worst_of_many_are_listed() -> None:
    shown = findings_html([Finding(f"check_{at}", "hint", f"number {at}", {}, "") for at in range(15)])
    assert "number 11" in shown
    assert "number 12" not in shown
    assert "and 3 more" in shown


def test_the_runs_of_a_lab_say_what_is_wrong_with_them_when_they_are_done() -> None:
    said = FindingRecord(check="dead_outputs", severity="error", message="3 of 4 are dead")
    codec = NumberCodec(offset=(0.0,), scale=(1.0,), target_offset=(0.0,), target_scale=(1.0,))
    record = RunRecord(
        schema_version=2, name="published", model=ModelConfig(), training=TrainConfig(), codec=codec, findings=(said,)
    )
    (found,) = all_findings(Look("running", 0.5, "", finished={"published": record}))
    assert (found.check, found.message) == ("dead_outputs", "published: 3 of 4 are dead")


def test_curves_say_what_the_run_does_not_say_itself() -> None:
    falls, rises = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02], [1.0, 0.7, 0.6, 0.7, 0.9, 1.1]
    history = [{"step": at, "loss": loss, "validation_loss": held} for at, (loss, held) in enumerate(zip(falls, rises))]
    (found,) = all_findings(Look("running", 0.1, "", {"run": history}))
    assert found.check == "overfitting"
    assert all_findings(Look("running", 0.1, "", {"run": history[:3]})) == []
