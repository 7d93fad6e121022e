"""Comparison: cells under equal budgets on paired seeds, against each other and against baselines; a verdict, not a table.

Names are imported when they are asked for: the command line needs the settings alone, and must not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlab.comparison.comparing import Comparing, compare, prepare
    from rnnlab.comparison.result import Comparison
    from rnnlab.comparison.settings import ComparisonConfig
    from rnnlab.engine import Progress

_HOMES = {
    "Comparing": "comparing", "Comparison": "result", "ComparisonConfig": "settings", "Progress": "tuning",
    "compare": "comparing", "prepare": "comparing",
}  # fmt: skip

__all__ = ["Comparing", "Comparison", "ComparisonConfig", "Progress", "compare", "prepare"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
