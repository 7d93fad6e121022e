"""scikit-learn's own checks of an estimator, every one of them, and the examples of the docstrings."""

import doctest
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from rnnlab.estimators import (
    RecurrentClassifier,
    RecurrentForecaster,
    RecurrentRegressor,
    classifier,
    forecaster,
    regressor,
)

SMALL: list[Any] = [
    RecurrentClassifier(hidden_size=8, lr=0.03, epochs=10),
    RecurrentRegressor(hidden_size=16, lr=0.02, epochs=50),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    """No check of scikit-learn is expected to fail; one that is would be named here, with the reason."""
    return {}


@parametrize_with_checks(SMALL, expected_failed_checks=expected_failures)
def test_small_networks_pass_every_check(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([RecurrentClassifier(), RecurrentRegressor()], expected_failed_checks=expected_failures)
def test_defaults_pass_every_check(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("module", [classifier, regressor, forecaster])
def test_docstring_examples_run(module: Any) -> None:
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0


@pytest.mark.parametrize("kind", [RecurrentClassifier, RecurrentRegressor, RecurrentForecaster])
def test_every_parameter_is_documented(kind: Any) -> None:
    for name in kind().get_params():
        assert f"        {name}: " in kind.__doc__, name
