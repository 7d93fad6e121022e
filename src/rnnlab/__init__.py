"""Train, compare, diagnose and serve recurrent networks on your own sequences.

The names below are loaded when they are first used, so that ``import rnnlab`` and the command line's help do not wait
for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnnlab.display import drawn_by

__version__ = "0.1.0"

drawn_by("rnnlab.reports.notebook:html")

if TYPE_CHECKING:
    from rnnlab.api import diagnose, load, predict, resume, train, verify
    from rnnlab.comparison import compare
    from rnnlab.config import ModelConfig, TrainConfig
    from rnnlab.data.config import DataConfig
    from rnnlab.errors import InputError
    from rnnlab.estimators import RecurrentClassifier, RecurrentForecaster, RecurrentRegressor
    from rnnlab.findings import Finding
    from rnnlab.runs import Run
    from rnnlab.sweeps import sweep
    from rnnlab.training.backtest import backtest

_WHERE = {
    "DataConfig": "rnnlab.data.config",
    "Finding": "rnnlab.findings",
    "InputError": "rnnlab.errors",
    "ModelConfig": "rnnlab.config",
    "RecurrentClassifier": "rnnlab.estimators",
    "RecurrentForecaster": "rnnlab.estimators",
    "RecurrentRegressor": "rnnlab.estimators",
    "Run": "rnnlab.runs",
    "TrainConfig": "rnnlab.config",
    "backtest": "rnnlab.training.backtest",
    "compare": "rnnlab.comparison",
    "diagnose": "rnnlab.api",
    "load": "rnnlab.api",
    "predict": "rnnlab.api",
    "resume": "rnnlab.api",
    "sweep": "rnnlab.sweeps",
    "train": "rnnlab.api",
    "verify": "rnnlab.api",
}

__all__ = [
    "DataConfig",
    "Finding",
    "InputError",
    "ModelConfig",
    "RecurrentClassifier",
    "RecurrentForecaster",
    "RecurrentRegressor",
    "Run",
    "TrainConfig",
    "backtest",
    "compare",
    "diagnose",
    "load",
    "predict",
    "resume",
    "sweep",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'rnnlab' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
