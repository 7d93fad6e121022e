"""What is said of a training while it goes: findings as a list, from the run and from its curves."""

import pytest

pytest.importorskip("nicegui", reason='needs pip install "rnnlab[web]"')

from rnnlab.findings import Finding
from rnnlab.web.page.jobs import Look
from rnnlab.web.page.watching import all_findings, findings_html


def test_findings_are_a_list_whose_flags_no_line_breaks() -> None:
    remedy = "--lr 0.0008, or --clip 1 & --weight-decay"
    shown = findings_html([Finding("a", "warning", "the loss <stays> up", {}, remedy)])
    assert '<li class="warning"><b>warning</b> the loss &lt;stays&gt; up ' in shown
    assert "<code>--lr 0.0008</code>, or <code>--clip 1</code> &amp; <code>--weight-decay</code>" in shown
    assert findings_html([]) == ""


def test_curves_say_what_the_run_does_not_say_itself() -> None:
    falls, rises = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02], [1.0, 0.7, 0.6, 0.7, 0.9, 1.1]
    history = [{"step": at, "loss": loss, "validation_loss": held} for at, (loss, held) in enumerate(zip(falls, rises))]
    (found,) = all_findings(Look("running", 0.1, "", {"run": history}))
    assert found.check == "overfitting"
    assert all_findings(Look("running", 0.1, "", {"run": history[:3]})) == []
