"""Sweeps: learning rate x size x cell x seed and whatever else, as stacks, over the cores or a cluster; a map of the result.

Names are imported when they are asked for: the command line needs the settings alone, and must not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlab.sweeps.preparing import prepare, sweep
    from rnnlab.sweeps.result import BestRate, Place, Sweep
    from rnnlab.sweeps.settings import SweepConfig
    from rnnlab.sweeps.stack_work import Row
    from rnnlab.sweeps.sweeping import Sweeping

_HOMES = {
    "BestRate": "result", "Place": "result", "Row": "stack_work", "Sweep": "result", "SweepConfig": "settings",
    "Sweeping": "sweeping", "prepare": "preparing", "sweep": "preparing",
}  # fmt: skip

__all__ = ["BestRate", "Place", "Row", "Sweep", "SweepConfig", "Sweeping", "prepare", "sweep"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
