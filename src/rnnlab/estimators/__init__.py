"""Estimators: recurrent networks with scikit-learn's grammar, ``fit``, ``predict``, ``score``.

    raw input -> `inputs` -> a task -> training -> a run, kept as ``run_`` -> answers

They hold what they were told (parameters) and what they learnt (attributes that end in ``_``). What the equations are,
how training goes and what a run is are the business of other rooms.
"""

from rnnlab.estimators.classifier import RecurrentClassifier
from rnnlab.estimators.forecaster import RecurrentForecaster
from rnnlab.estimators.regressor import RecurrentRegressor

__all__ = ["RecurrentClassifier", "RecurrentForecaster", "RecurrentRegressor"]
