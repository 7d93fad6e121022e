"""The second study: hand-computed plateaus, a loss constant to the bit, bits stored, and the study end to end."""

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnlab.config import Interface, ModelConfig
from rnnlab.data import LabelledStrings, Series
from rnnlab.errors import ConfigError
from rnnlab.models import Model
from rnnlab.results import StudyResult
from rnnlab.studies import memorise_evidence as evidence
from rnnlab.studies.capacity import Budget, bits_stored, hidden_for, measure, parameters, random_labels
from rnnlab.studies.jobs import LabData
from rnnlab.studies.memorise import Memorise, ThreeLayers, influence, three_samples, train_pair
from rnnlab.studies.memorise_claims import REPORTED_RNN


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    """As in the lab's workers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pair() -> dict[str, Any]:
    return train_pair(1, 30)


@pytest.fixture(scope="module")
def result() -> StudyResult:
    """The smoke study, end to end."""
    day = np.array(["2024-01-01"], dtype="datetime64[D]")
    data = LabData(LabelledStrings(("a",), ("b",)), Series(day, np.array([1.0]), "unused"), seed=0)
    study = Memorise()
    outcomes = {job.name: job.work(data, lambda spent: None) for job in study.jobs("smoke", data)}
    return study.conclude("smoke", data, outcomes)


def test_plateaus_are_the_fractions_computed_by_hand() -> None:
    assert pytest.approx(float(Fraction(5, 27))) == evidence.PLUS
    assert pytest.approx(float(Fraction(77, 27))) == evidence.MINUS
    assert pytest.approx(float(Fraction(14, 27))) == evidence.ZERO
    assert pytest.approx(float(Fraction(2, 27))) == evidence.CONSTANT
    _, targets = three_samples()
    assert nn.functional.mse_loss(torch.ones(3, 1), targets).item() == pytest.approx(REPORTED_RNN[1], abs=1e-7)


def test_published_lstm_loss_is_constant_to_the_bit_and_its_gradient_adds_up(pair: dict[str, Any]) -> None:
    assert len(set(pair["lstm"]["losses"])) == 1
    assert pair["held"] == 0
    assert pair["parameters"] == sum(p.numel() for p in ThreeLayers(nn.LSTM).parameters())
    gradients = np.array(pair["lstm"]["gradients"])
    np.testing.assert_allclose(gradients, gradients[0] * np.arange(1, 31), rtol=1e-5)


def test_published_rnn_dies_on_a_plateau_with_no_gradient(pair: dict[str, Any]) -> None:
    assert pair["rnn"]["losses"][-1] == pytest.approx(5 / 27, abs=1e-6)
    assert pair["rnn"]["gradients"][-1] == 0.0
    assert pair["rnn_outputs"] == [1.0, 1.0, 1.0]


def test_mended_optimizer_moves_the_lstm(pair: dict[str, Any]) -> None:
    mended = train_pair(2, 30, mended=True)
    assert mended["held"] == mended["parameters"]
    assert len(set(mended["lstm"]["losses"])) == 30
    assert mended["lstm"]["losses"][-1] < evidence.REACHED
    assert mended["rnn"]["losses"] == train_pair(2, 30)["rnn"]["losses"]  # the RNN's training is not touched


def test_training_a_pair_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    train_pair(0, 1)
    assert torch.equal(before, torch.get_rng_state())


def test_without_batch_first_samples_influence_each_other() -> None:
    published, mended = (np.array(influence(0, batch_first=first)["samples"]) for first in (False, True))
    assert np.all(published[np.tril_indices(3)] > 0)  # an answer hangs on all samples before it
    assert np.all(published[np.triu_indices(3, 1)] == 0)
    assert np.all((mended > 0) == np.eye(3, dtype=bool))
    assert [moved > 0 for moved in influence(0, batch_first=False)["steps"]] == [False, False, True]
    assert all(moved > 0 for moved in influence(0, batch_first=True)["steps"])


def test_epochs_to_counts_updates() -> None:
    assert evidence.epochs_to([0.009]) == 0
    assert evidence.epochs_to([1.0, 0.5, 0.0099, 0.5]) == 2
    assert np.isnan(evidence.epochs_to([1.0, 0.01]))


def test_bits_stored_by_hand() -> None:
    assert bits_stored(64, 0) == 64
    assert bits_stored(64, 32) == 0
    assert bits_stored(64, 60) == 0
    assert bits_stored(100, 25) == pytest.approx(100 * (1 - (2 - 0.75 * np.log2(3))))


@given(st.integers(2, 5000).flatmap(lambda count: st.tuples(st.just(count), st.integers(0, count))))
def test_bits_stored_lie_between_none_and_all_and_fall_with_errors(case: tuple[int, int]) -> None:
    count, wrong = case
    assert 0 <= bits_stored(count, wrong) <= count
    assert bits_stored(count, min(wrong + 1, count)) <= bits_stored(count, wrong)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_parameters_are_those_of_the_model(cell: str) -> None:
    hidden = hidden_for(cell, 150)
    model = Model(ModelConfig(cell=cell, hidden_size=hidden), Interface(symbols=0, features=3, outputs=2))
    assert parameters(cell, hidden) == model.parameters_a_run
    assert abs(parameters(cell, hidden) - 150) <= abs(parameters(cell, hidden + 1) - 150)


def test_unknown_cell_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"cell must be .*nearest: lstm.*got 'lstn'"):
        parameters("lstn", 3)


def test_random_labels_depend_on_seed_and_are_fair() -> None:
    task, again, other = random_labels(2000, 0), random_labels(2000, 0), random_labels(2000, 1)
    assert task.fingerprint == again.fingerprint != other.fingerprint
    assert 0.45 < task.targets.double().mean() < 0.55


def test_a_network_stores_a_few_random_labels_whole() -> None:
    shares: list[float] = []
    found = measure("elman", Budget(100, (0.1, 0.2), (0.05,), 1, 150), 0, shares.append)
    assert [row["count"] for row in found["rows"]] == [10, 20]
    assert [row["wrong"] for row in found["rows"]] == [0, 0]
    assert [row["bits"] for row in found["rows"]] == pytest.approx([0.1, 0.2])
    assert shares == pytest.approx([1 / 3, 1.0])


def test_smoke_study_answers_end_to_end(result: StudyResult) -> None:
    assert 2 <= len(result.answer) <= 4
    json.dumps(result.to_dict(), allow_nan=False)
    parts = [part for section in result.sections for part in section.parts]
    assert len({part.id for part in parts}) == len(parts)
    trace = next(part for part in parts if part.id == "trace")
    assert trace.lines[0].startswith("0 lossRNN: 0.")
    assert " lossLSTM: " in trace.lines[0]
    for table in parts:
        if hasattr(table, "rows"):
            assert all(len(row) == len(table.columns) for row in table.rows)


def test_claims_of_defects_are_judged_from_measurements(result: StudyResult) -> None:
    verdicts = {claim.id.removeprefix("memorise."): claim.verdict for claim in result.claims}
    assert verdicts == {
        "rnn_first_loss": "untestable",
        "rnn_loss": "reproduced",
        "lstm_loss": "corrected",
        "lstm_faster": "untestable",  # in twelve epochs no network gets there
        "lstm_higher_loss": "corrected",
        "near_zero": "contradicted",
        "third_step": "contradicted",
        "stored_outputs": "contradicted",
    }
    lstm = next(claim for claim in result.claims if claim.id == "memorise.lstm_loss")
    assert "0 of its 122,412 parameters" in lstm.evidence
    assert "1 distinct value in 5 epochs" in lstm.evidence


def test_published_variant_gets_its_findings(result: StudyResult) -> None:
    said = {(variant.split()[0], finding.check) for variant, finding in result.findings}
    assert said == {
        ("LSTM", "optimizer_misses_parameters"),
        ("LSTM", "zero_grad_forgotten"),
        ("LSTM", "underfitting"),
        ("LSTM", "samples_influence_each_other"),
        ("RNN", "samples_influence_each_other"),
        ("RNN", "learning_rate_too_large"),
        ("RNN", "saturated_output"),
    }
    assert all(finding.severity != "hint" and finding.remedy for _, finding in result.findings)


def test_every_size_has_jobs_with_unique_names_and_a_cost() -> None:
    day = np.array(["2024-01-01"], dtype="datetime64[D]")
    data = LabData(LabelledStrings(("a",), ("b",)), Series(day, np.array([1.0]), "unused"))
    for size in ("smoke", "quick", "full"):
        jobs = Memorise().jobs(size, data)  # type: ignore[arg-type]
        assert len({job.name for job in jobs}) == len(jobs)
        assert all(job.cost > 0 for job in jobs)
