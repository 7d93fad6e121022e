"""A folder that the first schema wrote (kept beside this file) loads, answers and is trained again as it was then."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rnnlab.data import library
from rnnlab.runs import load
from rnnlab.training.verification import Verifying

FOLDER = Path(__file__).parent / "schema_1"


def test_it_answers_as_it_did() -> None:
    run = load(FOLDER)
    assert (run.status, run.codec.kind) == ("done", "series")
    values = library.sales().values
    (answer,) = run.predict([values])
    assert len(answer["prediction"]) == 2
    width = np.array(run.data["interval"]["half_width"])
    np.testing.assert_allclose(np.array(answer["prediction"]) - answer["lower"], width)
    np.testing.assert_allclose(answer["upper"] - np.array(answer["prediction"]), width)


def test_it_is_trained_again_to_the_same_figures() -> None:
    """Another machine may round otherwise; data, split, scaling, order and first weights are the same."""
    verifying = Verifying(FOLDER)
    for _ in verifying:
        pass
    again, run = verifying.training.runs()[0], load(FOLDER)
    assert torch.allclose(again.weights, run.weights, atol=1e-4)
    for part, metrics in run.metrics.items():
        assert {name: again.metrics[part][name] for name in metrics} == pytest.approx(metrics, rel=1e-3)
    assert not any("None" in difference for difference in verifying.result().differences)
