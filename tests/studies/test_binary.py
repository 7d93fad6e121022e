"""The binary study: hand-computed bounds, claims that follow their measurements, jobs that reach another process."""

import pickle

import numpy as np
import pytest

from rnnlab.data import names, sales
from rnnlab.studies.binary import Binary
from rnnlab.studies.binary_report import BOUNDED, CONSTANT, ZEROS
from rnnlab.studies.jobs import LabData, Outcome
from rnnlab.studies.pool import run_jobs

DATA = LabData(names(), sales(), seed=3)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {job.name: job.work(DATA, lambda spent: None) for job in Binary().jobs("smoke", DATA)}


def test_bounds_by_hand() -> None:
    # Sums of squares: sum t^2 = n(n+1)(2n+1)/6; with outputs of at most 1, sum (t-1)^2 over t >= 1.
    assert pytest.approx(255 * 256 * 511 / 6 / 256) == ZEROS
    assert pytest.approx(254 * 255 * 509 / 6 / 256) == BOUNDED
    assert pytest.approx((256**2 - 1) / 12) == CONSTANT


def test_bare_rnn_never_beats_the_bound(outcomes: dict[str, Outcome]) -> None:
    assert all(run["mse"] >= BOUNDED for run in outcomes["bare-tanh"].measured["runs"])


def test_recurrent_weights_of_the_published_networks_get_no_gradient(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["starts"].measured["recurrent_gradient_elman"] == 0.0
    assert outcomes["starts"].measured["recurrent_gradient_lstm"] == 0.0
    assert "Expected hidden" in outcomes["starts"].measured["layer_dim_2"]


def test_dead_outputs_are_counted_as_they_are(outcomes: dict[str, Outcome]) -> None:
    for name in ("elman-4", "lstm-16"):
        for run, record in zip(outcomes[name].runs, outcomes[name].measured["runs"], strict=True):
            outputs = run.outputs([[[b >> k & 1 for k in range(7, -1, -1)]] for b in range(256)])[:, 0]
            assert record["dead"] == bool((outputs == 0).all())
            assert record["mse"] == pytest.approx(float(((outputs - np.arange(256)) ** 2).mean()), rel=1e-5)
            assert record["f255"] == pytest.approx(float(outputs[255]), rel=1e-5)


def test_claims_carry_their_seeds_and_figures(outcomes: dict[str, Outcome]) -> None:
    result = Binary().conclude("smoke", DATA, outcomes)
    claims = {claim.id: claim for claim in result.claims}
    assert claims["binary.ones"].measured == 127
    assert claims["binary.bare_rnn_loss"].seeds == (3, 4)
    assert claims["binary.rnn_best_lr"].verdict == (
        "reproduced" if claims["binary.rnn_best_lr"].measured == 0.001 else "contradicted"
    )
    assert len(claims) == len(result.claims) == 9


def test_jobs_give_the_same_figures_in_another_process(outcomes: dict[str, Outcome]) -> None:
    jobs = [job for job in Binary().jobs("smoke", DATA) if job.name == "elman-4"]
    events = list(run_jobs(pickle.loads(pickle.dumps(jobs)), DATA, None, workers=1))
    assert events[-1].outcome is not None
    found = [run["mse"] for run in events[-1].outcome.measured["runs"]]
    assert found == pytest.approx([run["mse"] for run in outcomes["elman-4"].measured["runs"]], rel=1e-4)
