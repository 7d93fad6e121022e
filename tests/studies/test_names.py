"""The names study: traces in the report's form, confusion matrices of held-out names, claims that follow their figures."""

import json
import re

import numpy as np
import pytest
import torch

from rnnlab.config import Interface, ModelConfig
from rnnlab.data import names, sales
from rnnlab.models import Model
from rnnlab.studies.jobs import LabData, Outcome
from rnnlab.studies.names import Names, names_task
from rnnlab.studies.names_baselines import plain_networks
from rnnlab.studies.names_claims import _explodes

DATA = LabData(names(), sales(), seed=0)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {job.name: job.work(DATA, lambda spent: None) for job in Names().jobs("smoke", DATA)}


def test_traces_have_the_reports_form(outcomes: dict[str, Outcome]) -> None:
    trace = outcomes["published-lstm-16"].measured["runs"][0]["trace"]
    line = re.compile(r"^\d+ \d+% \(\d+m \d+s\) \d+\.\d{4} .+ / [A-Z][a-z]+ (✓|✗ \([A-Z][a-z]+\))$")
    assert len(trace) >= 20
    assert all(line.match(entry) for entry in trace), trace[:3]


def test_confusion_counts_every_held_out_name_once(outcomes: dict[str, Outcome]) -> None:
    task = names_task(DATA, {"share": 0.04})
    table = np.array(outcomes["lstm-16"].measured["confusion"])
    truth = np.bincount(task.targets.numpy()[task.splits.test], minlength=18)
    assert table.sum(axis=1).tolist() == truth.tolist()
    accuracy = outcomes["lstm-16"].measured["runs"][0]["metrics"]["test"]["accuracy"]
    assert np.trace(table) / table.sum() == pytest.approx(accuracy)


def test_result_is_strict_json_with_all_claims(outcomes: dict[str, Outcome]) -> None:
    result = Names().conclude("smoke", DATA, outcomes)
    json.dumps(result.to_dict(), allow_nan=False)
    assert len({claim.id for claim in result.claims}) == len(result.claims) == 14
    kinds = {part.kind for section in result.sections for part in section.parts if hasattr(part, "kind")}
    assert {"bars", "curves", "confusion", "map"} <= kinds


def test_both_is_never_far_below_the_better_of_the_two(outcomes: dict[str, Outcome]) -> None:
    beside = outcomes["best"].measured["baselines"]
    assert beside["both"]["log_loss"] < 1.05 * min(beside["n-grams"]["log_loss"], beside["network"]["log_loss"])
    assert beside["class prior"]["macro_recall"] == pytest.approx(1 / 18, abs=0.06)


def test_an_explosion_turns_the_verdict() -> None:
    wild = {"status": "diverged", "steps": 70, "lr": 0.8, "findings": [{"message": "The loss rose."}]}
    tame = {"status": "done", "steps": 70, "lr": 0.8, "metrics": {"test": {"accuracy": 0.5}}}
    assert _explodes(wild, "a.b", "optimal", 0.8, (0,), "contradicted").verdict == "contradicted"
    assert _explodes(tame, "a.b", "optimal", 0.8, (0,), "contradicted").verdict == "untestable"
    assert _explodes(tame | {"steps": 100_000}, "a.b", "optimal", 0.8, (0,), "contradicted").verdict == "reproduced"
    assert _explodes(wild, "a.b", "explodes", "x", (0,), "reproduced").verdict == "reproduced"


@pytest.mark.parametrize("cell", ["combined", "elman", "lstm"])
def test_plain_networks_are_our_models(cell: str) -> None:
    plain = plain_networks(7, 5, 3)[cell]
    model = Model(ModelConfig(cell=cell, hidden_size=5), Interface(7, 0, 3))
    own = dict(plain.named_parameters())
    with torch.no_grad():
        if cell == "combined":
            model.weight_ih_l0[0].copy_(own["i2h.weight"][:, :7])
            model.weight_hh_l0[0].copy_(own["i2h.weight"][:, 7:])
            model.bias_ih_l0[0].copy_(own["i2h.bias"])
            model.head_weight[0].copy_(own["i2o.weight"])
            model.head_bias[0].copy_(own["i2o.bias"])
        else:
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
                getattr(model, name)[0].copy_(own[f"layer.{name}"])
            model.head_weight[0].copy_(own["head.weight"])
            model.head_bias[0].copy_(own["head.bias"])
    symbols = torch.tensor([2, 6, 3, 1])
    one_hot = torch.nn.functional.one_hot(symbols, 7).float().unsqueeze(1)
    torch.testing.assert_close(model(symbols.view(1, 1, -1))[0], plain(one_hot))


def test_what_too_few_steps_cannot_tell_is_untestable(outcomes: dict[str, Outcome]) -> None:
    claims = {claim.id: claim for claim in Names().conclude("smoke", DATA, outcomes).claims}
    for name in ("linear_no_learning", "linear_size", "rnn_better", "lstm_amazing", "rnn_good", "diagonal"):
        assert claims[f"names.{name}"].verdict == "untestable", name
        assert "--size full" in claims[f"names.{name}"].evidence
